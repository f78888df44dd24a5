import { afterEach, describe, expect, test } from 'vitest';
import { defaultLimits, type Polled } from '../../machines/runner.types.ts';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

let world: RunnerWorld;
const { poll, pollMax, stall, quiet } = defaultLimits;

async function polling(kind: 'conversation' | 'job' = 'conversation'): Promise<void> {
  world = new RunnerWorld({ kind });
  await world.quiet();
  world.send('m1');
  await world.quiet();
  world.says(
    { type: 'accepted', handle: 'h' },
    { type: 'text', text: 'half ' },
    { type: 'poll', reason: 'cut' },
  );
  await world.quiet();
  expect(world.state).toBe('polling');
}

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
});

describe.each(['conversation', 'job'] as const)('C10: a polled turn of a %s', (kind) => {
  test('I11, C11: polls that are not terminal write nothing, and come ever more slowly', async () => {
    await polling(kind);
    const facts = world.facts.length;
    const [row] = world.turns;
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      waits.push(world.clock.next ?? 0);
      world.finds(i % 4 === 3 ? new Error('could not be reached') : { state: 'running' });
      await world.pass(world.clock.next ?? 0);
    }
    expect(world.polled).toBe(12);
    expect(waits.slice(0, 5)).toEqual([poll, poll * 2, poll * 4, poll * 8, poll * 16]);
    expect(Math.max(...waits)).toBe(pollMax);
    expect(world.facts).toHaveLength(facts);
    expect(world.turns[0]).toBe(row);
  });

  test('I11: its progress moves without a part, and is written only when it moved', async () => {
    await polling(kind);
    const parts = world.turns[0]?.parts;
    for (const done of [1, 1, 1, 2]) {
      world.finds({ state: 'running', progress: { text: 'files', done, total: 9 } });
      await world.pass(pollMax);
    }
    expect(world.types.filter((type) => type === 'job.progress')).toHaveLength(2);
    expect(world.turns[0]).toMatchObject({ progress: { text: 'files', done: 2, total: 9 } });
    expect(world.turns[0]?.parts).toBe(parts);
    world.finds({ state: 'running', progress: { text: 'tests', done: 2, total: 9 } });
    await world.pass(pollMax);
    expect(world.turns[0]).toMatchObject({ progress: { text: 'tests', done: 2 } });
  });

  const rest = [{ type: 'text', text: 'and the rest' }] as const;
  const terminal: Readonly<Record<string, { found: Polled; outcome: string; text: string }>> = {
    done: {
      found: { state: 'ended', output: rest, settled: { stopReason: 'end_turn' } },
      outcome: 'finalized',
      text: 'half and the rest',
    },
    failed: {
      found: {
        state: 'ended',
        output: rest,
        settled: { stopReason: 'error', error: { code: 'c', message: 'm' } },
      },
      outcome: 'failed',
      text: 'half and the rest',
    },
    cancelled: {
      found: { state: 'ended', output: [], settled: { stopReason: 'cancelled' } },
      outcome: 'cancelled',
      text: 'half ',
    },
    unknown: {
      found: { state: 'unknown', reason: 'It knows nothing of this.' },
      outcome: 'failed',
      text: 'half ',
    },
  };
  test.each(Object.entries(terminal))(
    'I1: found %s it ends once, and no timer is left',
    async (_, { found, outcome, text }) => {
      await polling(kind);
      world.finds({ state: 'running' });
      await world.pass(poll);
      world.finds(found);
      await world.pass(poll * 2);
      expect(world.state).toBe(outcome);
      expect(world.texts).toEqual([text]);
      expect(world.clock.pending).toBe(0);
      // C45: whatever comes later meets an ended turn.
      const facts = world.facts.length;
      world.says({ type: 'text', text: 'late' });
      world.runner.send({
        type: 'agent.settled',
        turn: world.prompt.turn,
        settled: { stopReason: 'end_turn' },
      });
      await world.pass(600_000);
      expect(world.facts).toHaveLength(facts);
      expect(world.polled).toBe(2);
    },
  );
});

