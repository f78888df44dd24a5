import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GatewayProcess } from '../../support/process-gateway.ts';
import { type RealAgent, realAgents } from './agents.ts';
import { install } from './install.ts';
import { ScriptedModel } from './model.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { Talk } from './talk.ts';

/**
 * `npm run test:agents [-- ID … [--only WORD]]`: installs real agent programs at pinned versions into `.agents`, starts
 * each against a scripted model server on loopback with a private home, drives it through the gateway's HTTP API, and
 * prints what came of each scenario. Ends with 1 when a cell failed.
 */
interface Cell {
  readonly mark: 'ok' | 'agent' | 'FAILED';
  readonly remark?: string;
}

const into = resolve(import.meta.dirname, '../../../.agents');
const args = process.argv.slice(2);
const at = args.indexOf('--only');
const only = at < 0 ? '' : (args.splice(at, 2)[1] ?? '');
const wanted = realAgents.filter(({ id }) => args.length === 0 || args.includes(id));
const chosen = scenarios.filter(({ name }) => name.includes(only));

async function drive(agent: RealAgent): Promise<readonly Cell[]> {
  const home = mkdtempSync(join(tmpdir(), `sluice-${agent.id}-`));
  const model = new ScriptedModel();
  await model.start();
  const env = agent.home(home, model.urls);
  const [program = '', ...rest] = agent.command;
  const file = join(into, agent.id, 'node_modules', '.bin', program);
  const settings = join(home, 'settings.json');
  const entry = { id: agent.id, name: agent.name, command: [file, ...rest], env };
  mkdirSync(home, { recursive: true });
  writeFileSync(settings, JSON.stringify({ agents: [entry], stallAfterMs: 3000 }), { mode: 0o600 });
  const gateway = new GatewayProcess(['--settings', settings]);
  await gateway.start();
  model.directory = gateway.root;
  try {
    const cells: Cell[] = [];
    for (const scenario of chosen) {
      const cell = await play(scenario, { agent, gateway, model });
      process.stdout.write(`${agent.name}: ${scenario.name}: ${cell.mark} ${cell.remark ?? ''}\n`);
      cells.push(cell);
    }
    return cells;
  } finally {
    await gateway.end();
    await gateway.remove();
    await model.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function play(scenario: Scenario, world: Parameters<Scenario['run']>[0]): Promise<Cell> {
  // A scenario that failed may have left none running.
  await world.gateway.call('GET', '/api/health').catch(() => world.gateway.start());
  const talk = await Talk.begin(world.gateway, world.agent);
  try {
    const remark = await scenario.run(world, talk);
    talk.check();
    return remark === undefined ? { mark: 'ok' } : { mark: 'agent', remark };
  } catch (error) {
    return { mark: 'FAILED', remark: (error instanceof Error ? error.message : String(error)).slice(0, 500) };
  } finally {
    talk.leave();
  }
}

const results = new Map<RealAgent, readonly Cell[] | string>();
for (const agent of wanted) {
  const problem = agent.cannot ?? (await install(agent, into));
  results.set(agent, problem ?? (await drive(agent)));
}

const lines = ['', `| scenario | ${wanted.map(({ name, version }) => `${name} ${version}`).join(' | ')} |`];
lines.push(`|---|${wanted.map(() => '---').join('|')}|`);
for (const [index, { name }] of chosen.entries()) {
  const cells = wanted.map((agent) => {
    const cells = results.get(agent);
    if (!Array.isArray(cells)) return 'not run';
    const { mark, remark } = cells[index] as Cell;
    return (mark === 'agent' ? (remark ?? '') : mark)
      .replaceAll('\n', ' ')
      .replaceAll('|', '/')
      .slice(0, 120);
  });
  lines.push(`| ${name} | ${cells.join(' | ')} |`);
}
for (const [{ name }, cells] of results)
  if (typeof cells === 'string') lines.push(`${name} was not run: ${cells}`);
const all = [...results.values()].flatMap((cells) => (typeof cells === 'string' ? [] : cells));
const failed = all.filter(({ mark }) => mark === 'FAILED').length;
const notRun = [...results.values()].filter((cells) => typeof cells === 'string').length;
lines.push('', `${all.length - failed} passed, ${failed} failed, ${notRun} agents not run`);
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = failed > 0 || all.length === 0 ? 1 : 0;
