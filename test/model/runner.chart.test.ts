import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../../machines/runner.types.ts';
import { started } from '../support/facts.ts';
import { RunnerWorld } from '../support/runner-world.ts';

/** What the work of the runner does with whatever may come at each moment of a turn. */
let world: RunnerWorld;
const { stall, quiet, poll, cancel, terminate } = defaultLimits;

async function prompted(): Promise<void> {
  world = new RunnerWorld();
  await world.quiet();
  world.send('m1');
  await world.quiet();
}

async function stopped(): Promise<void> {
  await prompted();
  world.ask({ type: 'stop', turn: world.prompt.turn });
  await world.quiet();
}

async function woken(): Promise<void> {
  await prompted();
  world.settles();
  await world.quiet();
  world.unasked({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
  await world.quiet();
}

async function cut(): Promise<void> {
  await prompted();
  world.says({ type: 'accepted', handle: 'h' }, { type: 'poll', reason: 'cut' });
  await world.quiet();
}

/** How a turn comes to each state of the work. */
const moments: Readonly<Record<string, () => Promise<void>>> = {
  'resting.quiet': async () => {
    world = new RunnerWorld();
    await world.quiet();
  },
  'resting.abandoned': async () => {
    world = new RunnerWorld({ log: [started('t')] });
    await world.quiet();
  },
  'engaged.prompting': prompted,
  'engaged.listening': async () => {
    await prompted();
    world.text('a');
    await world.pass(20);
  },
  'engaged.silent': async () => {
    await prompted();
    await world.pass(stall);
  },
  'engaged.polling.waiting': cut,
  'engaged.polling.asking': async () => {
    await cut();
    await world.pass(poll);
  },
  'engaged.attending.near': woken,
  'engaged.attending.working': async () => {
    await woken();
    await world.pass(quiet);
  },
  'engaged.cancelling.asked': stopped,
  'engaged.cancelling.terminated': async () => {
    await stopped();
    await world.pass(cancel);
  },
  'engaged.cancelling.killed': async () => {
    await stopped();
    await world.pass(cancel);
    await world.pass(terminate);
  },
  ending: async () => {
    await prompted();
    world.gated = true;
    world.settles();
    await world.quiet();
  },
};

const open = () => world.context.open?.id ?? 'none';
const says = (turn: string | null) =>
  world.runner.send({ type: 'output', turn, outputs: [{ type: 'text', text: 'x' }] });
const settles = (turn: string) =>
  world.runner.send({ type: 'agent.settled', turn, settled: { stopReason: 'refusal' } });

const events: Readonly<Record<string, () => void>> = {
  'it speaks': () => says(open()),
  'one of another turn speaks': () => says('other'),
  'it speaks unasked': () => says(null),
  'it settles': () => settles(open()),
  'one of another turn settles': () => settles('other'),
  'it takes guidance': () => world.runner.send({ type: 'agent.steered', message: 'g', taken: true }),
  'begin: prompt': () => world.runner.send({ type: 'begin', how: 'prompt' }),
  'begin: reattach': () => world.runner.send({ type: 'begin', how: 'reattach' }),
  'begin: interrupt': () => world.runner.send({ type: 'begin', how: 'interrupt' }),
  shutdown: () => world.runner.send({ type: 'shutdown', reason: 'down' }),
  leave: () => world.runner.send({ type: 'leave' }),
  stop: () => world.ask({ type: 'stop', turn: open() }),
  send: () => world.send('m2'),
};

function work(): string {
  const name = (value: unknown): string =>
    typeof value === 'string'
      ? value
      : Object.entries(value as object)
          .map(([key, inner]) => `${key}.${name(inner)}`)
          .join();
  return name((world.runner.getSnapshot().value as { work: unknown }).work);
}

const runs = {
  'it speaks': 'engaged.listening: text.added',
  'it speaks unasked': 'engaged.listening: text.added',
  'it settles': 'resting.quiet: turn.ended',
  shutdown: 'resting.quiet: turn.ended queue.held',
  stop: 'engaged.cancelling.asked: turn.stopping queue.held, cancel',
} as const;
const polls = {
  ...runs,
  'it speaks': 'engaged.listening: turn.watching text.added',
} as const;
/** A tool of it is open. */
const attends = {
  ...runs,
  'it speaks': 'engaged.attending.near: text.added',
  'it speaks unasked': 'engaged.attending.near: text.added',
  'it settles': 'resting.quiet: tool.finished turn.ended',
  shutdown: 'resting.quiet: tool.finished turn.ended queue.held',
} as const;
const stops = { 'it settles': 'resting.quiet: turn.ended', shutdown: 'resting.quiet: turn.ended' } as const;
const ends = Object.fromEntries(Object.keys(events).map((name) => [name, 'resting.quiet: turn.ended']));

/** Where the work stands then, which facts are written, and what the agent is told. What is not here changes nothing. */
const expected: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'resting.quiet': {
    'it speaks unasked': 'engaged.attending.near: turn.started text.added, attend',
    send: 'engaged.prompting: session.changed turn.started, prompt',
  },
  'resting.abandoned': {
    'it speaks': 'resting.abandoned: text.added',
    'it speaks unasked': 'resting.abandoned: text.added',
    'begin: prompt': 'engaged.prompting: , prompt',
    'begin: reattach': 'engaged.polling.waiting: turn.watching, reattach',
    'begin: interrupt': 'resting.quiet: turn.ended queue.held',
    stop: 'resting.quiet: turn.stopping queue.held turn.ended',
    send: 'resting.abandoned: session.changed queue.added',
  },
  'engaged.prompting': runs,
  'engaged.listening': runs,
  'engaged.silent': runs,
  // What comes beside its stream does not say that the stream is back.
  'engaged.polling.waiting': { ...polls, 'it speaks unasked': 'engaged.polling.waiting: text.added' },
  'engaged.polling.asking': { ...polls, 'it speaks unasked': 'engaged.polling.asking: text.added' },
  'engaged.attending.near': attends,
  'engaged.attending.working': attends,
  'engaged.cancelling.asked': stops,
  'engaged.cancelling.terminated': stops,
  'engaged.cancelling.killed': stops,
  ending: {
    ...ends,
    'it speaks unasked': 'engaged.attending.near: turn.ended turn.started text.added, attend',
    stop: 'resting.quiet: turn.ended queue.held',
    send: 'engaged.prompting: turn.ended turn.started, prompt',
  },
};
/** A message is queued while a turn runs, and waits for a stop. */
const stays = (moment: string, name: string) =>
  name === 'send' && !moment.includes('cancelling') ? `${moment}: queue.added` : `${moment}: `;

describe.each(Object.entries(moments))('I1, I3: in %s', (moment, come) => {
  test.each(Object.entries(events))('%s', async (name, happens) => {
    await come();
    expect(work()).toBe(moment);
    const { prompts, facts } = world;
    const [begun, written, told] = [prompts.length, facts.length, prompts.at(-1)?.orders.length ?? 0];
    happens();
    // Once more: what it did is done once.
    if (name === 'shutdown' || name === 'stop') happens();
    await world.pass(20);
    world.gated = false;
    world.land();
    await world.pass(20);
    const orders =
      prompts
        .at(-1)
        ?.orders.slice(told)
        .map(({ type }) => type) ?? [];
    const tells = prompts.length > begun ? [world.prompt.how] : orders;
    const types = world.types.slice(written).join(' ');
    expect([`${work()}: ${types}`, ...tells].join(', ')).toBe(
      expected[moment]?.[name] ?? stays(moment, name),
    );
    expect(world.unlawful).toEqual([]);
  });
});
