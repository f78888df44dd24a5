import type { ActorRefFrom, SnapshotFrom } from 'xstate';
import { ground } from './session.setup.ts';
import {
  anytime,
  cancelling,
  dispatching,
  opening,
  polling,
  queueing,
  rereading,
  streaming,
  take,
} from './session.states.ts';
import { initialContext } from './session.ts';

/** Any start that the rules allow: by drain from the head of the queue, by the user, or by the agent unprompted. */
const start = { 'turn.started': { ...take, target: 'dispatching' } } as const;
/** I3: after a stop or a failure nothing starts by itself; the user's own send or retry does. */
const startByUser = {
  'turn.started': { guard: 'askedByUser', actions: 'take', target: 'dispatching' },
  // Resume: from here on the queue may drain again.
  'queue.released': { ...take, target: 'idle' },
} as const;
const close = { 'session.closed': { ...take, target: 'closed' } } as const;

/**
 * The conversation: its events are committed facts, and this chart is the law for what may follow. The same machine
 * runs in the gateway, in every page, in the tests and in the inspector.
 */
export const conversationMachine = ground.createMachine({
  id: 'session',
  context: ({ input }) => initialContext(input.session, 'conversation', input.owner ?? null),
  initial: 'opening',
  on: { ...rereading, ...anytime, ...queueing, 'older.loaded': { actions: 'addOlder' } },
  states: {
    opening,
    idle: { on: { ...start, ...close } },
    dispatching,
    streaming,
    polling,
    cancelling,
    // C46: the drain leaves from here, after the end is committed.
    finalized: { on: { ...start, ...close } },
    cancelled: { on: { ...startByUser, ...close } },
    failed: { on: { ...startByUser, ...close } },
    closed: { type: 'final' },
  },
});

export type ConversationRef = ActorRefFrom<typeof conversationMachine>;
export type ConversationSnapshot = SnapshotFrom<typeof conversationMachine>;
