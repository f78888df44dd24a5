import type { Failure, Message, PermissionOption } from '../src/wire/content.ts';
import { formatCursor, parseCursor } from '../src/wire/cursor.ts';
import type { Fact, FactOf, FactType, UnknownFact } from '../src/wire/facts.ts';
import { isOpen } from '../src/wire/fold.ts';
import type { Queue, SessionSnapshot, SessionSummary } from '../src/wire/snapshot.ts';
import type { PermissionPart, ToolPart, Turn } from '../src/wire/turn.ts';
import type { TurnRef } from './turn.logic.ts';

/** What the conversation and job machines know: small facts about the session. Live text is in the turn's own actor. */
export interface SessionContext
  extends Omit<SessionSnapshot, 'cursor' | 'state' | 'updatedAt' | 'createdAt' | 'reason'> {
  readonly epoch: string;
  readonly seq: number;
  readonly createdAt: number;
  /** Settled turns, oldest first. The open one is `open`. */
  readonly turns: readonly Turn[];
  readonly open: OpenTurn | null;
  /** Why the session could not be read, while it cannot. */
  readonly problem: Failure | null;
  /** Tries to read it so far. */
  readonly attempt: number;
  /** Told of each thing that only the parent can do; absent when the actor stands alone. */
  readonly owner: ParentRef | null;
}

/** What a session's actor tells the orchestrator. */
export interface ParentRef {
  send(event: { readonly type: 'session.ready'; readonly session: string; readonly cursor: string }): void;
}

export interface OpenTurn {
  readonly id: string;
  readonly firstSeq: number;
  /** The live fold: text, parts, everything that changes often. */
  readonly ref: TurnRef;
  /** Tool calls that have not ended (I12). */
  readonly tools: readonly string[];
  /** Tool calls that ever were, so that none starts twice or ends before it starts. */
  readonly seen: readonly string[];
  readonly watching?: FactOf<'turn.watching'>['mode'];
  /** Why it is watched so. */
  readonly reason?: string;
  /** Why the agent tries again, until it says something. */
  readonly retrying?: string;
  readonly stage?: FactOf<'turn.stopping'>['stage'];
  readonly handle?: string;
}

export const emptyQueue: Queue = { held: false, revision: 0, messages: [] };

/** What the line of a list says of the queue. */
export const queueLine = ({
  messages,
  held,
  retry,
  until,
}: Queue): Pick<SessionSummary, 'queued' | 'held' | 'retryAt'> => ({
  queued: messages.length,
  held,
  ...(retry !== undefined && until !== undefined && { retryAt: until }),
});

export function initialContext(
  session: string,
  kind: 'conversation' | 'job',
  parent: ParentRef | null,
): SessionContext {
  return {
    id: session,
    kind,
    agent: '',
    cwd: '',
    createdAt: 0,
    epoch: '',
    seq: 0,
    turns: [],
    older: false,
    open: null,
    queue: emptyQueue,
    permissions: [],
    jobs: [],
    notices: [],
    usage: {},
    problem: null,
    attempt: 0,
    owner: parent,
  };
}

/** True for the very next fact of this log: anything else is a duplicate or a gap. */
export function isNext(context: SessionContext, fact: Fact): boolean {
  if (fact.session !== context.id || fact.seq !== context.seq + 1) return false;
  return fact.epoch === context.epoch || context.seq === 0;
}

/** True when facts are missing before this one, or the log is another one: the snapshot must be read again. */
export function isGap(context: SessionContext, fact: Fact): boolean {
  if (fact.session !== context.id) return false;
  return fact.epoch !== context.epoch || fact.seq > context.seq + 1;
}

type Rule<K extends FactType> = (context: SessionContext, fact: FactOf<K>) => boolean;
const always = () => true;
const ofOpenTurn = (
  context: SessionContext,
  fact: { turn?: string | undefined },
): context is SessionContext & { readonly open: OpenTurn } =>
  context.open !== null && fact.turn === context.open.id;
const ofOpenTool = (context: SessionContext, fact: { turn: string; toolCallId: string }) =>
  ofOpenTurn(context, fact) && context.open.tools.includes(fact.toolCallId);
const openPermission = (context: SessionContext, fact: { turn: string; permission: string }) =>
  ofOpenTurn(context, fact) && context.permissions.some((p) => p.id === fact.permission);
const queued = (context: SessionContext, id: string) =>
  context.queue.messages.some((q) => q.message.id === id);