describe('a lost stream', () => {
  test('I11, D3: progress that could not be written yet is known all the same', async () => {
    await polling();
    world.broken = 'LogUnavailable';
    for (const done of [1, 1, 2, 2]) {
      world.finds({ state: 'running', progress: { text: 'files', done, total: 9 } });
      await world.pass(pollMax);
      if (done === 1) world.unasked({ type: 'thought', text: '…' });
    }
    world.broken = undefined;
    await world.pass(pollMax);
    expect(world.types.filter((type) => type === 'job.progress')).toHaveLength(2);
    expect(world.turns[0]).toMatchObject({ progress: { done: 2 } });
  });

  test('that is back by itself is shown so before what it says, and is polled no more', async () => {
    await polling();
    world.says({ type: 'text', text: 'again' });
    await world.pass(20);
    expect(world.state).toBe('streaming');
    expect(world.facts.slice(-2)).toMatchObject([
      { type: 'turn.watching', reason: 'The stream is back.' },
      { type: 'text.added' },
    ]);
    await world.pass(stall - 21);
    expect(world.polled).toBe(0);
  });

  test('I11: that is lost once more, before anything showed that it was back, is no news', async () => {
    await polling();
    const facts = world.facts.length;
    world.says(
      { type: 'poll', reason: 'cut' },
      { type: 'accepted', handle: 'h' },
      { type: 'poll', reason: 'cut' },
    );
    await world.quiet();
    const modes = world.facts.slice(facts).map((fact) => fact.type === 'turn.watching' && fact.mode);
    expect(modes).toEqual(['stream', 'poll']);
    expect(world.state).toBe('polling');
    expect(world.runner.getSnapshot().matches({ work: { engaged: 'polling' } })).toBe(true);
  });

  test('that a poll finds is read again', async () => {
    await polling();
    world.finds({ state: 'stream' });
    await world.pass(poll);
    expect(world.state).toBe('streaming');
    // It is not asked about meanwhile, and its silence is seen.
    await world.pass(stall);
    expect(world.turns[0]?.watching).toMatchObject({ mode: 'silent' });
    world.text('again');
    world.settles();
    await world.quiet();
    expect(world.texts).toEqual(['half again']);
    expect(world.polled).toBe(1);
  });

  test('that is lost again is polled again from the shortest wait', async () => {
    await polling();
    for (let i = 0; i < 3; i++) {
      world.finds({ state: 'running' });
      await world.pass(pollMax);
    }
    world.text('back');
    await world.pass(20);
    world.says({ type: 'poll', reason: 'cut again' });
    await world.quiet();
    expect(world.state).toBe('polling');
    expect(world.clock.next).toBe(poll);
  });

  test('ends by its own stream while a poll is on its way: one end, the poll is forgotten', async () => {
    await polling();
    await world.pass(poll);
    expect(world.polled).toBe(1);
    world.settles();
    await world.quiet();
    world.finds({
      state: 'ended',
      output: [{ type: 'text', text: 'late' }],
      settled: { stopReason: 'error' },
    });
    await world.quiet();
    expect(world.turns[0]).toMatchObject({ outcome: 'finalized' });
    expect(world.texts).toEqual(['half ']);
  });
});

