import { describe, expect, test } from 'vitest';
import { createModel } from '../../src/agents/model/model.ts';
import { Secret } from '../../src/agents/model/secret.ts';
import { answer, Gate, type Reply } from '../support/model-server.ts';
import { bench, ended, openOptions, request, retries, run, said } from './model.fixture.ts';

describe('retries', () => {
  test('I13: a 429 is retried after the time that Retry-After names, and told', async () => {
    const { session, clock, server } = await bench([
      { status: 429, headers: { 'retry-after': '7' }, body: { error: { message: 'slow down' } } },
      answer('now'),
    ]);
    const running = run(session, 'hi');
    await clock.sleeping(7000);
    expect(server.requests).toHaveLength(1);
    const next = clock.now() + 7000;
    clock.advance(7000);
    const outputs = await running;
    expect(outputs[0]).toEqual({
      type: 'retrying',
      attempt: 1,
      reason: expect.stringMatching(/limits the rate.*slow down/),
      next,
    });
    expect(said(outputs)).toBe('now');
    expect(ended(outputs).stopReason).toBe('end_turn');
    expect(server.requests).toHaveLength(2);
  });

  test('a Retry-After that is a date is honoured', async () => {
    const { session, clock } = await bench((_request, index) =>
      index > 0
        ? answer('now')
        : { status: 503, headers: { 'retry-after': new Date(clock.now() + 12_000).toUTCString() } },
    );
    const running = run(session, 'hi');
    await clock.sleeping(12_000);
    clock.advance(12_000);
    expect(said(await running)).toBe('now');
  });

  test('a wait of more than two minutes is not begun: the end says how long', async () => {
    const { session, clock } = await bench([{ status: 429, headers: { 'retry-after': '3600' } }]);
    const outputs = await run(session, 'hi');
    expect(retries(outputs)).toEqual([]);
    expect(ended(outputs).error).toEqual({
      code: 'model.usage_limit',
      message: expect.stringMatching(/until .*\d\d:\d\d: retry then/),
      until: clock.now() + 3_600_000,
    });
  });

  test('I13: a server that keeps failing is asked five times, with growing waits, each told before it begins', async () => {
    const { session, clock, server } = await bench([{ status: 500, body: { error: { message: 'boom' } } }]);
    const running = run(session, 'hi');
    for (const delay of [1000, 2000, 4000, 8000]) {
      await clock.sleeping(delay);
      clock.advance(delay);
    }
    const outputs = await running;
    expect(retries(outputs).map((output) => output.attempt)).toEqual([1, 2, 3, 4]);
    expect(ended(outputs).error).toEqual({
      code: 'model.server_error',
      message: expect.stringMatching(/500.*boom.*Tried 5 times/),
    });
    expect(server.requests).toHaveLength(5);
  });

  const beforeText: [string, Reply][] = [
    ['a dropped connection', { drop: true }],
    ['a stream dropped before its first event', { steps: [{ drop: true }] }],
    ['a stream that ends without a word', { steps: [] }],
    ['an error in the stream', { steps: [{ raw: 'data: {"error":{"message":"upstream","code":502}}\n\n' }] }],
  ];
  test.each(beforeText)('%s is retried while no text has come', async (_name, reply) => {
    const { session, clock } = await bench([reply, answer('now')]);
    const running = run(session, 'hi');
    await clock.sleeping(1000);
    clock.advance(1000);
    const outputs = await running;
    expect(retries(outputs)).toHaveLength(1);
    expect(said(outputs)).toBe('now');
    expect(outputs.filter((output) => output.type === 'accepted')).toHaveLength(1);
  });
});

