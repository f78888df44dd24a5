import { describe, expect, onTestFinished, test } from 'vitest';
import { estimateText, exchangesOf } from '../../src/agents/model/context.ts';
import { stepsOf } from '../../src/agents/model/earlier.steps.ts';
import { createModel, createModels } from '../../src/agents/model/model.ts';
import type { ToolPart, Turn } from '../../src/wire/turn.ts';
import { ManualClock } from '../support/model-clock.ts';
import { answer, Gate, start } from '../support/model-server.ts';
import { bench, ended, openOptions, run, said } from './model.fixture.ts';

function turn(id: string, user: string, text: string, more: Partial<Turn> = {}): Turn {
  return {
    id,
    origin: 'user',
    message: { id: `m-${id}`, content: [{ type: 'text', text: user }] },
    startedAt: 0,
    firstSeq: 1,
    seq: 2,
    parts:
      text === ''
        ? []
        : [
            { type: 'thought', id: 'p0', text: 'hm', revision: 0 },
            { type: 'text', id: 'p1', text, revision: 0 },
          ],
    accepted: true,
    endedAt: 1,
    outcome: 'finalized',
    stopReason: 'end_turn',
    misfits: [],
    ...more,
  };
}

type Notice = { type: 'notice'; code: string; text: string };
const cuts = (outputs: readonly { type: string }[]) =>
  outputs.filter(
    (output): output is Notice => output.type === 'notice' && (output as Notice).code === 'context.cut',
  );

describe('what the model sees of the conversation', () => {
  test('earlier turns as messages, without thoughts, and what this session said since', async () => {
    const { session, server } = await bench(
      [answer('three'), answer('four')],
      {},
      { history: [turn('1', 'one?', 'one'), turn('2', 'two?', 'two')] },
    );
    await run(session, 'three?');
    await run(session, 'four?');
    expect(server.requests[1]?.body?.messages).toEqual([
      { role: 'user', content: 'one?' },
      { role: 'assistant', content: 'one' },
      { role: 'user', content: 'two?' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three?' },
      { role: 'assistant', content: 'three' },
      { role: 'user', content: 'four?' },
    ]);
  });

  test('roles alternate also after turns without an answer', async () => {
    const history = [
      turn('1', 'one?', '', { outcome: 'failed' }),
      turn('2', 'two?', 'two'),
      turn('3', '', 'unasked', { origin: 'agent' }),
    ];
    delete (history[2] as { message?: unknown }).message;
    const { session, server } = await bench([answer('a')], {}, { history });
    await run(session, 'now?');
    expect(server.requests[0]?.body?.messages).toEqual([
      { role: 'user', content: 'one?\n\ntwo?' },
      { role: 'assistant', content: 'two\n\nunasked' },
      { role: 'user', content: 'now?' },
    ]);
  });

  test('a turn that was retried counts once, from history and in the running session', async () => {
    const history = [
      turn('1', 'one?', 'hal', { outcome: 'failed' }),
      turn('2', 'one?', 'half', { outcome: 'failed', retryOf: '1' }),
    ];
    expect(exchangesOf(history).map((exchange) => exchange.turn)).toEqual(['2']);
    const { session, server } = await bench(
      [{ steps: [{ text: 'ha' }] }, answer('whole'), answer('b')],
      {},
      { history },
    );
    await run(session, 'one?');
    await run(session, 'one?');
    // Asked again after it was answered: not a retry.
    await run(session, 'one?');
    expect(server.requests.map((one) => one.body?.messages.length)).toEqual([1, 1, 3]);
  });

  test('an open turn is no history', () => {
    const open = turn('1', 'one?', 'o');
    delete (open as { outcome?: unknown }).outcome;
    expect(exchangesOf([open])).toEqual([]);
  });
});

describe('the window', () => {
  // 4 tokens of markup for each message, 100 for 400 characters.
  const long = (id: string) => turn(id, id.repeat(400), id.toUpperCase().repeat(400));

  test('I13: whole oldest turns are left out when the window is full, with a notice, and not again at each turn', async () => {
    const history = ['a', 'b', 'c', 'd'].map(long);
    // (1200 - 100) * 0.9 = 990 tokens; four turns of 208 and the message fit, five do not.
    const { session, server } = await bench(
      [answer('E'.repeat(400)), answer('f'), answer('g')],
      { contextWindow: 1200, maxOutputTokens: 100 },
      { history },
    );
    const first = await run(session, 'e'.repeat(400));
    expect(cuts(first)).toEqual([]);
    expect(server.requests[0]?.body?.messages).toHaveLength(9);

    const second = await run(session, 'f?');
    expect(cuts(second)).toEqual([
      {
        type: 'notice',
        level: 'info',
        code: 'context.cut',
        text: expect.stringMatching(/^The 2 oldest turns are no longer sent.*1200 tokens\)/),
      },
    ]);
    const messages = server.requests[1]?.body?.messages ?? [];
    expect(messages).toHaveLength(7);
    expect(messages[0]).toEqual({ role: 'user', content: 'c'.repeat(400) });
    expect(messages.at(-1)).toEqual({ role: 'user', content: 'f?' });

    expect(cuts(await run(session, 'g?'))).toEqual([]);
    expect(server.requests[2]?.body?.messages).toHaveLength(9);
  });

  test('a message that fills the window alone is still sent', async () => {
    const { session, server } = await bench([answer('a')], { contextWindow: 256 }, { history: [long('a')] });
    const outputs = await run(session, 'x'.repeat(4000));
    expect(cuts(outputs)).toHaveLength(1);
    expect(server.requests[0]?.body?.messages).toHaveLength(1);
  });

  test('the size that the server names is used, and told with the usage', async () => {
    const models = [{ id: 'other' }, { id: 'scripted', max_model_len: 700 }];
    const { session, server } = await bench(
      [answer('a')],
      {},
      { history: ['a', 'b', 'c'].map(long) },
      { models },
    );
    const outputs = await run(session, 'hi');
    expect(cuts(outputs)[0]?.text).toContain('(700 tokens)');
    expect(server.requests[0]?.body?.messages.length).toBeLessThan(7);
    expect(outputs.find((output) => output.type === 'usage')).toMatchObject({ usage: { contextSize: 700 } });
  });

  test('a window that nobody names is assumed, and the notice says so', async () => {
    const history = Array.from({ length: 4 }, (_, n) => turn(`${n}`, 'x'.repeat(32_768), 'y'));
    const { session } = await bench([answer('a')], {}, { history });
    const outputs = await run(session, 'hi');
    expect(cuts(outputs)[0]?.text).toMatch(/32768 tokens, assumed: set contextWindow for "model"/);
    expect(outputs.find((output) => output.type === 'usage')).not.toHaveProperty('usage.contextSize');
  });

  test('the estimate counts four characters a token, and wide ones singly', () => {
    expect(estimateText('')).toBe(0);
    expect(estimateText('abcd')).toBe(1);
    expect(estimateText('abcde')).toBe(2);
    expect(estimateText('東京abcd')).toBe(3);
  });
});

