import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createModel } from '../../src/agents/model/model.ts';
import { Secret } from '../../src/agents/model/secret.ts';
import { answer, Gate, start } from '../support/model-server.ts';
import { bench, ended, openOptions, retries, run, said } from './model.fixture.ts';

const key = 'the-secret-key';
const apiKey = new Secret(key);
const usage = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 };

describe.each(['anthropic', 'google'] as const)('a model of %s', (provider) => {
  const talk = (script: Parameters<typeof bench>[0], settings = {}, open = {}) =>
    bench(script, { provider, apiKey, model: 'gemini-2.5-scripted', ...settings }, open, { shape: provider });

  test('thinks, answers, and tells what it took', async () => {
    const { session } = await talk([
      {
        steps: [
          { reasoning: 'h' },
          { reasoning: 'm' },
          { text: 'Hel' },
          { text: 'lo' },
          { finish: 'stop' },
          { usage },
          { done: true },
        ],
      },
    ]);
    const outputs = await run(session, 'hi');
    expect(said(outputs, 'thought')).toBe('hm');
    expect(said(outputs)).toBe('Hello');
    expect(outputs[0]).toEqual({ type: 'accepted' });
    expect(outputs.at(-2)).toMatchObject({
      type: 'usage',
      usage: { inputTokens: 10, outputTokens: 3, totalTokens: 13, contextTokens: 13 },
    });
    expect(ended(outputs)).toEqual({ type: 'ended', stopReason: 'end_turn' });
  });

  test('is readable before it is whole', async () => {
    const gate = new Gate();
    const { session } = await talk([
      { steps: [{ text: 'first' }, { gate }, { text: ' last' }, { finish: 'stop' }, { done: true }] },
    ]);
    const outputs = await run(session, 'hi', (output) => {
      if (output.type === 'text') gate.open();
    });
    expect(said(outputs)).toBe('first last');
  });

  test.each([
    ['ends', { done: true as const }],
    ['breaks', { drop: true as const }],
  ])(
    'I13: a stream that %s without a finish reason is an early end, and its text stays',
    async (_how, step) => {
      const { session } = await talk([{ steps: [{ text: 'half' }, ...('drop' in step ? [step] : [])] }]);
      const outputs = await run(session, 'hi');
      expect(said(outputs)).toBe('half');
      expect(ended(outputs).error?.code).toBe('stream.ended_early');
    },
  );

  test('a stream that ends before it has begun is asked for again', async () => {
    const { session, clock } = await talk([{ steps: [] }, answer('now')]);
    const running = run(session, 'hi');
    await clock.sleeping(1000);
    clock.advance(1000);
    const outputs = await running;
    expect(said(outputs)).toBe('now');
    expect(retries(outputs)).toHaveLength(1);
  });

  test('I13: a server that is too busy is asked again, and that is told', async () => {
    const error =
      provider === 'anthropic'
        ? { status: 529, body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } }
        : {
            status: 503,
            body: { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } },
          };
    const { session, clock } = await talk([error, answer('now')]);
    const running = run(session, 'hi');
    await clock.sleeping(1000);
    clock.advance(1000);
    const outputs = await running;
    expect(retries(outputs)).toMatchObject([{ attempt: 1, reason: expect.stringMatching(/overloaded/i) }]);
    expect(said(outputs)).toBe('now');
  });

  test('an error in the middle ends the turn with its words', async () => {
    const { session } = await talk([
      { steps: [{ text: 'half' }, { error: { type: 'overloaded_error', message: 'Overloaded' } }] },
    ]);
    const outputs = await run(session, 'hi');
    expect(said(outputs)).toBe('half');
    expect(ended(outputs).error?.message).toContain('Overloaded');
  });

  test('gets its key in its own header, and never shows it', async () => {
    const { session, server } = await talk([
      { status: 401, body: { error: { type: 'authentication_error', message: `invalid x-api-key ${key}` } } },
    ]);
    const { error } = ended(await run(session, 'hi'));
    expect(error?.code).toBe('model.unauthorized');
    expect(error?.message).not.toContain(key);
    const header = provider === 'anthropic' ? 'x-api-key' : 'x-goog-api-key';
    expect(server.requests[0]?.headers[header]).toBe(key);
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('uses tools, and sees what it signed again', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'sluice-tools-'));
    onTestFinished(() => rmSync(cwd, { recursive: true }));
    writeFileSync(join(cwd, 'a.txt'), 'alpha\n');
    const call = { id: 'toolu_1', name: 'read', input: { path: 'a.txt' } };
    const { session, server } = await talk(
      [
        { steps: [{ reasoning: 'hm' }, { call }, { finish: 'tool_calls' }, { usage }, { done: true }] },
        answer('ok'),
      ],
      { tools: true },
      { cwd },
    );
    const outputs = await run(session, 'read it');
    expect(said(outputs)).toBe('ok');
    expect(outputs.filter((output) => output.type === 'tool.finished')).toMatchObject([
      { status: 'completed' },
    ]);
    const sent = JSON.stringify(server.requests[1]?.body);
    expect(sent).toContain('alpha');
    expect(sent).toContain(
      provider === 'anthropic' ? '"signature":"signed"' : '"thoughtSignature":"signed-read"',
    );
  });

  test('lists its models, with the windows that it names', async () => {
    const models =
      provider === 'anthropic'
        ? [{ id: 'claude-x', display_name: 'Claude X', max_input_tokens: 1234 }]
        : [
            {
              name: 'models/gemini-x',
              displayName: 'Gemini X',
              inputTokenLimit: 1234,
              supportedGenerationMethods: ['generateContent'],
            },
            { name: 'models/embedding', supportedGenerationMethods: ['embedContent'] },
          ];
    const server = await start({ shape: provider, script: [answer('a')], models });
    onTestFinished(() => server.close());
    const connector = createModel({ server: { id: 'x', provider, baseUrl: server.url, apiKey } });
    const { models: listed } = await connector.available();
    expect(listed).toEqual([
      provider === 'anthropic' ? { id: 'claude-x', name: 'Claude X' } : { id: 'gemini-x', name: 'Gemini X' },
    ]);
    const session = await connector.open(openOptions());
    const outputs = await run(session, 'hi');
    expect(outputs.find((output) => output.type === 'usage')).toMatchObject({ usage: { contextSize: 1234 } });
  });

  test('that is no such server is told by its name', async () => {
    const { session } = await talk([{ steps: [{ raw: 'data: {"what": "is this\n\n' }] }]);
    const { error } = ended(await run(session, 'hi'));
    expect(error).toMatchObject({
      code: 'model.bad_answer',
      message: expect.stringContaining(provider === 'anthropic' ? 'the Anthropic API' : 'the Gemini API'),
    });
  });
});

test('how much the model is to think is sent in the words of the API', async () => {
  const { session, server } = await bench([answer('a')], { reasoning: 'high' });
  await run(session, 'hi');
  expect(server.requests[0]?.body?.reasoning_effort).toBe('high');
});