describe('D4: a turn that is open when the gateway starts', () => {
  async function found(how: 'reattach' | 'interrupt', gated = false): Promise<void> {
    await polling();
    const { facts, runner } = world;
    runner.stop();
    world = new RunnerWorld({ log: facts.slice(1) });
    world.gated = gated;
    world.runner.send({ type: 'begin', how, reason: 'The gateway was restarted.' });
    await world.quiet();
  }

  test('is joined again where the agent can, opens in polling, and ends as the agent says', async () => {
    await found('reattach');
    expect(world.prompts).toMatchObject([{ how: 'reattach' }]);
    expect(world.state).toBe('polling');
    world.text('and on');
    await world.pass(20);
    expect(world.state).toBe('streaming');
    world.settles();
    await world.quiet();
    expect(world.texts).toEqual(['half and on']);
    expect(world.clock.pending).toBe(0);
  });

  test('is not polled when its stream is back before that it was lost is written', async () => {
    await found('reattach', true);
    expect(world.waiting).toHaveLength(1);
    world.text('and on');
    await world.quiet();
    world.gated = false;
    world.land();
    await world.pass(pollMax);
    expect(world.state).toBe('streaming');
    expect(world.polled).toBe(0);
    expect(world.texts).toEqual(['half and on']);
  });

  test('ends interrupted where it cannot: no prompt, no poll, the queue held', async () => {
    await found('interrupt');
    expect(world.prompts).toEqual([]);
    expect(world.turns[0]).toMatchObject({ outcome: 'interrupted', stopReason: 'lost' });
    expect(world.context.queue.held).toBe(true);
    await world.pass(600_000);
    expect(world.polled).toBe(0);
    expect(world.clock.pending).toBe(0);
  });
});

describe('I13: a silence', () => {
  test('is shown with its beginning, after the bound, as a stall and never as polling', async () => {
    world = new RunnerWorld();
    await world.quiet();
    world.send('m1');
    await world.quiet();
    const began = world.clock.now();
    await world.pass(stall - 1);
    expect(world.types).not.toContain('turn.watching');
    await world.pass(1);
    const reason = 'The agent has not said anything for a while.';
    expect(world.turns[0]).toMatchObject({ watching: { mode: 'silent', since: began, reason } });
    expect(world.state).toBe('dispatching');
    const facts = world.facts.length;
    await world.pass(stall * 10);
    expect(world.facts).toHaveLength(facts);
    world.text('here');
    await world.pass(20);
    expect(world.turns[0]?.watching).toBeUndefined();
    await world.pass(stall);
    expect(world.turns[0]).toMatchObject({ watching: { mode: 'silent' } });
  });

  test.each(['tool', 'permission'])('is none while a %s of the turn is open', async (what) => {
    world = new RunnerWorld();
    await world.quiet();
    world.send('m1');
    await world.quiet();
    const options = [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }] as const;
    world.says(
      what === 'tool'
        ? { type: 'tool.started', toolCallId: 'c', title: 'Run' }
        : { type: 'permission.asked', permission: 'q', title: 'May I?', options },
    );
    await world.pass(stall * 4);
    expect(world.types).not.toContain('turn.watching');
    if (what === 'permission') world.ask({ type: 'answer', permission: 'q', option: 'yes' });
    else world.says({ type: 'tool.finished', toolCallId: 'c', status: 'completed' });
    await world.pass(stall * 2);
    expect(world.types).toContain('turn.watching');
  });
});

