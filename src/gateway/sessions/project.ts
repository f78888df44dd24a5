import { after, type SessionMachineSnapshot, unopened } from '../../../machines/law.ts';
import {
  cursorOf,
  isKnown,
  type OpenTurn,
  queueLine,
  type SessionContext,
} from '../../../machines/session.ts';
import { turnOf } from '../../../machines/turn.logic.ts';
import type { Fact, UnknownFact } from '../../wire/facts.ts';
import { fold, foldAll, openTurn } from '../../wire/fold.ts';
import type { SessionSnapshot, SessionState, SessionSummary } from '../../wire/snapshot.ts';
import type { Turn } from '../../wire/turn.ts';
import { activeAt } from '../log/envelope.ts';
import type { MessageRow, Projection, SessionHead, SessionRow } from '../log/log.ts';
import type { ProjectedSession } from '../log/rows.ts';

/** Raised when what is projected from the same facts changes: the projections of an older version are made anew. */
export const foldVersion = 1;

/** How many turns a snapshot carries. */
export const snapshotTurns = 50;

/** The top-level state of a session's machine, as the API names it. */
export function stateOf(snapshot: SessionMachineSnapshot): SessionState {
  // `opening` is over before anybody can ask.
  return typeof snapshot.value === 'string' ? snapshot.value : 'idle';
}

/** Why a session is in its state, in one sentence, where there is more to say. */
function reasonOf(context: SessionContext, state: SessionState): string | undefined {
  if (state === 'cancelling') return stopStages[context.open?.stage ?? 'asked'];
  if (context.permissions.length > 0) return 'It waits for your answer to a permission.';
  if (context.open) return context.open.retrying ?? watchedBecause(context.open);
  if (state === 'failed') return context.turns.at(-1)?.error?.message;
  return undefined;
}

/** That the stream is back is no news for long. */
function watchedBecause({ watching, reason }: OpenTurn): string | undefined {
  return watching === 'stream' ? undefined : reason;
}

const stopStages = {
  asked: 'The agent was asked to stop.',
  terminated: 'The agent did not stop when asked; its processes were told to end.',
  killed: 'The agent did not end when told; its processes were killed.',
} as const;

/** The session as its row in the log holds it. `at`: of its newest fact. */
function headOf(snapshot: SessionMachineSnapshot, at: number): SessionHead {
  const { context } = snapshot;
  const { turns: _, older: __, open: ___, owner: ____, problem, attempt, epoch, seq, ...head } = context;
  const state = stateOf(snapshot);
  const reason = reasonOf(context, state);
  return {
    ...head,
    state,
    cursor: cursorOf(context),
    updatedAt: at,
    ...(reason !== undefined && { reason }),
  };
}

/** What one append changes, from the committed state, the state that its facts lead to, and the facts. */
export function project(
  before: SessionMachineSnapshot,
  next: SessionMachineSnapshot,
  facts: readonly Fact[],
  message: MessageRow | undefined,
): Projection {
  const settled = settledBy(before.context, facts);
  const changes = next.value !== before.value || !sameHead(before.context, next.context);
  const { open } = next.context;
  const turnMoved = open?.id !== before.context.open?.id;
  return {
    ...(changes && { head: headOf(next, facts.at(-1)?.at ?? 0) }),
    ...(turnMoved && { openTurn: open ? { id: open.id, firstSeq: open.firstSeq } : null }),
    settled,
    messages: message ? [message] : [],
    unread: endsIn(facts).length,
  };
}

/** Turns that end by these facts. The law follows no text, so the open turn is folded here. */
function settledBy(context: SessionContext, facts: readonly Fact[]): readonly Turn[] {
  // Nearly every append is text: the turn's own actor folds that.
  if (!facts.some((fact) => fact.type === 'turn.ended')) return [];
  let turn = context.open ? turnOf(context.open.ref) : undefined;
  const settled: Turn[] = [];
  for (const fact of facts) {
    if (fact.type === 'turn.started') turn = openTurn(fact);
    else if (turn) turn = fold(turn, fact);
    if (fact.type === 'turn.ended' && turn) settled.push(turn);
  }
  return settled;
}

/** True when nothing that the row holds has changed, by reference: text moves the cursor alone. */
function sameHead(a: SessionContext, b: SessionContext): boolean {
  const keys = Object.keys(b) as (keyof SessionContext)[];
  return keys.every((key) => key === 'seq' || key === 'turns' || Object.is(a[key], b[key]));
}

/** All projections of a session from its facts alone; `digests` of messages are kept as they were answered. */
export function projectSession(session: string, all: readonly (Fact | UnknownFact)[]): ProjectedSession {
  const facts = all.filter(isKnown);
  const first = facts[0];
  const kind = first?.type === 'session.opened' ? first.kind : 'conversation';
  // The machine passes over facts of a newer version in their place: left out, they would be a gap.
  const last = (all as readonly Fact[]).reduce(after, unopened(session, kind));
  const turns = foldAll(facts);
  const { open } = last.context;
  return {
    head: headOf(last, activeAt(facts) ?? 0),
    ...(open && { openTurn: { id: open.id, firstSeq: open.firstSeq } }),
    settled: turns.filter((turn) => turn.outcome),
    messages: [],
    ends: endsIn(facts).map((fact) => fact.seq),
  };
}

/** Ends that are news. Imported turns are none; they are in the log as a whole, or not at all. */
function endsIn(facts: readonly Fact[]): readonly Fact[] {
  const old = new Set(
    facts.flatMap((fact) => (fact.type === 'turn.started' && fact.imported ? fact.turn : [])),
  );
  return facts.filter(
    (fact) => fact.type === 'job.settled' || (fact.type === 'turn.ended' && !old.has(fact.turn)),
  );
}

/** The line of the list for a row. */
export function summaryOf(row: SessionRow): SessionSummary {
  const { head } = row;
  return {
    id: head.id,
    kind: head.kind,
    agent: head.agent,
    cwd: head.cwd,
    ...(head.parent !== undefined && { parent: head.parent }),
    ...(head.title !== undefined && { title: head.title }),
    state: head.state,
    ...(head.reason !== undefined && { reason: head.reason }),
    ...queueLine(head.queue),
    unread: row.unread,
    permissions: head.permissions.length,
    runningJobs: head.jobs.filter((job) => !job.outcome).length,
    createdAt: head.createdAt,
    updatedAt: head.updatedAt,
    cursor: `${row.epoch}.${row.seq}`,
  };
}

/** What the API answers for a session whose actor is open. */
export function snapshotOf(snapshot: SessionMachineSnapshot, at: number): SessionSnapshot {
  const { context } = snapshot;
  const turns = context.open ? [...context.turns, turnOf(context.open.ref)] : context.turns;
  return {
    ...headOf(snapshot, at),
    turns: turns.slice(-snapshotTurns),
    older: context.older || turns.length > snapshotTurns,
  };
}
