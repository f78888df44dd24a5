import type { ActorRefFrom } from 'xstate';
import { outboxGround } from './outbox.setup.ts';

/** What changes an entry; what may be sent then is decided at once. */
const changing = { actions: 'change', target: 'deciding' } as const;
/** Without its store the outbox goes on, and says that nothing is kept. */
const unsaved = {
  'store.failed': { actions: 'noteUnsaved' },
  'xstate.error.actor.store': { actions: 'noteUnsaved' },
} as const;
const changes = {
  ask: changing,
  fact: changing,
  seen: changing,
  wake: changing,
  due: changing,
  dismiss: changing,
  restore: 'restoring',
  ...unsaved,
  'xstate.done.actor.*': changing,
  'xstate.error.actor.*': changing,
} as const;

/**
 * What the user asked, from asked to confirmed or refused: sends, stops and answers. Nothing is lost by a reload, a lost
 * answer or a lost network, and nothing is done twice: an id that the gateway knows is only answered again (I9).
 */
export const outboxMachine = outboxGround.createMachine({
  id: 'outbox',
  context: ({ input }) => ({ ...input, entries: [], done: [], unsaved: null }),
  invoke: { id: 'store', src: 'store' },
  initial: 'restoring',
  states: {
    // What was asked before a reload goes first, so nothing is sent before it is read.
    restoring: {
      invoke: {
        id: 'load',
        src: 'load',
        onDone: { actions: 'change', target: 'deciding' },
        onError: { actions: 'noteUnsaved', target: 'deciding' },
      },
      after: { reading: { actions: 'noteUnsaved', target: 'deciding' } },
      on: {
        ...unsaved,
        ask: { actions: 'change' },
        fact: { actions: 'change' },
        seen: { actions: 'change' },
        wake: { actions: 'change' },
        due: { actions: 'change' },
        dismiss: { actions: 'change' },
        'xstate.done.actor.*': { actions: 'change' },
        'xstate.error.actor.*': { actions: 'change' },
      },
    },
    deciding: {
      entry: 'deliver',
      always: [
        { guard: 'hasOut', target: 'delivering' },
        { guard: 'hasWaiting', target: 'waiting' },
        { target: 'resting' },
      ],
    },
    /** A request is out. */
    delivering: { on: changes },
    /** The gateway was not heard: it is asked again, later. */
    waiting: { on: changes },
    /** Nothing is owed. */
    resting: { on: changes },
  },
});

export type OutboxRef = ActorRefFrom<typeof outboxMachine>;
