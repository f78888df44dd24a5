import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { readOptions } from '../support/options.ts';
import { explained } from './explained.ts';
import { judged } from './judged.ts';

/**
 * Makes every mutant that StrykerJS knows of the machines and of the fold, one source after the other, and says which
 * ones no test finds. Stryker is no dependency: it is fetched when this is run first. What is known of a source is kept
 * under node_modules/.cache; of a run that was cut the source at hand is begun anew.
 */
const usage = `npm run stryker -- [FILES] [--fresh] [--known]

FILES are parts of paths; --fresh forgets what is known, --known runs nothing and tells it.`;
const VERSION = '10.1.1';
const root = resolve(import.meta.dirname, '../..');
const home = join(root, 'node_modules/.cache/stryker');
const FOUND = ['Killed', 'Timeout'];
const LEFT = ['Survived', 'NoCoverage'];
const packages = join(home, 'node_modules/@stryker-mutator');

interface Place {
  /** From 1, as in an editor. */
  readonly line: number;
  readonly column: number;
}
interface Mutant {
  readonly status: string;
  /** It acts when its module is loaded, whatever the tests do then. */
  readonly static?: boolean;
  readonly replacement?: string;
  readonly location: { readonly start: Place; readonly end: Place };
}
interface Result {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}

const { values, positionals, misuse } = readOptions(
  {
    allowPositionals: true,
    options: { fresh: { type: 'boolean' }, known: { type: 'boolean' }, help: { type: 'boolean' } },
  },
  usage,
);
const files = Object.keys(judged).filter(
  (file) => positionals.length === 0 || positionals.some((part) => file.includes(part)),
);
if (files.length === 0) misuse(`${positionals.join(' ')}: no source that is judged has that in its path.`);

