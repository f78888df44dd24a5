import { describe, expect, test } from 'vitest';
import { type AnyActorRef, createActor, createMachine, fromPromise } from 'xstate';
import { conversationMachine } from '../../machines/conversation.machine.ts';
import { Inspection } from '../../machines/inspection.ts';
import { orchestratorMachine } from '../../machines/orchestrator.machine.ts';
import type { Fact } from '../../src/wire/facts.ts';
import type { InspectLine } from '../../src/wire/inspect.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';

const snapshot: SessionSnapshot = {
  id: 's',
  kind: 'conversation',
  agent: 'builtin',
  cwd: '/w',
  state: 'idle',
  cursor: 'e.1',
  createdAt: 5,
  updatedAt: 5,
  turns: [],
  older: false,
  queue: { held: false, revision: 0, messages: [] },
  permissions: [],
  jobs: [],
  notices: [],
  usage: {},
};

async function orchestrated() {
  const loaded = Promise.withResolvers<void>();
  const roots: AnyActorRef[] = [];
  const inspection = new Inspection({ roots: () => roots, now: () => 1000 });
  const load = fromPromise<SessionSnapshot, { session: string }>(async () => snapshot);
  const conversation = conversationMachine.provide({ actors: { load } });
  const root = createActor(orchestratorMachine.provide({ actors: { conversation } }), {
    inspect: inspection.observe,
    input: {},
  });
  roots.push(root);
  root.on('ready', () => loaded.resolve());
  root.start();
  root.send({ type: 'open', session: 's', kind: 'conversation' });
  await loaded.promise;
  const lines: InspectLine[] = [];
  const stop = inspection.listen((line) => lines.push(line));
  const id = root.getSnapshot().context.sessions.s?.ref.sessionId ?? '';
  return { root, inspection, lines, stop, id };
}

const base = { v: 1, session: 's', epoch: 'e', at: 9 } as const;

describe('inspection', () => {
  test('C45: a fact that had no transition is shown at its session, not taken, and counted', async () => {
    const { root, lines, id } = await orchestrated();
    const late: Fact = {
      ...base,
      seq: 2,
      type: 'text.added',
      turn: 't0',
      part: 'p',
      offset: 0,
      text: 'late',
    };
    root.send({ type: 'fact', fact: late });
    const told = lines.filter((line) => line.type === 'event' && line.id === id);
    expect(told).toMatchObject([
      { event: 'text.added', taken: false, state: 'idle', counts: { ignored: 1 }, detail: { text: 'late' } },
    ]);
    const counted = lines.filter((line) => line.type === 'event' && line.id === root.sessionId);
    expect(counted).toMatchObject([{ event: 'fact', counts: { ignored: 1 } }]);
  });

  test('C12: a fact of a session that is not open is counted as unrouted', async () => {
    const { root, lines } = await orchestrated();
    root.send({
      type: 'fact',
      fact: { ...base, session: 'other', seq: 2, type: 'queue.held', reason: 'stopped', revision: 1 },
    });
    expect(lines.at(-1)).toMatchObject({ event: 'fact', counts: { unrouted: 1 } });
  });

  test('an actor that comes and goes is told of as it does', async () => {
    const { root, lines, id } = await orchestrated();
    root.send({ type: 'open', session: 's2', kind: 'conversation' });
    const second = root.getSnapshot().context.sessions.s2?.ref.sessionId;
    expect(lines).toContainEqual(
      expect.objectContaining({
        type: 'actor',
        id: second,
        machine: 'conversation',
        session: 's2',
        since: 1000,
      }),
    );
    root.send({ type: 'forget', session: 's' });
    expect(lines).toContainEqual({ type: 'stopped', id, at: 1000 });
  });

  test('a second reader is told of all actors, and the first hears nothing twice', async () => {
    const { inspection, lines } = await orchestrated();
    const before = lines.length;
    const second: InspectLine[] = [];
    inspection.listen((line) => second.push(line));
    expect(lines.length).toBe(before);
    expect(second.filter((line) => line.type === 'actor')).toEqual(
      lines.filter((line) => line.type === 'actor'),
    );
  });

  test('while nobody listens an actor is not even looked at', () => {
    const inspection = new Inspection({ roots: () => [], now: () => 0 });
    const actor = createActor(createMachine({ id: 'x', on: { go: {} } })).start();
    const touched: PropertyKey[] = [];
    const watched = new Proxy(actor, {
      get(target, key) {
        touched.push(key);
        return Reflect.get(target, key);
      },
    });
    const event = {
      type: '@xstate.snapshot',
      rootId: 'r',
      actorRef: watched,
      event: { type: 'go' },
      snapshot: actor.getSnapshot(),
    };
    inspection.observe(event as Parameters<typeof inspection.observe>[0]);
    expect(touched).toEqual([]);
    inspection.listen(() => {});
    inspection.observe(event as Parameters<typeof inspection.observe>[0]);
    expect(touched).not.toEqual([]);
  });

  test('an event that a machine ignores is told with its present state', async () => {
    const roots: AnyActorRef[] = [];
    const inspection = new Inspection({ roots: () => roots, now: () => 0 });
    const machine = createMachine({
      id: 'x',
      initial: 'a',
      states: { a: { on: { go: 'b', stay: {} } }, b: {} },
    });
    const actor = createActor(machine, { inspect: inspection.observe }).start();
    roots.push(actor);
    const lines: InspectLine[] = [];
    inspection.listen((line) => lines.push(line));
    for (const type of ['other', 'stay', 'go', 'go']) actor.send({ type });
    expect(lines.slice(2)).toMatchObject([
      { event: 'other', taken: false, state: 'a', transitions: [] },
      { event: 'stay', taken: true, state: 'a', transitions: ['x.a:1'] },
      { event: 'go', taken: true, state: 'b', transitions: ['x.a:0'] },
      { event: 'go', taken: false, state: 'b', transitions: [] },
    ]);
  });

  test('a listener that throws harms no actor', () => {
    const inspection = new Inspection({ roots: () => [], now: () => 0 });
    const actor = createActor(
      createMachine({ id: 'x', initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } }),
      {
        inspect: inspection.observe,
      },
    );
    inspection.listen((line) => {
      if (line.type !== 'began') throw new Error('broken');
    });
    actor.start();
    actor.send({ type: 'go' });
    expect(actor.getSnapshot().value).toBe('b');
  });
});
