import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dependenciesNeeded } from '../../src/setup/install.mjs';
import { digestOfSources } from '../../src/setup/pages.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-install-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}
const lock = (packages: object) => JSON.stringify({ packages });
const a = { version: '1.0.0', integrity: 'sha512-a' };
const b = { version: '2.0.0', integrity: 'sha512-b', dev: true };
const wanted = { '': {}, 'node_modules/a': a, 'node_modules/b': b };

it('dependencies are missing on a fresh clone', () => {
  write('package-lock.json', lock(wanted));
  expect(dependenciesNeeded(root)).toBe('missing');
});

it('dependencies are missing when an install was cut short', () => {
  write('package-lock.json', lock(wanted));
  write('node_modules/a/package.json', '{}');
  expect(dependenciesNeeded(root)).toBe('missing');
});

it.each([
  ['a version has changed', { 'node_modules/a': { ...a, version: '1.0.1' }, 'node_modules/b': b }],
  ['a content has changed', { 'node_modules/a': { ...a, integrity: 'sha512-c' }, 'node_modules/b': b }],
  ['the development tools were left out', { 'node_modules/a': a }],
])('dependencies are stale when %s', (_when, installed) => {
  write('package-lock.json', lock(wanted));
  write('node_modules/.package-lock.json', lock(installed));
  expect(dependenciesNeeded(root)).toBe('stale');
});

it('dependencies are there when all is installed but what is for other platforms', () => {
  write(
    'package-lock.json',
    lock({ ...wanted, 'node_modules/native-win32': { version: '1.0.0', optional: true } }),
  );
  write('node_modules/.package-lock.json', lock({ 'node_modules/a': a, 'node_modules/b': b }));
  expect(dependenciesNeeded(root)).toBeUndefined();
});

it.each([
  'src/console/main.tsx',
  'src/inspector/new.css',
  'machines/deep/er.ts',
  'src/wire/fold.ts',
  'vite.config.ts',
])('the console is built again when %s has changed', (path) => {
  write('vite.config.ts', 'export default {};');
  write('package-lock.json', lock(wanted));
  write('src/console/main.tsx', 'one');
  const before = digestOfSources(root);
  write('test/unit/a.test.ts', 'no part of it');
  expect(digestOfSources(root)).toBe(before);
  write(path, 'two');
  expect(digestOfSources(root)).not.toBe(before);
});