async function run(command: readonly string[], cwd: string, env = process.env): Promise<void> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd, env, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${basename(args[0] ?? program)} ended with ${code}`);
}

function installed(name: string): boolean {
  const file = join(packages, name, 'package.json');
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === VERSION;
}

async function install(): Promise<void> {
  if (installed('core') && installed('vitest-runner')) return;
  mkdirSync(home, { recursive: true });
  const dependencies = { '@stryker-mutator/core': VERSION, '@stryker-mutator/vitest-runner': VERSION };
  writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, dependencies }));
  // The peer that it asks for, Vitest, is the project's own, found further up.
  const flags = ['--legacy-peer-deps', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await run(['npm', 'install', '--prefix', home, ...flags], home);
}

/** What is known of a source: Stryker's report, which is also what its next run starts from. */
const reportOf = (file: string) => join(home, `${file.replaceAll('/', '-')}.json`);

function reported(file: string): { readonly files: Record<string, Result | undefined> } | undefined {
  return existsSync(reportOf(file)) ? JSON.parse(readFileSync(reportOf(file), 'utf8')) : undefined;
}

function resultOf(file: string): Result | undefined {
  return reported(file)?.files[file];
}

/** Stryker does not ask new tests about mutants that no test is known to come to: they are made anew. */
function forgetUnreached(file: string): void {
  const report = reported(file);
  const result = report?.files[file];
  if (report === undefined || result === undefined) return;
  const mutants = result.mutants.filter((mutant) => !(mutant.static && LEFT.includes(mutant.status)));
  const files = { ...report.files, [file]: { ...result, mutants } };
  writeFileSync(reportOf(file), JSON.stringify({ ...report, files }));
}

async function judge(file: string): Promise<void> {
  const config = join(home, 'stryker.json');
  if (values.fresh) rmSync(reportOf(file), { force: true });
  forgetUnreached(file);
  writeFileSync(
    config,
    JSON.stringify({
      packageManager: 'npm',
      plugins: [join(packages, 'vitest-runner/dist/src/index.js')],
      // Its use of a configuration for TypeScript needs a compiler in JavaScript.
      tsconfigFile: 'none.json',
      disableTypeChecks: false,
      testRunner: 'vitest',
      vitest: { configFile: 'test/mutants/stryker.vitest.ts', related: false },
      coverageAnalysis: 'perTest',
      mutate: [file],
      incremental: true,
      incrementalFile: reportOf(file),
      concurrency: 1,
      reporters: ['progress-append-only'],
      logLevel: 'warn',
      allowEmpty: true,
      warnings: { slow: false },
      tempDirName: join('node_modules/.cache/stryker/tmp'),
      symlinkNodeModules: true,
      ignorePatterns: ['.agents', 'dist', 'docs'],
    }),
  );
  const env = { ...process.env, SLUICE_JUDGES: judged[file]?.join(','), SLUICE_SEED: '1' };
  await run([process.execPath, join(packages, 'core/bin/stryker.js'), 'run', config], root, env);
}

/** The line, or the lines as one, as the mutant has it. */
function textOf({ source }: Result, { location: { start, end }, replacement = '' }: Mutant): string {
  const lines = source.split('\n');
  const before = lines[start.line - 1]?.slice(0, start.column - 1) ?? '';
  const after = lines[end.line - 1]?.slice(end.column - 1) ?? '';
  return `${before}${replacement}${after}`.replace(/\s+/g, ' ').trim();
}

const percent = (part: number, whole: number) => (whole === 0 ? '100' : ((100 * part) / whole).toFixed(1));

let wrong = 0;
const rows: string[] = [];
const sum = { found: 0, valid: 0, excused: 0 };

function tell(file: string): void {
  const result = resultOf(file);
  if (result === undefined || result.source !== readFileSync(join(root, file), 'utf8')) {
    rows.push(`| \`${file}\` | not run |  |  |  |`);
    if (result !== undefined) process.stdout.write(`${file} has changed since it was judged\n`);
    return;
  }
  const reasons = explained.filter((each) => each.file === file).flatMap((each) => each.mutants);
  const found = result.mutants.filter(({ status }) => FOUND.includes(status)).length;
  const left = result.mutants.filter(({ status }) => LEFT.includes(status));
  const texts = left.map((mutant) => textOf(result, mutant));
  const excused = texts.filter((text) => reasons.includes(text)).length;
  const valid = found + left.length;
  rows.push(
    `| \`${file}\` | ${valid} | ${percent(found, valid)} % | ${excused} | ${left.length - excused} |`,
  );
  sum.found += found;
  sum.valid += valid;
  sum.excused += excused;
  for (const [index, mutant] of left.entries()) {
    const text = texts[index] ?? '';
    if (reasons.includes(text)) continue;
    wrong += 1;
    const { line, column } = mutant.location.start;
    const note = mutant.status === 'NoCoverage' ? ' (no test comes here)' : '';
    const now = result.source.split('\n')[line - 1]?.trim();
    process.stdout.write(`${file}:${line}:${column}${note}\n  - ${now}\n  + ${text}\n`);
  }
  for (const text of reasons.filter((reason) => !texts.includes(reason))) {
    wrong += 1;
    process.stdout.write(`${file}: explained, but no such mutant survives: ${text}\n`);
  }
}

for (const { file } of explained)
  if (!(file in judged)) throw new Error(`explained.ts names ${file}, which is not judged`);
setPriority(19);
if (!values.known) await install();
for (const file of files) {
  if (!values.known) {
    process.stdout.write(`${file}\n`);
    await judge(file);
  }
  tell(file);
}
const { found, valid, excused } = sum;
process.stdout.write(
  [
    '',
    '| File | Mutants | Found | Explained | Left |',
    '|---|---|---|---|---|',
    ...rows,
    `| all | ${valid} | ${percent(found, valid)} % | ${excused} | ${valid - found - excused} |`,
    '',
  ].join('\n'),
);
process.exitCode = wrong > 0 ? 1 : 0;
