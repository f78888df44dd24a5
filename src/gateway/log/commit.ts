import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers';

interface Work {
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

type Settled = { readonly value: unknown } | { readonly error: unknown };

/**
 * Group commit: what is asked in one turn of the event loop becomes one transaction, and each promise settles after it
 * is durable. One that fails takes back its own changes only.
 */
export class GroupCommit {
  readonly #db: DatabaseSync;
  /** Throws when the file must not be written; called once for each transaction. */
  readonly #guard: () => void;
  #waiting: Work[] = [];

  constructor(db: DatabaseSync, guard: () => void) {
    this.#db = db;
    this.#guard = guard;
  }

  /** `run` is called inside a transaction, possibly twice: it changes nothing but the database. */
  add<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.flush());
      this.#waiting.push({ run, resolve, reject });
    });
  }

  flush(): void {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#settleAll(batch).forEach((settled, index) => {
      const work = batch[index] as Work;
      if ('error' in settled) work.reject(settled.error);
      else work.resolve(settled.value as never);
    });
  }

  #settleAll(batch: readonly Work[]): readonly Settled[] {
    try {
      this.#guard();
      this.#db.exec('BEGIN IMMEDIATE');
    } catch (error) {
      return batch.map(() => ({ error }));
    }
    try {
      const settled = batch.map((work) => (batch.length === 1 ? { value: work.run() } : this.#apart(work)));
      this.#db.exec('COMMIT');
      return settled;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      if (batch.length === 1) return [{ error }];
      // The transaction was lost as a whole, as on a full disk: whoever still fits gets in alone.
      return batch.flatMap((work) => this.#settleAll([work]));
    }
  }

  /** Throws when SQLite failed, since the whole transaction is then in doubt. */
  #apart(work: Work): Settled {
    this.#db.exec('SAVEPOINT apart');
    try {
      const value = work.run();
      this.#db.exec('RELEASE apart');
      return { value };
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_SQLITE_ERROR') throw error;
      this.#db.exec('ROLLBACK TO apart; RELEASE apart');
      return { error };
    }
  }
}
