import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Settled } from '../../machines/runner.types.ts';
import type { Output } from '../../src/wire/output.ts';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

type Step =
  | { readonly do: 'send'; readonly steer: boolean }
  | { readonly do: 'stop'; readonly what: 'open' | 'last' | 'queued' | 'nobody' }
  | {
      readonly do:
        | 'resume'
        | 'retry'
        | 'edit'
        | 'move'
        | 'remove'
        | 'answer'
        | 'close'
        | 'unasked'
        | 'land'
        | 'gate'
        | 'quiet';
    }
  | { readonly do: 'say'; readonly outputs: readonly Output[]; readonly late: boolean }
  | { readonly do: 'settle'; readonly settled: Settled }
  | { readonly do: 'steered'; readonly taken: boolean }
  | { readonly do: 'poll'; readonly found: 'running' | 'stream' | 'ended' | 'unknown' | 'error' }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'fail' };

const options = [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }] as const;
const call = fc.constantFrom('a', 'b');
const output: fc.Arbitrary<Output> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom('text', 'thought'), text: fc.string({ minLength: 1 }) }),
  },
  fc.record({ type: fc.constant('text'), text: fc.string({ minLength: 1 }), part: call }),
  fc.record({ type: fc.constant('replace'), kind: fc.constantFrom('text', 'thought'), text: fc.string() }),
  fc.record({ type: fc.constant('accepted'), handle: fc.constantFrom('h', 'i') }),
  fc.constant({ type: 'accepted' }),
  fc.record({ type: fc.constant('tool.started'), toolCallId: call, title: fc.constant('T') }),
  fc.record({ type: fc.constant('tool.updated'), toolCallId: call, output: fc.string() }),
  fc.record({
    type: fc.constant('tool.finished'),
    toolCallId: call,
    status: fc.constantFrom('completed', 'failed'),
  }),
  fc.record({ type: fc.constant('tool.refused'), toolCallId: call, reason: fc.constant('no') }),
  fc.record({
    type: fc.constant('permission.asked'),
    permission: call,
    title: fc.constant('May I?'),
    toolCallId: call,
    options: fc.constant(options),
  }),
  fc.record({ type: fc.constant('permission.withdrawn'), permission: call, reason: fc.constant('r') }),
  fc.constant({ type: 'plan', entries: [] }),
  fc.constant({ type: 'retrying', attempt: 1, reason: 'busy' }),
  fc.constant({ type: 'poll', reason: 'cut' }),
  fc.constant({ type: 'notice', level: 'info', code: 'c', text: 'x' }),
  fc.constant({ type: 'usage', usage: { totalTokens: 1 } }),
  fc.constant({ type: 'changed', title: 'T' }),
  fc.constant({ type: 'progress', progress: { text: 'x' } }),
) as fc.Arbitrary<Output>;

const settled: fc.Arbitrary<Settled> = fc.constantFrom<Settled>(
  { stopReason: 'end_turn' },
  { stopReason: 'end_turn' },
  { stopReason: 'cancelled' },
  { stopReason: 'error', error: { code: 'c', message: 'm' } },
);

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send'), steer: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('stop'),
      what: fc.constantFrom('open', 'open', 'last', 'queued', 'nobody'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('resume', 'retry', 'edit', 'move', 'remove', 'answer', 'close', 'unasked'),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('say'),
      outputs: fc.array(output, { minLength: 1, maxLength: 4 }),
      late: fc.nat(9).map((n) => n === 0),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('settle'), settled }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('steered'), taken: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('poll'),
      found: fc.constantFrom('running', 'stream', 'ended', 'unknown', 'error'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pass'),
      ms: fc.constantFrom(1, 19, 20, 500, 2_000, 5_000, 30_000),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'gate' }) },
  { weight: 8, arbitrary: fc.constantFrom({ do: 'land' }, { do: 'quiet' }) },
  { weight: 1, arbitrary: fc.constant({ do: 'fail' }) },
) as fc.Arbitrary<Step>;

/** Between them they see every state, so that the check below that all were met depends on no luck. */
const begin: Step[] = [{ do: 'send', steer: false }, { do: 'quiet' }];
const polled: Output[] = [
  { type: 'accepted', handle: 'h' },
  { type: 'poll', reason: 'cut' },
];
const said: Output[] = [{ type: 'plan', entries: [] }];
const end = (one: Settled): Step[] => [{ do: 'settle', settled: one }, { do: 'quiet' }, { do: 'quiet' }];
const examples: [Step[]][] = [
  [
    [
      { do: 'quiet' },
      ...begin,
      { do: 'say', outputs: polled, late: false },
      { do: 'quiet' },
      ...end({ stopReason: 'end_turn' }),
    ],
  ],
  [
    [
      ...begin,
      { do: 'say', outputs: said, late: false },
      { do: 'quiet' },
      { do: 'stop', what: 'open' },
      { do: 'quiet' },
      ...end({ stopReason: 'cancelled' }),
    ],
  ],
  [[...begin, ...end({ stopReason: 'lost' })]],
];

class Schedule {
  readonly world: RunnerWorld;
  asked = 0;

  constructor(kind: 'conversation' | 'job') {
    this.world = new RunnerWorld({ kind });
  }