describe('a stream that breaks', () => {
  const cases: [string, Reply][] = [
    ['ends without a finish reason', { steps: [{ text: 'half an ' }, { text: 'ans' }] }],
    [
      'ends with [DONE] and no finish reason',
      { steps: [{ text: 'half an ' }, { text: 'ans' }, { done: true }] },
    ],
    ['is dropped', { steps: [{ text: 'half an ' }, { text: 'ans' }, { drop: true }] }],
    [
      'is dropped inside an event',
      { steps: [{ text: 'half an ans' }, { raw: 'data: {"choi' }, { drop: true }] },
    ],
    ['ends inside an event', { steps: [{ text: 'half an ans' }, { raw: 'data: {"choi' }] }],
  ];
  test.each(cases)(
    '%s: the turn fails as stream.ended_early, the text stays, nothing is asked again',
    async (_name, reply) => {
      const { session, server } = await bench([reply, answer('again')]);
      const outputs = await run(session, 'hi');
      expect(said(outputs)).toBe('half an ans');
      expect(ended(outputs)).toMatchObject({ stopReason: 'error', error: { code: 'stream.ended_early' } });
      expect(retries(outputs)).toEqual([]);
      expect(server.requests).toHaveLength(1);
    },
  );

  test('C44: text held back as a possible tag is shown when the stream breaks', async () => {
    const { session, server } = await bench([{ steps: [{ text: '<thi' }, { drop: true }] }]);
    const outputs = await run(session, 'hi');
    expect(said(outputs)).toBe('<thi');
    expect(ended(outputs).error?.code).toBe('stream.ended_early');
    expect(server.requests).toHaveLength(1);
  });

  test('a thought counts as an answer begun', async () => {
    const { session, server } = await bench([{ steps: [{ reasoning: 'hm' }] }]);
    const outputs = await run(session, 'hi');
    expect(said(outputs, 'thought')).toBe('hm');
    expect(ended(outputs).error?.code).toBe('stream.ended_early');
    expect(server.requests).toHaveLength(1);
  });

  test('a connection that breaks after the finish reason breaks no answer', async () => {
    const { session } = await bench([{ steps: [{ text: 'whole' }, { finish: 'length' }, { drop: true }] }]);
    const outputs = await run(session, 'hi');
    expect(said(outputs)).toBe('whole');
    expect(ended(outputs)).toEqual({ type: 'ended', stopReason: 'max_tokens' });
  });

  test('an answer that the server itself breaks off fails', async () => {
    const { session } = await bench([{ steps: [{ text: 'a' }, { finish: 'abort' }, { done: true }] }]);
    const outputs = await run(session, 'hi');
    expect(said(outputs)).toBe('a');
    expect(ended(outputs).error).toEqual({
      code: 'model.failed',
      message: expect.stringContaining('"abort"'),
    });
  });

  test('an error that the server sends after text ends the turn with its words', async () => {
    const { session, server } = await bench([
      {
        steps: [
          { text: 'a' },
          { raw: 'data: {"error":{"message":"GPU lost","type":"server_error"}}\n\n' },
          { finish: 'stop' },
        ],
      },
    ]);
    const outputs = await run(session, 'hi');
    expect(said(outputs)).toBe('a');
    expect(ended(outputs).error).toEqual({
      code: 'model.failed',
      message: expect.stringContaining('GPU lost'),
    });
    expect(server.requests).toHaveLength(1);
  });

  test('JSON that is none ends the turn and the request, with the text before it', async () => {
    const steps = [{ text: 'a' }, { raw: 'data: {oops}\n\n' }, { text: 'b' }, { gate: new Gate() }];
    const { session, server } = await bench([{ steps }]);
    const outputs = await run(session, 'hi');
    expect(said(outputs)).toBe('a');
    expect(ended(outputs).error).toEqual({
      code: 'model.bad_answer',
      message: expect.stringMatching(/baseUrl/),
    });
    await server.requests[0]?.aborted;
  });

  test('the session goes on after a failure, and the partial answer is part of what the model sees', async () => {
    const { session, server } = await bench([{ steps: [{ text: 'half' }] }, answer('rest')]);
    await run(session, 'hi');
    expect(said(await run(session, 'go on'))).toBe('rest');
    expect(server.requests[1]?.body?.messages).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'half' },
      { role: 'user', content: 'go on' },
    ]);
  });
});

