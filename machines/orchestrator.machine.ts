import { type ActorRefFrom, assertEvent, assign, emit, enqueueActions, setup } from 'xstate';
import type { Fact } from '../src/wire/facts.ts';
import { conversationMachine } from './conversation.machine.ts';
import { atRest } from './decide.ts';
import { jobMachine } from './job.machine.ts';
import type { SessionRef } from './runner.types.ts';
import type { ParentRef } from './session.ts';

/** An actor that the orchestrator keeps. */
export interface Kept {
  readonly ref: SessionRef;
  readonly kind: 'conversation' | 'job';
  /** Raised each time it is opened: the one that was not used for longest is retired first. */
  readonly used: number;
  /** Somebody looks at it: never retired. */
  readonly pinned: boolean;
}

export interface OrchestratorContext {
  readonly sessions: Readonly<Record<string, Kept>>;
  readonly clock: number;
  /** How many idle actors are kept. */
  readonly limit: number;
  /** Facts that had no transition in the state of their session, by session (C45, C51): they changed nothing. */
  readonly ignored: Readonly<Record<string, number>>;
  /** Facts that named no session that is open here (C12). */
  readonly unrouted: number;
}

export type OrchestratorEvent =
  | { readonly type: 'open'; readonly session: string; readonly kind: 'conversation' | 'job' }
  /** Nobody looks at it any more; it stays while it is useful. */
  | { readonly type: 'release'; readonly session: string }
  /** It is gone for good. */
  | { readonly type: 'forget'; readonly session: string }
  | { readonly type: 'fact'; readonly fact: Fact }
  | { readonly type: 'resync'; readonly session: string; readonly reason: string }
  | { readonly type: 'session.ready'; readonly session: string; readonly cursor: string }
  | { readonly type: 'xstate.done.actor.*'; readonly actorId: string };

export type OrchestratorEmitted =
  /** Its snapshot is read: facts after the cursor are wanted. */
  | { readonly type: 'ready'; readonly session: string; readonly cursor: string }
  | { readonly type: 'retired'; readonly session: string }
  /** Nothing follows in it: it is closed, its job has ended, or there is no such session. */
  | { readonly type: 'over'; readonly session: string };

const childId = (session: string) => `session:${session}`;

/** True when nothing of the session would be lost or missed by letting its actor go. */
function isIdle({ ref, pinned }: Kept): boolean {
  const { status, value, context } = ref.getSnapshot();
  if (pinned) return false;
  if (status !== 'active') return true;
  const { queue, jobs } = context;
  const waits = queue.messages.length > 0 || queue.retry !== undefined;
  return atRest(value) && !waits && jobs.every((job) => job.outcome);
}

/** It is over because there was no such session to read. */
function isUnread({ ref }: Kept): boolean {
  const { status, context } = ref.getSnapshot();
  return status !== 'active' && context.problem !== null;
}

/** Spawns, finds and retires the actors of sessions; routes by id and nothing else. The root of page and gateway. */
export const orchestratorMachine = setup({
  types: {
    context: {} as OrchestratorContext,
    events: {} as OrchestratorEvent,
    emitted: {} as OrchestratorEmitted,
    input: {} as { readonly limit?: number },
  },
  actors: { conversation: conversationMachine, job: jobMachine },
  actions: {
    open: assign(({ context, event, spawn, self }) => {
      assertEvent(event, 'open');
      const { session, kind } = event;
      const clock = context.clock + 1;
      const found = context.sessions[session];
      // What could not be read is read anew: it may be there by now.
      const known = found && isUnread(found) ? undefined : found;
      const owner: ParentRef = { send: (ready) => self.send(ready) };
      const input = { session, owner };
      const id = childId(session);
      const ref =
        known?.ref ?? (kind === 'job' ? spawn('job', { id, input }) : spawn('conversation', { id, input }));
      return {
        clock,
        sessions: { ...context.sessions, [session]: { ref, kind, used: clock, pinned: true } },
      };
    }),
    release: assign(({ context, event }) => {
      assertEvent(event, 'release');
      const kept = context.sessions[event.session];
      return kept ? { sessions: { ...context.sessions, [event.session]: { ...kept, pinned: false } } } : {};
    }),
    forget: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'forget');
      const kept = context.sessions[event.session];
      if (!kept) return;
      enqueue.stopChild(kept.ref);
      enqueue.assign({ sessions: without(context.sessions, [event.session]) });
      enqueue.emit({ type: 'retired', session: event.session });
    }),
    retire: enqueueActions(({ context, enqueue }) => {
      const idle = Object.entries(context.sessions).filter(([, kept]) => isIdle(kept));
      const over = idle
        .sort(([, a], [, b]) => a.used - b.used)
        .slice(0, Math.max(0, idle.length - context.limit));
      for (const [session, kept] of over) {
        enqueue.stopChild(kept.ref);
        enqueue.emit({ type: 'retired', session });
      }
      const gone = over.map(([session]) => session);
      enqueue.assign({ sessions: without(context.sessions, gone) });
    }),
    route: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'fact');
      const { fact } = event;
      const kept = context.sessions[fact.session];
      if (!kept) {
        enqueue.assign({ unrouted: context.unrouted + 1 });
        return;
      }
      const snapshot = kept.ref.getSnapshot();
      if (snapshot.status !== 'active' || !snapshot.can(fact)) {
        const count = (context.ignored[fact.session] ?? 0) + 1;
        enqueue.assign({ ignored: { ...context.ignored, [fact.session]: count } });
        return;
      }
      enqueue.sendTo(kept.ref, fact);
    }),
    resync: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'resync');
      const kept = context.sessions[event.session];
      if (kept) enqueue.sendTo(kept.ref, { type: 'resync', reason: event.reason });
    }),
    /** An ended job stays readable; as a child it would only weigh on every spawn. */
    unhook: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'xstate.done.actor.*');
      enqueue.stopChild(event.actorId);
      enqueue.emit({ type: 'over', session: event.actorId.slice(childId('').length) });
    }),
  },
}).createMachine({
  id: 'orchestrator',
  context: ({ input }) => ({ sessions: {}, clock: 0, limit: input.limit ?? 40, ignored: {}, unrouted: 0 }),
  on: {
    open: { actions: ['open', 'retire'] },
    release: { actions: ['release', 'retire'] },
    forget: { actions: 'forget' },
    fact: { actions: 'route' },
    resync: { actions: 'resync' },
    'session.ready': {
      actions: emit(({ event }) => ({
        type: 'ready' as const,
        session: event.session,
        cursor: event.cursor,
      })),
    },
    'xstate.done.actor.*': { actions: 'unhook' },
  },
});

function without(
  sessions: OrchestratorContext['sessions'],
  gone: readonly string[],
): OrchestratorContext['sessions'] {
  return Object.fromEntries(Object.entries(sessions).filter(([session]) => !gone.includes(session)));
}

export type OrchestratorRef = ActorRefFrom<typeof orchestratorMachine>;