describe('the list of models', () => {
  test('is asked of the server, kept for half a minute, and holds the configured model', async () => {
    const server = await start({ script: [answer('a')], models: ['x', { id: 'y', name: 'Why' }] });
    onTestFinished(() => server.close());
    const clock = new ManualClock();
    const connector = createModel({ server: { id: 'mine', baseUrl: server.url, model: 'z' }, clock });
    const listed = {
      available: true,
      models: [
        { id: 'z', name: 'z' },
        { id: 'x', name: 'x' },
        { id: 'y', name: 'Why' },
      ],
    };
    expect(await connector.available()).toEqual(listed);
    expect(await Promise.all([connector.available(), connector.available()])).toEqual([listed, listed]);
    expect(server.listings()).toBe(1);
    clock.advance(30_000);
    await connector.available();
    expect(server.listings()).toBe(2);
  });

  test('a server that is down is still an agent, with the reason', async () => {
    const { server } = await bench([answer('a')]);
    await server.close();
    const connector = createModel({ server: { id: 'mine', baseUrl: server.url, model: 'z' } });
    expect(await connector.available()).toEqual({
      available: true,
      reason: `${server.url}: connection refused.`,
      models: [{ id: 'z', name: 'z' }],
    });
  });

  test('a server that does not answer in time holds nobody up', async () => {
    const { createServer } = await import('node:net');
    const asked = Promise.withResolvers<void>();
    const sockets = new Set<import('node:net').Socket>();
    const silent = createServer((socket) => sockets.add(socket.on('data', () => asked.resolve())));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as import('node:net').AddressInfo;
    const clock = new ManualClock();
    const available = createModel({
      server: { id: 'mine', baseUrl: `http://127.0.0.1:${port}/v1` },
      clock,
    }).available();
    await asked.promise;
    clock.advance(1500);
    expect(await available).toEqual({
      available: true,
      reason: expect.stringContaining('no answer within 1.5 s'),
      models: [],
    });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  test('without a model in the settings, the first that the server lists answers', async () => {
    const { server } = await bench([answer('a')], {}, {}, { models: ['only'] });
    const session = await createModel({ server: { id: 'mine', baseUrl: server.url } }).open(openOptions());
    expect(said(await run(session, 'hi'))).toBe('a');
    expect(server.requests[0]?.body?.model).toBe('only');
  });

  test('without any model, the end says what to set', async () => {
    const { server } = await bench([answer('a')], {}, {}, { models: [] });
    const session = await createModel({ server: { id: 'mine', baseUrl: server.url } }).open(openOptions());
    expect(ended(await run(session, 'hi')).error).toEqual({
      code: 'model.no_model',
      message: expect.stringMatching(/it lists none.*set "model" for "mine"/),
    });
    expect(server.requests).toHaveLength(0);
  });

  test('the settings give one agent each, or the one that says what to set', async () => {
    expect(
      createModels([
        { id: 'a', baseUrl: 'http://a/v1', name: 'A' },
        { id: 'b', baseUrl: 'http://b/v1' },
      ]).map(({ id, name }) => [id, name]),
    ).toEqual([
      ['a', 'A'],
      ['b', 'b'],
    ]);
    expect(createModels([]).map(({ id }) => id)).toEqual(['model']);
    expect((await createModels([])[0]?.available())?.available).toBe(false);
  });
});

describe('sessions side by side', () => {
  test('I8: a stop of one leaves the other streaming', async () => {
    const gate = new Gate();
    const reply = {
      steps: [{ text: 'a' }, { gate }, { text: 'b' }, { finish: 'stop' }, { done: true as const }],
    };
    const { server, session } = await bench([reply]);
    const other = await createModel({ server: { id: 'mine', baseUrl: server.url, model: 'm' } }).open(
      openOptions({ session: 's2', kind: 'job' }),
    );
    const stopped = run(session, '1', (output) => (output.type === 'text' ? session.cancel() : undefined));
    const whole = run(other, '2');
    expect(ended(await stopped).stopReason).toBe('cancelled');
    gate.open();
    expect(said(await whole)).toBe('ab');
    expect(said(await stopped)).toBe('a');
  });
});

describe('what a model did with tools in an earlier turn', () => {
  const tool = (id: string, more: object = {}): ToolPart => ({
    type: 'tool',
    id,
    title: 'T',
    kind: 'read',
    status: 'completed',
    content: [{ type: 'content', content: { type: 'text', text: `result of ${id}` } }],
    locations: [],
    output: '',
    rawInput: { path: 'a.ts' },
    ...more,
  });
  const text = (id: string, text: string) => ({ type: 'text', id, text, revision: 0 }) as const;
  const withParts = (...parts: Turn['parts']) => turn('t1', 'look', '', { parts });

  test('D3: is told to it after a restart: its calls, their results, and what it said in between', async () => {
    const { session, server } = await bench(
      [answer('yes')],
      { tools: true },
      {
        history: [
          withParts(
            text('p1', 'I look.'),
            tool('read-1'),
            tool('list-2', { rawInput: {} }),
            text('p2', 'Now I write.'),
            tool('edit-3', {
              kind: 'edit',
              content: [{ type: 'diff', path: '/w/a.ts', oldText: 'a', newText: 'b' }],
              rawInput: { path: 'a.ts', oldText: 'a', newText: 'b' },
            }),
            tool('run-4', { status: 'refused', content: [], rawInput: { command: 'make' } }),
            tool('run-5', {
              status: 'failed',
              content: [],
              output: 'no rule',
              exitCode: 2,
              rawInput: { command: 'm' },
            }),
            text('p3', 'Done.'),
          ),
        ],
      },
    );
    await run(session, 'did you?');
    const messages = server.requests[0]?.body?.messages.slice(1) as Record<string, unknown>[];
    expect(messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'tool',
      'assistant',
      'tool',
      'tool',
      'tool',
      'assistant',
      'user',
    ]);
    expect(messages[1]).toMatchObject({
      content: 'I look.',
      tool_calls: [
        { id: 't1_read-1', function: { name: 'read', arguments: '{"path":"a.ts"}' } },
        { id: 't1_list-2', function: { name: 'list', arguments: '{}' } },
      ],
    });
    expect(messages.filter(({ role }) => role === 'tool').map(({ content }) => content)).toEqual([
      'result of read-1',
      'result of list-2',
      'Changed /w/a.ts.',
      'The person did not allow this.',
      'no rule\n(exit code 2)',
    ]);
    expect(messages[8]).toMatchObject({ content: 'Done.' });
  });

  test('is bounded, and left out where the model gets no tools or the call was never made', async () => {
    const big = 'x'.repeat(100_000);
    const parts = Array.from({ length: 50 }, (_, n) =>
      tool(`write-${n}`, { rawInput: { path: 'f', text: big }, content: [], output: big }),
    );
    const { steps = [] } = stepsOf(withParts(...parts)) ?? {};
    expect(JSON.stringify(steps).length).toBeLessThan(100_000);
    expect(stepsOf(withParts(tool('read-1', { rawInput: undefined })))).toBeUndefined();
    expect(stepsOf(withParts(tool('call_abc')))).toBeUndefined();
    const { session, server } = await bench(
      [answer('ok')],
      {},
      { history: [withParts(tool('read-1'), text('p', 'Read.'))] },
    );
    await run(session, 'and?');
    expect(server.requests[0]?.body?.messages).toEqual([
      { role: 'user', content: 'look' },
      { role: 'assistant', content: 'Read.' },
      { role: 'user', content: 'and?' },
    ]);
  });
});
