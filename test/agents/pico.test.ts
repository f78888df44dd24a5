import { inspect } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/agents/model/secret.ts';
import type { PicoServer } from '../../src/agents/pico/options.ts';
import { createPico } from '../../src/agents/pico/pico.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import { violations } from '../support/invariants.ts';
import { localGateway } from '../support/local-gateway.ts';
import { ManualClock } from '../support/model-clock.ts';
import { Gate } from '../support/model-server.ts';
import {
  create,
  type PicoKnobs,
  type PicoPlay,
  type PicoStep,
  remove,
  startPico,
  typing,
  update,
  usage,
} from '../support/pico-server.ts';

const quiet = 15_000;
const settle = 250;

async function bench(
  plays: Readonly<Record<string, readonly PicoStep[] | PicoPlay>>,
  knobs: PicoKnobs = {},
  settings: Partial<PicoServer> = {},
) {
  const server = await startPico((content) => {
    const play = plays[content] ?? [];
    return 'steps' in play ? play : { steps: play };
  }, knobs);
  onTestFinished(() => server.close());
  const clock = new ManualClock();
  const connector = createPico({ server: { id: 'pico', url: server.url, ...settings }, clock });
  const local = await localGateway({ connectors: [connector], limits: { quiet: 50, cancel: 2_000 } });
  onTestFinished(() => local.close());
  const { gateway, log } = local;
  await gateway.create({ id: 's', agent: 'pico' });
  const followed = await local.follow('s');
  const last = async () => (await gateway.snapshot('s')).turns.at(-1);
  return {
    server,
    clock,
    gateway,
    log,
    followed,
    last,
    send: async (id: string) =>
      String((await gateway.send('s', { id, content: [{ type: 'text', text: id }] })).turn),
    ended: async (turn: string) =>
      (await followed.until((f) => f.type === 'turn.ended' && f.turn === turn)) as Extract<
        Fact,
        { type: 'turn.ended' }
      >,
    /** What is on the row: text that was taken back is not. */
    row: async () =>
      ((await last())?.parts ?? [])
        .map((p) => [p.type, 'text' in p ? p.text : p.type === 'tool' ? p.status : ''])
        .filter(([, text]) => text !== ''),
    async sound() {
      const { turns } = await gateway.snapshot('s');
      const facts = (await log.read('s', 0)) as Fact[];
      expect(violations(facts)).toEqual([]);
      expect(foldAll(facts)).toEqual(turns);
    },
  };
}

const end = (id: string, text: string) => [update(id, text, usage), typing('stop')];
const toolCalls = (id: string, args = '{"command": "ls -la /ve…'): PicoStep =>
  create(id, '', {
    kind: 'tool_calls',
    tool_calls: [{ id: `${id}-1`, function: { name: 'exec', arguments: args } }],
  });

it('a whole tool turn: the preamble is taken back and said again, its tools end without results, one end', async () => {
  const b = await bench({
    m1: [
      typing('start'),
      create('M1', 'Let me look.'),
      remove('M1'),
      typing('stop'),
      create('T', 'Hm', { kind: 'thought' }),
      update('T', 'Hm, files.', { kind: 'thought' }),
      create('M2', 'Let me look.'),
      toolCalls('C'),
      create('M3', 'Two'),
      update('M3', 'Two files.'),
      ...end('M3', 'Two files.'),
    ],
  });
  const turn = await b.send('m1');
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized', stopReason: 'end_turn' });
  expect(await b.row()).toEqual([
    ['thought', 'Hm, files.'],
    ['text', 'Let me look.'],
    ['tool', 'completed'],
    ['notice', expect.stringContaining('does not send the results')],
    ['text', 'Two files.'],
  ]);
  const tool = (await b.last())?.parts.find((p) => p.type === 'tool');
  expect(tool).toMatchObject({ title: 'exec', rawInput: '{"command": "ls -la /ve…' });
  expect((await b.last())?.usage).toMatchObject({ contextTokens: 10, contextSize: 100 });
  await b.sound();
});

