import { afterEach, expect, test } from 'vitest';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

let world: RunnerWorld;
const goesOn = { stopReason: 'job', job: 'j1' } as const;

async function running(kind: 'conversation' | 'job' = 'conversation'): Promise<void> {
  world = new RunnerWorld({ kind });
  await world.quiet();
  world.send('m1');
  await world.quiet();
  world.says({ type: 'text', text: 'Started. ' }, { type: 'tool.started', toolCallId: 'c', title: 'grep' });
  await world.quiet();
}

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
});

test('C38: a turn that its agent made a job of ends here, with its text, and goes on as that job', async () => {
  await running();
  world.settles(goesOn);
  await world.quiet();
  const at = world.types.indexOf('job.attached');
  expect(world.types.slice(at - 1)).toEqual(['tool.finished', 'job.attached', 'turn.ended']);
  const attached = world.facts[at];
  expect(attached).toMatchObject({
    turn: world.turns[0]?.id,
    request: { handle: 'j1', message: { id: 'm1' } },
  });
  expect(attached).toMatchObject({ job: `${world.context.id}.j${attached?.seq}` });
  expect(world.state).toBe('finalized');
  expect(world.turns[0]).toMatchObject({ outcome: 'finalized', stopReason: 'job' });
  expect(world.context.jobs).toHaveLength(1);
});

test('I3: the conversation is free: what is queued starts while the job runs', async () => {
  await running();
  world.send('m2');
  world.settles(goesOn);
  await world.quiet();
  expect(world.prompts).toHaveLength(2);
});

test('I4: a turn that is being stopped becomes no job', async () => {
  await running();
  world.ask({ type: 'stop', turn: String(world.context.open?.id) });
  await world.quiet();
  world.settles(goesOn);
  await world.quiet();
  expect(world.types).not.toContain('job.attached');
  expect(world.state).toBe('cancelled');
});

test('a job is no parent: it ends where it is', async () => {
  await running('job');
  world.settles(goesOn);
  await world.quiet();
  expect(world.types).not.toContain('job.attached');
  expect(world.types.at(-1)).toBe('turn.ended');
});