describe('errors that say what to do', () => {
  const key = new Secret('the-secret-key');
  const cases: [string, Reply, string, RegExp][] = [
    [
      'a wrong key',
      { status: 401, body: { error: { message: 'bad key the-secret-key' } } },
      'model.unauthorized',
      /Correct the key: apiKey or apiKeyEnv for "model" in \/data\/settings\.json, or SLUICE_MODEL_KEY\. It says: bad key \[redacted\]/,
    ],
    [
      'an unknown model',
      { status: 404, body: { error: { message: 'no such model' } } },
      'model.not_found',
      /no model "scripted".*no such model/,
    ],
    [
      'no quota',
      { status: 429, body: { error: { message: 'pay', code: 'insufficient_quota' } } },
      'model.quota',
      /no quota left/,
    ],
    [
      'a prompt that is too long',
      { status: 400, body: { error: { message: "This model's maximum context length is 10 tokens" } } },
      'model.context_exceeded',
      /set contextWindow for "model"/,
    ],
    ['a bad request', { status: 400, body: 'nonsense <here>' }, 'model.bad_request', /400.*nonsense/],
    [
      'a page instead of an API',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      'model.bad_answer',
      /text\/html instead of an event stream.*\/v1/,
    ],
    [
      'JSON instead of a stream',
      { status: 200, body: { choices: [] } },
      'model.bad_answer',
      /application\/json instead of an event stream/,
    ],
  ];
  test.each(cases)('%s', async (_name, reply, code, message) => {
    const { session, server } = await bench([reply], { apiKey: key });
    const outputs = await run(session, 'hi');
    expect(ended(outputs)).toMatchObject({
      stopReason: 'error',
      error: { code, message: expect.stringMatching(message) },
    });
    expect(ended(outputs).error?.message).toContain(
      code === 'model.context_exceeded' ? 'window' : server.url,
    );
    expect(JSON.stringify(outputs)).not.toContain('the-secret-key');
    expect(server.requests).toHaveLength(1);
  });

  async function failureAt(baseUrl: string) {
    const session = await createModel({
      server: { id: 'mine', baseUrl, model: 'm' },
      settingsFile: '/data/settings.json',
    }).open(openOptions());
    const outputs = await run(session, 'hi');
    await session.close();
    return ended(outputs).error;
  }

  test('a server that is down', async () => {
    const { server } = await bench([answer('a')]);
    await server.close();
    expect(await failureAt(server.url)).toEqual({
      code: 'model.unreachable',
      message: `Nothing answers at ${server.url} (connection refused): start the model server, or correct baseUrl for "mine" in /data/settings.json.`,
    });
  });

  test('a host that does not exist', async () => {
    const error = await failureAt('http://no-such-host.invalid/v1');
    // Without any network the resolver may answer "try again"; then the retries would be seen instead.
    expect(error).toEqual({
      code: 'model.unknown_host',
      message: expect.stringMatching(/no host no-such-host\.invalid: correct baseUrl/),
    });
  });

  test('a base URL without /v1', async () => {
    const { server } = await bench([answer('a')]);
    const error = await failureAt(server.url.replace('/v1', ''));
    expect(error).toEqual({ code: 'model.not_found', message: expect.stringContaining(`try ${server.url}`) });
  });

  test('https where http is spoken', async () => {
    const { server } = await bench([answer('a')]);
    const error = await failureAt(server.url.replace('http:', 'https:'));
    expect(error).toEqual({
      code: 'model.tls',
      message: expect.stringMatching(/encryption.*correct baseUrl/),
    });
  });

  test('content that no chat model takes', async () => {
    const { session, server } = await bench([answer('a')]);
    const content = [{ type: 'audio' as const, data: 'AAAA', mimeType: 'audio/midi' }];
    const outputs = [];
    for await (const output of session.prompt({ ...request(''), content })) outputs.push(output);
    expect(ended(outputs).error).toEqual({
      code: 'model.unsupported_content',
      message: expect.stringContaining('audio/midi'),
    });
    expect(server.requests).toHaveLength(0);
  });

  test('nothing configured: the agent is listed as not available, and opening it says what to set', async () => {
    const connector = createModel({ settingsFile: '/data/settings.json' });
    const { available, reason } = await connector.available();
    expect(available).toBe(false);
    expect(reason).toMatch(/SLUICE_MODEL_URL.*\/data\/settings\.json/);
    await expect(connector.open(openOptions())).rejects.toMatchObject({
      name: 'AgentError',
      code: 'model.not_configured',
      message: reason,
    });
  });

  test('a key variable that is empty', async () => {
    const connector = createModel({
      server: { id: 'a', baseUrl: 'http://127.0.0.1:1/v1', apiKeyEnv: 'A_KEY' },
    });
    expect(await connector.available()).toEqual({
      available: false,
      reason: expect.stringContaining('A_KEY is empty'),
    });
    await expect(connector.open(openOptions())).rejects.toMatchObject({ code: 'model.key_missing' });
  });

  test('a gate that never opens leaves the prompt open: silence is not an end', async () => {
    const gate = new Gate();
    const { session } = await bench([{ steps: [{ text: 'a' }, { gate }, { finish: 'stop' }] }]);
    const prompt = session.prompt(request('hi'))[Symbol.asyncIterator]();
    while ((await prompt.next()).value.type !== 'text');
    const next = prompt.next();
    await gate.reached;
    const state = await Promise.race([next, new Promise((resolve) => setImmediate(() => resolve('open')))]);
    expect(state).toBe('open');
    gate.open();
    expect((await next).value).toEqual({ type: 'ended', stopReason: 'end_turn' });
  });
});
