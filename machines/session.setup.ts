import { assertEvent, assign, enqueueActions, fromPromise, setup } from 'xstate';
import type { Failure, Outcome, StopReason } from '../src/wire/content.ts';
import type { Fact } from '../src/wire/facts.ts';
import { fold, openTurn } from '../src/wire/fold.ts';
import type { SessionSnapshot, SessionState } from '../src/wire/snapshot.ts';
import type { Turn } from '../src/wire/turn.ts';
import { reduce } from './reduce.ts';
import {
  adopt,
  cursorOf,
  isBehind,
  isGap,
  isKnown,
  isLawful,
  isNext,
  type OpenTurn,
  type ParentRef,
  reopen,
  type SessionContext,
} from './session.ts';
import { turnLogic, turnOf } from './turn.logic.ts';

export interface SessionInput {
  readonly session: string;
  readonly owner?: ParentRef;
}

/** Besides facts: the reader asks for older rows, or for another look. */
export type SessionEvent =
  | Fact
  | { readonly type: 'resync'; readonly reason: string }
  | { readonly type: 'older.loaded'; readonly turns: readonly Turn[]; readonly older: boolean }
  | { readonly type: 'xstate.done.actor.load'; readonly output: SessionSnapshot }
  | { readonly type: 'xstate.error.actor.load'; readonly error: unknown };

/** What a job leaves behind when it is over. */
export interface SessionOutput {
  readonly session: string;
  readonly outcome: Outcome;
  readonly stopReason: StopReason;
  readonly error?: Failure;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Reads that may find no log of a job, or a log as it was before: about a minute. */
const patience = 8;

const behind = {
  code: 'session.behind',
  message: 'The gateway does not know of the newest yet; it is asked again.',
};

/** Waits before a snapshot is asked for again: 0.5 s, doubled up to 15 s. */
const backoff = ({ context }: { context: SessionContext }) =>
  Math.min(500 * 2 ** (context.attempt - 1), 15_000);

/** The ground that the conversation and job machines share: how a fact is judged and what it changes. */
export const ground = setup({
  types: {
    context: {} as SessionContext,
    events: {} as SessionEvent,
    input: {} as SessionInput,
    output: {} as SessionOutput,
  },
  actors: {
    turn: turnLogic,
    /** Reads the snapshot of a session; rejects with an Error whose `code` is `session.unknown` when there is none. */
    load: fromPromise<SessionSnapshot, { session: string }>(() => {
      throw new Error('the load actor was not provided');
    }),
  },
  delays: { backoff },
  guards: {
    // Each of these is asked of facts of one type alone.
    lawful: ({ context, event }) => isLawful(context, event as Fact),
    /** A lawful end that the agent reached by itself. */
    endsWell: ({ context, event }) => {
      assertEvent(event, 'turn.ended');
      return event.outcome === 'finalized' && isLawful(context, event);
    },
    endsCancelled: ({ context, event }) => {
      assertEvent(event, 'turn.ended');
      return event.outcome === 'cancelled' && isLawful(context, event);
    },
    /** The first handle that the agent's side gives the turn, after it has begun to answer. */
    bringsHandle: ({ context, event }) => {
      assertEvent(event, 'turn.accepted');
      const { handle } = event;
      return handle !== undefined && isLawful(context, event) && handle !== (context.open as OpenTurn).handle;
    },
    watchesPoll: ({ context, event }) => {
      assertEvent(event, 'turn.watching');
      return event.mode === 'poll' && isLawful(context, event);
    },
    watchesStream: ({ context, event }) => {
      assertEvent(event, 'turn.watching');
      return event.mode === 'stream' && isLawful(context, event);
    },
    /** I3: by the user's own send or retry, never out of the queue and never by the agent. */
    askedByUser: ({ context, event }) => {
      assertEvent(event, 'turn.started');
      const { origin, message } = event;
      const waits = context.queue.messages.some((q) => q.message.id === message?.id);
      return origin === 'user' && !waits && isLawful(context, event);
    },
    // Whatever else may come: it is of no session.
    gap: ({ context, event }) => isGap(context, event as Fact),
    /** A fact of a newer version, in its place: it is kept in the log and skipped here. */
    isUnknownNext: ({ context, event }) => isNext(context, event as Fact) && !isKnown(event as Fact),
    isState: ({ event }, params: { state: SessionState }) => {
      assertEvent(event, 'xstate.done.actor.load');
      return event.output.state === params.state;
    },
    isBehind: ({ context, event }) => {
      assertEvent(event, 'xstate.done.actor.load');
      return isBehind(context, event.output) && context.attempt < patience;
    },
    /** There is no such session. A job is announced by its parent before it has a log, so it is asked for some more. */
    isUnknown: ({ context, event }) => {
      assertEvent(event, 'xstate.error.actor.load');
      const ends = context.kind === 'conversation' || context.attempt >= patience;
      return ends && codeOf(event.error) === 'session.unknown';
    },
  },
  actions: {
    skip: assign(({ event }) => ({ seq: (event as Fact).seq })),
    take: enqueueActions(({ context, event: taken, enqueue }) => {
      const event = taken as Fact;
      if (event.type === 'turn.started') {
        const turn = openTurn(event);
        enqueue.assign(({ spawn }) => ({
          ...reduce(context, event),
          open: reopen(turn, spawn('turn', { id: `turn:${turn.id}`, input: turn })),
        }));
        return;
      }
      const { open } = context;
      if (event.type === 'turn.ended') {
        const { ref } = open as OpenTurn;
        enqueue.assign({ ...reduce(context, event), turns: [...context.turns, fold(turnOf(ref), event)] });
        enqueue.stopChild(ref);
        return;
      }
      enqueue.assign(reduce(context, event));
      if (open && (event as { readonly turn?: string }).turn === open.id) enqueue.sendTo(open.ref, event);
    }),
    adopt: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'xstate.done.actor.load');
      const snapshot = event.output;
      const { open } = context;
      const turn = snapshot.turns.find((each) => !each.outcome);
      if (open && open.id === turn?.id) {
        // The same open turn keeps its actor, so that a row which reads it stays as it is.
        enqueue.sendTo(open.ref, { type: 'turn.loaded', turn });
        enqueue.assign({ ...adopt(context, snapshot), open: reopen(turn, open.ref) });
        return;
      }
      if (open) enqueue.stopChild(open.ref);
      enqueue.assign(({ spawn }) => ({
        ...adopt(context, snapshot),
        open: turn ? reopen(turn, spawn('turn', { id: `turn:${turn.id}`, input: turn })) : null,
      }));
    }),
    ready: ({ context }) =>
      context.owner?.send({ type: 'session.ready', session: context.id, cursor: cursorOf(context) }),
    foundBehind: assign(({ context }) => ({ attempt: context.attempt + 1, problem: behind })),
    failedToLoad: assign(({ context, event }) => {
      assertEvent(event, 'xstate.error.actor.load');
      const message = event.error instanceof Error ? event.error.message : 'The session could not be read.';
      return {
        attempt: context.attempt + 1,
        problem: { code: codeOf(event.error) ?? 'load.failed', message },
      };
    }),
    addOlder: assign(({ context, event }) => {
      assertEvent(event, 'older.loaded');
      const first = context.turns[0];
      const older = event.turns.filter((turn) => !first || turn.firstSeq < first.firstSeq);
      return { turns: [...older, ...context.turns], older: event.older };
    }),
  },
});
