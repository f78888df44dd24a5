import { realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { Refusal } from '../refusal.ts';

/**
 * The real path of a working directory, when it lies in one of the roots after every link is followed. A relative path
 * is meant from the first root, `~` is the home directory. Rejects with a `Refusal`: `directory.outside` (403),
 * `directory.unknown` or `directory.not_one` (400).
 */
export async function confine(path: string, roots: readonly string[]): Promise<string> {
  const realRoots = (await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)))).filter(
    (root) => root !== undefined,
  );
  const wanted = resolve(realRoots[0] ?? sep, path.replace(/^~(?=$|[/\\])/, homedir()));
  const real = await realpath(wanted).catch(() => undefined);
  const inside = [...realRoots, ...roots.map((root) => resolve(root))].some((root) => contains(root, wanted));
  // What does not exist outside of the roots is refused like what does: nobody learns which it is.
  if (real === undefined && inside) {
    throw new Refusal(
      400,
      'directory.unknown',
      `There is no directory ${wanted}. Make it, or name another one.`,
    );
  }
  if (real === undefined || !realRoots.some((root) => contains(root, real))) {
    throw new Refusal(
      403,
      'directory.outside',
      `${path} does not lie in ${roots.join(' or ')}. Name a directory there, or start with --root ${wanted}.`,
    );
  }
  if (!(await stat(real)).isDirectory()) {
    throw new Refusal(400, 'directory.not_one', `${wanted} is not a directory. Name a directory.`);
  }
  return real;
}

function contains(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
