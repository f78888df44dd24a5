import { expect, it } from 'vitest';
import { Gate } from '../support/model-server.ts';
import { type RpcStep, text, turnEnd } from '../support/rpc-server.ts';
import { bench, said } from './rpc-sse.kit.ts';

const whole: RpcStep = { answer: { reply: 'Hello world.' } };
const complete: RpcStep = { event: 'chat.complete', data: { reply: 'Hello world.' } };

it.each<[string, readonly RpcStep[]]>([
  ['the answer, then the end', [text('Hello '), whole, turnEnd]],
  ['the end, then the answer', [text('Hello '), turnEnd, whole]],
  ['the answer alone', [text('Hello '), whole]],
  ['the end alone', [{ answer: {} }, text('Hello '), text('world.'), turnEnd]],
  ['the answer, nothing before', [whole]],
  ['twice: the answer, the whole again, and the end', [text('Hello '), whole, complete, turnEnd]],
  ['twice: the whole, the end, and the answer', [text('Hello world.'), complete, turnEnd, whole]],
  ['tokens that come after the answer', [text('Hello '), whole, text('world.'), turnEnd]],
  ['another final text', [text('Hullo '), text('wrld'), whole, turnEnd]],
])('one end and the same text: %s (C2, C5, C39, C45)', async (_, steps) => {
  const b = await bench({ m1: { steps }, m2: { steps: [text('Hello '), whole, turnEnd] } });
  const turn = await b.send('m1');
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized', stopReason: 'end_turn' });
  expect(said(await b.last())).toBe('Hello world.');
  // What came late has changed nothing, and the next turn is its own.
  const next = await b.send('m2');
  expect(await b.ended(next)).toMatchObject({ outcome: 'finalized' });
  expect(said(await b.last())).toBe('Hello world.');
  expect((await b.gateway.snapshot('s')).turns).toHaveLength(2);
  await b.sound();
});

it('ends by its event when the dispatch is never answered, after a wait for the answer', async () => {
  const b = await bench({ m1: { mute: true, steps: [text('Hello world.'), turnEnd] } });
  const turn = await b.send('m1');
  await b.clock.sleeping(10_000);
  await b.followed.until((f) => f.type === 'text.added');
  expect((await b.gateway.snapshot('s')).state).toBe('streaming');
  b.clock.advance(10_000);
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  await b.sound();
});

it('takes the late end of a turn for no end of the next one (C45)', async () => {
  const gate = new Gate();
  const b = await bench({
    m1: { steps: [whole] },
    m2: { steps: [{ gate }, text('Second.'), { answer: { reply: 'Second.' } }] },
  });
  await b.ended(await b.send('m1'));
  const turn = await b.send('m2');
  await gate.reached;
  b.server.tell('turn:end', { session_id: 's' });
  gate.open();
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect(said(await b.last())).toBe('Second.');
  expect(b.clock.waits).not.toContain(10_000);
});

it('takes an event that names another turn for nothing of this one', async () => {
  const gate = new Gate();
  const b = await bench({ m1: { names: true, steps: [{ answer: {} }, text('Mine.'), { gate }, turnEnd] } });
  const turn = await b.send('m1');
  await gate.reached;
  b.server.tell('llm:delta', { session_id: 's', client_id: 't99', delta: 'Theirs.' });
  b.server.tell('turn:end', { session_id: 's', client_id: 't99' });
  gate.open();
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect(said(await b.last())).toBe('Mine.');
});

it('a dispatch that is refused ends the turn with the words of the back end; the next works (C41)', async () => {
  const b = await bench({
    m1: { steps: [text('Hello '), { refuse: 'No more credit.' }] },
    m2: { steps: [whole] },
  });
  const end = await b.ended(await b.send('m1'));
  expect(end).toMatchObject({
    outcome: 'failed',
    error: { message: expect.stringContaining('No more credit.') },
  });
  expect(said(await b.last())).toBe('Hello ');
  expect(await b.ended(await b.send('m2'))).toMatchObject({ outcome: 'finalized' });
  await b.sound();
});

it('refuses and counts events that name no session, and says so once (C12, I13, I14)', async () => {
  const stray = (delta: string): RpcStep => ({ event: 'llm:delta', session: null, data: { delta } });
  const steps = [{ answer: {} }, text('Mine.'), stray('Whose?'), stray('Whose?'), turnEnd];
  const b = await bench({ m1: { steps }, m2: { steps } });
  await b.ended(await b.send('m1'));
  await b.ended(await b.send('m2'));
  const { turns } = await b.gateway.snapshot('s');
  expect(turns.map(said)).toEqual(['Mine.', 'Mine.']);
  const notices = turns.flatMap((turn) => turn.parts.flatMap((p) => (p.type === 'notice' ? p.code : [])));
  expect(notices).toEqual(['rpc.unscoped']);
  const [line] = await b.gateway.agents();
  expect(line?.reason).toContain('4 events that name no session');
});

it('an event for a session that is not here changes nothing (C51)', async () => {
  const b = await bench({
    m1: {
      steps: [
        { answer: {} },
        { event: 'llm:delta', session: 'other', data: { delta: 'x' } },
        text('Mine.'),
        turnEnd,
      ],
    },
  });
  await b.ended(await b.send('m1'));
  expect(said(await b.last())).toBe('Mine.');
  await b.sound();
});

it('output that nobody asked for is a turn of the agent (A7)', async () => {
  const b = await bench({ m1: { steps: [{ answer: {} }, text('Hello.'), turnEnd] } });
  await b.ended(await b.send('m1'));
  b.server.tell('llm:delta', { session_id: 's', delta: 'By the way.' });
  const started = await b.followed.until((f) => f.type === 'turn.started' && f.origin === 'agent');
  await b.ended('turn' in started ? started.turn : '');
  expect(said(await b.last())).toBe('By the way.');
  await b.sound();
});

