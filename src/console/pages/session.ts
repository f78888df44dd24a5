import { type Accessor, createMemo } from 'solid-js';
import type { OrchestratorRef } from '../../../machines/orchestrator.machine.ts';
import type { Entry } from '../../../machines/outbox.entries.ts';
import type { OutboxRef } from '../../../machines/outbox.machine.ts';
import type { SessionContext } from '../../../machines/session.ts';
import { turnOf } from '../../../machines/turn.logic.ts';
import type { JobRef, SessionState } from '../../wire/snapshot.ts';
import type { Turn } from '../../wire/turn.ts';
import { sameList } from '../lib/equal.ts';
import { createOptional, createSelector } from '../lib/select.ts';
import { textOf } from '../parts/message.tsx';
import type { JobView, PendingSend, RefusedAsk } from '../view.ts';

/** What names a session that has no name: the first words that were said in it. */
export function firstWordsOf({ turns, open }: SessionContext): string | undefined {
  const message = turns[0]?.message ?? (open ? turnOf(open.ref).message : undefined);
  return message ? textOf(message.content).slice(0, 80) : undefined;
}

/** What the pages read from a session's actor. Nothing here is state: each is a look at the latest snapshot. */
export interface SessionReader {
  readonly select: <T>(
    pick: (context: SessionContext) => T,
    equals?: (a: T | undefined, b: T | undefined) => boolean,
  ) => Accessor<T | undefined>;
  /** The machine's state; undefined while the snapshot is being read. */
  readonly state: Accessor<SessionState | undefined>;
  readonly openTurn: Accessor<Turn | undefined>;
  readonly settled: Accessor<readonly Turn[]>;
}

const none: readonly Turn[] = [];

export function readSession(root: OrchestratorRef, session: () => string): SessionReader {
  const ref = createSelector(root, ({ context }) => context.sessions[session()]?.ref);
  const select: SessionReader['select'] = (pick, equals) =>
    createOptional(ref, ({ context }) => pick(context), equals);
  const state = createOptional(ref, ({ value }) => (typeof value === 'string' ? value : undefined));
  const open = select(({ open: turn }) => turn?.ref);
  const turns = select((context) => context.turns);
  return {
    select,
    state,
    openTurn: createOptional(open, ({ context }) => context),
    settled: () => turns() ?? none,
  };
}

const stops = (entry: Entry) => entry.kind === 'stop' && entry.state !== 'refused';

/** What was asked of a session and is not a fact yet. */
export function readOutbox(outbox: OutboxRef, session: () => string) {
  const entries = createSelector(
    outbox,
    ({ context }) => context.entries.filter((entry) => entry.session === session()),
    sameList,
  );
  const sends = createMemo(() =>
    entries().filter((entry) => entry.kind === 'send' && entry.state !== 'refused'),
  );
  return {
    pending: createMemo(() =>
      sends().flatMap((entry): PendingSend[] =>
        entry.kind === 'send'
          ? [{ id: entry.id, text: textOf(entry.body.content), delivery: entry.body.delivery }]
          : [],
      ),
    ),
    refused: createMemo(() =>
      entries().flatMap((entry): RefusedAsk[] =>
        entry.state === 'refused'
          ? [
              {
                id: entry.id,
                kind: entry.kind,
                text: entry.kind === 'send' ? textOf(entry.body.content) : '',
                ...(entry.kind === 'send' && { content: entry.body.content }),
                reason: entry.reason ?? 'The gateway refused it.',
              },
            ]
          : [],
      ),
    ),
    stopping: (turn: string) =>
      entries().some(
        (entry) =>
          stops(entry) &&
          entry.kind === 'stop' &&
          (('turn' in entry.body && entry.body.turn === turn) || entry.turn === turn || 'job' in entry.body),
      ),
    answering: (permission: string) => {
      const entry = entries().find(
        (one) => one.kind === 'answer' && one.state !== 'refused' && one.body.permission === permission,
      );
      return entry?.kind === 'answer' ? entry.body.option : undefined;
    },
    /** The newest message that is on its way: what a stop means before its turn is known (C42). */
    lastSend: () => sends().at(-1)?.id,
    stoppingAny: () => entries().some(stops),
  };
}

const outcomes = {
  finalized: 'finalized',
  cancelled: 'cancelled',
  failed: 'failed',
  interrupted: 'failed',
} as const;

/** A job as a row of its parent shows it: live while it runs, as its end says after. */
export function readJob(root: OrchestratorRef, outbox: OutboxRef, ref: () => JobRef): Accessor<JobView> {
  const id = () => ref().job;
  const reader = readSession(root, id);
  const asked = readOutbox(outbox, id);
  const stopping = createMemo(() => asked.stoppingAny());
  const turn = createMemo(() => reader.openTurn() ?? reader.settled().at(-1));
  return createMemo(() => {
    const outcome = ref().outcome;
    const now = turn();
    return {
      ref: ref(),
      state: outcome ? outcomes[outcome] : (reader.state() ?? 'dispatching'),
      stopping: stopping(),
      ...(now && { turn: now }),
    };
  });
}
