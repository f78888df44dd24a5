import { afterEach, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../machines/runner.types.ts';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

let world: RunnerWorld;
const { blocked, cancel, terminate, kill } = defaultLimits;
const unavailable = { type: 'refused', refused: { status: 503, code: 'log.unavailable' } };

async function streaming(): Promise<void> {
  world = new RunnerWorld();
  await world.quiet();
  world.send('m1');
  await world.quiet();
  world.text('kept');
  await world.pass(20);
}

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
});

describe('a log that cannot be written', () => {
  test('refuses commands with 503, writes nothing, and takes them again when it is back', async () => {
    world = new RunnerWorld();
    await world.quiet();
    const facts = world.facts.length;
    world.broken = 'LogUnavailable';
    const first = world.send('m1');
    await world.quiet();
    const second = world.send('m1');
    await world.quiet();
    expect([world.replies.get(first), world.replies.get(second)]).toMatchObject([unavailable, unavailable]);
    expect(world.facts).toHaveLength(facts);
    expect(world.prompts).toEqual([]);
    world.broken = undefined;
    await world.pass(blocked);
    const third = world.send('m1');
    await world.quiet();
    expect(world.replies.get(third)).toMatchObject({ type: 'answered' });
    expect(world.prompts).toHaveLength(1);
  });

  test('keeps what the agent says, in order, and its end, until it is back', async () => {
    await streaming();
    world.broken = 'LogUnavailable';
    world.text(' and');
    await world.pass(20);
    world.text(' more');
    world.says({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
    await world.pass(blocked * 3);
    world.settles();
    await world.pass(blocked * 3);
    expect(world.texts).toEqual(['kept']);
    world.broken = undefined;
    await world.pass(blocked);
    expect(world.texts).toEqual(['kept and more']);
    expect(world.turns[0]).toMatchObject({ outcome: 'finalized' });
    expect(world.replayed()).toEqual(world.turns);
    expect(world.clock.pending).toBe(0);
  });

  test('drains the queue once it is back', async () => {
    await streaming();
    world.send('a');
    await world.quiet();
    world.broken = 'LogUnavailable';
    world.settles();
    await world.pass(blocked * 2);
    expect(world.prompts).toHaveLength(1);
    world.broken = undefined;
    await world.pass(blocked);
    expect(world.prompts).toHaveLength(2);
  });

  test.each(['at the first failure', 'while it is blocked'])(
    'I5: never stops a stop: the agent is told once, %s, and the turn ends on recovery',
    async (when) => {
      await streaming();
      world.broken = 'LogUnavailable';
      if (when === 'while it is blocked') {
        world.text(' lost');
        await world.pass(20);
      }
      const id = world.ask({ type: 'stop', turn: world.prompt.turn });
      await world.quiet();
      expect(world.replies.get(id)).toMatchObject(unavailable);
      expect(world.orders).toEqual(['cancel']);
      // Asked again, and tried again by the runner, it is one cancel all the same.
      await world.pass(blocked);
      world.ask({ type: 'stop', turn: world.prompt.turn });
      await world.pass(blocked);
      expect(world.orders).toEqual(['cancel']);
      world.settles({ stopReason: 'end_turn' });
      await world.pass(blocked);
      world.broken = undefined;
      await world.pass(blocked);
      expect(world.turns[0]).toMatchObject({ outcome: 'cancelled' });
      expect(world.texts).toEqual(['kept']);
      expect(world.context.queue.held).toBe(true);
      expect(world.clock.pending).toBe(0);
      // Nobody is told of what the runner tried by itself.
      expect([...world.replies.keys()]).toEqual(['c1', 'c2', 'c3']);
    },
  );

  test('I5: the ladder of a stop goes on within its bounds although nothing of it can be written', async () => {
    await streaming();
    world.broken = 'LogUnavailable';
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    await world.pass(cancel);
    expect(world.orders).toEqual(['cancel', 'terminate']);
    await world.pass(terminate);
    expect(world.orders).toEqual(['cancel', 'terminate', 'kill']);
    await world.pass(kill);
    expect(world.prompt.left).toBe(true);
    world.broken = undefined;
    await world.pass(blocked);
    expect(world.turns[0]).toMatchObject({ outcome: 'cancelled', stopping: 'killed' });
  });

  test('a stop of a turn that is over stops nothing, although it cannot be written', async () => {
    await streaming();
    const first = world.prompt.turn;
    world.settles();
    await world.quiet();
    world.send('m2');
    await world.quiet();
    world.broken = 'LogUnavailable';
    world.ask({ type: 'stop', turn: first });
    await world.quiet();
    world.ask({ type: 'stop', turn: first });
    await world.pass(blocked);
    expect(world.orders).toEqual([]);
    world.broken = undefined;
    await world.pass(blocked);
    expect(world.state).toBe('dispatching');
  });
});

describe('another writer', () => {
  test('fences this one: it says so once, stops the agent, and writes nothing more', async () => {
    await streaming();
    world.broken = 'LogConflict';
    const id = world.send('a');
    await world.quiet();
    expect(world.fenced).toBe(1);
    expect(world.replies.get(id)).toMatchObject(unavailable);
    expect(world.orders).toEqual(['cancel']);
    const facts = world.facts.length;
    world.broken = undefined;
    const late = world.send('b');
    world.text('more');
    await world.pass(cancel + terminate + kill);
    expect(world.replies.get(late)).toMatchObject(unavailable);
    expect(world.prompt.left).toBe(true);
    expect(world.orders).toEqual(['cancel', 'terminate', 'kill']);
    await world.pass(600_000);
    expect(world.facts).toHaveLength(facts);
    expect(world.fenced).toBe(1);
    expect(world.clock.pending).toBe(0);
  });
});

describe('an append that takes its time', () => {
  test('I7: no answer, no order and no prompt goes out before it lands', async () => {
    await streaming();
    world.says({
      type: 'permission.asked',
      permission: 'q',
      title: 'May I?',
      options: [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }],
    });
    await world.quiet();
    world.gated = true;
    const id = world.ask({ type: 'answer', permission: 'q', option: 'yes' });
    const second = world.ask({ type: 'answer', permission: 'q', option: 'yes' });
    await world.quiet();
    expect(world.waiting).toHaveLength(1);
    expect(world.replies.has(id)).toBe(false);
    expect(world.orders).toEqual([]);
    world.gated = false;
    world.land();
    await world.quiet();
    expect(world.replies.get(id)).toMatchObject({ type: 'answered' });
    expect(world.replies.get(second)).toMatchObject({
      type: 'refused',
      refused: { status: 409, extra: { answered: 'yes' } },
    });
    expect(world.orders).toEqual(['answer']);
  });

  test('one append at a time, however much comes meanwhile', async () => {
    await streaming();
    world.gated = true;
    for (let i = 0; i < 50; i++) {
      world.says({ type: 'tool.started', toolCallId: `c${i}`, title: 'T' });
      world.send(`a${i}`);
      await world.quiet();
      expect(world.waiting).toHaveLength(1);
      if (i % 3 === 0) {
        world.land();
        await world.quiet();
      }
    }
  });
});

describe('a batch that the law refuses', () => {
  const refused = { status: 409, code: 'state.refused', detail: 'Unlawful' };

  test('is given up: its command is refused with what the law says, and the next one is taken', async () => {
    await streaming();
    world.broken = 'Unlawful';
    const id = world.ask({ type: 'change', title: 'new' });
    await world.quiet();
    expect(world.replies.get(id)).toEqual({ type: 'refused', command: id, refused });
    world.broken = undefined;
    const facts = world.facts.length;
    await world.pass(blocked);
    expect(world.facts).toHaveLength(facts);
    expect(world.fenced).toBe(0);
    const again = world.ask({ type: 'change', title: 'new' });
    await world.quiet();
    expect(world.replies.get(again)).toMatchObject({ type: 'answered' });
    expect(world.context.title).toBe('new');
  });

  test('C51: is counted, and what it was made of is not tried again; what came after it is', async () => {
    await streaming();
    world.broken = 'Unlawful';
    world.text(' lost');
    await world.pass(20);
    const { dropped, outputs } = world.runner.getSnapshot().context;
    expect([dropped, outputs]).toEqual([1, []]);
    expect(world.replies.size).toBe(1);
    world.text(' and on');
    world.broken = undefined;
    await world.pass(blocked + 20);
    expect(world.texts).toEqual(['kept and on']);
  });
});
