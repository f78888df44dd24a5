import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundaryErrors } from '../../src/setup/boundaries.ts';

const checkout = resolve(import.meta.dirname, '../..');
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-boundaries-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function plant(path: string, source: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), source);
}

function planted(path: string, source: string): string[] {
  plant(path, source);
  return boundaryErrors(root);
}

it('passes on the program as it is', () => {
  expect(boundaryErrors(checkout)).toEqual([]);
});

it('passes on arrows that go down', () => {
  plant('src/wire/cursor.ts', 'export type Cursor = string;');
  plant(
    'machines/link.ts',
    `import type { Cursor } from '../src/wire/cursor.ts'; export type Link = Cursor;`,
  );
  plant('src/agents/echo.ts', `export { type Link } from '../../machines/link.ts';`);
  plant('src/gateway/main.ts', `import '../agents/echo.ts'; import 'node:http'; import 'zod';`);
  plant(
    'src/console/main.tsx',
    `import type { Link } from '../../machines/link.ts'; export const at: Link = '';`,
  );
  expect(boundaryErrors(root)).toEqual([]);
});

describe('an upward arrow', () => {
  it.each([
    ['src/wire/a.ts', '../../machines/b.ts', 'wire may import nothing else of ours, not machines'],
    ['machines/a.ts', '../src/gateway/b.ts', 'machines may import only wire, not gateway'],
    ['src/agents/a.ts', '../gateway/b.ts', 'agents may import only machines, wire, not gateway'],
    ['src/gateway/a.ts', '../console/b.ts', 'gateway may import only agents, machines, wire, not console'],
    ['src/console/a.ts', '../gateway/b.ts', 'console may import only machines, wire, not gateway'],
    ['src/console/a.ts', '../agents/b.ts', 'console may import only machines, wire, not agents'],
    ['src/inspector/a.ts', '../gateway/b.ts', 'inspector may import only machines, wire, not gateway'],
    ['src/inspector/a.ts', '../agents/b.ts', 'inspector may import only machines, wire, not agents'],
    ['machines/a.ts', '../test/b.ts', 'machines may import only wire, not what lies outside of the layers'],
  ])('from %s to %s is an error', (path, specifier, message) => {
    expect(planted(path, `\nimport '${specifier}';`)).toEqual([
      `${path}:2 imports ${specifier}: ${message}.`,
    ]);
  });

  it.each([
    ['a type', `import type { B } from '../gateway/b.ts';`],
    ['a type in place', `export let b: import('../gateway/b.ts').B;`],
    ['a re-export', `export * from '../gateway/b.ts';`],
    ['a named re-export', `export { b } from '../gateway/b.ts';`],
    ['a dynamic import', `await import('../gateway/b.ts');`],
    ['a worker', `new Worker(new URL('../gateway/b.ts', import.meta.url));`],
    ['a URL of a worker', `import url from '../gateway/b.ts?worker&url';`],
  ])('is an error as %s too', (_form, source) => {
    expect(planted('src/console/a.ts', source)).toEqual([expect.stringContaining('not gateway')]);
  });
});

describe('Node and packages', () => {
  it.each(['src/wire', 'machines', 'src/console', 'src/inspector'])(
    'a Node module in %s is an error',
    (dir) => {
      const errors = planted(`${dir}/a.ts`, `import { readFileSync } from 'fs';`);
      expect(errors).toEqual([expect.stringContaining('must run without Node')]);
    },
  );

  it('a package that a machine or the wire has no use for is an error', () => {
    plant('machines/a.ts', `import { nanoid } from 'nanoid'; import { setup } from 'xstate';`);
    plant('src/wire/b.ts', `import 'hono'; import { z } from 'zod';`);
    expect(boundaryErrors(root)).toEqual([
      'src/wire/b.ts:1 imports hono: wire may use no package but zod.',
      'machines/a.ts:1 imports nanoid: machines may use no package but xstate.',
    ]);
  });
});

