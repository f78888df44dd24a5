import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { RequestError } from '@agentclientprotocol/sdk';

/** The most of a file that is read for an agent, in bytes. */
const largest = 16 * 1024 * 1024;

/**
 * The real path of `path`, which lies in `root` also when links are followed; a file that does not exist yet is placed
 * by its nearest directory that does. Throws a JSON-RPC error for the agent.
 */
async function confinedPath(root: string, path: string): Promise<string> {
  const home = await realpath(root);
  const real = await realOrNew(resolve(home, path));
  if (real === home || real.startsWith(home.endsWith(sep) ? home : home + sep)) return real;
  throw RequestError.invalidParams({ details: `${path} lies outside of ${root}: this session stays in it.` });
}

async function realOrNew(absolute: string): Promise<string> {
  try {
    return await realpath(absolute);
  } catch (error) {
    const above = dirname(absolute);
    if (codeOf(error) !== 'ENOENT' || above === absolute) throw readable(error, absolute);
    return join(await realOrNew(above), basename(absolute));
  }
}

/** `line` counts from 1; `limit` lines from there. */
export async function readText(
  root: string,
  path: string,
  line?: number | null,
  limit?: number | null,
): Promise<string> {
  const text = await withFile(await confinedPath(root, path), path, constants.O_RDONLY, async (file) => {
    const { size } = await file.stat();
    if (size > largest)
      throw RequestError.invalidParams({ details: `${path} has ${size} bytes: too large.` });
    return file.readFile('utf8');
  });
  if (line == null && limit == null) return text;
  const start = Math.max(0, (line ?? 1) - 1);
  return text
    .split('\n')
    .slice(start, limit == null ? undefined : start + limit)
    .join('\n');
}

export async function writeText(root: string, path: string, text: string): Promise<void> {
  const real = await confinedPath(root, path);
  await mkdir(dirname(real), { recursive: true });
  await withFile(real, path, constants.O_WRONLY | constants.O_CREAT, async (file) => {
    await file.truncate(0);
    await file.writeFile(text);
  });
}

/** The real path of a directory in `root`. */
export async function confinedDirectory(root: string, path: string): Promise<string> {
  const real = await confinedPath(root, path);
  const info = await stat(real).catch((error: unknown) => {
    throw readable(error, path);
  });
  if (!info.isDirectory()) throw RequestError.invalidParams({ details: `${path} is not a directory.` });
  return real;
}

async function withFile<T>(
  real: string,
  path: string,
  flags: number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined;
  try {
    // A link at the last step leads elsewhere, and opening a pipe must not wait for its other end.
    file = await open(real, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o644);
    if (!(await file.stat()).isFile()) {
      throw RequestError.invalidParams({ details: `${path} is not an ordinary file.` });
    }
    return await use(file);
  } catch (error) {
    throw readable(error, path);
  } finally {
    await file?.close();
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function readable(error: unknown, path: string): unknown {
  if (error instanceof RequestError) return error;
  const code = codeOf(error);
  if (code === 'ENOENT') return RequestError.resourceNotFound(path);
  const reasons: Readonly<Record<string, string>> = {
    ENOTDIR: 'a part of its path is not a directory',
    EISDIR: 'it is a directory',
    EACCES: 'its permissions forbid it',
    ELOOP: 'it is a link',
  };
  return RequestError.invalidParams({ details: `${path}: ${reasons[code ?? ''] ?? String(error)}.` });
}