describe('output that nobody asked for', () => {
  async function resting(): Promise<void> {
    world = new RunnerWorld();
    await world.quiet();
    world.send('m1');
    await world.quiet();
    world.settles();
    await world.quiet();
  }

  test('is a turn of the agent, that is not prompted, and ends by its quiet', async () => {
    await resting();
    world.unasked({ type: 'text', text: 'woke ' });
    await world.pass(20);
    world.unasked({ type: 'text', text: 'up' });
    await world.pass(quiet - 1);
    expect(world.prompts.map((prompt) => prompt.how)).toEqual(['prompt', 'attend']);
    expect(world.turns[1]).toMatchObject({ origin: 'agent' });
    expect(world.turns[1]?.message).toBeUndefined();
    expect(world.state).toBe('streaming');
    await world.pass(quiet);
    expect(world.turns[1]).toMatchObject({ outcome: 'finalized' });
    expect(world.texts).toEqual(['', 'woke up']);
    expect(world.clock.pending).toBe(0);
  });

  test('does not end while a tool of it runs', async () => {
    await resting();
    world.unasked({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
    await world.pass(quiet * 5);
    expect(world.turns[1]?.outcome).toBeUndefined();
    world.unasked({ type: 'tool.finished', toolCallId: 'c', status: 'completed' });
    await world.pass(quiet);
    expect(world.turns[1]).toMatchObject({ outcome: 'finalized' });
  });

  test('A6: ends by a longer silence when the agent never says how its tool ended, and the queue goes on', async () => {
    await resting();
    const title = 'May I?';
    const options = [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' as const }];
    world.unasked({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
    world.unasked({ type: 'permission.asked', permission: 'p', toolCallId: 'c', title, options });
    await world.pass(stall * 3);
    expect(world.turns[1]?.outcome).toBeUndefined();
    world.ask({ type: 'answer', permission: 'p', option: 'yes' });
    await world.pass(stall - 1);
    expect(world.turns[1]?.outcome).toBeUndefined();
    world.send('m2');
    await world.pass(quiet + 1);
    expect(world.turns[1]).toMatchObject({ outcome: 'finalized' });
    expect(world.turns[1]?.parts[0]).toMatchObject({
      status: 'failed',
      reason: 'The agent did not say how this ended.',
    });
    expect(world.prompt).toMatchObject({ how: 'prompt', content: [{ text: 'm2' }] });
    world.settles();
    await world.quiet();
  });

  test('lets a message that comes meanwhile wait, and then drain', async () => {
    await resting();
    world.unasked({ type: 'text', text: 'woke' });
    await world.pass(20);
    world.send('m2');
    await world.quiet();
    expect(world.context.queue.messages).toHaveLength(1);
    await world.pass(quiet);
    expect(world.prompt).toMatchObject({ how: 'prompt', content: [{ text: 'm2' }] });
    world.settles();
    await world.quiet();
  });

  test('belongs to no turn whose prompt has settled: it begins the next, after that end is written', async () => {
    await resting();
    world.send('m2');
    await world.quiet();
    world.gated = true;
    world.text('answer');
    await world.pass(20);
    expect(world.waiting).toHaveLength(1);
    world.settles();
    world.unasked({ type: 'text', text: 'woke' });
    world.gated = false;
    world.land();
    await world.pass(20);
    expect(world.texts).toEqual(['', 'answer', 'woke']);
    expect(world.turns[2]).toMatchObject({ origin: 'agent' });
  });

  test('belongs to the open turn when one is open', async () => {
    await resting();
    world.send('m2');
    await world.quiet();
    world.unasked({ type: 'text', text: 'from behind' });
    await world.pass(20);
    expect(world.texts).toEqual(['', 'from behind']);
  });

  test('after a stop is dropped and counted; a new name of the session is not', async () => {
    await resting();
    world.send('m2');
    await world.quiet();
    world.ask({ type: 'stop', turn: world.prompt.turn });
    world.settles();
    await world.quiet();
    const { dropped } = world.runner.getSnapshot().context;
    world.unasked({ type: 'text', text: 'zombie' }, { type: 'changed', title: 'New' });
    await world.pass(20);
    expect(world.turns).toHaveLength(2);
    expect(world.context.title).toBe('New');
    expect(world.runner.getSnapshot().context.dropped).toBe(dropped + 1);
  });

  test('A4: usage after the end is taken, names its turn, and changes no row', async () => {
    await resting();
    const [row] = world.turns;
    world.runner.send({
      type: 'output',
      turn: row?.id ?? '',
      outputs: [
        { type: 'usage', usage: { totalTokens: 5 } },
        { type: 'text', text: 'late' },
      ],
    });
    await world.pass(20);
    expect(world.facts.at(-1)).toMatchObject({ type: 'usage.updated', turn: row?.id });
    expect(world.context.usage).toEqual({ totalTokens: 5 });
    expect(world.turns[0]).toBe(row);
    expect(world.runner.getSnapshot().context.dropped).toBe(1);
  });
});
