import { expect, onTestFinished, test } from 'vitest';
import { type AnyActorRef, type AnyStateMachine, createActor, fromCallback, fromPromise } from 'xstate';
import { directoryMachine } from '../../machines/directory.machine.ts';
import { earlierMachine } from '../../machines/earlier.machine.ts';
import { Inspection } from '../../machines/inspection.ts';
import { linkMachine } from '../../machines/link.machine.ts';
import { orchestratorMachine } from '../../machines/orchestrator.machine.ts';
import { outboxMachine } from '../../machines/outbox.machine.ts';
import { chartFor } from '../../src/inspector/chart/charts.ts';
import { TestClock } from '../support/clock.ts';
import { line } from '../support/directory.bench.ts';

const never = fromPromise(() => new Promise(() => {}));
const silent = fromCallback(() => {});
const gives = (value: unknown) => fromPromise(async () => value);

/** The names of an actor and of its children, as an inspector is told of them once `act` was done. */
async function names(machine: AnyStateMachine, actors: object, act: (ref: AnyActorRef) => void = () => {}) {
  const input = { now: () => 0, jitter: () => 0, cursorOf: () => undefined };
  const clock = new TestClock();
  const ref = createActor(machine.provide({ actors: actors as never }), { clock, input }).start();
  onTestFinished(() => void ref.stop());
  await new Promise((resolve) => setImmediate(resolve));
  act(ref);
  clock.advance(200);
  const told: string[] = [];
  new Inspection({ roots: () => [ref], now: () => 0 }).listen((one) => {
    if (one.type === 'actor') told.push(one.machine);
  });
  expect(chartFor(told[0] ?? '')).toBeDefined();
  return told;
}

test('an inspector is told of each actor of a page by its name, and has a chart for each machine', async () => {
  expect(await names(orchestratorMachine, {})).toEqual(['orchestrator']);
  expect(await names(linkMachine, { socket: silent })).toEqual(['link', 'socket']);
  expect(await names(earlierMachine, {})).toEqual(['earlier']);
});

test('an inspector is told what a directory waits for', async () => {
  const load = gives({ sessions: [line('a', 1)], agents: [], more: true });
  const search = { type: 'search', query: 'x' };
  expect(await names(directoryMachine, { load: never })).toEqual(['directory', 'load']);
  expect(await names(directoryMachine, { load, find: never }, (ref) => ref.send(search))).toEqual([
    'directory',
    'find',
  ]);
  expect(await names(directoryMachine, { load, page: never }, (ref) => ref.send({ type: 'more' }))).toEqual([
    'directory',
    'page',
  ]);
});

test('an inspector is told what an outbox waits for', async () => {
  const body = { permission: 'p', option: 'o' };
  const ask = { id: 'x', session: 's', at: 1, kind: 'answer', body };
  const parts = { store: silent, load: gives([]), post: never };
  expect(await names(outboxMachine, { ...parts, load: never })).toEqual(['outbox', 'store', 'load']);
  expect(await names(outboxMachine, parts, (ref) => ref.send({ type: 'ask', ask }))).toEqual([
    'outbox',
    'store',
    'post:x',
  ]);
});
