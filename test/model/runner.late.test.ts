import { afterEach, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../machines/runner.types.ts';
import { asks } from '../support/facts.ts';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

/** What comes too late for its turn, or waits while the turn is stopped: kept, dropped and counted, or answered. */
let world: RunnerWorld;
const { blocked } = defaultLimits;
const { options } = asks('t', 'q');
const question = { type: 'permission.asked', permission: 'q', title: 'May I?', options } as const;
const dropped = () => world.runner.getSnapshot().context.dropped;

async function prompted(): Promise<void> {
  world = new RunnerWorld();
  await world.quiet();
  world.send('m1');
  await world.quiet();
}

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
});

test('A4: news of the session, and what a turn cost, are taken after its end, while the next one runs', async () => {
  await prompted();
  world.settles();
  await world.quiet();
  world.send('m2');
  await world.quiet();
  const [first] = world.turns;
  world.runner.send({
    type: 'output',
    turn: first?.id ?? '',
    outputs: [
      { type: 'usage', usage: { totalTokens: 5 } },
      { type: 'changed', title: 'New' },
      { type: 'usage', usage: { totalTokens: 7 }, turn: 'named' },
      { type: 'text', text: 'late' },
    ],
  });
  await world.pass(20);
  expect(world.facts.slice(-3)).toMatchObject([
    { type: 'usage.updated', turn: first?.id, usage: { totalTokens: 5 } },
    { type: 'session.changed', title: 'New' },
    { type: 'usage.updated', turn: 'named' },
  ]);
  expect(dropped()).toBe(1);
});

describe('I4: as a turn is stopped', () => {
  test('all that was not written is counted, but for what is written all the same', async () => {
    await prompted();
    world.says({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
    await world.quiet();
    world.gated = true;
    world.ask({ type: 'stop', turn: world.prompt.turn });
    world.says(
      { type: 'text', text: 'one' },
      { type: 'thought', text: 'two' },
      { type: 'tool.finished', toolCallId: 'c', status: 'completed' },
    );
    world.gated = false;
    world.land();
    await world.quiet();
    expect(dropped()).toBe(2);
    expect(world.types.at(-1)).toBe('tool.finished');
    world.settles();
    await world.quiet();
    expect(dropped()).toBe(2);
  });

  test('the end of a tool is not lost behind a command that is written first', async () => {
    await prompted();
    world.says({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
    await world.quiet();
    world.gated = true;
    world.ask({ type: 'stop', turn: world.prompt.turn });
    world.ask({ type: 'change', title: 'New' });
    world.says({ type: 'tool.finished', toolCallId: 'c', status: 'completed' });
    world.gated = false;
    world.land();
    await world.quiet();
    expect(world.types.slice(-2)).toEqual(['session.changed', 'tool.finished']);
    world.settles();
    await world.quiet();
    expect(world.turns[0]?.parts).toMatchObject([{ type: 'tool', status: 'completed' }]);
  });

  test('I5, D3: a question that waits for the log is answered for the agent at once, and once', async () => {
    await prompted();
    world.broken = 'LogUnavailable';
    world.says(question, { type: 'text', text: 'and' }, { type: 'changed', title: 'New' });
    await world.quiet();
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    expect([world.orders, world.unheard, dropped()]).toEqual([['cancel'], ['q'], 2]);
    world.broken = undefined;
    await world.pass(blocked);
    world.settles();
    await world.quiet();
    expect([world.unheard, dropped()]).toEqual([['q'], 2]);
    expect(world.turns[0]).toMatchObject({ outcome: 'cancelled', parts: [] });
  });
});

test('I5, D3: a question that was asked before the log failed is answered for the agent with the stop that is written later', async () => {
  await prompted();
  world.says(question);
  await world.quiet();
  world.broken = 'LogUnavailable';
  world.ask({ type: 'stop', turn: world.prompt.turn });
  await world.quiet();
  expect(world.orders).toEqual(['cancel']);
  world.broken = undefined;
  await world.pass(blocked);
  expect(world.prompt.orders).toEqual([
    { type: 'cancel' },
    { type: 'answer', permission: 'q', answer: { outcome: 'cancelled' } },
  ]);
  world.settles();
  await world.quiet();
});

test('I4: a question that is named like a tool is a question: as its turn is stopped, it is answered for the agent', async () => {
  await prompted();
  world.says({ type: 'tool.started', toolCallId: 'q', title: 'Run' });
  await world.quiet();
  world.ask({ type: 'stop', turn: world.prompt.turn });
  await world.quiet();
  world.says(question);
  await world.quiet();
  expect(world.unheard).toEqual(['q']);
  world.settles();
  await world.quiet();
});

test('D3: a command that waited as the log failed is refused like the one before it, and never done', async () => {
  await prompted();
  world.gated = true;
  const ids = ['one', 'two'].map((title) => world.ask({ type: 'change', title }));
  await world.quiet();
  world.land('LogUnavailable');
  await world.quiet();
  const refused = {
    status: 503,
    code: 'log.unavailable',
    detail: expect.stringContaining('Nothing was changed; try again.'),
  };
  for (const command of ids)
    expect(world.replies.get(command)).toEqual({ type: 'refused', command, refused });
  const facts = world.facts.length;
  world.gated = false;
  await world.pass(blocked * 2);
  expect(world.facts).toHaveLength(facts);
});
