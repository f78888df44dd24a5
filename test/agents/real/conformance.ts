import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { RealAgent } from './agents.ts';
import type { Cell } from './drive.ts';
import { ScriptedModel } from './model.ts';
import type { Scenario } from './steps.ts';

const root = resolve(import.meta.dirname, '../../..');

/** Its name in the table. */
export const conformanceScenario: Scenario = { name: 'conformance suite', run: async () => undefined };

/** Runs the suite as anybody would for an agent of their own: with a command line in an environment variable. */
export async function conformance(
  agent: RealAgent,
  into: string,
  say: (line: string) => void,
): Promise<readonly Cell[]> {
  const began = Date.now();
  const home = mkdtempSync(join(tmpdir(), `sluice-${agent.id}-`));
  const model = new ScriptedModel();
  await model.start();
  const [program = '', ...rest] = agent.command;
  const file = relative(root, join(into, agent.id, 'node_modules', '.bin', program));
  const command = [`'./${file}'`, ...rest].join(' ');
  const env = { ...process.env, ...agent.home(home, model.urls), SLUICE_ACP_COMMAND: command };
  const tests = [
    '--project',
    'node',
    'test/agents/conformance.acp.test.ts',
    '-t',
    file,
    '--testTimeout',
    '120000',
  ];
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...tests], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  await model.close();
  rmSync(home, { recursive: true, force: true });
  say(output);
  const seconds = (Date.now() - began) / 1000;
  const counts = /Tests {2}(.*)/.exec(output)?.[1] ?? `ended with ${code}`;
  return [code === 0 ? { mark: 'ok', seconds } : { mark: 'FAILED', remark: counts, seconds }];
}
