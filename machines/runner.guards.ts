import { assertEvent } from 'xstate';
import type { Polled, RunnerContext, RunnerInternal } from './runner.types.ts';
import {
  drainBatch,
  endBatch,
  isUrgent,
  nextCommand,
  retryBatch,
  retryWait,
  running,
  standing,
  steeredBatch,
  stopsTurn,
} from './runner.work.ts';

interface Args {
  readonly context: RunnerContext;
  readonly event: RunnerInternal;
}

// Each of these is asked of one type of event alone.

function draftsOf(event: RunnerInternal) {
  assertEvent(event, 'wrote');
  return event.drafts;
}

function originOf(event: RunnerInternal) {
  return draftsOf(event).find((draft) => draft.type === 'turn.started')?.origin;
}

function errorOf(event: RunnerInternal): string {
  assertEvent(event, 'xstate.error.actor.append');
  return (event.error as Error).name;
}

function found(event: RunnerInternal): Polled {
  assertEvent(event, 'xstate.done.actor.poll');
  return event.output;
}

/** The questions that the runner's chart asks; each is a pure look at what is committed, what waits and what came. */
export const runnerGuards = {
  // What the pen does next, in the order of urgency.
  owesStop: ({ context }: Args) => context.stopOwed,
  hasCommand: ({ context }: Args) => nextCommand(context) !== undefined,
  hasUrgentOutput: ({ context }: Args) => isUrgent(context),
  hasOutput: ({ context }: Args) => context.outputs.length > 0,
  hasSteered: ({ context }: Args) => steeredBatch(context).drafts.length > 0,
  hasEnd: ({ context }: Args) => endBatch(context).drafts.length > 0,
  hasDrain: ({ context }: Args) => drainBatch(context).drafts.length > 0,
  hasRetry: ({ context }: Args) => retryBatch(context).drafts.length > 0,
  /** The user wants a turn run again later. */
  awaitsRetry: ({ context }: Args) => retryWait(context) !== undefined,
  isRetryDue: ({ context }: Args) => retryWait(context) === 0,
  hasOpenTurn: ({ context }: Args) => standing(context).context.open !== null,
  asksToStop: ({ context, event }: Args) => {
    assertEvent(event, 'command');
    return stopsTurn(context, event.command);
  },
  hasDrafts: ({ context }: Args) => context.batch.drafts.length > 0,
  isConflict: ({ event }: Args) => errorOf(event) === 'LogConflict',
  /** A batch that the law refuses is a fault of ours: it is dropped and said, not tried for ever. */
  isUnlawful: ({ event }: Args) => errorOf(event) === 'Unlawful',
  // What was committed.
  startedByUser: ({ event }: Args) => originOf(event) === 'user',
  startedByAgent: ({ event }: Args) => originOf(event) === 'agent',
  stopping: ({ event }: Args) => draftsOf(event).some((draft) => draft.type === 'turn.stopping'),
  ended: ({ event }: Args) => draftsOf(event).some((draft) => draft.type === 'turn.ended'),
  /** Unless it is known by now that the stream is back. */
  lostStream: ({ context, event }: Args) => {
    const last = draftsOf(event).findLast((d) => d.type === 'turn.watching');
    return (
      last?.mode === 'poll' && !context.outputs.some((o) => o.type === 'watching' && o.mode === 'stream')
    );
  },
  // What the agent's side says.
  ofOpenTurn: ({ context, event }: Args) => {
    assertEvent(event, ['agent.settled', 'output']);
    // What comes unasked while a turn is open is part of it.
    return event.turn === null || event.turn === running(context).id;
  },
  /** Said in the stream of its prompt: that is there. What comes unasked says nothing of it. */
  ofItsStream: ({ context, event }: Args) => {
    assertEvent(event, 'output');
    return event.turn === running(context).id;
  },
  /** The turn was being stopped when the gateway before this one ended. */
  beginsStopping: ({ context, event }: Args) => {
    assertEvent(event, 'begin');
    return event.how === 'reattach' && running(context).stage !== undefined;
  },
  begins: ({ event }: Args, params: { how: 'prompt' | 'reattach' | 'interrupt' }) => {
    assertEvent(event, 'begin');
    return event.how === params.how;
  },
  /** It waits for an answer of the user's. */
  isAsking: ({ context }: Args) => standing(context).context.permissions.length > 0,
  /** Work of the agent's own is going on, although no text comes: a command runs, or it waits for an answer. */
  isOccupied: ({ context }: Args) => {
    const { permissions } = standing(context).context;
    return permissions.length > 0 || running(context).tools.length > 0;
  },
  canPoll: ({ context }: Args) => running(context).handle !== undefined,
  pollRuns: ({ event }: Args) => found(event).state === 'running',
  pollStreams: ({ event }: Args) => found(event).state === 'stream',
  pollEnds: ({ event }: Args) => found(event).state === 'ended',
};
