import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/wire/facts.ts';
import { asks, ended, opened, Script, started, text } from '../support/facts.ts';
import { quiet, SessionsWorld, snapshotOf } from '../support/sessions-world.ts';

describe('C30: reading a session', () => {
  const log = new Script('a');
  log.write(
    opened(),
    started('t'),
    text('t', 0, 'one '),
    text('t', 4, 'two '),
    text('t', 8, 'three'),
    ended('t'),
  );

  test('a load that resolves during the live stream wipes nothing; snapshot and tail are the whole', async () => {
    for (let cut = 1; cut <= log.facts.length; cut++) {
      const world = new SessionsWorld();
      world.open('a');
      // Facts come before the snapshot is there, and are not lost: they follow it.
      world.feed(...log.facts.slice(1, cut));
      expect(world.loads).toHaveLength(1);
      await world.load(snapshotOf(log.facts, cut));
      expect(world.emitted).toEqual([{ type: 'ready', session: 'a', cursor: `e.${cut}` }]);
      world.feed(...log.facts.slice(cut));
      expect(world.text('a')).toBe('one two three');
      expect(world.state('a')).toBe('finalized');
      expect(world.loads).toEqual([]);
    }
  });

  test('a load of A that resolves after a switch to B touches B in nothing', async () => {
    const world = new SessionsWorld();
    world.open('a');
    const b = world.begin('b');
    world.feed(...b.write(started('t'), text('t', 0, 'of b')));
    const before = world.ref('b').getSnapshot();
    world.orchestrator.send({ type: 'release', session: 'a' });
    await world.load(snapshotOf(log.facts));
    expect(world.ref('b').getSnapshot()).toBe(before);
    expect(world.text('a')).toBe('one two three');
    expect(world.text('b')).toBe('of b');
  });

  test('a load that resolves after its session was forgotten makes nothing', async () => {
    const world = new SessionsWorld();
    world.open('a');
    const [load] = world.loads;
    world.orchestrator.send({ type: 'forget', session: 'a' });
    load?.resolve(snapshotOf(log.facts));
    await quiet();
    expect(world.context.sessions).toEqual({});
    expect(world.emitted).toEqual([{ type: 'retired', session: 'a' }]);
  });

  test('I10: a resync keeps the identity of finished rows, of the open row, and of its parts that say the same', async () => {
    const world = new SessionsWorld();
    const live = world.begin('s');
    world.feed(...live.write(started('t'), text('t', 0, 'done'), ended('t')));
    world.feed(
      ...live.write(started('u', 2), text('u', 0, 'first', 'p1'), asks('u', 'q'), text('u', 0, 'sec', 'p2')),
    );
    const [row] = world.turns('s');
    const { open } = world.ref('s').getSnapshot().context;
    const parts = world.turns('s')[1]?.parts;
    const more = live.write(text('u', 3, 'ond', 'p2'));
    world.orchestrator.send({ type: 'resync', session: 's', reason: 'slow' });
    await world.load(snapshotOf(live.facts));
    expect(world.ref('s').getSnapshot().context.open?.ref).toBe(open?.ref);
    const after = world.turns('s');
    expect(after[0]).toBe(row);
    expect(after[1]?.parts.map((part, index) => part === parts?.[index])).toEqual([true, true, false]);
    expect(after[1]?.parts[2]).toMatchObject({ text: 'second' });
    world.feed(...more, live.fact(text('u', 6, '!', 'p2')));
    expect(world.turns('s')[1]?.parts[2]).toMatchObject({ text: 'second!' });
  });

  test('I10: a snapshot of the log as it was before changes no row: it is asked for again, and after a minute believed', async () => {
    const world = new SessionsWorld();
    const live = world.begin('s');
    world.feed(...live.write(started('t'), text('t', 0, 'done'), ended('t')));
    const [row] = world.turns('s');
    // Given by a gateway that was overtaken and does not know it yet.
    world.orchestrator.send({ type: 'resync', session: 's', reason: 'ahead' });
    await world.load(snapshotOf(live.facts, 3));
    expect(world.turns('s')).toEqual([row]);
    expect(world.ref('s').getSnapshot().context.problem?.code).toBe('session.behind');
    world.clock.advance(500);
    await world.load(snapshotOf(live.facts));
    expect(world.state('s')).toBe('finalized');
    expect(world.turns('s')[0]).toBe(row);
    expect(world.ref('s').getSnapshot().context.problem).toBeNull();

    world.orchestrator.send({ type: 'resync', session: 's', reason: 'ahead' });
    for (let i = 0; i < 8; i++) {
      await world.load(snapshotOf(live.facts, 3));
      world.clock.advance(15_000);
    }
    await world.load(snapshotOf(live.facts, 3));
    expect(world.state('s')).toBe('streaming');
  });

  test('I6: a new epoch is another log: nothing of the old one stays', async () => {
    const world = new SessionsWorld();
    const old = world.begin('s');
    world.feed(...old.write(started('t'), text('t', 0, 'old'), ended('t'), started('u', 2)));
    const fresh = new Script('s', 'f');
    fresh.write(opened(), started('t'), text('t', 0, 'new'), ended('t'));
    world.feed(fresh.facts[3] as Fact);
    expect(world.state('s')).toBe('opening');
    await world.load(snapshotOf(fresh.facts));
    expect(world.text('s')).toBe('new');
    expect(world.turns('s')).toHaveLength(1);
    expect(world.emitted.at(-1)).toEqual({ type: 'ready', session: 's', cursor: 'f.4' });
  });

  test('I6: with facts lost, doubled and late, the rows are those of the log once the snapshot is read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), { minLength: 1, maxLength: 30 }), async (jumps) => {
        const world = new SessionsWorld();
        world.open('a');
        await world.load(snapshotOf(log.facts, 1));
        let at = 1;
        for (const jump of jumps) {
          // 0 and 1 go on in order, more is a loss, and what was seen comes again.
          at = Math.min(at + Math.max(1, jump), log.facts.length);
          world.feed(log.facts[at - 1] as Fact, log.facts[0] as Fact, log.facts[Math.floor(at / 2)] as Fact);
          if (world.loads.length > 0) await world.load(snapshotOf(log.facts, at));
        }
        world.feed(...log.facts);
        if (world.loads.length > 0) await world.load(snapshotOf(log.facts));
        expect(world.turns('a')).toEqual(snapshotOf(log.facts).turns);
      }),
      { numRuns: 60 },
    );
  });

  test('I13: a session that cannot be read says why, and is tried again with growing waits', async () => {
    const world = new SessionsWorld();
    world.open('a');
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      await world.failLoad('a', new Error('down'));
      expect(world.ref('a').getSnapshot().context.problem).toEqual({ code: 'load.failed', message: 'down' });
      waits.push(world.clock.next ?? 0);
      world.clock.advance(waits.at(-1) ?? 0);
      await quiet();
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    await world.load(snapshotOf(log.facts));
    expect(world.ref('a').getSnapshot().context.problem).toBeNull();
    expect(world.clock.pending).toBe(0);
  });

  test('older pages join before what is there, once, and a resync keeps them', async () => {
    const world = new SessionsWorld();
    const long = new Script('s');
    long.write(opened());
    for (let i = 0; i < 6; i++) long.write(started(`t${i}`, i + 1), text(`t${i}`, 0, `${i}`), ended(`t${i}`));
    const whole = snapshotOf(long.facts);
    world.open('s');
    await world.load({ ...whole, turns: whole.turns.slice(3), older: true });
    const ref = world.ref('s');
    const older = { type: 'older.loaded', turns: whole.turns.slice(1, 3), older: true } as const;
    ref.send(older as never);
    ref.send(older as never);
    expect(world.text('s')).toBe('12345');
    const rows = world.turns('s');
    world.orchestrator.send({ type: 'resync', session: 's', reason: 'gap' });
    await world.load({ ...whole, turns: whole.turns.slice(3), older: true });
    expect(world.turns('s').every((row, index) => row === rows[index])).toBe(true);
    expect(world.turns('s')).toHaveLength(5);
    expect(ref.getSnapshot().context.older).toBe(true);
  });
});
