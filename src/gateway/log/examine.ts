import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { LogUnavailable } from './log.ts';
import { applicationId, schemaVersion, versionOf } from './schema.ts';

/** The file was written by a newer version. It was not touched. */
export class LogTooNew extends Error {
  override readonly name = 'LogTooNew';
}

/** The file is damaged or is no log. It was not touched; the message says what to do. */
export class LogCorrupt extends Error {
  override readonly name = 'LogCorrupt';
}

const magic = 'SQLite format 3\0';
/** A whole check reads the whole file: beyond this size it is made only after a run that did not close the log. */
const alwaysChecked = 256 * 1024 * 1024;

/**
 * Looks at the file through a connection that cannot write, before anything opens it for writing: opening a damaged
 * file for writing may already replay its journal over what could still be saved.
 */
export function examine(path: string): void {
  const size = sizeOf(path);
  if (size === 0) return;
  if (header(path) !== magic) throw corrupt(path, 'it does not begin like an SQLite database');
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
    const version = versionOf(db);
    if (version > schemaVersion) {
      throw new LogTooNew(
        `${path} was written by a newer version of Sluice (file version ${version}; this one knows up to ${schemaVersion}). ` +
          'Nothing was changed. Start the newer version, or choose another data directory with --data.',
      );
    }
    const owner = Number(db.prepare('PRAGMA application_id').get()?.application_id ?? 0);
    if (owner !== applicationId && hasTables(db)) throw corrupt(path, 'it is a database of another program');
    if (size > alwaysChecked && sizeOf(`${path}-wal`) === 0) return;
    const findings = db
      .prepare('PRAGMA quick_check(3)')
      .all()
      .map((row) => String(row.quick_check));
    if (findings[0] !== 'ok') throw corrupt(path, findings.join('; '));
  } catch (error) {
    if (error instanceof LogTooNew || error instanceof LogCorrupt) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const code = (error as { errcode?: number }).errcode ?? 0;
    // SQLITE_CORRUPT and SQLITE_NOTADB
    if ((code & 0xff) === 11 || (code & 0xff) === 26) throw corrupt(path, reason);
    throw new LogUnavailable(`${path} cannot be read: ${reason}`, { cause: error });
  } finally {
    db?.close();
  }
}

function corrupt(path: string, finding: string): LogCorrupt {
  return new LogCorrupt(
    `${path} is damaged: ${finding}. Nothing was changed. Copy it together with the files beside it that begin with its ` +
      `name, then restore a backup, or recover what can be read with: sqlite3 '${path}' .recover | sqlite3 recovered.db. ` +
      'To begin anew, move these files away or choose another data directory with --data.',
  );
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function header(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(magic.length);
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, magic.length, 0));
  } finally {
    closeSync(file);
  }
}

function hasTables(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;
}