it('parallel tools of one name are matched by their call; an end without a start and a refusal are ends (C48-50)', async () => {
  const tool = (event: string, data: Record<string, unknown>): RpcStep => ({ event: `tool:${event}`, data });
  const b = await bench({
    m1: {
      steps: [
        { answer: {} },
        tool('started', { call_id: 'a', name: 'grep' }),
        tool('started', { call_id: 'b', name: 'grep' }),
        tool('finished', { call_id: 'b', name: 'grep', output: 'B' }),
        tool('finished', { call_id: 'c', name: 'read', output: 'C', is_error: true }),
        tool('refused', { call_id: 'a', name: 'grep', reason: 'Not allowed.' }),
        turnEnd,
      ],
    },
  });
  await b.ended(await b.send('m1'));
  const tools = (await b.last())?.parts.flatMap((p) => (p.type === 'tool' ? [[p.id, p.status]] : []));
  expect(tools).toEqual([
    ['a', 'refused'],
    ['b', 'completed'],
    ['c', 'failed'],
  ]);
  await b.sound();
});

it('three queued messages go out once each, in order, after the end before is logged (C46)', async () => {
  const gate = new Gate();
  const one = { steps: [text('Hello '), whole, complete, turnEnd] };
  const b = await bench({
    m1: { steps: [text('Hello '), { gate }, whole, turnEnd] },
    m2: one,
    m3: one,
    m4: one,
  });
  await b.send('m1');
  await gate.reached;
  for (const id of ['m2', 'm3', 'm4']) await b.send(id);
  gate.open();
  await b.followed.until((f) => f.type === 'turn.started' && f.message?.id === 'm4');
  await b.followed.until(() => b.followed.facts.filter((f) => f.type === 'turn.ended').length === 4);
  expect(b.server.of('message.send').map((c) => c.params.message)).toEqual(['m1', 'm2', 'm3', 'm4']);
  await b.sound();
});

it('guidance goes to the running turn, once; refused it stays in the queue and is the next turn (D2)', async () => {
  const gates = [new Gate(), new Gate()] as const;
  const b = await bench({
    m1: { steps: [{ answer: {} }, text('a'), { gate: gates[0] }, turnEnd] },
    m2: { steer: { accepted: false }, steps: [{ answer: {} }, text('a'), { gate: gates[1] }, turnEnd] },
    g2: { steps: [whole] },
  });
  const first = await b.send('m1');
  await gates[0].reached;
  await b.send('g1', { delivery: 'steer' });
  await b.followed.until((f) => f.type === 'turn.steered');
  gates[0].open();
  await b.ended(first);
  const second = await b.send('m2');
  await gates[1].reached;
  await b.send('g2', { delivery: 'steer' });
  await expect.poll(() => b.server.of('session.steer').length).toBe(2);
  gates[1].open();
  await b.ended(second);
  await b.followed.until((f) => f.type === 'turn.started' && f.message?.id === 'g2');
  await b.followed.until((f) => f.type === 'text.added' && f.text === 'Hello world.');
  expect(b.server.of('message.send').map((c) => c.params.message)).toEqual(['m1', 'm2', 'g2']);
  expect(b.followed.facts.filter((f) => f.type === 'turn.steered')).toHaveLength(1);
});

it('guidance whose answer comes with the end of the turn is applied once (D2)', async () => {
  const gate = new Gate();
  const before = new Gate();
  const b = await bench({
    m1: { steer: { accepted: true, before }, steps: [{ answer: {} }, text('a'), { gate }, turnEnd] },
  });
  const turn = await b.send('m1');
  await gate.reached;
  await b.send('g1', { delivery: 'steer' });
  await before.reached;
  gate.open();
  await expect.poll(() => b.server.streams()).toBe(1);
  before.open();
  await b.ended(turn);
  expect(b.followed.facts.filter((f) => f.type === 'turn.steered')).toHaveLength(1);
  expect(b.server.of('message.send')).toHaveLength(1);
  await b.sound();
});

it('says when its event stream was lost, and the whole answer at the end mends the text (I13)', async () => {
  const gate = new Gate();
  const b = await bench({
    m1: {
      steps: [
        text('Hello '),
        { cut: true },
        text('lost '),
        { gate },
        { answer: { reply: 'Hello lost world.' } },
      ],
    },
  });
  const turn = await b.send('m1');
  const notice = await b.followed.until((f) => f.type === 'notice.added');
  expect(notice).toMatchObject({ code: 'rpc.stream_lost' });
  gate.open();
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect((await b.last())?.parts.findLast((p) => p.type === 'text')).toMatchObject({
    text: expect.stringContaining('world.'),
  });
  b.clock.advance(1_000);
  await expect.poll(() => b.server.streams()).toBe(1);
});

it('speaks as the settings say: methods, parameters, events and fields (defaults: Hero Shrimp)', async () => {
  const b = await bench(
    {
      m1: {
        steps: [
          { event: 'token', data: { payload: { piece: 'Hi.' } } },
          { answer: { data: { out: 'Hi.' } } },
        ],
      },
    },
    {
      profile: {
        params: { turn: 'meta.turn' },
        answer: { reply: 'data.out' },
        events: { text: ['token'] },
        fields: { text: 'payload.piece' },
      },
    },
  );
  const turn = await b.send('m1');
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect(said(await b.last())).toBe('Hi.');
  expect(b.server.of('message.send')[0]?.params).toEqual({ session_id: 's', message: 'm1', meta: { turn } });
});
