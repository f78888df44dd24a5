import type { Draft, Fact, UnknownFact } from '../../wire/facts.ts';
import type { SendAnswer } from '../../wire/requests.ts';
import type { SessionSnapshot } from '../../wire/snapshot.ts';
import type { Turn } from '../../wire/turn.ts';

/**
 * The only persistence: for each session one ordered list of facts, and projections beside it that can be rebuilt
 * from them. The interface is asynchronous and compares before it appends, so that a distributed log can take its place.
 */
export interface Log {
  /**
   * Gives the drafts their envelopes and commits them with their projection, all or nothing, durable when it resolves.
   * `expectedSeq` is the seq of the session's last fact (0 for a new session).
   * Rejects with `LogConflict` when another writer was there first, `LogUnavailable` when it cannot be written, and
   * with the error of `checkDraft` or of `projection` when the writer is wrong. Await one append of a session before the next.
   */
  append(
    session: string,
    expectedSeq: number,
    drafts: readonly Draft[],
    projection: Projection | ProjectFacts,
  ): Promise<readonly Fact[]>;
  /** Facts after `after`, in order, at most `limit` (default 1,000). Types of a newer version are kept as they are. */
  read(session: string, after: number, limit?: number): Promise<readonly (Fact | UnknownFact)[]>;
  /** The session's epoch and last seq; undefined when there is none. */
  head(session: string): Promise<{ readonly epoch: string; readonly seq: number } | undefined>;

  /** The projected head of a session; `openTurn` says from where to fold its open turn. */
  session(session: string): Promise<SessionRow | undefined>;
  /** Newest first by `updatedAt`, the time of the last fact that is more than a name or a count; `q` matches titles; `before` is the id of the last line seen. */
  sessions(query: SessionQuery): Promise<readonly SessionRow[]>;
  /** Settled turns, oldest first: the `limit` ones before settled turn id `before` (none if unknown), or the newest ones. */
  turns(
    session: string,
    before: string | undefined,
    limit: number,
  ): Promise<{ readonly turns: readonly Turn[]; readonly older: boolean }>;
  /** What a message id was answered, for a message that is sent again. */
  message(session: string, id: string): Promise<MessageRow | undefined>;
  /** The user has looked up to `seq`: only ends after it stay unread. Not a fact; kept when projections are rebuilt. */
  markSeen(session: string, seq: number): Promise<void>;
  /** Deletes a session with all its facts. */
  remove(session: string): Promise<void>;
  close(): Promise<void>;
}

/** The session as its snapshot says, without turns. */
export type SessionHead = Omit<SessionSnapshot, 'turns' | 'older'>;

export interface SessionRow {
  readonly head: SessionHead;
  readonly epoch: string;
  readonly seq: number;
  /** The open turn, and the seq of its `turn.started`. */
  readonly openTurn?: { readonly id: string; readonly firstSeq: number };
  readonly unread: number;
}

/** What one append changes beside the facts. All of it is a function of the facts: see `projection.ts`. */
export interface Projection {
  /**
   * Required for a new session, then given only when something other than the cursor changed. `cursor`, `createdAt` and
   * `updatedAt` inside are set by the log.
   */
  readonly head?: SessionHead;
  readonly openTurn?: { readonly id: string; readonly firstSeq: number } | null;
  /** Turns that this append ends, or changes after their end (a late `usage.updated`). */
  readonly settled: readonly Turn[];
  /** Message ids that this append takes in, with the digest of their body and their answer. */
  readonly messages: readonly MessageRow[];
  /** How many ends this append adds to `unread`. */
  readonly unread: number;
}

/**
 * For what needs the envelopes (`endedAt` of a settled turn): called once or more with the facts as they will be, before
 * they are committed. Pure and quick; when it throws, nothing is appended.
 */
export type ProjectFacts = (facts: readonly Fact[]) => Projection;

export interface MessageRow {
  readonly id: string;
  readonly digest: string;
  /** `cursor` is filled in by the log: the last fact of the append. */
  readonly answer: SendAnswer;
}

export interface SessionQuery {
  readonly q?: string;
  readonly limit: number;
  readonly before?: string;
  readonly kind?: 'conversation' | 'job';
  /** Only those whose agent's own session is one of these. */
  readonly holding?: { readonly agent: string; readonly agentSessions: readonly string[] };
  /** Only those that are not at rest, whose queue may drain, or with a job that is not settled: for the start-up sweep. */
  readonly unsettled?: boolean;
}

/** Another writer appended first: this one must stop at once, and never retry. */
export class LogConflict extends Error {
  override readonly name = 'LogConflict';
}

/** The log cannot be written now (disk full, file gone). Nothing was changed. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';
}