const revised = (context: SessionContext, fact: { revision: number }) =>
  fact.revision === context.queue.revision + 1;
const stages = ['asked', 'terminated', 'killed'] as const;

/** True for the answers that bring the values of a form. */
export function gives(asked: Pick<PermissionPart, 'form'>, option: PermissionOption): boolean {
  return asked.form !== undefined && option.kind.startsWith('allow');
}

/**
 * The law beside the chart: what must hold of the data for a fact to be taken. The chart says in which states a
 * fact may come at all; a fact without a transition is never written.
 */
const rules: { readonly [K in FactType]: Rule<K> } = {
  'session.opened': (context) => context.seq === 0,
  'session.changed': always,
  'session.closed': always,
  'usage.updated': always,
  // I4: a row that is being stopped gets no notice any more.
  'notice.added': (context, fact) =>
    fact.turn === undefined || (ofOpenTurn(context, fact) && context.open.stage === undefined),

  // I9: a message is in the queue once.
  'queue.added': (context, fact) => revised(context, fact) && !queued(context, fact.message.id),
  'queue.edited': (context, fact) => revised(context, fact) && queued(context, fact.message.id),
  'queue.moved': (context, fact) =>
    revised(context, fact) && queued(context, fact.message) && fact.to < context.queue.messages.length,
  'queue.removed': (context, fact) => revised(context, fact) && queued(context, fact.message),
  // Only the last turn can be run again, and only when it has ended.
  'queue.held': (context, fact) => {
    if (!revised(context, fact)) return false;
    if (fact.retry === undefined) return true;
    const last = context.turns.at(-1);
    const ended = context.open === null && last?.message !== undefined;
    return ended && last.id === fact.retry && fact.until !== undefined;
  },
  'queue.released': (context, fact) => revised(context, fact) && context.queue.held,

  // I3: a queued message starts from the head of a queue that is not held; any other only if it overtakes nobody.
  'turn.started': (context, fact) => {
    if (!revised(context, fact) || context.open) return false;
    // A1, A8: what an agent tells of earlier turns comes before all turns of ours, and never after one.
    if (fact.imported && (context.older || !context.turns.every((turn) => turn.imported))) return false;
    if (fact.turn === context.turns.at(-1)?.id) return false;
    if (fact.retryOf !== undefined && fact.retryOf !== context.turns.at(-1)?.id) return false;
    if (fact.origin === 'agent') return fact.message === undefined;
    if (fact.message === undefined) return false;
    const { held, messages } = context.queue;
    const { id } = fact.message;
    const place = messages.findIndex((q) => q.message.id === id);
    return place < 0 ? held || messages.length === 0 : place === 0 && !held;
  },
  'turn.accepted': ofOpenTurn,
  'turn.watching': ofOpenTurn,
  'turn.retrying': ofOpenTurn,
  // D2: guidance leaves the queue when the agent has it, once.
  'turn.steered': (context, fact) =>
    ofOpenTurn(context, fact) && revised(context, fact) && queued(context, fact.message.id),
  // I4: the ladder of a stop only goes up.
  'turn.stopping': (context, fact) => {
    if (!ofOpenTurn(context, fact)) return false;
    const { stage } = context.open;
    return stage ? stages.indexOf(fact.stage) > stages.indexOf(stage) : fact.stage === 'asked';
  },
  // I12: a turn ends when nothing of it is open.
  'turn.ended': (context, fact) =>
    ofOpenTurn(context, fact) && context.open.tools.length === 0 && context.permissions.length === 0,

  'text.added': ofOpenTurn,
  'thought.added': ofOpenTurn,
  'part.replaced': ofOpenTurn,
  // C48-50: tools are matched by call id; none starts twice, none ends that has not started.
  'tool.started': (context, fact) =>
    ofOpenTurn(context, fact) && !context.open.seen.includes(fact.toolCallId),
  'tool.updated': ofOpenTool,
  'tool.finished': ofOpenTool,
  'tool.refused': ofOpenTool,
  'plan.updated': ofOpenTurn,
  'permission.asked': (context, fact) =>
    ofOpenTurn(context, fact) && !context.permissions.some((p) => p.id === fact.permission),
  'permission.answered': (context, fact) =>
    ofOpenTurn(context, fact) &&
    context.permissions.some(
      (p) =>
        p.id === fact.permission &&
        p.options.some((o) => o.optionId === fact.option && (fact.content === undefined || gives(p, o))),
    ),
  'permission.withdrawn': openPermission,

  'job.attached': (context, fact) => !context.jobs.some((j) => j.job === fact.job),
  // C10, I1: a job settles once.
  'job.settled': (context, fact) => context.jobs.some((j) => j.job === fact.job && !j.outcome),
  'job.progress': ofOpenTurn,
};

