import { constants, type Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AgentError } from '../agent.ts';

/** The most of a file that is read: larger ones are refused. */
const largest = 1024 * 1024;
const skipped = new Set(['node_modules', '.git']);

/**
 * The real path of `path` in `cwd`. Refuses what leads out of it: `..`, absolute paths elsewhere, symbolic links.
 * A file that does not exist yet may be named when its directory exists.
 */
async function confined(cwd: string, path: string): Promise<string> {
  if (path.split(/[\\/]/).includes('..')) {
    throw new AgentError('files.outside', `\`..\` is refused: I stay in ${cwd}. Name something in it.`);
  }
  const root = await realpath(cwd);
  const absolute = isAbsolute(path) ? path : resolve(root, path);
  const real = await realOrNew(absolute, path);
  if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new AgentError('files.outside', `\`${path}\` lies outside of ${cwd}: I stay in it.`);
  }
  return real;
}

async function realOrNew(absolute: string, path: string): Promise<string> {
  try {
    return await realpath(absolute);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw readable(error, path);
  }
  try {
    // A link that leads nowhere is not a new file: writing to it would write elsewhere.
    return join(await realpath(dirname(absolute)), basename(absolute));
  } catch (error) {
    throw readable(error, path);
  }
}

export interface Entry {
  readonly name: string;
  readonly directory: boolean;
  /** Bytes; absent for directories and for what cannot be asked. */
  readonly size?: number;
}

/** The entries of a directory, directories first, by name. */
export async function listDirectory(cwd: string, path: string): Promise<Entry[]> {
  const real = await confined(cwd, path);
  const found = await readdir(real, { withFileTypes: true }).catch((error: unknown) => {
    throw readable(error, path);
  });
  const entries = await Promise.all(
    found.map(async (entry): Promise<Entry> => {
      if (entry.isDirectory()) return { name: entry.name, directory: true };
      const info = entry.isFile() ? await stat(join(real, entry.name)).catch(() => undefined) : undefined;
      return { name: entry.name, directory: false, ...(info && { size: info.size }) };
    }),
  );
  return entries.sort(
    (a, b) => Number(b.directory) - Number(a.directory) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

/** The text of a file in `cwd`. Refuses directories, devices, binary files and files over 1 MiB. */
export async function readText(cwd: string, path: string): Promise<string> {
  const real = await confined(cwd, path);
  const bytes = await withFile(real, path, constants.O_RDONLY, async (file) => {
    const info = await file.stat();
    if (info.isDirectory())
      throw new AgentError('files.directory', `\`${path}\` is a directory: try \`list ${path}\`.`);
    if (!info.isFile()) throw new AgentError('files.special', `\`${path}\` is not an ordinary file.`);
    if (info.size > largest) {
      throw new AgentError(
        'files.large',
        `\`${path}\` has ${info.size} bytes; I read files up to ${largest}.`,
      );
    }
    return await file.readFile();
  });
  if (isBinary(bytes))
    throw new AgentError('files.binary', `\`${path}\` is a binary file: I read text only.`);
  return bytes.toString('utf8');
}

/** As `readText`; null when there is no such file. */
export async function readIfThere(cwd: string, path: string): Promise<string | null> {
  try {
    return await readText(cwd, path);
  } catch (error) {
    if (error instanceof AgentError && error.code === 'files.not_found') return null;
    throw error;
  }
}

/** Writes a text file in `cwd`, making its directories. */
export async function writeText(cwd: string, path: string, text: string): Promise<void> {
  const parent = dirname(path);
  if (parent !== '.') await makeDirectories(cwd, parent);
  const real = await confined(cwd, path);
  await withFile(real, path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, async (file) => {
    await file.writeFile(text);
  });
}

async function makeDirectories(cwd: string, path: string): Promise<void> {
  const segments = relative(cwd, resolve(cwd, path)).split(sep);
  for (let n = 1; n <= segments.length; n += 1) {
    const real = await confined(cwd, join(...segments.slice(0, n)));
    await mkdir(real).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw readable(error, path);
    });
  }
}

export interface Match {
  /** Relative to the directory of the conversation. */
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

export interface Found {
  readonly matches: readonly Match[];
  readonly files: number;
  /** There may be more: a bound was reached. */
  readonly bounded: boolean;
}

export interface SearchBounds {
  readonly matches: number;
  readonly files: number;
}

/** Lines that hold `text`, case aside. Skips node_modules, .git, links, binary and large files. */
export async function searchText(
  cwd: string,
  path: string,
  text: string,
  signal: AbortSignal,
  bounds: SearchBounds = { matches: 100, files: 5000 },
): Promise<Found> {
  const root = await realpath(cwd);
  const wanted = text.toLowerCase();
  const matches: Match[] = [];
  let files = 0;
  for await (const file of walk(await confined(cwd, path), path)) {
    signal.throwIfAborted();
    if (files >= bounds.files) return { matches, files, bounded: true };
    files += 1;
    const name = relative(root, file);
    // A file that cannot be read, is binary or too large has nothing to show: the search goes on.
    const content = await readText(root, name).catch(() => '');
    if (!content.toLowerCase().includes(wanted)) continue;
    for (const [index, line] of content.split('\n').entries()) {
      if (!line.toLowerCase().includes(wanted)) continue;
      if (matches.length >= bounds.matches) return { matches, files, bounded: true };
      matches.push({ path: name, line: index + 1, text: line.trim().slice(0, 200) });
    }
  }
  return { matches, files, bounded: false };
}

async function* walk(real: string, path: string): AsyncGenerator<string> {
  const info = await stat(real).catch((error: unknown) => {
    throw readable(error, path);
  });
  if (info.isFile()) {
    yield real;
    return;
  }
  const waiting = [real];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const entry of await sorted(directory)) {
      const child = join(directory, entry.name);
      if (entry.isDirectory() && !skipped.has(entry.name)) waiting.push(child);
      else if (entry.isFile()) yield child;
    }
  }
}

async function sorted(directory: string): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  try {
    for await (const entry of await opendir(directory)) entries.push(entry);
  } catch {
    return []; // A directory that may not be read is passed over.
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function withFile<T>(
  real: string,
  path: string,
  flags: number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined;
  try {
    // No link is followed at the last step, and opening a pipe must not wait for its other end.
    file = await open(real, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o644);
    return await use(file);
  } catch (error) {
    throw readable(error, path);
  } finally {
    await file?.close();
  }
}

function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 8192).includes(0);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

const sentences: Readonly<Record<string, (path: string) => AgentError>> = {
  ENOENT: (path) =>
    new AgentError('files.not_found', `There is no \`${path}\` here: \`list\` shows what is.`),
  ENOTDIR: (path) => new AgentError('files.not_directory', `\`${path}\` is not a directory.`),
  EISDIR: (path) => new AgentError('files.directory', `\`${path}\` is a directory: try \`list ${path}\`.`),
  EACCES: (path) =>
    new AgentError('files.forbidden', `I may not open \`${path}\`: its permissions forbid it.`),
  ELOOP: (path) => new AgentError('files.outside', `\`${path}\` is a link that leads nowhere I may go.`),
};

function readable(error: unknown, path: string): unknown {
  return sentences[codeOf(error) ?? '']?.(path) ?? error;
}
