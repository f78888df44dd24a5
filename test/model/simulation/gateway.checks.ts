import type { RunnerContext } from '../../../machines/runner.types.ts';
import { parseCursor } from '../../../src/wire/cursor.ts';
import type { Fact } from '../../../src/wire/facts.ts';
import type { EditQueue, StopRequest } from '../../../src/wire/requests.ts';
import type { Violations } from '../../support/invariants.ts';

/** What must hold of what a gateway answers, hands to its readers and does first, read from its log alone. */

/** The queue as the log leaves it. */
interface Queue {
  readonly held: boolean;
  readonly waiting: readonly string[];
  /** The turn that is to be run again, and when. */
  readonly retry: string | undefined;
  readonly until: number | undefined;
}

export function queueOf(facts: readonly Fact[]): Queue {
  let queue: Queue = { held: false, waiting: [], retry: undefined, until: undefined };
  for (const fact of facts) {
    if (fact.type === 'queue.held') queue = { ...queue, held: true, retry: fact.retry, until: fact.until };
    if (fact.type === 'queue.released') queue = { ...queue, held: false, retry: undefined, until: undefined };
    if (fact.type === 'queue.added') queue = { ...queue, waiting: [...queue.waiting, fact.message.id] };
    // What runs meanwhile ends the wait.
    if (fact.type === 'turn.started') queue = { ...queue, retry: undefined, until: undefined };
    const gone = leaves(fact);
    if (gone !== undefined) queue = { ...queue, waiting: queue.waiting.filter((id) => id !== gone) };
  }
  return queue;
}

/** The turn that is open at the end of a log. */
export function openTurnOf(facts: readonly Fact[]) {
  const last = facts.findLast((fact) => fact.type === 'turn.started' || fact.type === 'turn.ended');
  if (last?.type !== 'turn.started') return undefined;
  const { turn: id, message } = last;
  const handle = facts.some((f) => f.type === 'turn.accepted' && f.turn === id && f.handle !== undefined);
  return { id, message: message?.id, handle };
}

function leaves(fact: Fact): string | undefined {
  if (fact.type === 'queue.removed') return fact.message;
  return fact.type === 'turn.started' || fact.type === 'turn.steered' ? fact.message?.id : undefined;
}

/** I4: after a stop, also one that came too late, nothing starts by itself; one that names a waiting message is no mistake. */
export function stopHolds(
  facts: readonly Fact[],
  stop: StopRequest,
  refused: string | undefined,
): Violations {
  if (facts[0]?.type !== 'session.opened' || facts[0].kind === 'job') return [];
  const { held, retry, waiting } = queueOf(facts);
  const message = 'message' in stop ? stop.message : undefined;
  if (refused === 'turn.unknown' && message !== undefined && waiting.includes(message))
    return [`a stop of ${message} finds no such message, and it waits`];
  if (refused !== undefined && refused !== 'turn.over') return [];
  if (!held) return [`the queue is not held after a stop: ${JSON.stringify(stop)}`];
  return retry === undefined ? [] : [`${retry} is still to be run again after a stop`];
}

/** C26: an edit is of the queue that was looked at; I3: after one of a message nothing starts by itself. */
export function editIsFresh(facts: readonly Fact[], edit: EditQueue): Violations {
  const kinds = new Set(['queue.edited', 'queue.moved', 'queue.removed']);
  const last = facts.findLast((fact) => kinds.has(fact.type));
  if (last && 'revision' in last && last.revision !== edit.revision + 1)
    return [`an edit of revision ${edit.revision} made ${last.revision}`];
  return 'edit' in edit && !queueOf(facts).held ? ['the queue goes on after an edit'] : [];
}

/** I1: what is run again is the turn that was named. */
export function retriesTheNamed(facts: readonly Fact[], turn: string): Violations {
  const last = facts.findLast((fact) => fact.type === 'turn.started');
  return last?.retryOf === turn ? [] : [`${turn} was to be run again, and ${last?.retryOf} is`];
}

