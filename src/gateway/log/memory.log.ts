import { formatCursor } from '../../wire/cursor.ts';
import type { Draft, Fact } from '../../wire/facts.ts';
import type { Turn } from '../../wire/turn.ts';
import { activeAt, isUnsettled, newEpoch, seal, searchable, unsealAll, withCursor } from './envelope.ts';
import {
  type Log,
  LogConflict,
  LogUnavailable,
  type MessageRow,
  type ProjectFacts,
  type Projection,
  type SessionHead,
  type SessionQuery,
  type SessionRow,
} from './log.ts';

interface Kept {
  readonly epoch: string;
  readonly facts: Fact[];
  readonly createdAt: number;
  updatedAt: number;
  head: SessionHead;
  openTurn: SessionRow['openTurn'];
  readonly turns: Map<string, Turn>;
  readonly messages: Map<string, MessageRow>;
  unseen: { readonly seq: number; readonly ends: number }[];
}

export interface MemoryLogOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Names of the epochs of new logs. */
  readonly epoch?: () => string;
}

/** The log without a file, for tests and the simulation: the same answers, and failures and delays on request. */
export class MemoryLog implements Log {
  /** Runs before each append is compared and kept: what it throws, the append rejects with; what it awaits, delays it. */
  beforeAppend: ((session: string, drafts: readonly Draft[]) => void | Promise<void>) | undefined;
  readonly #now: () => number;
  readonly #epoch: () => string;
  readonly #kept = new Map<string, Kept>();
  #closed = false;

  constructor(options: MemoryLogOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#epoch = options.epoch ?? newEpoch;
  }

  async append(
    session: string,
    expectedSeq: number,
    drafts: readonly Draft[],
    projection: Projection | ProjectFacts,
  ): Promise<readonly Fact[]> {
    const sealed = seal(session, drafts);
    await this.beforeAppend?.(session, drafts);
    this.#checkOpen();
    const kept = this.#kept.get(session);
    const last = kept?.facts.length ?? 0;
    if (last !== expectedSeq)
      throw new LogConflict(`session ${session} is at ${last}, not at ${expectedSeq}`);
    const epoch = kept?.epoch ?? this.#epoch();
    const at = this.#now();
    const facts = unsealAll(sealed, { session, epoch, seq: expectedSeq, at });
    const changes = plain(typeof projection === 'function' ? projection(facts) : projection);
    const { head } = changes;
    if (head && head.id !== session) {
      throw new TypeError(`the head of session ${head.id} was given for session ${session}`);
    }
    if (kept) this.#apply(kept, facts, changes);
    else if (head) this.#apply(this.#create(session, epoch, at, head), facts, changes);
    else throw new TypeError(`the first append of session ${session} needs a head`);
    return facts;
  }

  async read(session: string, after: number, limit = 1000): Promise<readonly Fact[]> {
    this.#checkOpen();
    return this.#kept.get(session)?.facts.slice(after, after + limit) ?? [];
  }

  async head(session: string): Promise<{ readonly epoch: string; readonly seq: number } | undefined> {
    this.#checkOpen();
    const kept = this.#kept.get(session);
    return kept && { epoch: kept.epoch, seq: kept.facts.length };
  }

  async session(session: string): Promise<SessionRow | undefined> {
    this.#checkOpen();
    const kept = this.#kept.get(session);
    return kept && toRow(kept);
  }

  async sessions(query: SessionQuery): Promise<readonly SessionRow[]> {
    this.#checkOpen();
    const last = query.before === undefined ? undefined : this.#kept.get(query.before);
    if (query.before !== undefined && !last) return [];
    const q = searchable(query.q);
    return [...this.#kept.values()]
      .filter((kept) => !last || newerFirst(last, kept) < 0)
      .filter((kept) => !query.unsettled || kept.openTurn !== undefined || isUnsettled(kept.head))
      .filter((kept) => !query.kind || kept.head.kind === query.kind)
      .filter(({ head }) => !query.holding || holds(head, query.holding))
      .filter((kept) => q === '' || searchable(kept.head.title).includes(q))
      .sort(newerFirst)
      .slice(0, query.limit)
      .map(toRow);
  }

  async turns(
    session: string,
    before: string | undefined,
    limit: number,
  ): Promise<{ readonly turns: readonly Turn[]; readonly older: boolean }> {
    this.#checkOpen();
    const kept = this.#kept.get(session)?.turns ?? new Map<string, Turn>();
    const end = before === undefined ? Number.POSITIVE_INFINITY : (kept.get(before)?.firstSeq ?? 0);
    const all = [...kept.values()]
      .filter((turn) => turn.firstSeq < end)
      .sort((a, b) => a.firstSeq - b.firstSeq);
    const start = Math.max(0, all.length - limit);
    return { turns: all.slice(start), older: start > 0 };
  }

  async message(session: string, id: string): Promise<MessageRow | undefined> {
    this.#checkOpen();
    return this.#kept.get(session)?.messages.get(id);
  }

  async markSeen(session: string, seq: number): Promise<void> {
    this.#checkOpen();
    const kept = this.#kept.get(session);
    if (kept) kept.unseen = kept.unseen.filter((one) => one.seq > seq);
  }

  async remove(session: string): Promise<void> {
    this.#checkOpen();
    this.#kept.delete(session);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #create(session: string, epoch: string, at: number, head: SessionHead): Kept {
    const kept: Kept = {
      epoch,
      facts: [],
      createdAt: at,
      updatedAt: at,
      head,
      openTurn: undefined,
      turns: new Map(),
      messages: new Map(),
      unseen: [],
    };
    this.#kept.set(session, kept);
    return kept;
  }

  #apply(kept: Kept, facts: readonly Fact[], changes: Projection): void {
    kept.facts.push(...facts);
    const { seq } = facts.at(-1) as Fact;
    kept.updatedAt = activeAt(facts) ?? kept.updatedAt;
    if (changes.head) kept.head = changes.head;
    if (changes.openTurn !== undefined) kept.openTurn = changes.openTurn ?? undefined;
    for (const turn of changes.settled) kept.turns.set(turn.id, turn);
    const cursor = formatCursor({ epoch: kept.epoch, seq });
    for (const row of changes.messages) kept.messages.set(row.id, withCursor(row, cursor));
    if (changes.unread > 0) kept.unseen.push({ seq, ends: changes.unread });
  }

  #checkOpen(): void {
    if (this.#closed) throw new LogUnavailable('the log is closed');
  }
}

/** As it would come back from a file. */
function plain(projection: Projection): Projection {
  return JSON.parse(JSON.stringify(projection)) as Projection;
}

function newerFirst(a: Kept, b: Kept): number {
  return b.updatedAt - a.updatedAt || (a.head.id < b.head.id ? 1 : a.head.id > b.head.id ? -1 : 0);
}

function toRow(kept: Kept): SessionRow {
  const { epoch, createdAt, updatedAt, openTurn } = kept;
  const seq = kept.facts.length;
  return {
    head: { ...kept.head, createdAt, updatedAt, cursor: formatCursor({ epoch, seq }) },
    epoch,
    seq,
    ...(openTurn && { openTurn }),
    unread: kept.unseen.reduce((sum, one) => sum + one.ends, 0),
  };
}

function holds(head: SessionHead, { agent, agentSessions }: NonNullable<SessionQuery['holding']>): boolean {
  return head.agent === agent && head.agentSession !== undefined && agentSessions.includes(head.agentSession);
}
