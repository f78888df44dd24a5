import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, mutants, unseen } from './mutants.ts';

/**
 * Breaks one rule at a time in a copy of the tree and says which test finds it first. What was found is kept, so that a
 * run that was cut goes on; a mutant that survived is tried again.
 *
 *   npm run mutants -- [--only TEXT] [--fresh] [--no-real] [--minutes M] [--table]
 */
const root = resolve(import.meta.dirname, '../..');
const kept = join(root, 'node_modules/.cache/sluice-mutants.json');
const parts = [
  'src',
  'machines',
  'test',
  'package.json',
  'tsconfig.json',
  'vite.config.ts',
  'vitest.config.ts',
];

interface Verdict {
  /** Of the mutant and the source that it changes. */
  readonly key: string;
  readonly killedBy?: string;
  readonly realBy?: string;
  /** The tests with real processes were asked. */
  readonly realRun?: boolean;
  readonly seconds: number;
}
type Verdicts = Record<string, Verdict>;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    fresh: { type: 'boolean' },
    'no-real': { type: 'boolean' },
    minutes: { type: 'string' },
    table: { type: 'boolean' },
  },
});
const end = Date.now() + Number(values.minutes ?? 600) * 60_000;
const verdicts: Verdicts = existsSync(kept) && !values.fresh ? JSON.parse(readFileSync(kept, 'utf8')) : {};

/** What is wrong with the list itself: the source has moved on, and the mutant has to be written anew. */
function staleOf({ id, file, find, tests, real = [] }: Mutant): string | undefined {
  if (mutants.filter((mutant) => mutant.id === id).length > 1) return 'is there twice';
  if (!existsSync(join(root, file))) return `there is no ${file}`;
  const count = readFileSync(join(root, file), 'utf8').split(find).length - 1;
  if (count !== 1) return `what it changes occurs ${count} times in ${file}`;
  const missing = [...tests, ...real].find((test) => !existsSync(join(root, test)));
  return missing && `there is no ${missing}`;
}

function keyOf({ file, find, replace }: Mutant): string {
  const source = readFileSync(join(root, file), 'utf8');
  return createHash('sha256')
    .update(JSON.stringify([find, replace, source]))
    .digest('base64url')
    .slice(0, 12);
}

function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'sluice-mutants-'));
  for (const part of parts) cpSync(join(root, part), join(copy, part), { recursive: true });
  for (const shared of ['node_modules', 'dist'])
    if (existsSync(join(root, shared))) symlinkSync(join(root, shared), join(copy, shared));
  return copy;
}

let current: number | undefined;
let copyAt: string | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (current !== undefined) process.kill(-current, 'SIGKILL');
    if (copyAt !== undefined) rmSync(copyAt, { recursive: true, force: true });
    process.exit(130);
  });
}

/** The name of the first test that fails, or undefined when all pass. */
async function firstFailure(copy: string, tests: readonly string[]): Promise<string | undefined> {
  const output = join(copy, 'result.json');
  rmSync(output, { force: true });
  const args = [
    'run',
    '--project',
    'node',
    '--bail',
    '1',
    '--reporter',
    'json',
    '--outputFile',
    output,
    ...tests,
  ];
  const child = spawn(process.execPath, [join(copy, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: copy,
    stdio: 'ignore',
    detached: true,
    // The same schedules each time, and no long wait for what a mutant never does.
    env: { ...process.env, SLUICE_SEED: '1', SLUICE_PATIENCE_MS: '25000' },
  });
  current = child.pid;
  // A mutant may turn for ever.
  const bound = tests.some((test) => test.startsWith('test/fault/')) ? 240 : 60;
  const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), bound * 1_000);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  current = undefined;
  if (signal !== null) return `${tests[0]}: no end within ${bound} s`;
  if (code === 0) return undefined;
  if (!existsSync(output)) return 'the runner itself ended';
  interface Result {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as { testResults: readonly Result[] };
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find((result) => result.status === 'failed');
    if (failed) return `${name.slice(copy.length + 1)}: ${failed.fullName.trim()}`;
  }
  const broken = testResults.find((result) => result.message);
  return `${broken?.name.slice(copy.length + 1) ?? 'a file'} could not run`;
}

const sound = new Set<string>();

