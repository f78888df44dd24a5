import { describe, expect, test } from 'vitest';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { asks, ended, Script, started, text } from '../support/facts.ts';
import { inspecting, toldOf } from '../support/inspecting.ts';
import { RunnerWorld } from '../support/runner-world.ts';
import { SessionsWorld, snapshotOf } from '../support/sessions-world.ts';

test('a turn and its tokens are not told of; its session’s facts are (I14)', () => {
  const world = new SessionsWorld();
  const { roots, inspection, lines, listen } = inspecting();
  const log = world.begin('s');
  world.feed(log.fact(started('t')));
  roots.push(world.orchestrator);
  listen();
  expect(lines.slice(1)).toMatchObject([
    { machine: 'orchestrator' },
    { machine: 'conversation', session: 's' },
  ]);
  expect(lines).toHaveLength(3);
  const turn = world.ref('s').getSnapshot().context.open?.ref;
  inspection.observe({
    type: '@xstate.snapshot',
    actorRef: turn,
    event: { type: 'x' },
  } as never as InspectionEvent);
  expect(lines).toHaveLength(3);
});

describe('a session', () => {
  const session = (world: SessionsWorld) => toldOf(world.orchestrator)[1];

  test('that is being read is told of without a time', () => {
    const world = new SessionsWorld();
    world.open('s');
    expect(session(world)).toStrictEqual({
      ...{ type: 'actor', id: world.ref('s').sessionId, machine: 'conversation', at: 7, session: 's' },
      ...{ parent: world.orchestrator.sessionId, status: 'active', state: { opening: 'loading' } },
    });
  });

  test('is told of with its title, and since when it is in its state', () => {
    const world = new SessionsWorld();
    const log = world.begin('s');
    const since = () => session(world)?.type === 'actor' && (session(world) as { since?: number }).since;
    expect(since()).toBe(1001);
    world.feed(...log.write({ type: 'session.changed', title: 'T' }, started('t'), text('t', 0, 'x')));
    expect(session(world)).toMatchObject({ title: 'T', since: 1003 });
    world.feed(
      ...log.write({ type: 'turn.watching', turn: 't', mode: 'silent', reason: 'quiet', since: 900 }),
    );
    expect(since()).toBe(900);
    world.feed(...log.write(ended('t')));
    expect(since()).toBe(1006);
    world.feed(...log.write(started('u', 2), ended('u')));
    expect(since()).toBe(1008);
  });

  test('that is over is told of once to who comes later', () => {
    const world = new SessionsWorld();
    const log = world.begin('j', 'job');
    world.begin('s');
    world.feed(...log.write(started('t'), ended('t')));
    expect(toldOf(world.orchestrator)).toMatchObject([
      { machine: 'orchestrator' },
      { machine: 'conversation', session: 's' },
      { machine: 'job', session: 'j', status: 'done' },
    ]);
    expect(toldOf(world.orchestrator)).toHaveLength(3);
  });

  test('is told of with the facts that had no transition, each time, and with no other count (C45)', () => {
    const { roots, inspection, lines } = inspecting();
    const world = new SessionsWorld(undefined, inspection.observe);
    const log = world.begin('s');
    world.begin('other');
    expect(toldOf(world.orchestrator)).toSatisfy((all: object[]) => all.every((line) => !('counts' in line)));
    roots.push(world.orchestrator);
    inspection.listen((line) => lines.push(line));
    lines.length = 0;
    const { sessionId: id } = world.ref('s');
    const late = () => new Script('s', 'e', log.seq);
    const facts = [late().fact(text('t', 0, 'late')), late().fact(asks('t', 'q'))];
    world.feed(...facts);
    const root = { type: 'event', id: world.orchestrator.sessionId, event: 'fact', taken: true };
    const told = { type: 'event', id, at: 7, status: 'active', state: 'idle', taken: false, transitions: [] };
    expect(lines).toMatchObject([
      { ...root, counts: { ignored: 1 } },
      {},
      { ...root, counts: { ignored: 2 } },
      {},
    ]);
    expect([lines[1], lines[3]]).toEqual([
      { ...told, event: 'text.added', detail: facts[0], counts: { ignored: 1 } },
      { ...told, event: 'permission.asked', detail: expect.anything(), counts: { ignored: 2 } },
    ]);
    lines.length = 0;
    world.feed(log.fact(started('t')));
    const events = lines.flatMap((line) => (line.type === 'event' ? [[line.event, line.taken]] : []));
    expect(events).toEqual([
      ['turn.started', true],
      ['fact', true],
    ]);
    world.feed(new Script('stranger').fact(started('t')));
    expect(lines.at(-1)).toMatchObject({ event: 'fact', counts: { ignored: 2, unrouted: 1 } });
  });

  test('that was read is told of with what it has', async () => {
    const log = new Script('s');
    log.write(
      { type: 'session.opened', kind: 'conversation', agent: 'a', cwd: '/w' },
      started('t'),
      ended('t'),
    );
    const world = new SessionsWorld();
    world.open('s');
    await world.load(snapshotOf(log.facts));
    expect(session(world)).toMatchObject({ state: 'finalized', since: 1003 });
  });
});

test('a runner belongs to the session that it writes, and says how much it has dropped', async () => {
  const world = new RunnerWorld();
  const [before] = toldOf(world.runner as AnyActorRef);
  expect(before).toMatchObject({
    ...{ machine: 'runner', session: 's', parent: world.session.sessionId },
  });
  expect(before).not.toHaveProperty('counts');
  await world.quiet();
  world.runner.send({ type: 'output', turn: 'over', outputs: [{ type: 'text', text: 'late' }] });
  expect(toldOf(world.runner as AnyActorRef)[0]).toMatchObject({ counts: { dropped: 1 } });
});
