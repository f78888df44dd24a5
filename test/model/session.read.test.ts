import { describe, expect, test } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { conversationMachine } from '../../machines/conversation.machine.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { ended, opened, queued, Script, started, text } from '../support/facts.ts';
import { quiet, SessionsWorld, snapshotOf } from '../support/sessions-world.ts';

/** Reading a session again: what it does to the turn that is open, and what is said when it fails. */
function streaming(): { world: SessionsWorld; log: Script } {
  const world = new SessionsWorld();
  const log = world.begin('s');
  world.feed(...log.write(started('t'), text('t', 0, 'half')));
  return { world, log };
}
const children = (world: SessionsWorld) =>
  Object.keys(world.ref('s').getSnapshot().children).filter((id) => id !== 'load');
const resync = (world: SessionsWorld) =>
  world.orchestrator.send({ type: 'resync', session: 's', reason: 'slow' });
const problem = (world: SessionsWorld) => world.ref('s').getSnapshot().context.problem;

describe('C30: a session that is read again', () => {
  test('goes on with the turn that is open, under its actor', async () => {
    const { world, log } = streaming();
    expect(children(world)).toEqual(['turn:t']);
    const ref = world.ref('s').getSnapshot().context.open?.ref;
    log.write(text('t', 4, ' whole'));
    resync(world);
    await world.load(snapshotOf(log.facts));
    expect([children(world), world.text('s')]).toEqual([['turn:t'], 'half whole']);
    expect(world.ref('s').getSnapshot().context.open?.ref).toBe(ref);
    world.feed(log.fact(text('t', 10, '!')));
    expect([world.state('s'), world.text('s')]).toEqual(['streaming', 'half whole!']);
  });

  test('I1: knows a turn that has ended meanwhile as a row, and leaves no actor of it', async () => {
    const { world, log } = streaming();
    log.write(text('t', 4, ' whole'), ended('t'));
    resync(world);
    await world.load(snapshotOf(log.facts));
    expect([children(world), world.text('s'), world.state('s')]).toEqual([[], 'half whole', 'finalized']);
    expect(world.turns('s')).toHaveLength(1);
  });

  test('I1: knows the turn after it, if that is open by now', async () => {
    const { world, log } = streaming();
    log.write(ended('t'), started('u', 2), text('u', 0, ' next'));
    resync(world);
    await world.load(snapshotOf(log.facts));
    expect([children(world), world.text('s'), world.state('s')]).toEqual([
      ['turn:u'],
      'half next',
      'streaming',
    ]);
    world.feed(log.fact(text('u', 5, '!')));
    expect(world.text('s')).toBe('half next!');
  });

  test('stands alone too, with nobody to tell', async () => {
    const log = new Script('s');
    log.write(opened(), started('t'), ended('t'));
    const load = fromPromise<SessionSnapshot, { session: string }>(async () => snapshotOf(log.facts));
    const actor = createActor(conversationMachine.provide({ actors: { load } }), { input: { session: 's' } });
    actor.start();
    await quiet();
    expect(actor.getSnapshot()).toMatchObject({ status: 'active', value: 'finalized' });
    // What is no fact of any session changes nothing.
    const before = actor.getSnapshot();
    actor.send({ type: 'mood.changed' } as never);
    expect(actor.getSnapshot().context).toBe(before.context);
    actor.stop();
  });
});

describe('I13: a session that cannot be read', () => {
  test.each<[string, unknown, { code: string; message: string }]>([
    ['an error', new Error('down'), { code: 'load.failed', message: 'down' }],
    [
      'one with a code',
      Object.assign(new Error('down'), { code: 'gateway.gone' }),
      { code: 'gateway.gone', message: 'down' },
    ],
    [
      'one whose code is none of ours',
      Object.assign(new Error('down'), { code: 20 }),
      { code: 'load.failed', message: 'down' },
    ],
    [
      'something else',
      { code: 'session.unknown' },
      { code: 'load.failed', message: 'The session could not be read.' },
    ],
    ['nothing', undefined, { code: 'load.failed', message: 'The session could not be read.' }],
  ])('says why, told by %s', async (_, error, said) => {
    const world = new SessionsWorld();
    world.open('s');
    await world.failLoad('s', error as Error);
    expect(problem(world)).toEqual(said);
    expect(world.state('s')).toBe('opening');
  });

  test('says that the gateway is behind', async () => {
    const { world, log } = streaming();
    resync(world);
    await world.load(snapshotOf(log.facts, 2));
    expect(problem(world)).toEqual({
      code: 'session.behind',
      message: 'The gateway does not know of the newest yet; it is asked again.',
    });
  });
});

test('C23: a turn that ends leaves no actor behind', () => {
  const { world, log } = streaming();
  world.feed(log.fact(ended('t')));
  expect([children(world), world.state('s')]).toEqual([[], 'finalized']);
});

test('I10: a fact of another turn, or of the session, does not touch the row that is open', () => {
  const { world, log } = streaming();
  world.feed(...log.write(ended('t'), started('u', 2), text('u', 0, ' next')));
  const { open } = world.ref('s').getSnapshot().context;
  let told = 0;
  open?.ref.subscribe(() => {
    told += 1;
  });
  world.feed(
    log.fact({ type: 'usage.updated', turn: 't', usage: { totalTokens: 1 } }),
    log.fact({ type: 'session.changed', title: 'New' }),
    log.fact(queued('a', 3)),
  );
  expect([told, world.ref('s').getSnapshot().context.title]).toEqual([0, 'New']);
  world.feed(log.fact(text('u', 5, '!')));
  expect([told, world.text('s')]).toEqual([1, 'half next!']);
});

test('older rows that come while a session is read again are kept', async () => {
  const { world, log } = streaming();
  const whole = snapshotOf(log.facts);
  const rows = snapshotOf(new Script('s').write(opened(), started('o'), ended('o'))).turns;
  const old = rows.map((turn) => ({ ...turn, firstSeq: 1 }));
  resync(world);
  world.ref('s').send({ type: 'older.loaded', turns: old, older: false });
  expect(world.turns('s').map(({ id }) => id)).toEqual(['o', 't']);
  await world.load({ ...whole, older: true });
  expect(world.state('s')).toBe('streaming');
});

test('older rows join those that are there, also when none but the open one is', () => {
  const { world } = streaming();
  const old = snapshotOf(new Script('s').write(opened(), started('o'), ended('o'))).turns;
  world.ref('s').send({ type: 'older.loaded', turns: old, older: false });
  expect(world.turns('s').map(({ id }) => id)).toEqual(['o', 't']);
});
