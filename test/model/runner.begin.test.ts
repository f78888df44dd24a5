import { afterEach, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../machines/runner.types.ts';
import type { Draft } from '../../src/wire/facts.ts';
import { queued, started } from '../support/facts.ts';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

/** D4: a turn is open in the log that an earlier gateway wrote. */
let world: RunnerWorld;
const { stall, cancel, terminate, kill, poll } = defaultLimits;
const accepted: Draft = { type: 'turn.accepted', turn: 't', handle: 'h' };
const asked: Draft = { type: 'turn.stopping', turn: 't', stage: 'asked' };

async function found(...more: readonly Draft[]): Promise<void> {
  world = new RunnerWorld({ log: [started('t'), ...more] });
  await world.quiet();
}

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
});

describe('I1: a turn that nobody goes on with', () => {
  test('ends interrupted after a while, without its agent, and holds the queue', async () => {
    await found(queued('a', 2));
    await world.pass(stall - 1);
    expect(world.state).toBe('dispatching');
    await world.pass(1);
    expect(world.turns[0]).toMatchObject({
      outcome: 'interrupted',
      stopReason: 'lost',
      error: { code: 'gateway.restarted', message: 'Nobody runs this turn any more.' },
    });
    expect(world.prompts).toEqual([]);
    expect(world.context.queue).toMatchObject({ held: true, reason: 'interrupted' });
    expect(world.clock.pending).toBe(0);
    // What ended it ends no other.
    world.send('m2');
    await world.quiet();
    expect(world.context.open?.id).toBe(world.prompt.turn);
    expect(world.types.filter((type) => type === 'turn.ended')).toHaveLength(1);
  });

  test('I5: is stopped at once, since there is nobody to tell', async () => {
    await found();
    const id = world.ask({ type: 'stop', turn: 't' });
    await world.quiet();
    expect(world.replies.get(id)).toMatchObject({ type: 'answered' });
    expect(world.turns[0]).toMatchObject({ outcome: 'cancelled', stopReason: 'cancelled' });
    expect(world.prompts).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });

  test.each(['prompt', 'reattach', 'interrupt'] as const)(
    'I3: and is stopped before somebody does (%s) is over: no agent is begun, and the next message runs',
    async (how) => {
      await found(accepted);
      world.ask({ type: 'stop', turn: 't' });
      await world.quiet();
      const facts = world.facts.length;
      world.runner.send({ type: 'begin', how, reason: 'late' });
      await world.pass(stall);
      expect(world.prompts).toEqual([]);
      expect(world.facts).toHaveLength(facts);
      world.send('m2');
      await world.quiet();
      expect(world.prompt).toMatchObject({ how: 'prompt', content: [{ text: 'm2' }] });
      world.settles();
      await world.quiet();
      expect(world.turns[1]).toMatchObject({ outcome: 'finalized' });
    },
  );

  test('is not ended by a gateway that goes down before it knew what to do with it', async () => {
    await found();
    world.runner.send({ type: 'shutdown', reason: 'down' });
    await world.pass(stall - 1);
    expect(world.state).toBe('dispatching');
  });

  test('is no longer waited for once somebody goes on with it', async () => {
    await found();
    await world.pass(stall - 1);
    world.runner.send({ type: 'begin', how: 'prompt' });
    await world.pass(1);
    expect(world.state).toBe('dispatching');
    expect(world.prompts).toMatchObject([
      { turn: 't', how: 'prompt', content: [{ text: 'm.t' }], stopping: false },
    ]);
    world.settles();
    await world.quiet();
    expect(world.turns[0]).toMatchObject({ outcome: 'finalized' });
  });
});

describe('I4: a turn that was being stopped', () => {
  test('is joined to be stopped: its agent is told so, and is killed in the end', async () => {
    await found(accepted, asked);
    world.runner.send({ type: 'begin', how: 'reattach', reason: 'restarted' });
    await world.quiet();
    expect(world.prompts).toMatchObject([{ turn: 't', how: 'reattach', stopping: true }]);
    await world.pass(cancel);
    expect(world.orders).toEqual(['terminate']);
    await world.pass(terminate);
    expect(world.orders).toEqual(['terminate', 'kill']);
    await world.pass(kill);
    expect(world.turns[0]).toMatchObject({ outcome: 'cancelled', stopping: 'killed' });
    expect(world.types).not.toContain('turn.watching');
    expect([world.polled, world.clock.pending]).toEqual([0, 0]);
  });

  test('ends cancelled where it cannot be joined', async () => {
    await found(asked);
    world.runner.send({ type: 'begin', how: 'interrupt', reason: 'restarted' });
    await world.quiet();
    expect(world.prompts).toEqual([]);
    expect(world.turns[0]).toMatchObject({ outcome: 'cancelled' });
  });
});