it.each<[string, readonly PicoStep[]]>([
  [
    'an older text after a newer',
    [create('M', 'He'), update('M', 'Hello wor'), update('M', 'Hello'), ...end('M', 'Hello world.')],
  ],
  ['an update before its create', [update('M', 'Hello '), create('M', 'He'), ...end('M', 'Hello world.')]],
  [
    'an update after its delete',
    [create('A', 'x'), remove('A'), update('A', 'xyz'), create('M', 'Hello world.', usage), typing('stop')],
  ],
  [
    'a delete before its create',
    [remove('A'), create('A', 'x'), create('M', 'Hello world.', usage), typing('stop')],
  ],
  [
    'the last before the one before it',
    [create('M', 'Hello '), update('M', 'Hello world.', usage), update('M', 'Hello wor'), typing('stop')],
  ],
  [
    'each frame twice',
    [
      create('M', 'Hello '),
      create('M', 'Hello '),
      update('M', 'Hello world.'),
      update('M', 'Hello world.'),
      ...end('M', 'Hello world.'),
    ],
  ],
  ['another text than before', [create('M', 'Hullo'), update('M', 'Hello'), ...end('M', 'Hello world.')]],
  [
    'a placeholder first',
    [
      create('M', 'Thinking... 💭', { placeholder: true }),
      update('M', 'Hello '),
      ...end('M', 'Hello world.'),
    ],
  ],
])('frames overtake each other: %s (C9, C21)', async (_, steps) => {
  const b = await bench({ m1: [typing('start'), ...steps] });
  expect(await b.ended(await b.send('m1'))).toMatchObject({ outcome: 'finalized' });
  expect(await b.row()).toEqual([['text', 'Hello world.']]);
  await b.sound();
});

it('an answer that is not streamed comes after the typing has stopped', async () => {
  const b = await bench({ m1: [typing('start'), typing('stop'), create('M', 'Hello world.', usage)] });
  const turn = await b.send('m1');
  await b.clock.sleeping(settle);
  b.clock.advance(settle);
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect(await b.row()).toEqual([['text', 'Hello world.']]);
});

it('without a last frame the end is inferred from the history, which has the rest; the row says so (I13)', async () => {
  const b = await bench({ m1: [create('M', 'Hello '), { record: 'Hello world.' }] });
  const turn = await b.send('m1');
  await b.followed.until((f) => f.type === 'text.added');
  await b.clock.sleeping(quiet);
  b.clock.advance(quiet);
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect(await b.row()).toEqual([
    ['text', 'Hello world.'],
    ['notice', expect.stringContaining('inferred: its session has the whole answer')],
  ]);
  await b.sound();
});

it('a silence is no end while the history has no answer, or a tool runs', async () => {
  const gates = [new Gate(), new Gate()] as const;
  const b = await bench({
    m1: [
      create('M', 'Let me look.'),
      { gate: gates[0] },
      toolCalls('C'),
      { gate: gates[1] },
      create('N', 'Done.', usage),
      typing('stop'),
    ],
  });
  const turn = await b.send('m1');
  await b.followed.until((f) => f.type === 'text.added');
  await b.clock.sleeping(quiet);
  b.clock.advance(quiet);
  await expect.poll(() => b.server.asked()).toBe(1);
  gates[0].open();
  await b.followed.until((f) => f.type === 'tool.started');
  b.clock.advance(quiet * 10);
  await gates[1].reached;
  expect(b.server.asked()).toBe(1);
  gates[1].open();
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect(b.followed.facts.some((f) => f.type === 'notice.added' && f.code === 'pico.inferred_end')).toBe(
    false,
  );
});

it('where there is no history to ask, twice the silence has to do', async () => {
  const b = await bench({ m1: [create('M', 'Hello world.')] }, { history: false });
  const turn = await b.send('m1');
  await b.followed.until((f) => f.type === 'text.added');
  await b.clock.sleeping(quiet);
  b.clock.advance(quiet);
  await expect.poll(() => b.server.asked()).toBe(1);
  expect((await b.last())?.outcome).toBeUndefined();
  await b.clock.sleeping(quiet);
  b.clock.advance(quiet);
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect(await b.row()).toContainEqual(['notice', expect.stringContaining('nothing more was heard')]);
});

