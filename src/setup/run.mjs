// The start of every npm script. Plain JavaScript on node: modules alone: it runs on a fresh clone, under Node 20.19.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { foreground, SetupError } from './child.mjs';
import { ensureChromium, ensureDependencies, ensureNode } from './install.mjs';
import { ensurePages } from './pages.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const gatewayFlags = ['--disable-warning=ExperimentalWarning', join(root, 'src/gateway/main.ts')];

/** @param {string} path of a program inside node_modules */
const tool = (path) => join(root, 'node_modules', path);

/** Tools and tests find the same Node first. @param {string} node @returns {NodeJS.ProcessEnv} */
const withNode = (node) => ({
  ...process.env,
  PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
});

/** @typedef {(node: string, args: readonly string[]) => Promise<number>} Task */

/** @type {Task} */
async function start(node, args) {
  await ensurePages(root, node);
  // npm changes to the checkout: relative paths are meant from where the user is.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  return foreground({ command: [node, ...gatewayFlags, ...args], cwd });
}

/** @type {Task} */
async function dev(node, args) {
  const env = withNode(node);
  const vite = { command: [node, tool('vite/bin/vite.js')], cwd: root, env };
  if (process.env.SLUICE_GATEWAY) return foreground(vite);
  const watched = ['--watch', '--watch-preserve-output', ...gatewayFlags];
  return foreground({ command: [node, ...watched, '--port', '4747', ...args], cwd: root, env }, vite);
}

/** @type {Task} */
async function build(node) {
  await ensurePages(root, node, true);
  return 0;
}

/** @type {Task} */
async function check(node) {
  const env = withNode(node);
  const checks = [
    ['types', 'typescript/bin/tsc', '-p', '.'],
    ['types without Node and DOM', 'typescript/bin/tsc', '-p', 'machines'],
    ['types of the pages', 'typescript/bin/tsc', '-p', 'src/console'],
    ['lint and format', '@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
    ['unused code and dependencies', 'knip/bin/knip.js', '--no-progress'],
    ['import boundaries', '../src/setup/boundaries.ts'],
  ];
  const failed = [];
  for (const [title = '', program = '', ...args] of checks) {
    const code = await foreground({ command: [node, tool(program), ...args], cwd: root, env });
    process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${title}\n`);
    if (code !== 0) failed.push(title);
  }
  return failed.length === 0 ? 0 : 1;
}

/** @type {Task} */
async function test(node, args) {
  // The browser tests open the page that a user gets.
  await ensurePages(root, node);
  const chromium = await ensureChromium(root);
  const dir = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const counts = join(dir, 'counts.json');
  const env = {
    ...withNode(node),
    SLUICE_TEST_COUNTS: counts,
    ...(chromium && { SLUICE_CHROMIUM: chromium }),
  };
  // Without a browser the rest still runs, and the run fails.
  const projects = chromium === undefined ? ['--project', 'node'] : [];
  const command = [node, tool('vitest/vitest.mjs'), 'run', ...projects, ...args];
  const code = await foreground({ command, cwd: root, env });
  const { passed, failed, skipped } = readCounts(counts);
  rmSync(dir, { recursive: true });
  const missing = chromium === undefined ? 1 : 0;
  const line = `${passed} passed, ${failed + missing} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  process.stdout.write(`${line}\n`);
  return code || (failed + missing > 0 || passed === 0 ? 1 : 0);
}

/** @type {Task} */
async function agents(node, args) {
  // Real agent programs, from npm: not a part of `test`.
  const command = [node, join(root, 'test/agents/real/main.program.ts'), ...args];
  return foreground({ command, cwd: root, env: withNode(node) });
}

/** @param {string} path @returns {{ passed: number, failed: number, skipped: number }} */
function readCounts(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }; // The runner itself ended before it had results.
  }
}

/** @param {string} path of a program, from test/model @returns {Task} */
const search = (path) => (node, args) =>
  foreground({ command: [node, join(root, 'test/model', path), ...args], cwd: root, env: withNode(node) });

/** @type {Task} */
async function bench(node, args) {
  const chromium = await ensureChromium(root);
  const env = { ...withNode(node), ...(chromium && { SLUICE_CHROMIUM: chromium }) };
  return foreground({ command: [node, join(root, 'test/bench/bench.program.ts'), ...args], cwd: root, env });
}

/** @type {Record<string, Task>} */
const tasks = {
  start,
  dev,
  build,
  check,
  test,
  agents,
  simulate: search('simulation/simulate.program.ts'),
  explore: search('explore.program.ts'),
  faults: search('../fault/faults.program.ts'),
  mutants: search('../mutants/mutants.program.ts'),
  bench,
  stryker: search('../mutants/stryker.program.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const task = tasks[name];
try {
  if (task === undefined) throw new SetupError(`Say what to run: ${Object.keys(tasks).join(', ')}.`);
  await ensureDependencies(root);
  process.exitCode = await task(await ensureNode(root), args);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`sluice: ${error.message}\n`);
  process.exitCode = 1;
}