/** A test that fails anyway kills nothing: each set of tests passes once on the tree as it is. */
async function baseline(copy: string, tests: readonly string[]): Promise<void> {
  const fresh = tests.filter((test) => !sound.has(test));
  if (fresh.length === 0) return;
  const failure = await firstFailure(copy, fresh);
  if (failure !== undefined) throw new Error(`Without any mutant this fails already: ${failure}`);
  for (const test of fresh) sound.add(test);
}

async function tryOne(copy: string, mutant: Mutant, before: Verdict | undefined): Promise<Verdict> {
  const path = join(copy, mutant.file);
  const source = readFileSync(path, 'utf8');
  const began = performance.now();
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.replace),
  );
  try {
    const [first = '', ...rest] = mutant.tests;
    const killedBy =
      before?.killedBy ??
      (await firstFailure(copy, [first])) ??
      (rest.length > 0 ? await firstFailure(copy, rest) : undefined);
    const needsReal = mutant.real !== undefined && !values['no-real'];
    const realBy = before?.realBy ?? (needsReal ? await firstFailure(copy, mutant.real) : undefined);
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    return {
      key: keyOf(mutant),
      seconds,
      ...(killedBy && { killedBy }),
      ...(realBy && { realBy }),
      ...(needsReal && { realRun: true }),
    };
  } finally {
    writeFileSync(path, source);
  }
}

function isDone(mutant: Mutant): boolean {
  const verdict = verdicts[mutant.id];
  if (verdict?.key !== keyOf(mutant) || verdict.killedBy === undefined) return false;
  return mutant.real === undefined || verdict.realRun === true || values['no-real'] === true;
}

function table(): string {
  const rows = mutants.map(({ id, file, real }) => {
    const verdict = verdicts[id];
    const left = unseen[id] === undefined ? '**survives**' : `no difference: ${unseen[id]}`;
    const first = !verdict ? 'not run' : (verdict.killedBy ?? left);
    const second = real === undefined ? '' : (verdict?.realBy ?? (verdict?.realRun ? 'not seen' : 'not run'));
    return `| ${id} | \`${file}\` | ${first.replaceAll('|', '\\|')} | ${second.replaceAll('|', '\\|')} |`;
  });
  return [
    '| Rule that is broken | File | Found first by | With real processes by |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const stale = mutants.filter((mutant) => staleOf(mutant) !== undefined);
const wanted = mutants.filter(
  (mutant) => !stale.includes(mutant) && `${mutant.id} ${mutant.file}`.includes(values.only ?? ''),
);
const todo = values.table ? [] : wanted.filter((mutant) => !isDone(mutant));
if (todo.length > 0) {
  const copy = copyTree();
  copyAt = copy;
  try {
    for (const [index, mutant] of todo.entries()) {
      if (Date.now() > end) break;
      await baseline(copy, [...mutant.tests, ...(values['no-real'] ? [] : (mutant.real ?? []))]);
      const known = verdicts[mutant.id];
      const verdict = await tryOne(copy, mutant, known?.key === keyOf(mutant) ? known : undefined);
      verdicts[mutant.id] = verdict;
      mkdirSync(dirname(kept), { recursive: true });
      writeFileSync(kept, JSON.stringify(verdicts, undefined, 1));
      const word = verdict.killedBy === undefined ? 'SURVIVES' : 'killed';
      const real =
        mutant.real === undefined || values['no-real'] ? '' : ` | real: ${verdict.realBy ?? 'SURVIVES'}`;
      process.stdout.write(
        `${index + 1}/${todo.length} ${word} ${mutant.id} (${verdict.seconds} s): ${verdict.killedBy ?? ''}${real}\n`,
      );
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
const run = wanted.filter(({ id }) => verdicts[id]);
const alive = run.filter(({ id }) => verdicts[id]?.killedBy === undefined);
const survivors = alive.filter(({ id }) => unseen[id] === undefined);
const asked = run.filter(({ id }) => verdicts[id]?.realRun === true);
if (values.table) process.stdout.write(table());
process.stdout.write(
  `${mutants.length} mutants: ${run.length} run, ${run.length - alive.length} killed, ` +
    `${alive.length - survivors.length} without a difference, ${survivors.length} survive. ` +
    `Real processes were asked about ${asked.length} and saw ${asked.filter(({ id }) => verdicts[id]?.realBy).length}.\n`,
);
for (const { id } of survivors) process.stdout.write(`survives: ${id}\n`);
for (const mutant of stale) process.stdout.write(`stale: ${mutant.id}: ${staleOf(mutant)}\n`);
process.exitCode = survivors.length + stale.length > 0 ? 1 : 0;
