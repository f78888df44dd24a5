import { afterEach, expect, test } from 'vitest';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

/** Small rules of the pen, each met by the one situation in which it decides. */
let world: RunnerWorld;

async function running(): Promise<void> {
  world = new RunnerWorld();
  await world.quiet();
  world.send('m1');
  await world.quiet();
  world.text('half');
  await world.pass(20);
}

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
});

test('D4, I3: a turn that ends well while the gateway goes down is the last one; the queue waits for the next gateway', async () => {
  await running();
  world.send('m2');
  await world.quiet();
  world.gated = true;
  world.settles();
  await world.quiet();
  world.runner.send({ type: 'shutdown', reason: 'The gateway was stopped.' });
  world.gated = false;
  world.land();
  await world.pass(60_000);
  expect(world.turns.map((turn) => turn.outcome)).toEqual(['finalized']);
  expect([world.context.queue.held, world.context.queue.messages.length]).toEqual([false, 1]);
  expect(world.prompts).toHaveLength(1);
});

test('D4, I3: a turn whose agent outlives the gateway goes on as it goes down, and is the last one', async () => {
  await running();
  world.send('m2');
  await world.quiet();
  world.runner.send({ type: 'leave' });
  await world.quiet();
  expect(world.turns.map((turn) => turn.outcome)).toEqual([undefined]);
  world.settles();
  await world.pass(60_000);
  expect(world.turns.map((turn) => turn.outcome)).toEqual(['finalized']);
  expect([world.context.queue.held, world.context.queue.messages.length]).toEqual([false, 1]);
  expect(world.prompts).toHaveLength(1);
});

test('I3: a message that comes between an end and the next start goes behind those that wait', async () => {
  await running();
  world.send('m2');
  await world.quiet();
  world.gated = true;
  world.settles();
  await world.quiet();
  world.send('m3');
  world.gated = false;
  world.land();
  await world.quiet();
  expect(world.turns.at(-1)?.message?.id).toBe('m2');
  expect(world.context.queue.messages.map((queued) => queued.message.id)).toEqual(['m3']);
});

test('I4: a stop goes before all commands that wait, whoever came first', async () => {
  await running();
  const turn = world.prompt.turn;
  world.gated = true;
  world.send('a');
  await world.quiet();
  world.send('b');
  world.ask({ type: 'change', title: 'new' });
  world.ask({ type: 'stop', turn });
  world.land();
  await world.quiet();
  expect(world.waiting.map(({ drafts }) => drafts[0]?.type)).toEqual(['turn.stopping']);
  world.gated = false;
  world.land();
  await world.quiet();
  expect(world.orders).toEqual(['cancel']);
  world.settles({ stopReason: 'cancelled' });
  await world.quiet();
  expect(world.turns[0]?.outcome).toBe('cancelled');
  // What was queued before the stop stays; the send that had not been looked at is the user's own, after the stop.
  expect(world.context.queue).toMatchObject({ held: true, messages: [{ message: { id: 'a' } }] });
  expect(world.context.title).toBe('new');
});

test('I3, I4: a stop that comes while the end of its turn is being written holds the queue before the next one starts', async () => {
  await running();
  const turn = world.prompt.turn;
  world.send('m2');
  await world.quiet();
  world.gated = true;
  world.settles();
  await world.quiet();
  world.ask({ type: 'stop', turn });
  world.gated = false;
  world.land();
  await world.quiet();
  expect(world.turns.map((one) => one.outcome)).toEqual(['finalized']);
  expect(world.context.queue).toMatchObject({ held: true, messages: [{ message: { id: 'm2' } }] });
});

test('I3, I4: a stop that comes while a resume is being written goes before the message that it lets go', async () => {
  await running();
  const turn = world.prompt.turn;
  world.send('m2');
  await world.quiet();
  world.ask({ type: 'stop', turn });
  await world.quiet();
  world.settles({ stopReason: 'cancelled' });
  await world.quiet();
  world.gated = true;
  world.ask({ type: 'resume' });
  await world.quiet();
  world.ask({ type: 'stop', message: 'm2' });
  world.gated = false;
  world.land();
  await world.quiet();
  expect(world.types.slice(-2)).toEqual(['queue.released', 'queue.held']);
  expect(world.prompts).toHaveLength(1);
  expect(world.context.queue).toMatchObject({ held: true, messages: [{ message: { id: 'm2' } }] });
});
