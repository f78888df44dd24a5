import type { DirectoryRef } from '../../../machines/directory.machine.ts';
import type { LinkRef } from '../../../machines/link.machine.ts';
import type { OrchestratorRef } from '../../../machines/orchestrator.machine.ts';
import type { OutboxRef } from '../../../machines/outbox.machine.ts';
import { cursorOf, type SessionContext } from '../../../machines/session.ts';
import { parseCursor } from '../../wire/cursor.ts';
import type { ServerFrame } from '../../wire/live.ts';

export interface Actors {
  readonly root: OrchestratorRef;
  readonly link: LinkRef;
  readonly outbox: OutboxRef;
  readonly directory: DirectoryRef;
}

type FactsFrame = Extract<ServerFrame, { type: 'facts' }>;

/** The session's actor as it stands; undefined while there is none, and while it reads its snapshot. */
export function standing(root: OrchestratorRef, session: string): SessionContext | undefined {
  const snapshot = root.getSnapshot().context.sessions[session]?.ref.getSnapshot();
  return snapshot && typeof snapshot.value === 'string' ? snapshot.context : undefined;
}

/** Ids of the messages that are in the log, as far as the actor knows it: guidance is a part of the turn that took it. */
function messagesOf({ turns, open, queue, jobs }: SessionContext): string[] {
  const opened = open?.ref.getSnapshot().context;
  return [
    ...(opened ? [...turns, opened] : turns).flatMap(({ message, parts }) => [
      ...(message ? [message.id] : []),
      ...parts.flatMap((part) => (part.type === 'steer' ? [part.message.id] : [])),
    ]),
    ...queue.messages.map((queued) => queued.message.id),
    ...jobs.map((job) => job.request.message.id),
  ];
}

/**
 * Lets the actors of a page hear of each other. Facts go to their session first and to the outbox second, so that a
 * message has its row before it leaves the overlay. The answer: how to part them again.
 */
export function connect({ root, link, outbox, directory }: Actors): () => void {
  const seen = (session: string) => {
    const context = standing(root, session);
    if (!context) return;
    outbox.send({ type: 'seen', session, cursor: cursorOf(context), messages: messagesOf(context) });
  };

  const facts = ({ epoch, prev, session, facts }: FactsFrame) => {
    const context = standing(root, session);
    // It is being read again, and is subscribed after that anew.
    if (!context) return;
    if (epoch !== context.epoch || prev > context.seq) {
      root.send({ type: 'resync', session, reason: epoch === context.epoch ? 'gap' : 'epoch' });
      return;
    }
    const { seq } = context;
    for (const fact of facts) if (fact.seq > seq) root.send({ type: 'fact', fact });
    const { entries } = outbox.getSnapshot().context;
    if (!entries.some((entry) => entry.session === session)) return;
    for (const fact of facts) outbox.send({ type: 'fact', fact });
    seen(session);
  };

  /** A job that runs has an actor for as long as it runs, whoever looks at it (C2, C20). */
  const openJobs = (session: string) => {
    for (const { job, outcome } of standing(root, session)?.jobs ?? []) {
      if (outcome || root.getSnapshot().context.sessions[job]) continue;
      root.send({ type: 'open', session: job, kind: 'job' });
      root.send({ type: 'release', session: job });
    }
  };

  /** What was accepted and whose fact is here already, or will never come here. */
  const settle = () => {
    const waiting = outbox.getSnapshot().context.entries.filter((entry) => entry.state === 'accepted');
    for (const session of new Set(waiting.map((entry) => entry.session))) {
      const ref = root.getSnapshot().context.sessions[session]?.ref;
      // Nobody reads it here, or there is nothing to read any more.
      if (!ref || ref.getSnapshot().context.problem?.code === 'session.unknown') {
        outbox.send({ type: 'seen', session, messages: [] });
        continue;
      }
      const context = standing(root, session);
      const isThere = waiting.some((entry) => {
        const cursor = entry.session === session && entry.cursor && parseCursor(entry.cursor);
        return cursor && context && (cursor.epoch !== context.epoch || cursor.seq <= context.seq);
      });
      if (isThere) seen(session);
    }
  };

  const watched = new Map<object, { unsubscribe(): void }>();
  /** The actor of a session that was read: its jobs, and its end. */
  const watch = (session: string) => {
    const ref = root.getSnapshot().context.sessions[session]?.ref;
    if (!ref || watched.has(ref)) return;
    let jobs: unknown;
    const subscription = ref.subscribe({
      next: ({ context }) => {
        if (context.jobs === jobs) return;
        jobs = context.jobs;
        queueMicrotask(() => openJobs(session));
      },
      complete: () => {
        watched.delete(ref);
        link.send({ type: 'unsubscribe', session });
      },
    });
    watched.set(ref, subscription);
  };

  const ready = (session: string) => {
    const context = standing(root, session);
    if (!context) return;
    const { status } = root.getSnapshot().context.sessions[session]?.ref.getSnapshot() ?? {};
    // Nothing follows the end of a job, or of a session.
    if (status === 'active') {
      link.send({ type: 'subscribe', session, after: cursorOf(context) });
      watch(session);
    }
    openJobs(session);
    seen(session);
  };

  /** What could not be read, and waits longer each time: now there is a gateway to read it from. */
  const readAgain = () => {
    for (const [session, { ref }] of Object.entries(root.getSnapshot().context.sessions)) {
      const { value } = ref.getSnapshot();
      if (typeof value === 'string' || value.opening !== 'waiting') continue;
      root.send({ type: 'resync', session, reason: 'connected' });
    }
  };

  const subscriptions = [
    // The actor says so on its way: it stands there a moment later.
    root.on('ready', ({ session }) => queueMicrotask(() => ready(session))),
    root.on('over', () => queueMicrotask(settle)),
    root.on('retired', ({ session }) => link.send({ type: 'unsubscribe', session })),
    link.on('facts', ({ frame }) => facts(frame)),
    link.on('resync', ({ session, reason }) => root.send({ type: 'resync', session, reason })),
    // The gateway does not know it, or not so: reading it says what is the matter.
    link.on('refused', ({ session, code }) => {
      if (session !== undefined) root.send({ type: 'resync', session, reason: code });
    }),
    link.on('sessions', ({ changed, removed }) => {
      directory.send({ type: 'sessions', changed, removed });
      for (const session of removed) root.send({ type: 'forget', session });
    }),
    link.on('agents', () => directory.send({ type: 'reload' })),
    link.on('connected', () => {
      readAgain();
      directory.send({ type: 'reload' });
      outbox.send({ type: 'wake' });
      outbox.send({ type: 'restore' });
    }),
    outbox.subscribe(() => queueMicrotask(settle)),
  ];
  return () => {
    for (const { unsubscribe } of [...subscriptions, ...watched.values()]) unsubscribe();
  };
}