/** I3: a turn waits for its time, unless the user asks for it now, and no other turn runs before it. */
export function retriesInTime(
  facts: readonly Fact[],
  fresh: readonly Fact[],
  isAsked: (turn: string) => boolean,
): Violations {
  const first = facts.slice(0, facts.length - fresh.length);
  return fresh.flatMap((fact, index) => {
    if (fact.type !== 'turn.started' || fact.retryOf === undefined || isAsked(fact.retryOf)) return [];
    // It lets the queue go with the turn that it starts.
    const { retry, until } = queueOf(first.length > 0 ? [...first, ...heldIn(fresh.slice(0, index))] : []);
    if (retry !== fact.retryOf || until === undefined || fact.at >= until) return [];
    return [`${retry} is run again ${until - fact.at} ms before its time`];
  });
}

const heldIn = (facts: readonly Fact[]) => facts.filter((fact) => fact.type === 'queue.held');

/** I3: only the last turn can be run again, so what runs meanwhile ends the wait. `retry`: the turn that is said to wait. */
export function lastIsRetried(facts: readonly Fact[], retry: string | undefined): Violations {
  const last = facts.findLast((fact) => fact.type === 'turn.started');
  return retry === undefined || last?.turn === retry
    ? []
    : [`${retry} waits to be run again after ${last?.turn}`];
}

/** I3: what waits in a queue that nothing holds goes on. */
export function nothingWaits(facts: readonly Fact[]): Violations {
  const { held, waiting } = queueOf(facts);
  const isClosed = facts.at(-1)?.type === 'session.closed';
  return held || isClosed || waiting.length === 0
    ? []
    : [`${waiting[0]} waits for ever, and nothing holds it`];
}

/** I3: what would start a turn waits while one is stopped, and is done right after it. */
export function waitsForStop(facts: readonly Fact[], fresh: readonly Fact[]): Violations {
  let stopping: string | undefined;
  const found: string[] = [];
  const since = facts.length - fresh.length;
  for (const [index, fact] of facts.entries()) {
    if (fact.type === 'turn.stopping') stopping = fact.turn;
    if (fact.type === 'turn.ended') stopping = undefined;
    const starts = fact.type === 'queue.added' || fact.type === 'queue.released';
    if (index >= since && starts && stopping !== undefined)
      found.push(`${fact.seq} ${fact.type}: while ${stopping} is stopped`);
  }
  return found;
}

type Frame = {
  readonly epoch: string;
  readonly prev: number;
  readonly seq: number;
  readonly facts: readonly Fact[];
};

/** I6: a frame brings each fact that it covers, once and in order, and goes on where the one before it ended. */
export function nextFrame(frame: Frame, at: number | undefined): Violations {
  const { prev, seq, facts } = frame;
  if (at !== undefined && prev !== at) return [`a frame from ${prev}, and ${at} was the last`];
  const isWhole = facts.length === seq - prev && facts.every((fact, index) => fact.seq === prev + 1 + index);
  return isWhole ? [] : [`a frame from ${prev} to ${seq} has ${facts.map((fact) => fact.seq).join(', ')}`];
}

/** I6: a reader that has seen more than this gateway knows is told so. `head`: where the gateway stands. */
export function standsBehind(after: string | undefined, head: string): Violations {
  const [from, to] = [parseCursor(after ?? ''), parseCursor(head)];
  if (!from || !to || from.epoch !== to.epoch || from.seq <= to.seq) return [];
  return [`followed from ${after} on, and the log is at ${head}`];
}

type Pen = Pick<RunnerContext, 'commands' | 'batch'>;

/** I4, C46: of what waited already a stop is written first, and a command before the queue goes on by itself. */
export function writesInOrder(before: Pen, after: Pen): Violations {
  const { batch } = after;
  if (batch === before.batch || batch.drafts.length === 0 || batch.command?.type === 'stop') return [];
  const passed = before.commands.filter((command) => after.commands.includes(command));
  const stop = passed.find((command) => command.type === 'stop');
  if (stop) return [`a stop waits while ${batch.command?.type ?? batch.drafts[0]?.type} is written`];
  const drains = !batch.command && batch.drafts.some((d) => d.type === 'turn.started' && d.origin === 'user');
  return drains && passed.length > 0 ? [`a ${passed[0]?.type} waits while the queue goes on`] : [];
}
