// Brings what the project needs: its dependencies, a Node that runs TypeScript, a browser for the tests.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SetupError, step } from './child.mjs';
import { findChromium } from './chromium.mjs';

const NODE_VERSION = '24.21.0';
const WINDOWS = process.platform === 'win32';
const OFFLINE =
  'Connect to the network (or to an npm registry that `npm config get registry` names) and run it again.';

/** The npm that runs this, or else the one on the PATH. @param {readonly string[]} args */
function npm(args) {
  const own = process.env.npm_execpath;
  if (own && basename(own) === 'npm-cli.js')
    return { command: [process.execPath, own, ...args], shell: false };
  return { command: [WINDOWS ? 'npm.cmd' : 'npm', ...args], shell: WINDOWS };
}

/** @param {string} path @returns {{ packages?: Record<string, Package> } | undefined} */
function readLock(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} Package */

/**
 * Why the dependencies must be installed, or undefined when they are as the lock file says. npm writes down what it has
 * installed as the last thing it does, so an install that was cut short, one without the development tools, and one by
 * hand that is complete are all told apart.
 * @param {string} root
 * @returns {'missing' | 'stale' | undefined}
 */
export function dependenciesNeeded(root) {
  const wanted = readLock(join(root, 'package-lock.json'))?.packages ?? {};
  const installed = readLock(join(root, 'node_modules/.package-lock.json'))?.packages;
  if (installed === undefined) return 'missing';
  for (const [path, want] of Object.entries(wanted)) {
    if (path === '') continue;
    const have = installed[path];
    // An optional package is for some platforms only: npm knows which.
    if (have === undefined && (want.optional || want.devOptional)) continue;
    if (have?.version !== want.version || have?.integrity !== want.integrity) return 'stale';
  }
  return undefined;
}

/** @param {string} root */
export async function ensureDependencies(root) {
  const need = dependenciesNeeded(root);
  if (need === undefined) return;
  const title = need === 'missing' ? 'installing dependencies' : 'updating dependencies';
  const flags = ['--include=dev', '--prefix', root, '--no-audit', '--no-fund', '--loglevel=error'];
  const { command, shell } = npm(['ci', ...flags]);
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' };
  try {
    await step(title, command, { cwd: root, env, shell });
  } catch (error) {
    throw new SetupError(`${said(error)}\nThe dependencies could not be installed. ${OFFLINE}`);
  }
}

/** @param {string} node @returns {string | undefined} */
function versionOf(node) {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .slice(1);
  } catch {
    return undefined;
  }
}

/**
 * The path of a Node 24 or later: the one that runs this if it is new enough, else one of our own in node_modules.
 * @param {string} root
 * @returns {Promise<string>}
 */
export async function ensureNode(root) {
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
  // The npm package `node` fetches one of these in an install script, which npm may refuse to run: take it directly.
  const kind = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${kind}-${WINDOWS ? 'win' : process.platform}-${process.arch}`;
  const home = join(root, 'node_modules/.sluice/node24');
  const node = join(home, 'node_modules', name, 'bin', WINDOWS ? 'node.exe' : 'node');
  if (versionOf(node) === NODE_VERSION) return node;
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  const flags = [
    '--prefix',
    home,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const { command, shell } = npm(['install', ...flags, `${name}@${NODE_VERSION}`]);
  const advice = `Sluice runs on Node 24 or later, this is ${process.version}. Install Node 24 (nodejs.org), or: ${OFFLINE}`;
  try {
    await step(`fetching Node ${NODE_VERSION} (this is ${process.version})`, command, { cwd: home, shell });
  } catch (error) {
    throw new SetupError(`${said(error)}\n${advice}`);
  }
  if (versionOf(node) !== NODE_VERSION)
    throw new SetupError(`The Node that npm fetched does not run here. ${advice}`);
  return node;
}

/**
 * A Chromium for the tests; undefined, with a line that says what to do, when there is none and none can be installed.
 * @param {string} root
 * @returns {Promise<string | undefined>}
 */
export async function ensureChromium(root) {
  const found = findChromium();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const install = 'apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium';
    try {
      await step('installing Chromium for the browser tests', ['/bin/sh', '-c', install], { cwd: root, env });
      const installed = findChromium();
      if (installed !== undefined) return installed;
    } catch (error) {
      process.stderr.write(`${said(error)}\n`);
    }
  }
  process.stderr.write(
    'sluice: no Chromium for the browser tests: install Chromium or Chrome, or name one with SLUICE_CHROMIUM=PATH.\n',
  );
  return undefined;
}

/** @param {unknown} error */
function said(error) {
  return error instanceof Error ? error.message : String(error);
}