describe('a turn that is joined again', () => {
  test('I13: says since when and why it is polled', async () => {
    await found(accepted);
    world.runner.send({ type: 'begin', how: 'reattach' });
    await world.quiet();
    const since = world.clock.now();
    const watching = { mode: 'poll', reason: 'The gateway was restarted.', since };
    expect(world.turns[0]?.watching).toEqual(watching);
    expect(world.prompts).toMatchObject([{ stopping: false }]);
    await found(accepted);
    world.runner.send({ type: 'begin', how: 'reattach', reason: 'It was updated.' });
    await world.quiet();
    expect(world.turns[0]?.watching).toEqual({ ...watching, reason: 'It was updated.' });
  });

  test('D4: ends interrupted when its agent knows nothing of it, with what the agent said', async () => {
    await found(accepted);
    world.runner.send({ type: 'begin', how: 'reattach', reason: 'restarted' });
    world.finds({ state: 'unknown', reason: 'It is gone.' });
    await world.pass(poll);
    expect(world.turns[0]).toMatchObject({
      outcome: 'interrupted',
      stopReason: 'lost',
      error: { code: 'job.unknown', message: 'It is gone.' },
    });
    expect(world.context.queue).toMatchObject({ held: true, reason: 'interrupted' });
  });

  test('is the only one that is: the turn after it is prompted, and lost it fails', async () => {
    await found(accepted);
    world.runner.send({ type: 'begin', how: 'reattach', reason: 'restarted' });
    await world.quiet();
    world.text('back');
    world.settles();
    await world.quiet();
    world.send('m2');
    await world.quiet();
    expect(world.prompt).toMatchObject({ how: 'prompt', content: [{ text: 'm2' }] });
    world.says({ type: 'accepted', handle: 'h2' }, { type: 'poll', reason: 'cut' });
    world.finds({ state: 'unknown', reason: 'It is gone.' });
    await world.quiet();
    await world.pass(poll);
    expect(world.turns[1]).toMatchObject({ outcome: 'failed' });
  });
});

test('D4, I3: a gateway that goes down while nothing runs lets nothing start any more', async () => {
  world = new RunnerWorld({
    log: [queued('a', 1), { type: 'queue.held', reason: 'edited', revision: 2 }],
  });
  await world.quiet();
  world.runner.send({ type: 'shutdown', reason: 'down' });
  world.ask({ type: 'resume' });
  await world.pass(60_000);
  expect(world.types.at(-1)).toBe('queue.released');
  expect(world.prompts).toEqual([]);
});

test('D4, I3: a gateway that goes down while a turn runs begins nothing once that has ended', async () => {
  world = new RunnerWorld();
  await world.quiet();
  world.send('m1');
  await world.quiet();
  world.runner.send({ type: 'shutdown', reason: 'down' });
  await world.quiet();
  const command = world.send('late');
  await world.pass(60_000);
  expect(world.turns).toMatchObject([{ outcome: 'interrupted' }]);
  expect(world.replies.get(command)).toMatchObject({ type: 'refused', refused: { status: 503 } });
  expect(world.prompts).toHaveLength(1);
});

test.each(['shutdown', 'leave'] as const)(
  'D4, I3: after a %s neither a message nor the agent begins a turn, and the message is to be sent again',
  async (type) => {
    world = new RunnerWorld({ log: [] });
    await world.quiet();
    world.runner.send({ type, reason: 'down' });
    const command = world.send('late');
    world.unasked({ type: 'text', text: 'by itself' });
    await world.pass(60_000);
    const refused = {
      status: 503,
      code: 'gateway.closing',
      detail: 'Sluice is stopping. Send it again after the next start.',
    };
    expect(world.replies.get(command)).toEqual({ type: 'refused', command, refused });
    expect(world.types).not.toContain('turn.started');
    expect(world.prompts).toEqual([]);
  },
);
