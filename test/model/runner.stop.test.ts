import { afterEach, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../machines/runner.types.ts';
import { asks } from '../support/facts.ts';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

let world: RunnerWorld;
const { cancel, terminate, kill } = defaultLimits;

/** What stands in a turn when the stop comes; the agent is prompted in each. */
const moments: Readonly<Record<string, () => Promise<void> | void>> = {
  'before the agent is up': () => {},
  'while it streams': () => world.text('some'),
  'with text that is not written yet': async () => {
    world.text('written');
    await world.pass(20);
    world.text(' and not');
  },
  'in a tool': () => world.says({ type: 'tool.started', toolCallId: 'c', title: 'Run' }),
  'in a permission': () => {
    const { permission, title, options } = asks('t', 'q');
    world.says({ type: 'permission.asked', permission, title, options, toolCallId: 'c' });
  },
  'in a silence': () => world.pass(defaultLimits.stall),
  'while polling': async () => {
    world.says({ type: 'accepted', handle: 'h' }, { type: 'poll', reason: 'cut' });
    await world.pass(defaultLimits.poll);
    expect(world.state).toBe('polling');
  },
  'in a turn that the agent began': async () => {
    world.settles();
    await world.quiet();
    world.unasked({ type: 'text', text: 'woke' });
  },
};

async function prompted(): Promise<void> {
  world = new RunnerWorld();
  await world.quiet();
  world.send('m1');
  await world.quiet();
}

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts)).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
});

describe.each(Object.entries(moments))('I5, C42: a stop %s', (_, moment) => {
  test('is told to the agent once, takes nothing more, and ends cancelled with the queue held', async () => {
    await prompted();
    await moment();
    await world.quiet();
    world.send('later');
    await world.quiet();
    const { turn } = world.prompt;
    const id = world.ask({ type: 'stop', turn });
    await world.quiet();
    expect(world.replies.get(id)).toMatchObject({ type: 'answered', answer: { state: 'cancelling', turn } });
    expect(world.orders.filter((order) => order === 'cancel')).toEqual(['cancel']);
    expect(world.context.permissions).toEqual([]);
    const texts = [...world.texts];
    // It talks on, and settles late.
    world.says({ type: 'text', text: 'zombie' }, { type: 'tool.started', toolCallId: 'z', title: 'Z' });
    world.says(
      { type: 'tool.finished', toolCallId: 'c', status: 'completed' },
      { type: 'plan', entries: [] },
    );
    const again = world.ask({ type: 'stop', turn });
    await world.pass(20);
    expect(world.replies.get(again)).toMatchObject({ type: 'answered' });
    world.settles({ stopReason: 'end_turn' });
    await world.quiet();
    world.says({ type: 'text', text: 'later still' });
    await world.pass(60_000);
    expect(world.state).toBe('cancelled');
    expect(world.turns.at(-1)).toMatchObject({ outcome: 'cancelled', stopReason: 'cancelled' });
    expect(world.texts).toEqual(texts);
    expect(world.orders.filter((order) => order !== 'answer')).toEqual(['cancel']);
    expect(world.context.queue).toMatchObject({ held: true, messages: [{ message: { id: 'later' } }] });
    expect(world.clock.pending).toBe(0);
  });

  test('that is ignored goes on to SIGTERM and SIGKILL, each after its bound, and ends', async () => {
    await prompted();
    await moment();
    await world.quiet();
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    const stage = () => world.context.open?.stage;
    const told = () => world.orders.filter((order) => order !== 'answer');
    await world.pass(cancel - 1);
    expect([stage(), told()]).toEqual(['asked', ['cancel']]);
    await world.pass(1);
    expect([stage(), told()]).toEqual(['terminated', ['cancel', 'terminate']]);
    await world.pass(terminate - 1);
    expect(stage()).toBe('terminated');
    await world.pass(1);
    expect([stage(), told()]).toEqual(['killed', ['cancel', 'terminate', 'kill']]);
    await world.pass(kill - 1);
    expect(world.state).toBe('cancelling');
    await world.pass(1);
    expect(world.state).toBe('cancelled');
    expect(world.prompt.left).toBe(true);
    expect(world.clock.pending).toBe(0);
  });
});

describe('I5: a stop that meets the claim on its way', () => {
  test.each(['turn', 'message'] as const)('names its %s, and waits for it', async (name) => {
    world = new RunnerWorld();
    await world.quiet();
    world.gated = true;
    world.send('m1');
    await world.quiet();
    // The turn's name is known to nobody yet; the message's is.
    const id = world.ask(name === 'turn' ? { type: 'stop', turn: 't3' } : { type: 'stop', message: 'm1' });
    await world.quiet();
    expect(world.prompts).toEqual([]);
    expect(world.replies.has(id)).toBe(false);
    world.gated = false;
    world.land();
    await world.quiet();
    expect(world.replies.get(id)).toMatchObject({ type: 'answered', answer: { state: 'cancelling' } });
    expect(world.prompts.length).toBe(world.orders.filter((order) => order === 'cancel').length);
    world.settles({ stopReason: 'cancelled' });
    await world.quiet();
    expect(world.state).toBe('cancelled');
  });
});

