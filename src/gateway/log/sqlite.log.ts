import { closeSync, openSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Draft, Fact, UnknownFact } from '../../wire/facts.ts';
import type { Turn } from '../../wire/turn.ts';
import { GroupCommit } from './commit.ts';
import { activeAt, newEpoch, seal, unseal, unsealAll } from './envelope.ts';
import { examine } from './examine.ts';
import {
  type Log,
  LogConflict,
  LogUnavailable,
  type MessageRow,
  type ProjectFacts,
  type Projection,
  type SessionQuery,
  type SessionRow,
} from './log.ts';
import {
  listSessions,
  markSeen,
  type ProjectedSession,
  readSession,
  removeSession,
  replaceProjection,
  writeProjection,
} from './rows.ts';
import { migrate } from './schema.ts';
import { type Prepare, prepareOnce } from './statements.ts';

export interface SqliteLogOptions {
  /** The version of what computes the projections; another one than at the last rebuild sets `needsRebuild`. Default 1. */
  readonly foldVersion?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** The largest size of the file in pages of 4 KiB: beyond it, appends are refused as on a full disk. */
  readonly maxPages?: number;
}

/** The log in one SQLite file. */
export class SqliteLog implements Log {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #prepare: Prepare;
  readonly #commit: GroupCommit;
  readonly #now: () => number;
  readonly #foldVersion: number;
  readonly #identity: string | undefined;

  /**
   * Opens the file, creates it when there is none, brings an older one up to date. Throws `LogTooNew`, `LogCorrupt` (both
   * before anything is changed) or `LogUnavailable`.
   */
  constructor(path: string, options: SqliteLogOptions = {}) {
    this.path = path;
    this.#now = options.now ?? Date.now;
    this.#foldVersion = options.foldVersion ?? 1;
    try {
      // SQLite gives its other files the mode of this one.
      closeSync(openSync(path, 'a', 0o600));
      examine(path);
      this.#db = new DatabaseSync(path, { timeout: 1000 });
    } catch (error) {
      throw asUnavailable(error, path);
    }
    try {
      this.#db.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864',
      );
      migrate(this.#db);
      if (options.maxPages !== undefined) this.#db.exec(`PRAGMA max_page_count = ${options.maxPages}`);
      this.#prepare = prepareOnce(this.#db);
      this.#prepare("INSERT INTO meta (key, value) VALUES ('fold', ?) ON CONFLICT DO NOTHING").run(
        String(this.#foldVersion),
      );
    } catch (error) {
      this.#db.close();
      throw asUnavailable(error, path);
    }
    this.#identity = identity(path);
    this.#commit = new GroupCommit(this.#db, () => this.#checkFile());
  }

