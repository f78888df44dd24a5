import { describe, expect, test } from 'vitest';
import { createActor, createMachine, fromCallback, fromPromise, type InspectionEvent } from 'xstate';
import type { InspectLine } from '../../src/wire/inspect.ts';
import { inspecting } from '../support/inspecting.ts';

const waiting = createMachine({ id: 'x', initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } });

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
      states: {
        a: { on: { go: 'b' } },
        b: { always: { target: 'c', actions: () => leave() } },
        c: { on: { on: {} } },
      },
    });
    const actor = createActor(machine, { inspect: inspection.observe }).start();
    roots.push(actor);
    leave = listen();
    actor.send({ type: 'go' });
    listen();
    actor.send({ type: 'on' });
    expect(lines.at(-1)).toMatchObject({ event: 'on', transitions: ['x.c:0'] });
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
