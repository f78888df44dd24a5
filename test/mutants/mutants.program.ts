import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from '../support/options.ts';
import type { Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';
import { abandon, simulateAll, simulatedVerdicts } from './simulated.ts';
import { copyTree, Kept, keyOf, mutate, staleOf } from './tree.ts';

/**
 * Breaks one rule at a time in a copy of the tree and says which test finds it first. What was found is kept, so that a
 * run that was cut goes on; a mutant that survived is tried again.
 */
const usage = `npm run mutants -- [--only TEXT] [--every N] [--fresh] [--no-real] [--minutes M] [--table]
npm run mutants -- --simulation [--schedules 20000] [--threads 2] [--only TEXT] [--fresh] [--minutes M]

With --simulation it is the simulation that looks for each of them, and nothing else.`;

interface Verdict {
  readonly key: string;
  readonly killedBy?: string;
  readonly realBy?: string;
  /** The tests with real processes were asked. */
  readonly realRun?: boolean;
  readonly seconds: number;
}

const { values, count, number } = readOptions(
  {
    options: {
      only: { type: 'string' },
      every: { type: 'string' },
      fresh: { type: 'boolean' },
      'no-real': { type: 'boolean' },
      minutes: { type: 'string' },
      table: { type: 'boolean' },
      simulation: { type: 'boolean' },
      schedules: { type: 'string' },
      threads: { type: 'string' },
      help: { type: 'boolean' },
    },
  },
  usage,
);
const every = count('every') ?? 1;
const schedules = count('schedules') ?? 20_000;
const threads = count('threads') ?? 2;
const end = Date.now() + (number('minutes') ?? 600) * 60_000;
const kept = new Kept<Verdict>('sluice-mutants.json', values.fresh === true && !values.simulation);

let current: number | undefined;
let copyAt: string | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    abandon();
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
    env: { ...process.env, SLUICE_SEED: '1', SLUICE_PATIENCE_MS: '40000' },
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
  const began = performance.now();
  const mend = mutate(copy, mutant);
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
    mend();
  }
}

function isDone(mutant: Mutant): boolean {
  const verdict = kept.of(mutant);
  if (verdict?.killedBy === undefined) return false;
  return mutant.real === undefined || verdict.realBy !== undefined || values['no-real'] === true;
}

/** By the schedules that it took, or what is known instead. */
function simulated(mutant: Mutant): string {
  const found = simulatedVerdicts().of(mutant);
  if (!found) return 'not run';
  return found.seed === undefined
    ? `not seen in ${found.played}`
    : `${found.invariant}, after ${found.played}`;
}

function table(): string {
  const rows = mutants.map((mutant) => {
    const { id, file, real } = mutant;
    const verdict = kept.of(mutant);
    const first = !verdict ? 'not run' : (verdict.killedBy ?? '**survives**');
    const second = real === undefined ? '' : (verdict?.realBy ?? (verdict?.realRun ? 'not seen' : 'not run'));
    const cells = [id, `\`${file}\``, first, second, simulated(mutant)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    '| Rule that is broken | File | Found first by | With real processes by | In the simulation |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

async function testAll(todo: readonly Mutant[]): Promise<void> {
  if (todo.length === 0) return;
  const copy = copyTree();
  copyAt = copy;
  try {
    for (const [index, mutant] of todo.entries()) {
      if (Date.now() > end) break;
      await baseline(copy, [...mutant.tests, ...(values['no-real'] ? [] : (mutant.real ?? []))]);
      const verdict = await tryOne(copy, mutant, kept.of(mutant));
      kept.keep(mutant, verdict);
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

/** Says what is known; answers how many mutants survive or have to be written anew. */
function tell(wanted: readonly Mutant[], stale: readonly Mutant[]): number {
  const run = wanted.filter((mutant) => kept.of(mutant));
  const survivors = run.filter((mutant) => kept.of(mutant)?.killedBy === undefined);
  const asked = run.filter((mutant) => kept.of(mutant)?.realRun === true);
  if (values.table) process.stdout.write(table());
  process.stdout.write(
    `${mutants.length} mutants: ${run.length} run, ${run.length - survivors.length} killed, ${survivors.length} survive. ` +
      `Real processes were asked about ${asked.length} and saw ${asked.filter((mutant) => kept.of(mutant)?.realBy).length}.\n`,
  );
  for (const { id } of survivors) process.stdout.write(`survives: ${id}\n`);
  for (const mutant of stale) process.stdout.write(`stale: ${mutant.id}: ${staleOf(mutant)}\n`);
  return survivors.length + stale.length;
}

const stale = mutants.filter((mutant) => staleOf(mutant) !== undefined);
const wanted = mutants.filter(
  (mutant, place) =>
    place % every === 0 &&
    !stale.includes(mutant) &&
    `${mutant.id} ${mutant.file}`.includes(values.only ?? ''),
);
if (values.simulation) {
  await simulateAll({ wanted, schedules, threads, fresh: values.fresh === true, end });
} else {
  if (!values.table) await testAll(wanted.filter((mutant) => !isDone(mutant)));
  process.exitCode = tell(wanted, stale) > 0 ? 1 : 0;
}