  async append(
    session: string,
    expectedSeq: number,
    drafts: readonly Draft[],
    projection: Projection | ProjectFacts,
  ): Promise<readonly Fact[]> {
    const sealed = seal(session, drafts);
    return this.#write(() => {
      const last = this.#head(session);
      if ((last?.seq ?? 0) !== expectedSeq) {
        throw new LogConflict(`session ${session} is at ${last?.seq ?? 0}, not at ${expectedSeq}`);
      }
      const epoch = last?.epoch ?? newEpoch();
      const at = this.#now();
      const facts = unsealAll(sealed, { session, epoch, seq: expectedSeq, at });
      const insert = this.#prepare('INSERT INTO facts (session, seq, at, type, body) VALUES (?, ?, ?, ?, ?)');
      sealed.forEach(({ type, body }, index) => {
        insert.run(session, expectedSeq + 1 + index, at, type, body);
      });
      const seq = expectedSeq + sealed.length;
      const changes = typeof projection === 'function' ? projection(facts) : projection;
      writeProjection(
        this.#prepare,
        { session, epoch, seq, at, activeAt: activeAt(facts), isNew: !last },
        changes,
      );
      return facts;
    });
  }

  async read(session: string, after: number, limit = 1000): Promise<readonly (Fact | UnknownFact)[]> {
    return this.#guarded(() => {
      const epoch = this.#head(session)?.epoch;
      if (epoch === undefined) return [];
      return this.#prepare(
        'SELECT seq, at, type, body FROM facts WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?',
      )
        .all(session, after, limit)
        .map((row) => {
          const { seq, at, type, body } = row as { seq: number; at: number; type: string; body: string };
          return unseal({ type, body }, { session, epoch, seq, at });
        });
    });
  }

  async head(session: string): Promise<{ readonly epoch: string; readonly seq: number } | undefined> {
    return this.#guarded(() => this.#head(session));
  }

  async session(session: string): Promise<SessionRow | undefined> {
    return this.#guarded(() => readSession(this.#prepare, session));
  }

  async sessions(query: SessionQuery): Promise<readonly SessionRow[]> {
    return this.#guarded(() => listSessions(this.#prepare, query));
  }

  async turns(
    session: string,
    before: string | undefined,
    limit: number,
  ): Promise<{ readonly turns: readonly Turn[]; readonly older: boolean }> {
    return this.#guarded(() => {
      const rows = this.#prepare(
        `SELECT body FROM turns WHERE session = ?1 AND first_seq <
           CASE WHEN ?2 IS NULL THEN 9e15 ELSE (SELECT first_seq FROM turns WHERE session = ?1 AND id = ?2) END
         ORDER BY first_seq DESC LIMIT ?3`,
      ).all(session, before ?? null, limit + 1);
      const turns = rows.slice(0, limit).map((row) => JSON.parse(row.body as string) as Turn);
      return { turns: turns.reverse(), older: rows.length > limit };
    });
  }

  async message(session: string, id: string): Promise<MessageRow | undefined> {
    return this.#guarded(() => {
      const row = this.#prepare('SELECT digest, answer FROM messages WHERE session = ? AND id = ?').get(
        session,
        id,
      );
      return row && { id, digest: row.digest as string, answer: JSON.parse(row.answer as string) };
    });
  }

  async markSeen(session: string, seq: number): Promise<void> {
    await this.#write(() => markSeen(this.#prepare, session, seq));
  }

  async remove(session: string): Promise<void> {
    await this.#write(() => removeSession(this.#prepare, session));
  }

  /** Writes what was asked before, then gives up the file. */
  async close(): Promise<void> {
    if (!this.#db.isOpen) return;
    this.#commit.flush();
    this.#db.close();
  }

  /** The projections were written by another version of what computes them: call `rebuild` before they are used. */
  get needsRebuild(): boolean {
    const fold = this.#prepare("SELECT value FROM meta WHERE key = 'fold'").get()?.value;
    return fold !== String(this.#foldVersion);
  }

  async sessionIds(): Promise<readonly string[]> {
    return this.#guarded(() =>
      this.#prepare('SELECT id FROM sessions ORDER BY id')
        .all()
        .map((row) => row.id as string),
    );
  }

  /** Rejects with `LogConflict` when the session has changed since `expectedSeq`. */
  async replaceProjection(session: string, expectedSeq: number, projected: ProjectedSession): Promise<void> {
    await this.#write(() => {
      const seq = this.#head(session)?.seq;
      if (seq !== expectedSeq)
        throw new LogConflict(`session ${session} is at ${seq ?? 0}, not at ${expectedSeq}`);
      replaceProjection(this.#prepare, session, projected);
    });
  }

  async markRebuilt(): Promise<void> {
    await this.#write(() => {
      this.#prepare("UPDATE meta SET value = ? WHERE key = 'fold'").run(String(this.#foldVersion));
    });
  }

  #head(session: string): { readonly epoch: string; readonly seq: number } | undefined {
    const row = this.#prepare('SELECT epoch, seq FROM sessions WHERE id = ?').get(session);
    return row && { epoch: row.epoch as string, seq: row.seq as number };
  }

  async #write<T>(run: () => T): Promise<T> {
    try {
      return await this.#commit.add(run);
    } catch (error) {
      throw asUnavailable(error, this.path);
    }
  }

  #guarded<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw asUnavailable(error, this.path);
    }
  }

  /** A file that was deleted or moved away still takes writes, and nobody will ever read them. */
  #checkFile(): void {
    if (this.#identity !== undefined && identity(this.path) !== this.#identity) {
      throw new LogUnavailable(`${this.path} was moved or deleted while it was in use`);
    }
  }
}

function identity(path: string): string | undefined {
  if (process.platform === 'win32') return undefined;
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.dev}:${stat.ino}` : 'gone';
}

/** SQLite's SQL error, constraint, mismatch, misuse and range: faults of this program, not of the disk. */
const bugs = new Set([1, 19, 20, 21, 25]);

/** What the operating system or SQLite refuses becomes `LogUnavailable`; a bug stays what it is. */
function asUnavailable(error: unknown, path: string): unknown {
  const { code, syscall, message, errcode = 0 } = error as NodeJS.ErrnoException & { errcode?: number };
  const refused = code === 'ERR_SQLITE_ERROR' && !bugs.has(errcode & 0xff);
  return refused || code === 'ERR_INVALID_STATE' || syscall !== undefined
    ? new LogUnavailable(`${path}: ${message}`, { cause: error })
    : error;
}
