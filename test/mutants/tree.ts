import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';

const root = resolve(import.meta.dirname, '../..');
const parts = [
  'src',
  'machines',
  'test',
  'package.json',
  'tsconfig.json',
  'vite.config.ts',
  'vitest.config.ts',
];

/** What is wrong with the list itself: the source has moved on, and the mutant has to be written anew. */
export function staleOf({ id, file, find, tests, real = [] }: Mutant): string | undefined {
  if (mutants.filter((mutant) => mutant.id === id).length > 1) return 'is there twice';
  if (!existsSync(join(root, file))) return `there is no ${file}`;
  const count = readFileSync(join(root, file), 'utf8').split(find).length - 1;
  if (count !== 1) return `what it changes occurs ${count} times in ${file}`;
  const missing = [...tests, ...real].find((test) => !existsSync(join(root, test)));
  return missing && `there is no ${missing}`;
}

/** Of the mutant and the source that it changes: what was found for it holds for as long as the key does. */
export function keyOf({ file, find, replace }: Mutant): string {
  const source = readFileSync(join(root, file), 'utf8');
  return createHash('sha256')
    .update(JSON.stringify([find, replace, source]))
    .digest('base64url')
    .slice(0, 12);
}

/** A copy of the tree, to be broken; it is removed by whoever asked for it. */
export function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'sluice-mutants-'));
  for (const part of parts) cpSync(join(root, part), join(copy, part), { recursive: true });
  for (const shared of ['node_modules', 'dist'])
    if (existsSync(join(root, shared))) symlinkSync(join(root, shared), join(copy, shared));
  return copy;
}

/** Breaks the rule in a copy; the returned function mends it. */
export function mutate(copy: string, { file, find, replace }: Mutant): () => void {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  return () => writeFileSync(path, source);
}

/** What was found in earlier runs, by the mutant's id. */
export class Kept<T extends { readonly key: string }> {
  readonly #file: string;
  readonly #found: Record<string, T>;

  constructor(name: string, fresh: boolean) {
    this.#file = join(root, 'node_modules/.cache', name);
    this.#found = existsSync(this.#file) && !fresh ? JSON.parse(readFileSync(this.#file, 'utf8')) : {};
  }

  /** Undefined too when the source has changed since. */
  of(mutant: Mutant): T | undefined {
    const found = this.#found[mutant.id];
    return found?.key === keyOf(mutant) ? found : undefined;
  }

  keep(mutant: Mutant, found: T): void {
    this.#found[mutant.id] = found;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(this.#found, undefined, 1));
  }
}
