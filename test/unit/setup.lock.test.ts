import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

interface Locked {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const lock = readFileSync(resolve(import.meta.dirname, '../../package-lock.json'), 'utf8');
const { packages }: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(lock);

/** Where Node would find `name` from the package at `path`, nearest first. */
function places(path: string, name: string): string[] {
  const parts = path === '' ? [] : path.split(/\/?node_modules\//).slice(1);
  return [...parts.keys(), parts.length].reverse().map((depth) => {
    const above = parts.slice(0, depth).map((part) => `node_modules/${part}/`);
    return `${above.join('')}node_modules/${name}`;
  });
}

it('the lock file knows the packages of every platform, or npm ci refuses to install', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !places(path, name).some((place) => place in packages),
    ),
  );
  expect(missing).toEqual([]);
});

it('the lock file names no registry', () => {
  expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});