it('a stop is the text /stop; its answer is in no row, and the next turn has only its own (C42, I4)', async () => {
  const b = await bench({
    m1: [create('M', 'Hello '), { gate: new Gate() }],
    m2: [create('N', 'Second.', usage), typing('stop')],
  });
  const turn = await b.send('m1');
  await b.followed.until((f) => f.type === 'text.added');
  await b.gateway.stop('s', { turn });
  expect(await b.ended(turn)).toMatchObject({ outcome: 'cancelled' });
  b.server.tell('s', 'message.update', { message_id: 'M', content: 'Hello late', ...usage });
  await b.ended(await b.send('m2'));
  expect(b.server.sent).toEqual(['m1', '/stop', 'm2']);
  const { turns } = await b.gateway.snapshot('s');
  // picoclaw forgets the message that was stopped; the log does not.
  expect(turns.map((one) => [one.message?.id, one.parts.map((p) => ('text' in p ? p.text : ''))])).toEqual([
    ['m1', ['Hello ']],
    ['m2', ['Second.']],
  ]);
  await b.sound();
});

it('a frame of a turn that is over changes nothing; a new message is a turn of the agent (A7, C45)', async () => {
  const b = await bench({ m1: [create('M', 'Hello.', usage), typing('stop')] });
  await b.ended(await b.send('m1'));
  b.server.tell('s', 'message.update', { message_id: 'M', content: 'Hello. And more' });
  b.server.tell('s', 'message.create', { message_id: 'R', content: 'You asked to be reminded.' });
  const started = await b.followed.until((f) => f.type === 'turn.started' && f.origin === 'agent');
  await b.ended('turn' in started ? String(started.turn) : '');
  const { turns } = await b.gateway.snapshot('s');
  expect(turns.map((turn) => turn.parts.map((p) => ('text' in p ? p.text : '')))).toEqual([
    ['Hello.'],
    ['You asked to be reminded.'],
  ]);
  await b.sound();
});

it('a failure of its model, which it tells as an answer, is a failed turn: the queue waits (D1)', async () => {
  const b = await bench({
    m1: [create('M', 'Error processing message: model overloaded', usage), typing('stop')],
  });
  expect(await b.ended(await b.send('m1'))).toMatchObject({
    outcome: 'failed',
    error: { code: 'pico.failed', message: expect.stringContaining('model overloaded') },
  });
});

it('keeps one socket for a conversation, and opens another when it was lost between turns', async () => {
  const play = (id: string) => [create(id, 'Hello.', usage), typing('stop')];
  const b = await bench({ m1: play('A'), m2: play('B'), m3: play('C') });
  await b.ended(await b.send('m1'));
  await b.ended(await b.send('m2'));
  expect(b.server.handshakes).toHaveLength(1);
  b.server.cut('s');
  await expect.poll(() => b.server.sockets('s')).toBe(0);
  expect(await b.ended(await b.send('m3'))).toMatchObject({ outcome: 'finalized' });
  expect(b.server.handshakes.map((request) => request.url)).toEqual(Array(2).fill('/pico/ws?session_id=s'));
});

it.each<[string, PicoKnobs, string, string]>([
  ['a wrong token', { token: 'right' }, 'pico.unauthorized', '"token" for "pico"'],
  ['a channel that is stopped', { refuse: 503 }, 'pico.unavailable', 'stopped'],
  ['too many clients', { full: true }, 'pico.full', 'close other clients'],
  ['no such channel', { refuse: 404 }, 'pico.refused', 'check "url"'],
])('says what to do about %s, and shows no token', async (_, knobs, code, words) => {
  const b = await bench({}, knobs, { token: new Secret('wrong-token') });
  const failed = await b.ended(await b.send('m1'));
  expect(failed).toMatchObject({
    outcome: 'failed',
    error: { code, message: expect.stringContaining(words) },
  });
  expect(b.server.handshakes[0]?.headers.authorization).toBe('Bearer wrong-token');
  expect(inspect(await b.log.read('s', 0), { depth: 9 })).not.toContain('wrong-token');
});

it('sends pictures as data URLs beside the text', async () => {
  const b = await bench({ Look: [create('M', 'A cat.', usage), typing('stop')] });
  const image = { type: 'image', data: 'aGk=', mimeType: 'image/png' } as const;
  const { turn } = await b.gateway.send('s', { id: 'm1', content: [{ type: 'text', text: 'Look' }, image] });
  await b.ended(String(turn));
  expect(b.server.payloads).toEqual([{ content: 'Look', media: ['data:image/png;base64,aGk='] }]);
});
