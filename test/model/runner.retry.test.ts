import { afterEach, describe, expect, test } from 'vitest';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

let world: RunnerWorld;
let until: number;
const hour = 3_600_000;

/** A turn that has failed by a usage limit, an hour before it is over; the ids given wait in the queue. */
async function limited(...waiting: readonly string[]): Promise<string> {
  world = new RunnerWorld();
  until = world.clock.now() + hour;
  await world.quiet();
  world.send('m1');
  await world.quiet();
  for (const id of waiting) world.send(id);
  await world.quiet();
  const error = { code: 'model.usage_limit', message: 'Not now.', until };
  world.settles({ stopReason: 'error', error });
  await world.quiet();
  return world.prompt.turn;
}

const started = () =>
  world.facts.flatMap((f) => (f.type === 'turn.started' ? [[f.message?.content[0], f.retryOf]] : []));
const words = () => started().map(([content]) => (content as { text: string } | undefined)?.text);

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
});

describe('a turn that is to be run again at a time', () => {
  test('D5, I13: says until when it is of no use, and that it waits, as facts', async () => {
    const turn = await limited();
    expect(world.turns.at(-1)?.error).toMatchObject({ until });
    const asked = world.ask({ type: 'retry', turn, at: until });
    await world.quiet();
    expect(world.replies.get(asked)).toMatchObject({ type: 'answered', answer: { until } });
    expect(world.facts.at(-1)).toMatchObject({ type: 'queue.held', reason: 'limited', until, retry: turn });
    expect(world.state).toBe('failed');
  });

  test('I3: starts then and not before, once, with the release of the queue in one append', async () => {
    const turn = await limited();
    world.ask({ type: 'retry', turn, at: until });
    await world.pass(hour - 1);
    expect(world.prompts).toHaveLength(1);
    world.gated = true;
    await world.pass(1);
    expect(world.waiting.map((append) => append.drafts.map((d) => d.type))).toEqual([
      ['queue.released', 'turn.started'],
    ]);
    expect(world.prompts).toHaveLength(1);
    world.gated = false;
    world.land();
    await world.pass(3 * hour);
    expect(words()).toEqual(['m1', 'm1']);
    expect(started().at(-1)?.[1]).toBe(turn);
    expect(world.prompts).toHaveLength(2);
    expect(world.context.queue.retry).toBeUndefined();
  });

  test('is looked at each minute, so that a clock that was set does not make it late', async () => {
    const turn = await limited();
    world.ask({ type: 'retry', turn, at: until });
    await world.quiet();
    for (let minute = 0; minute < 60; minute += 1) {
      expect(world.clock.next).toBe(60_000);
      await world.pass(60_000);
    }
    expect(world.prompts).toHaveLength(2);
  });

  test('I3: goes before the messages that wait, which follow when it has ended well', async () => {
    const turn = await limited('m2', 'm3');
    world.ask({ type: 'retry', turn, at: until });
    await world.pass(hour);
    expect(words()).toEqual(['m1', 'm1']);
    for (let i = 0; i < 3; i += 1) {
      world.settles();
      await world.quiet();
    }
    expect(words()).toEqual(['m1', 'm1', 'm2', 'm3']);
    expect(world.state).toBe('finalized');
  });

  test('I3: holds them when it fails again', async () => {
    const turn = await limited('m2');
    world.ask({ type: 'retry', turn, at: until });
    await world.pass(hour);
    world.settles({ stopReason: 'error', error: { code: 'x', message: 'y' } });
    await world.pass(3 * hour);
    expect(words()).toEqual(['m1', 'm1']);
    expect(world.context.queue).toMatchObject({ held: true, reason: 'failed' });
  });

  const undone: readonly [string, (turn: string) => void, readonly string[]][] = [
    ['a stop', (turn) => world.ask({ type: 'stop', turn }), ['m1']],
    ['the user', (turn) => world.ask({ type: 'retry', turn, at: null }), ['m1']],
    ['a new message', () => world.send('m9'), ['m1', 'm9']],
    ['a retry at once', (turn) => world.ask({ type: 'retry', turn }), ['m1', 'm1']],
    [
      'an edit',
      () =>
        world.ask({
          type: 'editQueue',
          edit: {
            revision: world.context.queue.revision,
            edit: { message: 'm2', content: [{ type: 'text', text: 'm2' }] },
          },
        }),
      ['m1'],
    ],
  ];
  test.each(undone)('I3, I4: is undone by %s, and the queue stays held', async (_by, undo, runs) => {
    const turn = await limited('m2');
    world.ask({ type: 'retry', turn, at: until });
    await world.pass(1000);
    undo(turn);
    await world.quiet();
    const { queue } = world.context;
    expect([queue.held, queue.retry, queue.until]).toEqual([true, undefined, undefined]);
    expect(queue.reason).not.toBe('limited');
    if (runs.length > 1) world.settles();
    await world.pass(3 * hour);
    expect(words()).toEqual(runs);
    expect(world.context.queue.messages.map((q) => q.message.id)).toEqual(['m2']);
  });

  test('I3: that is put off in the very moment in which it is due waits for its new time', async () => {
    const turn = await limited();
    world.ask({ type: 'retry', turn, at: until });
    await world.pass(hour - 60_000);
    world.gated = true;
    world.ask({ type: 'retry', turn, at: until + hour });
    await world.pass(60_000);
    world.gated = false;
    world.land();
    await world.quiet();
    expect(world.context.queue.until).toBe(until + hour);
    await world.pass(hour - 1);
    expect(world.prompts).toHaveLength(1);
    await world.pass(1);
    expect(world.prompts).toHaveLength(2);
  });

  test('that is brought forward is run at its new time, and not when it would have been looked at', async () => {
    const turn = await limited();
    world.ask({ type: 'retry', turn, at: until });
    await world.pass(5_000);
    world.ask({ type: 'retry', turn, at: world.clock.now() + 10_000 });
    await world.pass(9_999);
    expect(world.prompts).toHaveLength(1);
    await world.pass(1);
    expect(world.prompts).toHaveLength(2);
  });

  test('can be set to another time; a time that has passed is now', async () => {
    const turn = await limited();
    world.ask({ type: 'retry', turn, at: until });
    world.ask({ type: 'retry', turn, at: until + hour });
    await world.pass(hour);
    expect(world.prompts).toHaveLength(1);
    world.ask({ type: 'retry', turn, at: 1 });
    await world.pass(0);
    expect(world.prompts).toHaveLength(2);
  });

  test('I3: is refused for any turn but the last, and while one runs', async () => {
    const turn = await limited();
    const other = world.ask({ type: 'retry', turn: 'other', at: until });
    world.send('m2');
    await world.quiet();
    const late = world.ask({ type: 'retry', turn, at: until });
    await world.quiet();
    expect(world.replies.get(other)).toMatchObject({ refused: { code: 'turn.not_last' } });
    expect(world.replies.get(late)).toMatchObject({ refused: { code: 'turn.running' } });
    expect(world.types).not.toContain('queue.held.limited');
    world.settles();
    await world.quiet();
  });

  test('waits for a log that cannot be written, then starts', async () => {
    const turn = await limited();
    world.ask({ type: 'retry', turn, at: until });
    await world.quiet();
    world.broken = 'LogUnavailable';
    await world.pass(hour);
    expect(world.prompts).toHaveLength(1);
    world.broken = undefined;
    await world.pass(1000);
    expect(world.prompts).toHaveLength(2);
  });

  test('is not started by a gateway that goes down after its time has come, but before it could be written', async () => {
    const turn = await limited();
    world.ask({ type: 'retry', turn, at: until });
    await world.quiet();
    world.broken = 'LogUnavailable';
    await world.pass(hour);
    world.runner.send({ type: 'shutdown', reason: 'down' });
    world.broken = undefined;
    await world.pass(hour);
    expect(world.prompts).toHaveLength(1);
  });

  test('is not started by a gateway that goes down', async () => {
    const turn = await limited();
    world.ask({ type: 'retry', turn, at: until });
    await world.quiet();
    world.runner.send({ type: 'shutdown', reason: 'down' });
    await world.pass(2 * hour);
    expect(world.prompts).toHaveLength(1);
  });
});