  async take(one: Step): Promise<void> {
    const { world } = this;
    const { queue, turns, open, permissions } = world.context;
    const waiting = queue.messages[0]?.message.id ?? 'nothing';
    const { revision } = queue;
    switch (one.do) {
      case 'send':
        this.asked += 1;
        world.send(`m${this.asked}`, one.steer ? 'steer' : 'queue');
        return;
      case 'stop': {
        this.asked += 1;
        const turn = { open: open?.id, last: turns.at(-1)?.id, queued: undefined, nobody: undefined }[
          one.what
        ];
        world.ask(
          one.what === 'queued'
            ? { type: 'stop', message: waiting }
            : { type: 'stop', turn: turn ?? 'nobody' },
        );
        return;
      }
      case 'resume':
      case 'close':
        if (one.do === 'close') return;
        this.asked += 1;
        world.ask({ type: one.do });
        return;
      case 'retry':
        this.asked += 1;
        world.ask({ type: 'retry', turn: turns.at(-1)?.id ?? 'nobody' });
        return;
      case 'edit':
      case 'move':
      case 'remove': {
        this.asked += 1;
        const content = [{ type: 'text' as const, text: 'edited' }];
        const edit =
          one.do === 'edit'
            ? { revision, edit: { message: waiting, content } }
            : one.do === 'move'
              ? { revision, move: { message: waiting, to: Math.max(0, queue.messages.length - 1) } }
              : { revision, remove: { message: waiting } };
        world.ask({ type: 'editQueue', edit });
        return;
      }
      case 'answer':
        this.asked += 1;
        world.ask({ type: 'answer', permission: permissions[0]?.id ?? 'a', option: 'yes' });
        return;
      case 'unasked':
        world.unasked({ type: 'text', text: 'woke' });
        return;
      case 'say': {
        const turn = one.late ? world.prompts[0]?.turn : world.prompts.at(-1)?.turn;
        if (turn !== undefined) world.runner.send({ type: 'output', turn, outputs: one.outputs });
        return;
      }
      case 'settle':
        if (world.prompts.length > 0) world.settles(one.settled);
        return;
      case 'steered': {
        const steer = queue.messages.find((q) => q.delivery === 'steer')?.message.id;
        if (steer !== undefined)
          world.runner.send({ type: 'agent.steered', message: steer, taken: one.taken });
        return;
      }
      case 'poll':
        world.polls.push(
          one.found === 'error'
            ? new Error('away')
            : one.found === 'ended'
              ? {
                  state: 'ended',
                  output: [{ type: 'text', text: 'rest' }],
                  settled: { stopReason: 'end_turn' },
                }
              : one.found === 'unknown'
                ? { state: 'unknown', reason: 'r' }
                : { state: one.found },
        );
        return;
      case 'gate':
        world.gated = !world.gated;
        return;
      case 'land':
        world.land();
        return;
      case 'fail':
        world.land('LogUnavailable');
        return;
      case 'quiet':
        return world.quiet();
      case 'pass':
        world.clock.advance(one.ms);
        return;
    }
  }

  /** Everything is let go, and the agent ends what it is given, until nothing is left to do. */
  async finish(): Promise<void> {
    const { world } = this;
    world.gated = false;
    for (let i = 0; i < 200; i++) {
      while (world.waiting.length > 0) world.land();
      await world.pass(1_000);
      if (world.prompts.length > 0) world.settles();
      await world.quiet();
      const { open, queue } = world.context;
      if (!open && (queue.held || queue.messages.length === 0)) break;
    }
    await world.pass(5_000);
  }
}

test.each(['conversation', 'job'] as const)(
  'I1, I2, I3, I4, I6, I9, I12: no schedule of commands, output, delays and failures of a %s breaks its log',
  async (kind) => {
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 50 }), async (steps) => {
        const schedule = new Schedule(kind);
        const { world } = schedule;
        for (const one of steps) {
          await schedule.take(one);
          reached.add(world.state);
        }
        await schedule.finish();
        const { context } = world;
        expect(world.unlawful).toEqual([]);
        expect(violations(world.facts)).toEqual([]);
        expect(context.open).toBeNull();
        expect(world.replayed()).toEqual(context.turns);
        expect(context.turns.flatMap((turn) => turn.misfits)).toEqual([]);
        // I3: at most one prompt for each turn, each for a turn that was committed.
        const prompted = world.prompts.map((prompt) => prompt.turn);
        expect(new Set(prompted).size).toBe(prompted.length);
        expect(prompted.every((turn) => context.turns.some((t) => t.id === turn))).toBe(true);
        // I5: told at most once, whatever happened.
        for (const { orders } of world.prompts) {
          for (const order of ['cancel', 'terminate', 'kill']) {
            expect(orders.filter((o) => o.type === order).length).toBeLessThanOrEqual(1);
          }
        }
        // Every command has its one answer, and nothing is left that would act later.
        expect(world.replies.size).toBe(schedule.asked);
        expect(world.clock.pending).toBe(0);
      }),
      { numRuns: kind === 'conversation' ? 300 : 100, examples, verbose: true },
    );
    expect([...reached]).toEqual(
      expect.arrayContaining([
        'idle',
        'dispatching',
        'streaming',
        'polling',
        'cancelling',
        'finalized',
        'cancelled',
        'failed',
      ]),
    );
  },
);
