import { ground } from './session.setup.ts';

/**
 * The states that a conversation and a job have in common. Every arrow is a lawful fact: what has no arrow here is
 * never written by the gateway and changes nothing in the page.
 */
export const take = { guard: 'lawful', actions: 'take' } as const;

/** Facts of the session itself, welcome in each state: they name no running turn, or may come late (A4). */
export const anytime = {
  'session.changed': take,
  'usage.updated': take,
  'notice.added': take,
  'job.attached': take,
  'job.settled': take,
} as const;

/** The queue moves whatever the turn does; C46: nothing here starts a turn. */
export const queueing = {
  'queue.added': take,
  'queue.edited': take,
  'queue.moved': take,
  'queue.removed': take,
  'queue.held': take,
  'queue.released': take,
} as const;

/** What an agent says while it answers. */
const answering = {
  'text.added': take,
  'thought.added': take,
  'part.replaced': take,
  'tool.started': take,
  'tool.updated': take,
  'tool.finished': take,
  'tool.refused': take,
  'plan.updated': take,
  'permission.asked': take,
  'permission.answered': take,
  'permission.withdrawn': take,
} as const;

/** Agents that answer before they accept: a handle is news all the same, for `poll` and `reattach`. */
const acceptedLate = { 'turn.accepted': { guard: 'bringsHandle', actions: 'take' } } as const;

/** I13: retries, steering and progress are shown where they happen. */
const running = {
  'turn.retrying': take,
  'turn.steered': take,
  'job.progress': take,
  // I4, I5: a stop is accepted in every running state, and from here on only closings may follow.
  'turn.stopping': { ...take, target: 'cancelling' },
} as const;

/** I1: one end, in one of three states. */
const ending = [
  { guard: 'endsWell', actions: 'take', target: 'finalized' },
  { guard: 'endsCancelled', actions: 'take', target: 'cancelled' },
  // `failed` and `interrupted`: I3, the queue does not go on from here by itself.
  { ...take, target: 'failed' },
] as const;

type PartType = keyof typeof answering;
/** The first part of an answer is an acceptance too: some agents never say so. */
const firstPart = Object.fromEntries(
  Object.keys(answering).map((type) => [type, { ...take, target: 'streaming' }]),
) as { [K in PartType]: typeof take & { readonly target: 'streaming' } };

const states = [
  'idle',
  'dispatching',
  'streaming',
  'polling',
  'cancelling',
  'finalized',
  'cancelled',
  'failed',
  'closed',
] as const;

/** Reads the snapshot, then goes to the state that the facts say. A failed read is tried again (`problem` says why). */
export const opening = ground.createStateConfig({
  initial: 'loading',
  on: {
    'session.opened': { ...take, target: 'idle' },
    'older.loaded': { actions: 'addOlder' },
    resync: '.loading',
    // C30: what arrives while the snapshot is read neither changes it nor starts it anew; the tail is asked for after it.
    '*': {},
  },
  states: {
    loading: {
      invoke: {
        id: 'load',
        src: 'load',
        input: ({ context }) => ({ session: context.id }),
        onDone: [
          { guard: 'isBehind', actions: 'foundBehind', target: 'waiting' },
          ...states.map((state) => ({
            guard: { type: 'isState' as const, params: { state } },
            actions: ['adopt' as const, 'ready' as const],
            target: `#session.${state}`,
          })),
        ],
        onError: [
          { guard: 'isUnknown', actions: 'failedToLoad', target: '#session.closed' },
          { actions: 'failedToLoad', target: 'waiting' },
        ],
      },
    },
    waiting: { after: { backoff: 'loading' } },
  },
});

/** The message is claimed and offered; the agent has not answered. */
export const dispatching = ground.createStateConfig({
  on: {
    ...running,
    ...firstPart,
    'turn.accepted': { ...take, target: 'streaming' },
    'turn.watching': [{ guard: 'watchesPoll', actions: 'take', target: 'polling' }, take],
    'turn.ended': ending,
  },
});

/** The agent answers. A silence is shown here: without `poll` it is a stall, never `polling`. */
export const streaming = ground.createStateConfig({
  on: {
    ...running,
    ...answering,
    ...acceptedLate,
    'turn.watching': [{ guard: 'watchesPoll', actions: 'take', target: 'polling' }, take],
    'turn.ended': ending,
  },
});

/** The turn runs, its stream is lost or never was; I11: a poll that is not terminal writes no part. */
export const polling = ground.createStateConfig({
  on: {
    ...running,
    ...answering,
    ...acceptedLate,
    'turn.watching': [{ guard: 'watchesStream', actions: 'take', target: 'streaming' }, take],
    'turn.ended': ending,
  },
});

/** A stop is committed. I4: no text, tool or request any more, only closings; it ends `cancelled`. */
export const cancelling = ground.createStateConfig({
  on: {
    'tool.finished': take,
    'tool.refused': take,
    'permission.withdrawn': take,
    'turn.stopping': take,
    'turn.ended': { guard: 'endsCancelled', actions: 'take', target: 'cancelled' },
  },
});

/** A gap or another epoch: nothing is guessed, the snapshot is read again. */
export const rereading = {
  resync: '.opening',
  '*': [
    { guard: 'gap', target: '.opening' },
    { guard: 'isUnknownNext', actions: 'skip' },
  ],
} as const;
