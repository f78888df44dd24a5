import { afterEach, describe, expect, test } from 'vitest';
import { defaultLimits, type Settled } from '../../machines/runner.types.ts';
import type { Draft } from '../../src/wire/facts.ts';
import { asks, queued, say } from '../support/facts.ts';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

/** What the pen gives the log, to the last field. */
let world: RunnerWorld;
const { gather } = defaultLimits;

async function prompted(...log: readonly Draft[]): Promise<void> {
  world = new RunnerWorld({ log });
  await world.quiet();
  world.send('m1');
  await world.quiet();
}

/** The drafts of the next append, which is held back until they are seen. */
async function written(act: () => void): Promise<readonly Draft[]> {
  world.gated = true;
  act();
  await world.quiet();
  const drafts = world.waiting[0]?.drafts ?? [];
  world.gated = false;
  world.land();
  await world.quiet();
  return drafts;
}

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
});

describe('an end', () => {
  const error = { code: 'c', message: 'No.' };
  const held = (reason: 'stopped' | 'failed' | 'interrupted'): Draft => ({
    type: 'queue.held',
    reason,
    revision: 2,
  });
  const ends: readonly [Settled, object, readonly Draft[]][] = [
    [{ stopReason: 'end_turn' }, { outcome: 'finalized', stopReason: 'end_turn' }, []],
    [
      { stopReason: 'cancelled', error },
      { outcome: 'cancelled', stopReason: 'cancelled' },
      [held('stopped')],
    ],
    [{ stopReason: 'error' }, { outcome: 'failed', stopReason: 'error' }, [held('failed')]],
    [{ stopReason: 'lost' }, { outcome: 'failed', stopReason: 'lost' }, [held('failed')]],
    [
      { stopReason: 'end_turn', error },
      { outcome: 'failed', stopReason: 'end_turn', error },
      [held('failed')],
    ],
    [
      { stopReason: 'lost', interrupted: true, error },
      { outcome: 'interrupted', stopReason: 'lost', error },
      [held('interrupted')],
    ],
  ];
  test.each(ends)(
    'I1, I3: as the agent tells it, %j, holds the queue or lets it go',
    async (settled, end, after) => {
      await prompted();
      const { turn } = world.prompt;
      expect(await written(() => world.settles(settled))).toStrictEqual([
        { type: 'turn.ended', turn, ...end },
        ...after,
      ]);
    },
  );

  test('I3: does not hold a queue that is held, nor that of a job', async () => {
    await prompted({ type: 'queue.held', reason: 'edited', revision: 1 }, queued('a', 2));
    await written(() => world.settles({ stopReason: 'lost' }));
    expect(world.context.queue).toMatchObject({ held: true, reason: 'edited' });
    world = new RunnerWorld({ kind: 'job' });
    await world.quiet();
    world.send('m1');
    await world.quiet();
    expect(await written(() => world.settles({ stopReason: 'lost' }))).toMatchObject([
      { type: 'turn.ended' },
    ]);
  });

  test.each<[Settled, string]>([
    [{ stopReason: 'end_turn' }, 'The agent did not say how this ended.'],
    [{ stopReason: 'lost' }, 'The turn ended: failed.'],
  ])('I12: closes what is open and says why: %j', async (settled, reason) => {
    await prompted();
    const { permission, title, options } = asks('t', 'q');
    world.says({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
    world.says({ type: 'permission.asked', permission, title, options });
    await world.quiet();
    expect((await written(() => world.settles(settled))).slice(0, 2)).toMatchObject([
      { type: 'tool.finished', toolCallId: 'c', reason },
      { type: 'permission.withdrawn', permission: 'q', reason },
    ]);
  });
});

describe('C38: a turn that goes on as a job', () => {
  const goesOn: Settled = { stopReason: 'job', job: 'j1' };
  const message = say('m1');

  test('takes with it what its conversation has set, and nothing that it has not', async () => {
    await prompted();
    const { turn } = world.prompt;
    const job = `s.j${world.facts.length + 1}`;
    const request = { agent: 'a', cwd: '/w', message, handle: 'j1' };
    const [attached] = await written(() => world.settles(goesOn));
    expect(attached).toStrictEqual({ type: 'job.attached', job, turn, request });
    const set = { model: 'm', mode: 'plan', mcpServers: ['files'] };
    world = new RunnerWorld({ first: set });
    await world.quiet();
    world.send('m1');
    await world.quiet();
    const [again] = await written(() => world.settles(goesOn));
    expect(again).toMatchObject({ request: { ...request, ...set } });
  });

  test('I14: is named by the place of its fact, whatever is closed before it', async () => {
    await prompted();
    const { permission, title, options } = asks('t', 'q');
    world.says({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
    world.says({ type: 'permission.asked', permission, title, options });
    await world.quiet();
    world.settles(goesOn);
    await world.quiet();
    const attached = world.facts.find((fact) => fact.type === 'job.attached');
    expect(attached).toMatchObject({ job: `s.j${attached?.seq}` });
  });

  test('is none without a name to go on by, without a message of the user, or with another end', async () => {
    await prompted();
    expect(await written(() => world.settles({ stopReason: 'job' }))).toMatchObject([{ type: 'turn.ended' }]);
    world.send('m2');
    await world.quiet();
    const ended = await written(() => world.settles({ stopReason: 'end_turn', job: 'j1' }));
    expect(ended).toMatchObject([{ type: 'turn.ended' }]);
    world.unasked({ type: 'text', text: 'woke' });
    await world.pass(gather);
    expect(world.prompt).toMatchObject({ how: 'attend', content: [] });
    expect(await written(() => world.settles(goesOn))).toMatchObject([{ type: 'turn.ended' }]);
  });
});

describe('text', () => {
  test.each([
    [4095, false],
    [4096, true],
  ])(
    'of %i characters, of whatever kind and in however many pieces, is written at once: %s',
    async (size, at) => {
      await prompted();
      world.says(
        { type: 'text', text: 'x'.repeat(2000) },
        { type: 'thought', text: 'y'.repeat(size - 2000) },
      );
      await world.quiet();
      expect(world.types.includes('thought.added')).toBe(at);
      await world.pass(gather);
      expect(world.types).toContain('thought.added');
    },
  );

  test('that nobody asked for opens a turn of the agent at once, and is written into it', async () => {
    world = new RunnerWorld();
    await world.quiet();
    const drafts = await written(() => world.unasked({ type: 'text', text: 'woke' }));
    expect(drafts).toStrictEqual([{ type: 'turn.started', turn: 't2', origin: 'agent', revision: 1 }]);
    await world.pass(gather);
    expect(world.texts).toEqual(['woke']);
  });

  test('I2: that nobody asked for begins no turn in a job that has not begun, and is counted', async () => {
    world = new RunnerWorld({ kind: 'job' });
    await world.quiet();
    world.unasked({ type: 'text', text: 'woke' }, { type: 'changed', mode: 'plan' });
    await world.pass(gather);
    expect(world.types).toEqual(['session.opened', 'session.changed']);
    expect(world.runner.getSnapshot().context.dropped).toBe(1);
  });

  test('news of the session alone begins no turn', async () => {
    world = new RunnerWorld();
    await world.quiet();
    const news = [
      { type: 'changed', mode: 'plan' } as const,
      { type: 'usage', usage: { totalTokens: 1 } } as const,
    ];
    expect(await written(() => world.unasked(...news))).toStrictEqual([
      { type: 'session.changed', mode: 'plan' },
      { type: 'usage.updated', usage: { totalTokens: 1 } },
    ]);
    expect(world.runner.getSnapshot().context.dropped).toBe(0);
  });
});

test('C46: a message of the queue starts a turn that is named by the place of its fact', async () => {
  await prompted();
  world.send('a');
  await world.quiet();
  world.settles();
  await world.quiet();
  const began = world.facts.findLast((fact) => fact.type === 'turn.started');
  expect(began).toMatchObject({ turn: `t${began?.seq}`, message: { id: 'a' }, origin: 'user' });
});

test('I3: a resume that is asked for while a turn is stopped takes effect after its end, and is not undone by it', async () => {
  await prompted();
  world.send('a');
  await world.quiet();
  world.ask({ type: 'stop', turn: world.prompt.turn });
  await world.quiet();
  const resumed = world.ask({ type: 'resume' });
  await world.quiet();
  expect([world.replies.has(resumed), world.context.queue.held]).toEqual([false, true]);
  world.settles();
  await world.quiet();
  expect(world.replies.get(resumed)).toMatchObject({ type: 'answered' });
  expect(world.prompt.content).toMatchObject([{ text: 'a' }]);
});

test('D2: two messages of guidance that the agent took are confirmed in one append, in their order', async () => {
  await prompted();
  const { turn } = world.prompt;
  world.send('g1', 'steer');
  world.send('g2', 'steer');
  world.send('a');
  await world.quiet();
  world.gated = true;
  world.ask({ type: 'change', title: 'New' });
  await world.quiet();
  for (const message of ['g2', 'g1']) world.runner.send({ type: 'agent.steered', message, taken: true });
  world.gated = false;
  world.land();
  await world.quiet();
  const { revision } = world.context.queue;
  expect(world.facts.slice(-2)).toMatchObject([
    { type: 'turn.steered', turn, message: { id: 'g1' }, confirmed: true, revision: revision - 1 },
    { type: 'turn.steered', turn, message: { id: 'g2' }, confirmed: true, revision },
  ]);
  expect(world.context.queue.messages.map((q) => q.message.id)).toEqual(['a']);
});