describe('I4: a stop', () => {
  test('overtakes text that is not yet written, and drops it', async () => {
    await prompted();
    world.text('kept');
    await world.pass(20);
    world.gated = true;
    world.text(' lost');
    world.ask({ type: 'stop', turn: world.prompt.turn });
    world.text(' lost too');
    await world.quiet();
    world.gated = false;
    world.land();
    await world.quiet();
    world.settles();
    await world.quiet();
    expect(world.texts).toEqual(['kept']);
    expect(world.runner.getSnapshot().context.dropped).toBeGreaterThanOrEqual(1);
  });

  test('drops no end of a tool that came before it, and no news of the session', async () => {
    await prompted();
    world.says({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
    await world.quiet();
    world.gated = true;
    world.ask({ type: 'stop', turn: world.prompt.turn });
    world.says(
      { type: 'text', text: 'lost' },
      { type: 'tool.finished', toolCallId: 'c', status: 'completed', exitCode: 0 },
      { type: 'changed', agentSession: 'a1' },
      { type: 'usage', usage: { totalTokens: 7 } },
    );
    await world.quiet();
    world.gated = false;
    world.land();
    await world.quiet();
    world.settles();
    await world.quiet();
    expect(world.turns[0]?.parts).toMatchObject([{ type: 'tool', status: 'completed', exitCode: 0 }]);
    expect(world.context).toMatchObject({ agentSession: 'a1', usage: { totalTokens: 7 } });
  });

  test('that lands while output is taken writes none of it twice, and loses none that comes meanwhile', async () => {
    await prompted();
    for (const id of ['c', 'd']) world.says({ type: 'tool.started', toolCallId: id, title: 'Run' });
    await world.quiet();
    world.gated = true;
    world.ask({ type: 'stop', turn: world.prompt.turn });
    world.says(
      { type: 'text', text: 'lost' },
      { type: 'thought', text: 'lost' },
      { type: 'tool.finished', toolCallId: 'c', status: 'completed' },
      { type: 'usage', usage: { totalTokens: 7 } },
    );
    await world.quiet();
    world.land();
    await world.quiet();
    expect(world.waiting.map((append) => append.drafts.map((d) => d.type))).toEqual([
      ['tool.finished', 'usage.updated'],
    ]);
    world.says({ type: 'tool.finished', toolCallId: 'd', status: 'completed' });
    world.gated = false;
    world.land();
    await world.quiet();
    world.settles();
    await world.quiet();
    expect(world.turns[0]?.parts).toMatchObject([{ status: 'completed' }, { status: 'completed' }]);
    expect(world.types.filter((type) => type === 'usage.updated')).toHaveLength(1);
  });

  test('that meets an ended turn still holds the queue, stops nothing, and says what runs now', async () => {
    await prompted();
    const first = world.prompt.turn;
    world.send('a');
    world.send('b');
    await world.quiet();
    world.settles();
    await world.quiet();
    const now = world.prompt.turn;
    const id = world.ask({ type: 'stop', turn: first });
    await world.quiet();
    expect(world.replies.get(id)).toMatchObject({
      type: 'refused',
      refused: { status: 409, code: 'turn.over', extra: { turn: now, state: 'dispatching' } },
    });
    expect(world.orders).toEqual([]);
    world.settles();
    await world.pass(60_000);
    expect(world.prompts).toHaveLength(2);
    expect(world.context.queue).toMatchObject({ held: true, messages: [{ message: { id: 'b' } }] });
  });

  test('of a queued message keeps it, and lets nothing start by itself', async () => {
    await prompted();
    world.send('a');
    await world.quiet();
    const id = world.ask({ type: 'stop', message: 'a' });
    await world.quiet();
    expect(world.replies.get(id)).toMatchObject({ type: 'answered' });
    expect(world.state).toBe('dispatching');
    world.settles();
    await world.quiet();
    expect(world.prompts).toHaveLength(1);
    expect(world.context.queue).toMatchObject({ held: true, messages: [{ message: { id: 'a' } }] });
  });

  test('of what nobody knows is refused and writes nothing', async () => {
    await prompted();
    const facts = world.facts.length;
    const id = world.ask({ type: 'stop', turn: 'nobody' });
    await world.quiet();
    expect(world.replies.get(id)).toMatchObject({ type: 'refused', refused: { status: 404 } });
    expect(world.facts).toHaveLength(facts);
    world.settles();
    await world.quiet();
  });

  test('after the agent has settled, before the end is written: the turn ends cancelled, the agent is told nothing', async () => {
    await prompted();
    world.text('all of it');
    await world.pass(20);
    world.gated = true;
    world.text('!');
    world.settles();
    await world.quiet();
    world.ask({ type: 'stop', turn: world.prompt.turn });
    world.gated = false;
    world.land();
    await world.quiet();
    expect(world.turns[0]).toMatchObject({ outcome: 'cancelled' });
    expect(world.orders).toEqual([]);
  });

  test('withdraws the question, and the agent gets `cancelled` for it before anything else can answer', async () => {
    await prompted();
    await moments['in a permission']?.();
    await world.quiet();
    world.ask({ type: 'stop', turn: world.prompt.turn });
    const late = world.ask({ type: 'answer', permission: 'q', option: 'yes' });
    await world.quiet();
    expect(world.prompt.orders.filter((order) => order.type === 'answer')).toMatchObject([
      { permission: 'q', answer: { outcome: 'cancelled' } },
    ]);
    expect(world.replies.get(late)).toMatchObject({
      type: 'refused',
      refused: { status: 409, extra: { withdrawn: expect.any(String) } },
    });
    world.settles();
    await world.quiet();
  });
});

describe('I4, C42: a stopped job', () => {
  test('ends cancelled, and is final', async () => {
    world = new RunnerWorld({ kind: 'job' });
    await world.quiet();
    world.send('m1');
    await world.quiet();
    world.text('work');
    await world.pass(20);
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    expect(world.orders).toEqual(['cancel']);
    world.settles();
    await world.pass(60_000);
    expect(world.session.getSnapshot()).toMatchObject({
      status: 'done',
      value: 'cancelled',
      output: { outcome: 'cancelled' },
    });
    expect(world.clock.pending).toBe(0);
  });
});

describe('a question that comes too late', () => {
  const ask = (permission: string) => {
    const { title, options } = asks('t', permission);
    return { type: 'permission.asked', permission, title, options } as const;
  };

  test('I4: is answered for the agent at once, whether it is of the stopped turn or unasked', async () => {
    await prompted();
    world.says(ask('in time'));
    await world.quiet();
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    world.says(ask('while it stops'));
    world.unasked(ask('unasked'));
    await world.quiet();
    expect(world.unheard).toEqual(['while it stops', 'unasked']);
    world.settles({ stopReason: 'cancelled' });
    await world.quiet();
    world.says(ask('of a turn that is over'));
    world.unasked(ask('after a stop'));
    await world.quiet();
    expect(world.unheard.slice(2)).toEqual(['of a turn that is over', 'after a stop']);
    expect(world.types.filter((type) => type === 'permission.asked')).toHaveLength(1);
  });

  test('is one also when it is not yet written as the stop is committed', async () => {
    await prompted();
    world.gated = true;
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    world.says(ask('meanwhile'));
    world.gated = false;
    world.land();
    await world.quiet();
    expect(world.unheard).toEqual(['meanwhile']);
    world.settles({ stopReason: 'cancelled' });
    await world.quiet();
  });

  test('I12: is answered once, also beside the end of a tool that is written with the stop', async () => {
    await prompted();
    world.says({ type: 'tool.started', toolCallId: 'c', title: 'Work' });
    await world.quiet();
    world.gated = true;
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    world.says({ type: 'tool.finished', toolCallId: 'c', status: 'completed' }, ask('meanwhile'));
    world.gated = false;
    world.land();
    await world.quiet();
    expect(world.unheard).toEqual(['meanwhile']);
    world.settles({ stopReason: 'cancelled' });
    await world.quiet();
  });

  test('I12, D3: is answered once, also when what came with it has to be written again', async () => {
    await prompted();
    world.says({ type: 'tool.started', toolCallId: 'c', title: 'Work' });
    await world.quiet();
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    world.broken = 'LogUnavailable';
    const { dropped } = world.runner.getSnapshot().context;
    const finished = { type: 'tool.finished', toolCallId: 'c', status: 'completed' } as const;
    world.says({ type: 'text', text: 'late' }, ask('meanwhile'), finished);
    await world.pass(3_000);
    world.broken = undefined;
    await world.pass(3_000);
    expect(world.types.filter((type) => type === 'tool.finished')).toHaveLength(1);
    expect(world.unheard).toEqual(['meanwhile']);
    expect(world.runner.getSnapshot().context.dropped - dropped).toBe(2);
    world.settles({ stopReason: 'cancelled' });
    await world.quiet();
  });

  test('I12: is answered once, also when an agent that is joined again asks it again beside the stop', async () => {
    await prompted();
    world.says(ask('again'));
    await world.quiet();
    world.gated = true;
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    world.says(ask('again'));
    world.gated = false;
    world.land();
    await world.quiet();
    world.says(ask('again'));
    await world.quiet();
    // The answer is that of the question as it was withdrawn.
    expect(world.orders).toEqual(['answer', 'cancel']);
    expect(world.unheard).toEqual([]);
    world.settles({ stopReason: 'cancelled' });
    await world.quiet();
  });

  test('is none where an agent that began by itself may ask', async () => {
    await prompted();
    world.settles();
    await world.quiet();
    world.unasked(ask('woke'));
    await world.quiet();
    expect(world.unheard).toEqual([]);
    expect(world.context.permissions.map((p) => p.id)).toEqual(['woke']);
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    world.settles({ stopReason: 'cancelled' });
    await world.quiet();
  });
});
