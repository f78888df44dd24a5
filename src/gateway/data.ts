import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ProcessRecords } from './processes.ts';

/** Another gateway has the data directory. `address` is absent while that one is still starting. */
export class DataInUse extends Error {
  override readonly name = 'DataInUse';
  readonly address: string | undefined;
  readonly pid: number | undefined;

  constructor(path: string, holder: Holder) {
    const where = holder.address ? ` at ${holder.address}` : '';
    const who = holder.pid ? ` (process ${holder.pid})` : '';
    super(
      `${path} is in use by a gateway that runs${where}${who}. Open that one, or choose another --data directory.`,
    );
    this.address = holder.address;
    this.pid = holder.pid;
  }
}

/** The data directory cannot be made or written; the message says why. */
export class DataUnusable extends Error {
  override readonly name = 'DataUnusable';
}

export interface DataDirectory {
  readonly path: string;
  /** Where the log goes. */
  readonly logFile: string;
  /** The secret of this installation: 32 random bytes in base64url, the same at every start. */
  readonly token: string;
  readonly processes: ProcessRecords;
  /** Tells a second start where this gateway listens. */
  setAddress(url: string): void;
  /** Gives up the directory. The end of the process does it too, however it ends. */
  release(): void;
}

interface Holder {
  readonly pid?: number;
  readonly address?: string;
}

/** `sluice` in the place where the platform keeps a program's data. */
export function defaultDataDirectory(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  // The XDG specification tells to ignore relative paths.
  if (env.XDG_DATA_HOME && isAbsolute(env.XDG_DATA_HOME)) return join(env.XDG_DATA_HOME, 'sluice');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'sluice');
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'sluice');
  return join(home, '.local', 'share', 'sluice');
}

/**
 * Takes the directory for this process, and makes it when there is none (mode 0700). Throws `DataInUse` when another
 * gateway has it, `DataUnusable` when it cannot be used.
 */
export function openData(directory: string = defaultDataDirectory()): DataDirectory {
  const path = resolve(directory);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const unlock = lock(path);
    try {
      return take(path, unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  } catch (error) {
    if (error instanceof DataInUse) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataUnusable(`the data directory ${path} cannot be used: ${reason}`, { cause: error });
  }
}

function take(path: string, unlock: () => void): DataDirectory {
  const holder = join(path, 'gateway.json');
  writePrivate(holder, JSON.stringify({ pid: process.pid }));
  return {
    path,
    logFile: join(path, 'log.db'),
    token: ownToken(join(path, 'token')),
    processes: new ProcessRecords(join(path, 'processes')),
    setAddress(url) {
      writePrivate(holder, JSON.stringify({ pid: process.pid, address: url }));
    },
    release() {
      rmSync(holder, { force: true });
      unlock();
    },
  };
}

/** Open locks. A connection that is collected as garbage would give its lock up. */
const held = new Set<DatabaseSync>();

/**
 * SQLite's file lock, because Node has none: the operating system frees it when the process ends, and agents that
 * outlive the gateway do not inherit it.
 */
function lock(path: string): () => void {
  const file = join(path, 'lock');
  closeSync(openSync(file, 'a', 0o600));
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    // SQLITE_BUSY
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5)
      throw new DataInUse(path, readHolder(path));
    throw error;
  }
  held.add(db);
  return () => {
    if (held.delete(db)) db.close();
  };
}

/** What the one who has the lock wrote; nothing when it has not got that far and the file is of an earlier run. */
function readHolder(path: string): Holder {
  try {
    const { pid, address } = JSON.parse(readFileSync(join(path, 'gateway.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    if (typeof pid !== 'number' || !isAlive(pid)) return {};
    return { pid, ...(typeof address === 'string' && { address }) };
  } catch {
    return {};
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ownToken(file: string): string {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    writePrivate(file, `${randomBytes(32).toString('base64url')}\n`);
  }
  chmodSync(file, 0o600);
  const token = readFileSync(file, 'utf8').trim();
  if (!/^[A-Za-z0-9_-]{22,}$/.test(token)) {
    throw new Error(
      `${file} does not hold a token of at least 22 letters, digits, - and _; delete it to get a new one`,
    );
  }
  return token;
}

/** Whole or not at all, readable by the user alone. */
function writePrivate(file: string, text: string): void {
  const next = `${file}.${process.pid}`;
  rmSync(next, { force: true });
  const handle = openSync(next, 'wx', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(next, file);
}
