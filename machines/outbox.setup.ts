import { assertEvent, assign, fromCallback, fromPromise, setup } from 'xstate';
import type { Fact } from '../src/wire/facts.ts';
import {
  type Ask,
  accepted,
  ask,
  deliver,
  type Entries,
  type Entry,
  failed,
  heard,
  type Problem,
  restored,
  seen,
} from './outbox.entries.ts';

export interface OutboxInput {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1, evenly spread. */
  readonly jitter: () => number;
}

export interface OutboxContext extends OutboxInput {
  /** In the order in which they were asked. */
  readonly entries: Entries;
  /** What is done with here, by its ids, the newest last: a store that forgets late does not bring it back. */
  readonly done: readonly string[];
  /** Why nothing is kept over a reload, while that is so. */
  readonly unsaved: string | null;
}

/** The gateway's answer, as far as the outbox needs it. */
export interface Posted {
  readonly cursor?: string;
}

export type StoreOrder =
  | { readonly type: 'save'; readonly entry: Entry }
  | { readonly type: 'remove'; readonly id: string };

export type OutboxEvent =
  | { readonly type: 'ask'; readonly ask: Ask }
  | { readonly type: 'fact'; readonly fact: Fact }
  | {
      readonly type: 'seen';
      readonly session: string;
      readonly cursor?: string;
      readonly messages: readonly string[];
    }
  /** The gateway is there again: nothing waits any longer. */
  | { readonly type: 'wake' }
  /** The user has seen a refusal. */
  | { readonly type: 'dismiss'; readonly id: string }
  /** Another page may have left something behind. */
  | { readonly type: 'restore' }
  | { readonly type: 'store.failed'; readonly reason: string }
  | { readonly type: 'due'; readonly id: string }
  | { readonly type: 'xstate.error.actor.store'; readonly actorId: string; readonly error: unknown }
  | { readonly type: 'xstate.done.actor.load'; readonly actorId: string; readonly output: Entries }
  | { readonly type: 'xstate.done.actor.*'; readonly actorId: string; readonly output: Posted }
  | { readonly type: 'xstate.error.actor.*'; readonly actorId: string; readonly error: unknown };

const prefix = 'post:';
const remembered = 1000;
const firstWait = 500;
const longestWait = 15_000;

/** What `post` rejects with when the gateway has answered. */
interface Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly extra: { readonly answered?: unknown };
}

function isRefusal(error: unknown): error is Refusal {
  return (error as Partial<Refusal>).status !== undefined;
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function problemOf(error: unknown): Problem | undefined {
  if (!isRefusal(error)) return undefined;
  const { status, code, message: detail, extra } = error;
  return { status, code, detail, answered: extra.answered };
}

/** What an event makes of the entries. Everything else follows from the difference. */
function next({ entries, done, now, jitter }: OutboxContext, event: OutboxEvent): Entries {
  switch (event.type) {
    case 'ask':
      return ask(entries, event.ask);
    case 'fact':
      return heard(entries, event.fact);
    case 'seen':
      return seen(entries, event.session, event.cursor, event.messages);
    case 'wake':
      return entries.map((entry) => (entry.nextAt === null ? entry : { ...entry, nextAt: null }));
    case 'due':
      return entries.map((entry) => (entry.id === event.id ? { ...entry, nextAt: null } : entry));
    case 'dismiss':
      return entries.filter((entry) => entry.id !== event.id || entry.state !== 'refused');
    case 'xstate.done.actor.load':
      return restored(
        entries,
        event.output.filter((entry) => !done.includes(entry.id)),
      );
    default: {
      assertEvent(event, ['xstate.done.actor.*', 'xstate.error.actor.*']);
      const id = event.actorId.slice(prefix.length);
      if ('output' in event) return accepted(entries, id, event.output.cursor);
      const nextAt = (attempts: number) => {
        const wait = Math.min(firstWait * 2 ** (attempts - 1), longestWait);
        return now() + wait * (0.5 + jitter() / 2);
      };
      return failed(entries, id, problemOf(event.error), nextAt);
    }
  }
}

const base = setup({
  types: {
    context: {} as OutboxContext,
    events: {} as OutboxEvent,
    input: {} as OutboxInput,
  },
  actors: {
    /** Asks the gateway, once. Rejects with an Error: with a `status` when the gateway answered, without when not. */
    post: fromPromise<Posted, Entry>(() => {
      throw new Error('the post actor was not provided');
    }),
    /** Reads what was kept and belongs to no other page that is open. */
    load: fromPromise<Entries>(() => {
      throw new Error('the load actor was not provided');
    }),
    /** Keeps entries over a reload, in the order of the orders. Says `store.failed` when it cannot. */
    store: fromCallback<StoreOrder>(() => {
      throw new Error('the store actor was not provided');
    }),
  },
  delays: { reading: 3000 },
  guards: {
    hasOut: ({ context }) => context.entries.some((entry) => entry.state === 'sent'),
    hasWaiting: ({ context }) => context.entries.some((entry) => entry.state === 'waiting'),
  },
  actions: {
    noteUnsaved: assign(({ event }) => ({
      unsaved:
        event.type === 'store.failed'
          ? event.reason
          : 'error' in event
            ? textOf(event.error)
            : 'What an earlier page left could not be read in time.',
    })),
  },
});

/** Requests, timers and the store follow from what became of the entries: there is no other place that starts them. */
const apply = (change: (context: OutboxContext, event: OutboxEvent) => Entries) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const entries = change(context, event);
    const gone = context.entries.filter((before) => !entries.some((entry) => entry.id === before.id));
    enqueue.assign({ entries, done: [...context.done, ...gone.map((entry) => entry.id)].slice(-remembered) });
    for (const before of context.entries) {
      const after = entries.find((entry) => entry.id === before.id);
      if (after === before) continue;
      enqueue.cancel(`due:${before.id}`);
      if (after?.state !== 'sent') enqueue.stopChild(prefix + before.id);
      if ((!after || after.state === 'accepted') && before.state !== 'accepted') {
        enqueue.sendTo('store', { type: 'remove', id: before.id });
      }
    }
    for (const after of entries) {
      const before = context.entries.find((entry) => entry.id === after.id);
      if (after === before) continue;
      if (after.state !== 'accepted') enqueue.sendTo('store', { type: 'save', entry: after });
      if (after.state === 'sent' && before?.state !== 'sent') {
        enqueue.spawnChild('post', { id: prefix + after.id, input: after });
      }
      if (after.nextAt !== null) {
        const delay = Math.max(0, after.nextAt - context.now());
        enqueue.raise({ type: 'due', id: after.id }, { delay, id: `due:${after.id}` });
      }
    }
  });

/** Types, effects, guards and actions of the outbox; its chart is in `outbox.machine.ts`. */
export const outboxGround = base.extend({
  actions: { change: apply(next), deliver: apply(({ entries }) => deliver(entries)) },
});
