import { describe, expect, test } from 'vitest';
import type { Output } from '../../src/agents/agent.ts';
import { answer, Gate, type Step } from '../support/model-server.ts';
import { bench, ended, openOptions, request, retries, run, said } from './model.fixture.ts';

const done: Step[] = [{ finish: 'stop' }, { done: true }];

describe('answers of a model', () => {
  test('text, usage and the end', async () => {
    const { session, server } = await bench([answer('Hel', 'lo', ' you')]);
    const outputs = await run(session, 'hi');
    expect(outputs.map((output) => output.type)).toEqual([
      'accepted',
      'text',
      'text',
      'text',
      'usage',
      'ended',
    ]);
    expect(said(outputs)).toBe('Hello you');
    expect(outputs.at(-2)).toMatchObject({
      usage: { inputTokens: 10, outputTokens: 3, totalTokens: 13, contextTokens: 13 },
    });
    expect(ended(outputs)).toEqual({ type: 'ended', stopReason: 'end_turn' });
    expect(server.requests[0]?.body).toMatchObject({
      model: 'scripted',
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
    });
  });

  test('reasoning_content becomes a thought', async () => {
    const { session } = await bench([
      { steps: [{ reasoning: 'hm' }, { reasoning: 'm' }, { text: 'so' }, ...done] },
    ]);
    const outputs = await run(session, 'hi');
    expect(said(outputs, 'thought')).toBe('hmm');
    expect(said(outputs)).toBe('so');
  });

  test('C44: inline thoughts become thoughts, without the blank lines around them', async () => {
    const texts = [
      '\n<th',
      'ink>\nwh',
      'y\n</thi',
      'nk>\n',
      '\n<think>',
      'more</think>\n\nThe `<think>` ',
      'tag',
    ];
    const { session } = await bench([answer(...texts)]);
    const outputs = await run(session, 'hi');
    expect(said(outputs, 'thought')).toBe('why\n\n\nmore');
    expect(said(outputs)).toBe('The `<think>` tag');
  });

  test('C44: what was held back as the beginning of a tag is shown at the end', async () => {
    const { session } = await bench([answer('\na <thi')]);
    expect(said(await run(session, 'hi'))).toBe('\na <thi');
  });

  test('inline thoughts stay text when the settings say so', async () => {
    const { session } = await bench([answer('<think>a</think>b')], { reasoningTag: false });
    expect(said(await run(session, 'hi'))).toBe('<think>a</think>b');
  });

  test.each([[[1]], [[2, 3]], [[1, 7, 64]], ['burst' as const]])(
    'text arrives whole when the stream is cut into writes of %j bytes, also inside a character',
    async (cut) => {
      const text = 'Zürich — 東京 — 👩‍🚀 <think>ü</think>ende';
      const { session } = await bench([{ steps: [{ text }, { text: '!' }, ...done], cut }]);
      const outputs = await run(session, 'hi');
      expect(said(outputs)).toBe('Zürich — 東京 — 👩‍🚀 ende!');
      expect(said(outputs, 'thought')).toBe('ü');
    },
  );

  test('a burst of 2,000 deltas in one write loses none', async () => {
    const texts = Array.from({ length: 2000 }, (_, n) => `${n} `);
    const reply = answer(...texts);
    const { session } = await bench([{ ...reply, cut: 'burst' } as typeof reply]);
    expect(said(await run(session, 'hi'))).toBe(texts.join(''));
  });

  test('text is there as soon as it has come', async () => {
    const gate = new Gate();
    const { session } = await bench([{ steps: [{ text: 'first' }, { gate }, { text: ' last' }, ...done] }]);
    const seen: string[] = [];
    await run(session, 'hi', (output) => {
      if (output.type !== 'text') return;
      seen.push(output.text);
      // Had the text been kept back, the gate would never open and the test never end.
      gate.open();
    });
    expect(seen).toEqual(['first', ' last']);
  });

  test('the prompt is accepted as soon as the server takes it, before the first word', async () => {
    const gate = new Gate();
    const { session } = await bench([{ steps: [{ gate }, { text: 'a' }, ...done] }]);
    const outputs = await run(session, 'hi', (output) => {
      if (output.type === 'accepted') gate.open();
    });
    expect(outputs.map((output) => output.type)).toEqual(['accepted', 'text', 'ended']);
  });

  test.each([
    ['length', 'max_tokens'],
    ['content_filter', 'refusal'],
    ['stop', 'end_turn'],
    ['eos_token', 'end_turn'],
  ])('D1: the finish reason %s is the stop reason %s', async (finish, stopReason) => {
    const { session } = await bench([{ steps: [{ text: 'a' }, { finish }, { done: true }] }]);
    expect(ended(await run(session, 'hi'))).toEqual({ type: 'ended', stopReason });
  });

  test('D1: a refusal is told as such', async () => {
    const { session } = await bench([{ steps: [{ delta: { refusal: 'No.' } }, ...done] }]);
    const outputs = await run(session, 'hi');
    expect(said(outputs)).toBe('No.');
    expect(ended(outputs).stopReason).toBe('refusal');
  });

  test('I13: a call of a tool that was never offered is told', async () => {
    const call = {
      tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'rm', arguments: '{}' } }],
    };
    const { session } = await bench([{ steps: [{ delta: call }, { finish: 'tool_calls' }, { done: true }] }]);
    const outputs = await run(session, 'hi');
    expect(outputs).toContainEqual(expect.objectContaining({ type: 'notice', code: 'model.tool_calls' }));
    expect(ended(outputs).stopReason).toBe('end_turn');
  });

  test('an answer without any text ends well', async () => {
    const { session } = await bench([{ steps: done }]);
    expect((await run(session, 'hi')).map((output) => output.type)).toEqual(['accepted', 'ended']);
  });

  test('key, headers, instructions and the limit of the answer are sent', async () => {
    const { Secret } = await import('../../src/agents/model/secret.ts');
    const { session, server } = await bench([answer('a')], {
      apiKey: new Secret('the-key'),
      headers: { 'X-Team': new Secret('red') },
      system: 'Be brief.',
      maxOutputTokens: 99,
    });
    await run(session, 'hi');
    expect(server.requests[0]?.headers).toMatchObject({ authorization: 'Bearer the-key', 'x-team': 'red' });
    expect(server.requests[0]?.body).toMatchObject({
      max_tokens: 99,
      messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user' }],
    });
  });

  test('the session can change its model, and a picture is sent as one', async () => {
    const { session, server } = await bench([answer('a')], {}, { model: 'chosen' });
    await run(session, 'hi');
    await session.setModel?.('other');
    const picture = { type: 'image' as const, data: 'iVBORw0KGgo=', mimeType: 'image/png' };
    for await (const _ of session.prompt({
      ...request('look'),
      content: [{ type: 'text', text: 'look' }, picture],
    }));
    expect(server.requests.map((one) => one.body?.model)).toEqual(['chosen', 'other']);
    expect(server.requests[1]?.body?.messages.at(-1)?.content).toEqual([
      { type: 'text', text: 'look' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
    ]);
  });

  test('a second prompt while one runs is refused, and does not disturb it', async () => {
    const gate = new Gate();
    const { session } = await bench([{ steps: [{ text: 'a' }, { gate }, { text: 'b' }, ...done] }]);
    const outputs = await run(session, 'hi', (output) => {
      if (output.type !== 'text' || output.text !== 'a') return;
      expect(() => session.prompt(request('again'))).toThrow(/answers another prompt/);
      gate.open();
    });
    expect(said(outputs)).toBe('ab');
  });
});

