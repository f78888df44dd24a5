import type { Kept } from '../../../machines/orchestrator.machine.ts';
import type { SessionContext } from '../../../machines/session.ts';
import type { ServerFrame } from '../../../src/wire/live.ts';
import type { Violations } from '../../support/invariants.ts';

/** What must hold of how a page hears from its gateway, and of the sessions that it keeps. */

type FactsFrame = Extract<ServerFrame, { type: 'facts' }>;

/** I13: the link says that it is live only when something came within two and a half heartbeats. */
export function liveIsHeard(state: unknown, silentMs: number, heartbeatMs: number): Violations {
  if (state !== 'live' || silentMs <= heartbeatMs * 2.5) return [];
  return [`live, and nothing was heard for ${silentMs} ms`];
}

/** I13: no state that is to pass stays: each has a time after which something else is tried. */
export function nothingForEver(state: unknown, ms: number, attempt: number, heartbeatMs: number): Violations {
  const bounds: Readonly<Record<string, number>> = {
    connecting: 10_000,
    stale: heartbeatMs * 2.5,
    // It waits longer each time, and begins anew once it has been greeted.
    reconnecting: Math.min(500 * 2 ** attempt, 15_000),
  };
  const bound = bounds[String(state)];
  return bound !== undefined && ms > bound ? [`${state} for ${ms} ms, after ${attempt} attempts`] : [];
}

/** I8: what the link hands on is of a session that this page follows. */
export function isFollowed(what: string, session: string, isThere: boolean): Violations {
  return isThere ? [] : [`${what} of ${session}, which nobody follows here`];
}

/** I6: a connection that has lost nothing leaves no gap in what is handed on. */
export function leavesNoGap(frame: FactsFrame, view: SessionContext | undefined): Violations {
  if (!view || frame.epoch !== view.epoch || frame.prev <= view.seq) return [];
  return [`facts of ${frame.session} after ${frame.prev}, and the page is at ${view.seq}`];
}

/** C12, I1, I3: who is let go does not run, and has neither a queue nor a question. */
export function goesUnmissed(session: string, gone: Kept): Violations {
  const { value, context } = gone.ref.getSnapshot();
  // There was no such session to read, or there is none any more.
  if (context.problem || value === 'closed') return [];
  return isQuiet(gone) ? [] : [`${session} is let go in ${JSON.stringify(value)}`];
}

/** C12: of those that may go the one goes that was not used for longest. */
export function oldestGoes(session: string, gone: Kept, left: readonly Kept[]): Violations {
  const older = left.filter((one) => mayGo(one) && one.used < gone.used);
  return older.length > 0 ? [`${session} is let go before one that was used earlier`] : [];
}

/** Nobody looks at it, and nothing of it waits. */
export function mayGo(kept: Kept): boolean {
  return !kept.pinned && isQuiet(kept);
}

const rest = new Set<unknown>(['idle', 'finalized', 'cancelled', 'failed', 'closed']);

function isQuiet({ ref }: Kept): boolean {
  const { value, context } = ref.getSnapshot();
  const { queue, permissions, jobs } = context;
  const waits = queue.messages.length > 0 || queue.retry !== undefined;
  return rest.has(value) && !waits && permissions.length === 0 && jobs.every((job) => job.outcome);
}
