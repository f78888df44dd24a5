// Builds the pages when what they are made of has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError, step } from './child.mjs';

const sources = [
  'src/console',
  'src/inspector',
  'machines',
  'src/wire',
  'vite.config.ts',
  'package-lock.json',
];

/** @param {string} path @returns {string[]} */
function filesIn(path) {
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const inner = join(path, entry.name);
    return entry.isDirectory() ? filesIn(inner) : [inner];
  });
}

/**
 * A digest of everything that the pages are built from.
 * @param {string} root
 */
export function digestOfSources(root) {
  const hash = createHash('sha256');
  for (const source of sources) {
    const path = join(root, source);
    const files = /\.\w+$/.test(source) ? [path] : filesIn(path).sort();
    for (const file of files) {
      const text = readFileSync(file);
      hash.update(`${file.slice(root.length)}\0${text.length}\0`).update(text);
    }
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {string} node a Node 24
 * @param {boolean} [always] build even when nothing has changed
 */
export async function ensurePages(root, node, always = false) {
  const stamp = join(root, 'dist/console.stamp');
  const built = join(root, 'dist/console');
  const digest = digestOfSources(root);
  const fresh =
    existsSync(join(built, 'index.html')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
  if (fresh && !always) return;
  // Built beside and moved into place: a gateway that is running never serves half a build.
  const aside = join(root, `dist/console.${process.pid}`);
  mkdirSync(aside, { recursive: true });
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const command = [node, vite, 'build', '--outDir', aside, '--emptyOutDir', '--logLevel', 'warn'];
  try {
    await step('building the console', command, { cwd: root });
    rmSync(built, { recursive: true, force: true });
    renameSync(aside, built);
    writeFileSync(stamp, digest);
  } catch (error) {
    throw new SetupError(
      `${error instanceof Error ? error.message : error}\nThe console could not be built.`,
    );
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
