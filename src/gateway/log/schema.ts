import type { DatabaseSync } from 'node:sqlite';

/** Set in the file's header, so that a database of another program is not taken for a log. */
export const applicationId = 0x536c7563;

/**
 * One step for each version of the file, never changed after a release. A file of version n gets the steps after n.
 *
 * `sessions` is narrow because each append rewrites its row; a head can be large and changes seldom.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0,
    unread INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL,
    title TEXT NOT NULL,
    unsettled INTEGER NOT NULL,
    open_turn TEXT,
    open_turn_seq INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_newest ON sessions (updated_at DESC, id DESC);
  CREATE INDEX sessions_unsettled ON sessions (updated_at DESC, id DESC) WHERE unsettled = 1;

  CREATE TABLE heads (session TEXT PRIMARY KEY, head TEXT NOT NULL) STRICT;

  CREATE TABLE facts (
    session TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE turns (
    session TEXT NOT NULL,
    id TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (session, id)
  ) STRICT;
  CREATE UNIQUE INDEX turns_in_order ON turns (session, first_seq);

  CREATE TABLE messages (
    session TEXT NOT NULL,
    id TEXT NOT NULL,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (session, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE unseen (
    session TEXT NOT NULL,
    seq INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** The version of the file that this program writes. */
export const schemaVersion = migrations.length;

export function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
}

/** Brings the file to `schemaVersion`, all steps or none. */
export function migrate(db: DatabaseSync, steps: readonly string[] = migrations): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    const from = versionOf(db);
    for (const step of steps.slice(from)) db.exec(step);
    if (from < steps.length) {
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`);
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