/** False for the facts of a newer version: they are skipped, not judged. */
export function isKnown(fact: Fact | UnknownFact): fact is Fact {
  return Object.hasOwn(rules, fact.type);
}

/** The law for one fact, whatever its type. */
export function isLawful<K extends FactType>(context: SessionContext, fact: FactOf<K>): boolean {
  const rule: Rule<K> | undefined = rules[fact.type as K];
  return isNext(context, fact) && rule?.(context, fact) === true;
}

/** The snapshot's cursor, as the API writes it. */
export function cursorOf(context: SessionContext): string {
  return formatCursor(context);
}

/** The open turn of a context, from a snapshot's turn that has no outcome. */
export function reopen(turn: Turn, ref: TurnRef): OpenTurn {
  const tools = turn.parts.filter((part): part is ToolPart => part.type === 'tool');
  return {
    id: turn.id,
    firstSeq: turn.firstSeq,
    ref,
    tools: tools.filter(isOpen).map((tool) => tool.id),
    seen: tools.map((tool) => tool.id),
    ...(turn.watching && { watching: turn.watching.mode, reason: turn.watching.reason }),
    ...(turn.retrying && { retrying: turn.retrying.reason }),
    ...(turn.stopping && { stage: turn.stopping }),
    ...(turn.handle && { handle: turn.handle }),
  };
}

/**
 * Takes over a snapshot. Turns that have not changed keep their identity, and older pages that the reader has
 * loaded stay, so that reading again changes no finished row (I10).
 */
export function adopt(
  context: SessionContext,
  snapshot: SessionSnapshot,
): Omit<SessionContext, 'open' | 'owner'> {
  const cursor = parseCursor(snapshot.cursor) ?? { epoch: '', seq: 0 };
  const sameLog = cursor.epoch === context.epoch;
  const known = new Map(sameLog ? context.turns.map((turn) => [turn.id, turn]) : []);
  const settled = snapshot.turns.filter((turn) => turn.outcome);
  const first = snapshot.turns[0];
  const reaches = first && sameLog && context.turns.some((turn) => turn.id === first.id);
  const earlier = reaches ? context.turns.filter((turn) => turn.firstSeq < first.firstSeq) : [];
  const { state: _, updatedAt: __, reason: ___, cursor: ____, ...rest } = snapshot;
  // What the log does not say any more, as after it was put back from a backup, is not known any more either.
  const gone = mayBeAbsent.filter((key) => context[key] !== undefined);
  return {
    ...(Object.fromEntries(gone.map((key) => [key, undefined])) as object),
    ...rest,
    ...cursor,
    turns: [...earlier, ...settled.map((turn) => same(known.get(turn.id), turn))],
    older: earlier.length > 0 ? context.older : snapshot.older,
    problem: null,
    attempt: 0,
  };
}

/**
 * True for a snapshot of this log as it was before what is shown. A log only grows, so whoever gives it has been
 * overtaken by another writer and does not know it yet: taken, it would make finished rows anew (I10).
 */
export function isBehind({ epoch, seq }: SessionContext, snapshot: SessionSnapshot): boolean {
  const cursor = parseCursor(snapshot.cursor);
  return cursor?.epoch === epoch && cursor.seq < seq;
}

const mayBeAbsent = [
  'parent',
  'title',
  'titledByUser',
  'model',
  'mode',
  'models',
  'modes',
  'options',
  'commands',
  'agentSession',
  'continues',
  'mcpServers',
] as const;

function same(known: Turn | undefined, turn: Turn): Turn {
  return known?.seq === turn.seq ? known : turn;
}

/** A title from a message's first line: short, and never empty (C33). */
export function titleOf(message: Message | undefined, otherwise: string): string {
  // A block of another kind has none.
  const texts = message?.content.map((block) => (block as { readonly text?: string }).text);
  const line = (texts?.join('\n') ?? '').trim().replace(/\s*\n.*/s, '');
  const characters = [...line];
  return characters.length > 80 ? `${characters.slice(0, 79).join('')}…` : line || otherwise;
}
