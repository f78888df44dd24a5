import { describe, expect, test } from 'vitest';
import {
  type AnyActorRef,
  createActor,
  createMachine,
  fromCallback,
  fromPromise,
  type InspectionEvent,
} from 'xstate';
import { Inspection } from '../../machines/inspection.ts';
import type { InspectLine } from '../../src/wire/inspect.ts';
import { asks, ended, Script, started, text } from '../support/facts.ts';
import { RunnerWorld } from '../support/runner-world.ts';
import { SessionsWorld, snapshotOf } from '../support/sessions-world.ts';

/** An inspection of actors that the test names, at the time 7. */
function inspecting() {
  const roots: AnyActorRef[] = [];
  const inspection = new Inspection({ roots: () => roots, now: () => 7 });
  const lines: InspectLine[] = [];
  const listen = () => inspection.listen((line) => lines.push(line));
  return { roots, inspection, lines, listen };
}

const waiting = createMachine({ id: 'x', initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } });

/** What a reader that comes now is told of these actors, without what is of no session. */
function toldOf(...refs: readonly AnyActorRef[]) {
  const { roots, lines, listen } = inspecting();
  roots.push(...refs);
  listen();
  return lines.slice(1);
}

describe('a reader', () => {
  test('is told of nothing any more when it has left, while another reads on', () => {
    const { roots, inspection, lines, listen } = inspecting();
    const actor = createActor(waiting, { inspect: inspection.observe }).start();
    roots.push(actor);
    const left: InspectLine[] = [];
    const leave = inspection.listen((line) => left.push(line));
    listen();
    leave();
    actor.send({ type: 'go' });
    expect(left.map(({ type }) => type)).toEqual(['began', 'actor']);
    expect(lines.map(({ type }) => type)).toEqual(['began', 'actor', 'event']);
  });

  test('that comes after all have left is told of an actor before it is told of its events', () => {
    const { roots, inspection, lines, listen } = inspecting();
    const actor = createActor(waiting, { inspect: inspection.observe }).start();
    roots.push(actor);
    listen()();
    roots.length = 0;
    lines.length = 0;
    listen();
    actor.send({ type: 'go' });
    expect(lines).toMatchObject([
      { type: 'began', at: 7 },
      { type: 'actor', machine: 'x', state: 'b', since: 7 },
    ]);
  });

  test('that comes in the middle of an event is told of no transition that was before it', () => {
    const { roots, inspection, lines, listen } = inspecting();
    let leave = () => {};
    const machine = createMachine({
      id: 'x',
      initial: 'a',
      states: { a: { on: { go: { target: 'b', actions: () => leave() } } }, b: { on: { on: {} } } },
    });
    const actor = createActor(machine, { inspect: inspection.observe }).start();
    roots.push(actor);
    leave = listen();
    actor.send({ type: 'go' });
    listen();
    actor.send({ type: 'on' });
    expect(lines.at(-1)).toMatchObject({ event: 'on', transitions: ['x.b:0'] });
  });

  test('that fails hears no more', () => {
    const { roots, inspection } = inspecting();
    const actor = createActor(waiting, { inspect: inspection.observe }).start();
    roots.push(actor);
    let told = 0;
    inspection.listen((line) => {
      if (line.type !== 'event') return;
      told += 1;
      throw new Error('broken');
    });
    actor.send({ type: 'go' });
    actor.send({ type: 'go' });
    expect(told).toBe(1);
  });

  test('is told when an actor cannot be looked at', () => {
    const { inspection, lines, listen } = inspecting();
    listen();
    const actorRef = {
      id: 'x',
      sessionId: 'x:1',
      getSnapshot() {
        throw new Error('broken');
      },
    };
    inspection.observe({
      type: '@xstate.snapshot',
      actorRef,
      event: { type: 'go' },
    } as never as InspectionEvent);
    expect(lines.slice(1)).toEqual([
      {
        type: 'event',
        id: 'x:1',
        event: 'inspection.failed',
        status: 'active',
        detail: 'Error: broken',
        at: 7,
      },
    ]);
  });
});

describe('an event', () => {
  test('is told with all transitions that it led to', () => {
    const { roots, inspection, lines, listen } = inspecting();
    const machine = createMachine({
      id: 'x',
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { always: 'c' }, c: {} },
    });
    const actor = createActor(machine, { inspect: inspection.observe }).start();
    roots.push(actor);
    listen();
    actor.send({ type: 'go', more: 'x' });
    expect(lines.slice(2)).toEqual([
      {
        ...{ type: 'event', id: actor.sessionId, event: 'go', detail: { type: 'go', more: 'x' }, at: 7 },
        ...{ status: 'active', state: 'c', taken: true, transitions: ['x.a:0', 'x.b:0'] },
      },
    ]);
  });

  test('of an effect is told too, with the error that it ends with, and that it has stopped', async () => {
    const { roots, inspection, lines, listen } = inspecting();
    const done = Promise.withResolvers<void>();
    const machine = createMachine({
      id: 'x',
      invoke: { id: 'load', src: fromPromise(() => done.promise), onError: {} },
    });
    const actor = createActor(machine, { inspect: inspection.observe }).start();
    roots.push(actor);
    listen();
    expect(lines.slice(1)).toMatchObject([
      { type: 'actor', machine: 'x', status: 'active' },
      { type: 'actor', machine: 'load', parent: actor.sessionId },
    ]);
    const { id } = lines[2] as { id: string };
    done.reject(new TypeError('broken'));
    await new Promise((resolve) => setImmediate(resolve));
    const ofLoad = lines.slice(3).filter((line) => 'id' in line && line.id === id);
    expect(ofLoad).toMatchObject([
      { type: 'event', status: 'error', error: 'TypeError: broken' },
      { type: 'stopped', at: 7 },
    ]);
    const ofActor = lines.slice(3).filter((line) => 'id' in line && line.id !== id);
    expect(ofActor).toMatchObject([{ event: 'xstate.error.actor.load', status: 'active' }]);
    expect(ofActor[0]).not.toHaveProperty('error');
  });
});

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

test('an actor that is no machine is told of by its own name', () => {
  const { roots, inspection, lines, listen } = inspecting();
  const callback = createActor(
    fromCallback(() => {}),
    { id: 'socket', inspect: inspection.observe },
  ).start();
  roots.push(callback);
  listen();
  expect(lines.slice(1)).toEqual([
    { type: 'actor', id: callback.sessionId, machine: 'socket', at: 7, status: 'active' },
  ]);
});
