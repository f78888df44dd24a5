import { describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { orchestratorMachine } from '../../machines/orchestrator.machine.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { TestClock } from '../support/clock.ts';
import { asks, ended, opened, queued, Script, started, text } from '../support/facts.ts';
import { quiet, SessionsWorld, snapshotOf } from '../support/sessions-world.ts';

describe('keeping and retiring', () => {
  test('at most 40 idle actors are kept; those used last stay', () => {
    const world = new SessionsWorld();
    for (let i = 0; i < 60; i++) {
      world.begin(`s${i}`);
      world.orchestrator.send({ type: 'release', session: `s${i}` });
    }
    const kept = Object.keys(world.context.sessions);
    expect(kept).toEqual(Array.from({ length: 40 }, (_, i) => `s${i + 20}`));
    expect(Object.keys(world.orchestrator.getSnapshot().children)).toHaveLength(40);
    expect(world.emitted.filter((event) => event.type === 'retired')).toHaveLength(20);
    // Used again, it is the last to go.
    world.open('s20');
    world.orchestrator.send({ type: 'release', session: 's20' });
    world.begin('more');
    world.orchestrator.send({ type: 'release', session: 'more' });
    expect(Object.keys(world.context.sessions)).toContain('s20');
    expect(Object.keys(world.context.sessions)).not.toContain('s21');
  });

  const request = {
    agent: 'a',
    cwd: '/w',
    message: { id: 'm', content: [{ type: 'text', text: 'm' }] },
  } as const;
  const busy: Readonly<Record<string, (log: Script) => Fact[]>> = {
    runs: (log) => log.write(started('t')),
    'has a queue': (log) => log.write(queued('q', 1), { type: 'queue.held', reason: 'edited', revision: 2 }),
    'has an open permission': (log) => log.write(started('t'), asks('t', 'q')),
    'waits for a job': (log) => log.write({ type: 'job.attached', job: 'j', request }),
    'will try again': (log) =>
      log.write(started('t'), ended('t', 'failed'), {
        ...{ type: 'queue.held', reason: 'limited', revision: 2 },
        ...{ retry: 't', until: 1_700_000_100_000 },
      }),
    stops: (log) => log.write(started('t'), { type: 'turn.stopping', turn: 't', stage: 'asked' }),
  };
  test.each(Object.entries(busy))('one that %s is never retired, although nobody looks at it', (_, facts) => {
    const world = new SessionsWorld(0);
    const log = world.begin('s');
    world.feed(...facts(log));
    world.orchestrator.send({ type: 'release', session: 's' });
    expect(Object.keys(world.context.sessions)).toEqual(['s']);
  });

  test('one whose jobs have ended is', () => {
    const world = new SessionsWorld(0);
    const log = world.begin('s');
    world.feed(
      ...log.write(
        { type: 'job.attached', job: 'j', request },
        { type: 'job.settled', job: 'j', outcome: 'finalized', stopReason: 'end_turn' },
      ),
    );
    world.orchestrator.send({ type: 'release', session: 's' });
    expect(world.context.sessions).toEqual({});
  });

  test('one that came to rest while nobody looked goes when the next is opened', () => {
    const world = new SessionsWorld(0);
    const log = world.begin('s');
    world.feed(...log.write(started('t')));
    world.orchestrator.send({ type: 'release', session: 's' });
    world.feed(...log.write(ended('t')));
    expect(Object.keys(world.context.sessions)).toEqual(['s']);
    world.open('next');
    expect(Object.keys(world.context.sessions)).toEqual(['next']);
  });

  test('one that is over goes too: a job that ended, a conversation that was closed', () => {
    const world = new SessionsWorld(0);
    const job = world.begin('j', 'job');
    world.feed(...job.write(started('t'), ended('t')));
    const closed = world.begin('c');
    world.feed(closed.fact({ type: 'session.closed' }));
    expect(world.state('c')).toBe('closed');
    expect(world.emitted).toEqual([
      { type: 'over', session: 'j' },
      { type: 'over', session: 'c' },
    ]);
    for (const session of ['j', 'c']) world.orchestrator.send({ type: 'release', session });
    expect(world.context.sessions).toEqual({});
  });

  test('one that somebody looks at is never retired', () => {
    const world = new SessionsWorld(0);
    world.begin('s');
    world.begin('t');
    expect(Object.keys(world.context.sessions)).toEqual(['s', 't']);
    world.orchestrator.send({ type: 'release', session: 's' });
    expect(Object.keys(world.context.sessions)).toEqual(['t']);
  });

  test('one that is still being read is never retired', () => {
    const world = new SessionsWorld(0);
    world.open('s');
    world.orchestrator.send({ type: 'release', session: 's' });
    expect(Object.keys(world.context.sessions)).toEqual(['s']);
  });

  test('opening what is open finds the same actor', () => {
    const world = new SessionsWorld();
    world.begin('s');
    const ref = world.ref('s');
    expect(world.open('s')).toBe(ref);
  });

  test('what is not open cannot be let go, forgotten or read again: nothing follows', () => {
    const world = new SessionsWorld();
    world.begin('s');
    const before = world.context.sessions;
    world.orchestrator.send({ type: 'release', session: 'none' });
    world.orchestrator.send({ type: 'forget', session: 'none' });
    world.orchestrator.send({ type: 'resync', session: 'none', reason: 'slow' });
    expect(world.orchestrator.getSnapshot().status).toBe('active');
    expect(world.context.sessions).toEqual(before);
    expect(world.emitted).toEqual([]);
  });

  test('what was closed, and what could not be read yet, is the same when it is opened again', async () => {
    const world = new SessionsWorld();
    const closed = world.begin('c');
    world.feed(...closed.write(started('t'), text('t', 0, 'kept'), ended('t'), { type: 'session.closed' }));
    const waiting = world.open('w');
    await world.failLoad('w', new Error('down'));
    expect(waiting.getSnapshot().context.problem).not.toBeNull();
    expect(world.open('w')).toBe(waiting);
    world.open('c');
    expect(world.text('c')).toBe('kept');
  });

  test('without anything to read with, a session says so', async () => {
    const bare = createActor(orchestratorMachine, { clock: new TestClock(), input: {} }).start();
    bare.send({ type: 'open', session: 's', kind: 'conversation' });
    bare.send({ type: 'open', session: 'j', kind: 'job' });
    await quiet();
    const { s, j } = bare.getSnapshot().context.sessions;
    for (const kept of [s, j]) {
      expect(kept?.ref.getSnapshot().context.problem?.message).toBe('the load actor was not provided');
    }
    bare.stop();
  });

  test('C10: an ended job stays readable, is a child no more, and takes nothing more', () => {
    const world = new SessionsWorld();
    const log = world.begin('chat.j4', 'job');
    world.feed(...log.write(started('t2'), text('t2', 0, 'result'), ended('t2')));
    expect(Object.keys(world.orchestrator.getSnapshot().children)).toEqual([]);
    expect(world.ref('chat.j4').getSnapshot()).toMatchObject({
      status: 'done',
      output: { session: 'chat.j4', outcome: 'finalized', stopReason: 'end_turn' },
    });
    const rows = world.turns('chat.j4');
    world.feed(
      log.fact(text('t2', 6, 'late')),
      log.fact(ended('t2', 'failed')),
      log.fact({ type: 'session.changed', title: 'x' }),
    );
    expect(world.turns('chat.j4')).toBe(rows);
    expect(world.text('chat.j4')).toBe('result');
    expect(world.context.ignored).toEqual({ 'chat.j4': 3 });
    expect(world.orchestrator.getSnapshot().status).toBe('active');
  });

  test('a session that did not exist is read anew when it is opened again', async () => {
    const world = new SessionsWorld();
    world.open('a');
    await world.failLoad('a', Object.assign(new Error('gone'), { code: 'session.unknown' }));
    expect(world.state('a')).toBe('closed');
    world.open('a');
    const log = new Script('a');
    log.write(opened());
    await world.load(snapshotOf(log.facts));
    expect(world.state('a')).toBe('idle');
  });
});
