import { type ActorRefFrom, assertEvent, assign, fromPromise, setup } from 'xstate';
import type { Choice, Command, Failure } from '../src/wire/content.ts';
import type { SessionSummary } from '../src/wire/snapshot.ts';
import { endOfList, type Lines, lastOf, lastRead, merged, type Place, reloaded } from './directory.lines.ts';

/** An agent, as the picker shows it. */
export interface AgentLine {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly available: boolean;
  /** Why not, and what to do. */
  readonly reason?: string;
  readonly models?: readonly Choice[];
  /** Until the session says its own. */
  readonly commands?: readonly Command[];
  /** Messages to begin with. */
  readonly examples?: readonly string[];
  /** It can be asked for earlier sessions of its own. */
  readonly earlier?: boolean;
  /** Servers of the settings that a session with it can be given. */
  readonly mcpServers?: readonly { readonly name: string; readonly byDefault: boolean }[];
  /** It was added from the page. */
  readonly added?: boolean;
}

export interface DirectoryContext {
  /** Conversations and jobs. */
  readonly sessions: Lines;
  readonly agents: readonly AgentLine[];
  /** It was read once: from here on an empty list is empty. */
  readonly loaded: boolean;
  /** The gateway has conversations that were not read yet. */
  readonly more: boolean;
  /** Why it could not be read, while it cannot. */
  readonly problem: Failure | null;
  readonly attempt: number;
  /** The last line of the last page: what is older came in another way, and other lines may lie between. */
  readonly until: Place;
  /** What the conversations are searched for; empty: for nothing. */
  readonly query: string;
  /** What the gateway has found for it; null while it has not answered. */
  readonly found: readonly SessionSummary[] | null;
  /** What came while it was being read. */
  readonly touched: readonly string[];
  readonly removed: readonly string[];
}

export interface Loaded {
  readonly sessions: readonly SessionSummary[];
  readonly agents: readonly AgentLine[];
  readonly more: boolean;
}

export type DirectoryEvent =
  | {
      readonly type: 'sessions';
      readonly changed: readonly SessionSummary[];
      readonly removed: readonly string[];
    }
  /** Changes may have been missed. */
  | { readonly type: 'reload' }
  /** The reader wants older ones. */
  | { readonly type: 'more' }
  /** The reader wants those whose titles hold these words; none: all again. */
  | { readonly type: 'search'; readonly query: string };

const problemOf = (error: unknown): Failure => ({
  code: error instanceof Error && 'code' in error ? String(error.code) : 'network',
  message: error instanceof Error ? error.message : String(error),
});

/** What the page knows of all sessions and agents: read on each connection, then kept true by the live channel. */
export const directoryMachine = setup({
  types: { context: {} as DirectoryContext, events: {} as DirectoryEvent },
  actors: {
    /** The newest conversations, all jobs, and the agents. */
    load: fromPromise<Loaded>(() => {
      throw new Error('the load actor was not provided');
    }),
    /** The newest conversations whose titles hold the words. */
    find: fromPromise<readonly SessionSummary[], { readonly query: string }>(() => {
      throw new Error('the find actor was not provided');
    }),
    /** The conversations that follow this one. */
    page: fromPromise<Pick<Loaded, 'sessions' | 'more'>, { readonly before: string }>(() => {
      throw new Error('the page actor was not provided');
    }),
  },
  delays: {
    /** Words are typed one letter at a time. */
    typing: 200,
    again: 3000,
    backoff: ({ context }) => Math.min(500 * 2 ** (context.attempt - 1), 15_000),
  },
  guards: {
    hasMore: ({ context }) => context.more && lastRead(context.sessions, context.until) !== endOfList,
    isNothing: ({ event }) => {
      assertEvent(event, 'search');
      return event.query.trim() === '';
    },
    isSearching: ({ context }) => context.query !== '',
  },
  actions: {
    forget: assign({ touched: [], removed: [] }),
    merge: assign(({ context, event }) => {
      assertEvent(event, 'sessions');
      return {
        sessions: merged(context.sessions, event.changed, event.removed),
        found: context.found?.filter(({ id }) => !event.removed.includes(id)) ?? null,
      };
    }),
    note: assign(({ context, event }) => {
      assertEvent(event, 'sessions');
      const changed = event.changed.map((line) => line.id);
      return {
        touched: [...context.touched, ...changed],
        removed: [...context.removed.filter((id) => !changed.includes(id)), ...event.removed],
      };
    }),
    noteQuery: assign(({ event }) => {
      assertEvent(event, 'search');
      return { query: event.query.trim(), found: null };
    }),
    noteProblem: assign(({ context, event }) => ({
      attempt: context.attempt + 1,
      problem: problemOf('error' in event ? event.error : undefined),
    })),
  },
}).createMachine({
  id: 'directory',
  context: {
    sessions: {},
    agents: [],
    loaded: false,
    more: false,
    problem: null,
    attempt: 0,
    until: endOfList,
    query: '',
    found: null,
    touched: [],
    removed: [],
  },
  type: 'parallel',
  states: {
    lines: {
      initial: 'loading',
      on: { sessions: { actions: 'merge' } },
      states: {
        loading: {
          entry: 'forget',
          invoke: {
            id: 'load',
            src: 'load',
            onDone: {
              actions: assign(({ context, event: { output } }) => ({
                sessions: reloaded(context.sessions, output.sessions, context.touched, context.removed),
                agents: output.agents,
                more: output.more,
                until: lastOf(output.sessions),
                loaded: true,
                problem: null,
                attempt: 0,
              })),
              target: 'ready',
            },
            onError: { actions: 'noteProblem', target: 'failed' },
          },
          on: { sessions: { actions: ['merge', 'note'] }, reload: { target: 'loading', reenter: true } },
        },
        ready: { on: { reload: 'loading', more: { guard: 'hasMore', target: 'paging' } } },
        paging: {
          entry: 'forget',
          invoke: {
            id: 'page',
            src: 'page',
            input: ({ context }) => ({ before: lastRead(context.sessions, context.until).id }),
            onDone: {
              actions: assign(({ context, event: { output } }) => {
                const older = output.sessions.filter((line) => !context.sessions[line.id]);
                return {
                  sessions: merged(context.sessions, older, context.removed),
                  more: output.more,
                  until: lastOf(output.sessions, context.until),
                  problem: null,
                };
              }),
              target: 'ready',
            },
            onError: { actions: 'noteProblem', target: 'failed' },
          },
          on: { sessions: { actions: ['merge', 'note'] }, reload: 'loading' },
        },
        failed: { after: { backoff: 'loading' }, on: { reload: 'loading' } },
      },
    },
    search: {
      initial: 'nothing',
      on: {
        search: [
          { guard: 'isNothing', actions: 'noteQuery', target: '.nothing' },
          { actions: 'noteQuery', target: '.typing' },
        ],
        reload: { guard: 'isSearching', target: '.asking' },
      },
      states: {
        nothing: {},
        typing: { after: { typing: 'asking' } },
        asking: {
          invoke: {
            id: 'find',
            src: 'find',
            input: ({ context }) => ({ query: context.query }),
            onDone: { actions: assign({ found: ({ event }) => event.output }), target: 'found' },
            onError: 'failed',
          },
        },
        found: {},
        failed: { after: { again: 'asking' } },
      },
    },
  },
});

export type DirectoryRef = ActorRefFrom<typeof directoryMachine>;
