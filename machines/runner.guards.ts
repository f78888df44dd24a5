import type { RunnerContext, RunnerInternal } from './runner.types.ts';
import {
  isUrgent,
  mayDrain,
  nextCommand,
  retryBatch,
  retryWait,
  standing,
  steeredBatch,
  stopsTurn,
} from './runner.work.ts';

interface Args {
  readonly context: RunnerContext;
  readonly event: RunnerInternal;
}

function wrote(event: RunnerInternal, test: (type: string) => boolean): boolean {
  return event.type === 'wrote' && event.drafts.some((draft) => test(draft.type));
}

/** The questions that the runner's chart asks; each is a pure look at what is committed, what waits and what came. */
export const runnerGuards = {
  // What the pen does next, in the order of urgency.
  owesStop: ({ context }: Args) => context.stopOwed && standing(context).context.open !== null,
  hasCommand: ({ context }: Args) => nextCommand(context) !== undefined,
  hasUrgentOutput: ({ context }: Args) => isUrgent(context),
  hasOutput: ({ context }: Args) => context.outputs.length > 0,
  hasSteered: ({ context }: Args) => steeredBatch(context).drafts.length > 0,
  hasEnd: ({ context }: Args) => context.settled !== null && standing(context).context.open !== null,
  hasDrain: ({ context }: Args) => mayDrain(context),
  hasRetry: ({ context }: Args) => retryBatch(context).drafts.length > 0,
  /** The user wants a turn run again later. */
  awaitsRetry: ({ context }: Args) => retryWait(context) !== undefined,
  isRetryDue: ({ context }: Args) => retryWait(context) === 0,
  hasOpenTurn: ({ context }: Args) => standing(context).context.open !== null,
  asksToStop: ({ context, event }: Args) => event.type === 'command' && stopsTurn(context, event.command),
  hasDrafts: ({ context }: Args) => (context.batch?.drafts.length ?? 0) > 0,
  isConflict: ({ event }: Args) =>
    event.type === 'xstate.error.actor.append' &&
    event.error instanceof Error &&
    event.error.name === 'LogConflict',
  /** A batch that the law refuses is a fault of ours: it is dropped and said, not tried for ever. */
  isUnlawful: ({ event }: Args) =>
    event.type === 'xstate.error.actor.append' &&
    event.error instanceof Error &&
    event.error.name === 'Unlawful',
  // What was committed.
  startedByUser: ({ event }: Args) =>
    event.type === 'wrote' && event.drafts.some((d) => d.type === 'turn.started' && d.origin === 'user'),
  startedByAgent: ({ event }: Args) =>
    event.type === 'wrote' && event.drafts.some((d) => d.type === 'turn.started' && d.origin === 'agent'),
  stopping: ({ event }: Args) =>
    event.type === 'wrote' && event.drafts.some((d) => d.type === 'turn.stopping' && d.stage === 'asked'),
  ended: ({ event }: Args) => wrote(event, (type) => type === 'turn.ended'),
  /** Unless it is known by now that the stream is back. */
  lostStream: ({ context, event }: Args) => {
    if (event.type !== 'wrote') return false;
    const last = event.drafts.findLast((d) => d.type === 'turn.watching');
    return (
      last?.mode === 'poll' && !context.outputs.some((o) => o.type === 'watching' && o.mode === 'stream')
    );
  },
  // What the agent's side says.
  ofOpenTurn: ({ context, event }: Args) =>
    'turn' in event && event.turn === standing(context).context.open?.id,
  /** The turn was being stopped when the gateway before this one ended. */
  beginsStopping: ({ context, event }: Args) =>
    event.type === 'begin' && event.how === 'reattach' && standing(context).context.open?.stage !== undefined,
  begins: ({ event }: Args, params: { how: 'prompt' | 'reattach' | 'interrupt' }) =>
    event.type === 'begin' && event.how === params.how,
  /** It waits for an answer of the user's. */
  isAsking: ({ context }: Args) => standing(context).context.permissions.length > 0,
  /** Work of the agent's own is going on, although no text comes: a command runs, or it waits for an answer. */
  isOccupied: ({ context }: Args) => {
    const { open, permissions } = standing(context).context;
    return permissions.length > 0 || (open?.tools.length ?? 0) > 0;
  },
  canPoll: ({ context }: Args) => standing(context).context.open?.handle !== undefined,
  pollRuns: ({ event }: Args) => event.type === 'xstate.done.actor.poll' && event.output.state === 'running',
  pollStreams: ({ event }: Args) =>
    event.type === 'xstate.done.actor.poll' && event.output.state === 'stream',
};