describe('a stop', () => {
  test('I4: cancel closes the request at once and the prompt ends cancelled, without a later word', async () => {
    const gate = new Gate();
    const { session, server } = await bench([{ steps: [{ text: 'a' }, { gate }, { text: 'b' }, ...done] }]);
    const outputs = await run(session, 'hi', (output) => {
      if (output.type === 'text') void session.cancel();
    });
    expect(said(outputs)).toBe('a');
    expect(ended(outputs)).toEqual({ type: 'ended', stopReason: 'cancelled' });
    await server.requests[0]?.aborted;
  });

  test('I4: a stop while the last word is read still ends cancelled', async () => {
    const { session } = await bench([{ steps: [{ text: 'a <thi' }, ...done], cut: 'burst' }]);
    const outputs = await run(session, 'hi', (output) => {
      if (output.type === 'text' && output.text === '<thi') void session.cancel();
    });
    expect(said(outputs)).toBe('a <thi');
    expect(ended(outputs).stopReason).toBe('cancelled');
  });

  test('I5: a stop before the model has answered', async () => {
    const gate = new Gate();
    const { session, server } = await bench(async () => {
      await gate.pass(new Promise(() => {}));
      return answer('late');
    });
    const outputs = run(session, 'hi');
    await server.arrived(1);
    await session.cancel();
    expect(await outputs).toEqual([{ type: 'ended', stopReason: 'cancelled' }]);
    await server.requests[0]?.aborted;
    gate.open();
  });

  test('I5: a stop before the prompt is read sends nothing', async () => {
    const { session, server } = await bench([answer('a')]);
    const prompt = session.prompt(request('hi'));
    await session.cancel();
    const outputs: Output[] = [];
    for await (const output of prompt) outputs.push(output);
    expect(outputs).toEqual([{ type: 'ended', stopReason: 'cancelled' }]);
    expect(server.requests).toHaveLength(0);
  });

  test('I5: a stop while a retry is awaited', async () => {
    const { session, server, clock } = await bench([{ status: 500 }]);
    const outputs = run(session, 'hi');
    await clock.sleeping(1000);
    await session.cancel();
    expect((await outputs).map((output) => output.type)).toEqual(['retrying', 'ended']);
    expect(ended(await outputs).stopReason).toBe('cancelled');
    expect(server.requests).toHaveLength(1);
    expect(clock.waits.filter((ms) => ms !== 1500)).toEqual([]);
  });

  test('a stop twice and one after the end change nothing, and the next prompt runs', async () => {
    const gate = new Gate();
    const { session } = await bench([{ steps: [{ text: 'a' }, { gate }, ...done] }, answer('b')]);
    await run(session, 'hi', (output) => {
      if (output.type !== 'text') return;
      void session.cancel();
      void session.cancel();
    });
    await session.cancel();
    expect(said(await run(session, 'go on'))).toBe('b');
  });

  test('the next prompt can follow the end at once, also when nobody reads past it', async () => {
    const { session } = await bench([answer('a'), answer('b')]);
    const first = session.prompt(request('hi'))[Symbol.asyncIterator]();
    while ((await first.next()).value?.type !== 'ended');
    expect(said(await run(session, 'go on'))).toBe('b');
  });

  test('a reader that leaves, a signal that aborts and a close end the request', async () => {
    const reply = { steps: [{ text: 'a' }, { gate: new Gate() }] };
    const { session, server } = await bench([reply]);
    for await (const output of session.prompt(request('1'))) if (output.type === 'text') break;
    await server.requests[0]?.aborted;

    const kill = new AbortController();
    for await (const output of session.prompt(request('2', kill.signal)))
      if (output.type === 'text') kill.abort();
    await server.requests[1]?.aborted;

    for await (const output of session.prompt(request('3')))
      if (output.type === 'text') await session.close();
    await server.requests[2]?.aborted;
  });
});

describe('loose output', () => {
  test('the models that the server lists are told when the session opens', async () => {
    const told = Promise.withResolvers<Output>();
    await bench(
      [answer('a')],
      {},
      { ...openOptions({ onOutput: told.resolve }) },
      { models: ['x', 'scripted'] },
    );
    expect(await told.promise).toEqual({
      type: 'changed',
      model: 'scripted',
      models: [
        { id: 'x', name: 'x' },
        { id: 'scripted', name: 'scripted' },
      ],
    });
  });

  test('without retries there is no word of one', async () => {
    const { session } = await bench([answer('a')]);
    expect(retries(await run(session, 'hi'))).toEqual([]);
  });
});
