import { type ActorRefFrom, assertEvent, assign, fromPromise, setup } from 'xstate';
import type { EarlierSession, EarlierSessions } from '../src/wire/snapshot.ts';

/** Whose earlier sessions are asked for; without a directory those of all. */
export interface EarlierAsk {
  readonly agent: string;
  readonly cwd?: string;
}

interface EarlierContext {
  readonly ask: EarlierAsk;
  /** What has come so far, page by page. */
  readonly sessions: readonly EarlierSession[];
  readonly next: string | null;
  /** Why they could not be listed, in the agent's words. */
  readonly problem: string | null;
}

export type EarlierEvent =
  | { readonly type: 'ask'; readonly ask: EarlierAsk }
  | { readonly type: 'more' }
  | { readonly type: 'retry' }
  /** Nobody looks any more: an answer that is on its way is not waited for. */
  | { readonly type: 'leave' };

/** The page's look at an agent's own earlier sessions: one question at a time, the last one counts. */
export const earlierMachine = setup({
  types: { context: {} as EarlierContext, events: {} as EarlierEvent },
  actors: {
    list: fromPromise<EarlierSessions, EarlierAsk & { readonly cursor: string | null }>(() => {
      throw new Error('the list actor was not provided');
    }),
  },
  actions: {
    askAnew: assign(({ event }) => {
      assertEvent(event, 'ask');
      return { ask: event.ask, sessions: [], next: null, problem: null };
    }),
  },
}).createMachine({
  id: 'earlier',
  context: { ask: { agent: '' }, sessions: [], next: null, problem: null },
  initial: 'idle',
  on: {
    ask: { target: '.loading', actions: 'askAnew' },
    leave: '.idle',
  },
  states: {
    idle: {},
    loading: {
      invoke: {
        src: 'list',
        input: ({ context }) => ({ ...context.ask, cursor: context.next }),
        onDone: {
          target: 'shown',
          actions: assign(({ context, event }) => ({
            // A page may name again what has moved meanwhile.
            sessions: [
              ...context.sessions,
              ...event.output.sessions.filter((one) => !context.sessions.some(({ id }) => id === one.id)),
            ],
            next: event.output.next ?? null,
          })),
        },
        onError: {
          target: 'failed',
          actions: assign(({ event: { error } }) => ({
            problem: error instanceof Error ? error.message : String(error),
          })),
        },
      },
    },
    shown: { on: { more: { guard: ({ context }) => context.next !== null, target: 'loading' } } },
    failed: { on: { retry: { target: 'loading', actions: assign({ problem: null }) } } },
  },
});

export type EarlierRef = ActorRefFrom<typeof earlierMachine>;
