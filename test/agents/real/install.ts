import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { RealAgent } from './agents.ts';

/** Why an agent is not there; `offline`: nothing is wrong but that the registry did not answer. */
interface Problem {
  readonly reason: string;
  readonly offline: boolean;
}

const unreachable =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|network/;

/** Installs the agent at its pinned version in a directory of its own; says why when it cannot. Throws nothing. */
export async function install(agent: RealAgent, into: string): Promise<Problem | undefined> {
  const directory = join(into, agent.id);
  if (versionIn(directory, agent.package) === agent.version) return undefined;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n');
  const wanted = `${agent.package}@${agent.version}`;
  const retries = ['--fetch-retries=1', '--fetch-retry-maxtimeout=5000'];
  const args = ['install', '--no-audit', '--no-fund', '--save-exact', ...retries, wanted];
  // The npm that comes with an old Node silently takes an old version of the agent.
  const path = [dirname(process.execPath), process.env.PATH].filter(Boolean).join(delimiter);
  const npm = spawn('npm', args, {
    cwd: directory,
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 300_000,
  });
  let errors = '';
  npm.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await once(npm, 'close').then(
    ([exit]) => exit as number | null,
    (error: unknown) => String(error),
  );
  const installed = versionIn(directory, agent.package);
  if (code === 0 && installed !== undefined) return undefined;
  const line = errors.split('\n').find((line) => /npm error|ERR!/.test(line)) ?? `npm ended with ${code}`;
  const reason = `${wanted} could not be installed: ${line.trim()}`;
  return { reason, offline: code === null || unreachable.test(errors) };
}

function versionIn(directory: string, name: string): string | undefined {
  const file = join(directory, 'node_modules', name, 'package.json');
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version;
}
