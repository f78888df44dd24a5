import { afterEach, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../machines/runner.types.ts';
import type { Output } from '../../src/wire/output.ts';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

/** What the runner takes for a sign that the agent of the open turn lives, and what not. */
let world: RunnerWorld;
const { stall, quiet, poll, pollMax } = defaultLimits;

/** The second turn is prompted. */
async function prompted(): Promise<void> {
  world = new RunnerWorld();
  await world.quiet();
  for (const id of ['m1', 'm2']) {
    if (id === 'm2') world.settles();
    await world.quiet();
    world.send(id);
    await world.quiet();
  }
}

const late: Output = { type: 'usage', usage: { totalTokens: 5 } };
/** The turn before is over, and its agent still says something. */
const straggles = () =>
  world.runner.send({ type: 'output', turn: world.turns[0]?.id ?? '', outputs: [late] });
const silences = () =>
  world.facts.filter((fact) => fact.type === 'turn.watching' && fact.mode === 'silent').length;

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
});

describe('A4, C45: what an agent still says of a turn before', () => {
  test('is no sign that a lost stream is back: it is polled on', async () => {
    await prompted();
    world.says({ type: 'accepted', handle: 'h' }, { type: 'poll', reason: 'cut' });
    await world.quiet();
    straggles();
    await world.pass(20);
    expect(world.context.usage).toEqual({ totalTokens: 5 });
    expect(world.turns[1]?.watching).toMatchObject({ mode: 'poll' });
    world.finds({ state: 'ended', output: [], settled: { stopReason: 'end_turn' } });
    await world.pass(poll);
    expect(world.turns[1]).toMatchObject({ outcome: 'finalized' });
  });

  test('I13: is no end of a silence, neither before the first word nor after it, nor of one that is shown', async () => {
    await prompted();
    await world.pass(stall - 1);
    straggles();
    await world.pass(1);
    expect(silences()).toBe(1);
    straggles();
    await world.pass(stall);
    expect(silences()).toBe(1);
    world.text('here');
    await world.pass(stall - 1);
    straggles();
    await world.pass(1);
    expect(silences()).toBe(2);
  });

  test('keeps no turn open that the agent began by itself', async () => {
    world = new RunnerWorld();
    await world.quiet();
    world.send('m1');
    await world.quiet();
    world.settles();
    await world.quiet();
    world.unasked({ type: 'text', text: 'woke' });
    await world.pass(quiet - 1);
    expect(world.turns[1]?.outcome).toBeUndefined();
    straggles();
    await world.pass(1);
    expect(world.turns[1]).toMatchObject({ outcome: 'finalized' });
  });
});

test('I13: each word begins the wait for a silence anew, and a silence is said once', async () => {
  await prompted();
  for (const word of ['one', 'two', 'three']) {
    world.text(word);
    await world.pass(stall - 1);
  }
  expect(silences()).toBe(0);
  await world.pass(1);
  expect(silences()).toBe(1);
  expect(world.runner.getSnapshot().matches({ work: { engaged: 'silent' } })).toBe(true);
  await world.pass(stall * 3);
  expect(silences()).toBe(1);
  expect(world.prompts).toHaveLength(2);
});

describe('what comes unasked while a turn is open', () => {
  test('is a sign of its life: a silence ends; but a stream that is lost is not back with it, and is polled on', async () => {
    await prompted();
    await world.pass(stall - 1);
    world.unasked({ type: 'text', text: 'from behind' });
    await world.pass(stall - 1);
    expect(silences()).toBe(0);
    world.says({ type: 'accepted', handle: 'h' }, { type: 'poll', reason: 'cut' });
    await world.quiet();
    world.unasked({ type: 'text', text: ' again' });
    world.finds({ state: 'running' });
    await world.pass(pollMax);
    expect(world.state).toBe('polling');
    expect(world.polled).toBeGreaterThan(0);
  });
});

describe('a stream that is lost', () => {
  test('is polled, whatever is written with the news', async () => {
    await prompted();
    world.says({ type: 'accepted', handle: 'h' }, { type: 'poll', reason: 'cut' }, late);
    await world.pass(poll);
    expect(world.types.slice(-2)).toEqual(['turn.watching', 'usage.updated']);
    expect(world.handles).toEqual(['h']);
  });

  test.each<[string, Output]>([
    ['text', { type: 'text', text: 'said before' }],
    ['a tool', { type: 'tool.started', toolCallId: 'c', title: 'Run' }],
    ['a mode of the session that is called so', { type: 'changed', mode: 'stream' }],
    ['that it is lost, in other words', { type: 'poll', reason: 'cut again' }],
  ])('is polled also when %s waits to be written', async (_, waits) => {
    await prompted();
    world.says({ type: 'accepted', handle: 'h' });
    await world.quiet();
    world.gated = true;
    world.says({ type: 'poll', reason: 'cut' });
    await world.quiet();
    world.says(waits);
    world.land();
    await world.pass(poll);
    expect(world.polled).toBe(1);
  });

  test('is waited for, ever more slowly, where the agent gave no name to ask by', async () => {
    await prompted();
    world.says({ type: 'poll', reason: 'cut' });
    await world.quiet();
    for (const wait of [poll, poll * 2, poll * 4]) {
      expect(world.clock.next).toBe(wait);
      await world.pass(wait);
    }
    expect([world.state, world.polled]).toEqual(['polling', 0]);
    world.text('back');
    await world.pass(20);
    expect(world.state).toBe('streaming');
  });
});