describe('zod in a page', () => {
  const schema = `import { z } from 'zod'; export const turn = z.string(); export type Turn = z.infer<typeof turn>;`;

  it('is an error, however many modules it goes through', () => {
    plant('src/wire/schema.ts', schema);
    plant('src/wire/facts.ts', `export { turn } from './schema.ts';`);
    plant('machines/job.ts', `import { turn } from '../src/wire/facts.ts'; turn.parse('');`);
    expect(planted('src/console/main.ts', `import '../../machines/job.ts';`)).toEqual([
      expect.stringMatching(
        /^src\/wire\/schema\.ts:1 imports zod.*facts\.ts -> src\/wire\/schema\.ts.*import type/,
      ),
    ]);
  });

  it('is no error when only types are taken', () => {
    plant('src/wire/schema.ts', schema);
    expect(planted('src/console/main.ts', `import type { Turn } from '../wire/schema.ts';`)).toEqual([]);
  });

  it('is an error when an inline type import would still load the module', () => {
    plant('src/wire/schema.ts', schema);
    const errors = planted('src/inspector/main.ts', `import { type Turn } from '../wire/schema.ts';`);
    expect(errors).toEqual([expect.stringContaining('must not reach a page')]);
  });
});

describe('state in the view', () => {
  it.each([
    [`import { createSignal } from 'solid-js';`, 'createSignal'],
    [`import { createSignal as make } from 'solid-js';`, 'createSignal'],
    [`import { createStore } from 'solid-js/store';`, 'createStore'],
    [`import { createEffect, Show } from 'solid-js';`, 'createEffect'],
    [`import { createResource } from 'solid-js';`, 'createResource'],
    [`import * as Solid from 'solid-js'; Solid.createSignal(0);`, '*'],
    [`const { createSignal } = await import('solid-js');`, '*'],
    [`export { createSignal } from 'solid-js';`, 'createSignal'],
  ])('%s is an error', (source, name) => {
    expect(planted('src/console/parts/Row.tsx', source)).toEqual([
      expect.stringContaining(`the view holds no state (${name})`),
    ]);
  });

  it('is left to the helpers, and what derives is free', () => {
    plant('src/console/lib/ui.ts', `import { createSignal } from 'solid-js';`);
    plant('src/console/parts/Row.tsx', `import { createMemo, For, onCleanup } from 'solid-js';`);
    expect(boundaryErrors(root)).toEqual([]);
  });
});

describe('the types of machines and wire', () => {
  it.each([
    ['machines/a.ts', 'document.title;', /a\.ts\(1,1\).*document/],
    ['machines/a.ts', 'process.exit();', /a\.ts\(1,1\).*process/],
    ['machines/a.ts', 'setTimeout(() => {}, 1);', /a\.ts\(1,1\).*setTimeout/],
    ['src/wire/a.ts', `export const here = globalThis.location;`, /a\.ts\(1,\d+\).*/],
    ['src/wire/a.ts', `await fetch('/');`, /a\.ts\(1,\d+\).*fetch/],
    ['src/wire/a.ts', `export const bytes: Buffer | undefined = undefined;`, /a\.ts\(1,\d+\).*Buffer/],
  ])('know neither Node nor a DOM: %s with %s is an error', (path, source, message) => {
    for (const config of ['tsconfig.json', 'machines/tsconfig.json']) {
      mkdirSync(dirname(join(root, config)), { recursive: true });
      cpSync(join(checkout, config), join(root, config));
    }
    symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'), 'junction');
    plant('machines/clean.ts', 'export const one: number = 1;');
    const tsc = [join(checkout, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'machines')];
    expect(execFileSync(process.execPath, tsc, { encoding: 'utf8' })).toBe('');
    plant(path, source);
    expect(() => execFileSync(process.execPath, tsc, { encoding: 'utf8' })).toThrow(
      expect.objectContaining({ stdout: expect.stringMatching(message) }),
    );
  });
});
