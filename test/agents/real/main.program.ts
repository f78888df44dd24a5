import { resolve } from 'node:path';
import { readOptions } from '../../support/options.ts';
import { type RealAgent, realAgents } from './agents.ts';
import { conformance, conformanceScenario } from './conformance.ts';
import { type Cell, drive } from './drive.ts';
import { install } from './install.ts';
import { inPage, pageScenario } from './page.ts';
import { scenarios } from './scenarios.ts';
import type { Scenario } from './steps.ts';
import { intoDocument, type Results, table } from './table.ts';

/**
 * Installs real agent programs at pinned versions into `.agents`, starts each against a
 * scripted model server on loopback with a private home, drives it through the gateway's HTTP API, and prints what came of
 * each scenario.
 *
 * The last line counts the cells; those of an agent that could not be installed are skipped. Ends with 1 when one failed.
 */
const usage = `npm run test:agents -- [ID …] [options]
  --only WORD     the scenarios whose name has that word
  --jobs N        so many agents side by side (default 2)
  --table FILE    writes the table into that document, between its marks
  --conformance   runs the conformance suite of any ACP program against each instead
  --page          drives them in Chromium instead, side by side in one gateway (after npm run build)
  --shots DIR     takes pictures on the way
  --record        records what is said on the wire into test/agents/transcripts, each scenario in a conversation of its own`;

const { values, positionals, count, misuse } = readOptions(
  {
    allowPositionals: true,
    options: {
      only: { type: 'string', default: '' },
      jobs: { type: 'string' },
      table: { type: 'string' },
      conformance: { type: 'boolean', default: false },
      page: { type: 'boolean', default: false },
      shots: { type: 'string' },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  },
  usage,
);
const jobs = count('jobs') ?? 2;
const into = resolve(import.meta.dirname, '../../../.agents');
const unknown = positionals.find((id) => realAgents.every((agent) => agent.id !== id));
if (unknown !== undefined)
  misuse(`${unknown}: no agent is called so; there are ${realAgents.map(({ id }) => id).join(', ')}.`);
const wanted = realAgents.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
function chosenScenarios(): readonly Scenario[] {
  if (values.conformance) return [conformanceScenario];
  if (values.page) return [pageScenario];
  return scenarios.filter(({ name }) => name.includes(values.only));
}
const chosen = chosenScenarios();
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Installs it; answers what stands in its column when that cannot be done. */
async function missing(agent: RealAgent): Promise<readonly Cell[] | string | undefined> {
  const problem = await install(agent, into);
  if (problem?.offline) return `the registry cannot be reached (${problem.reason})`;
  return problem && chosen.map(() => ({ mark: 'FAILED', remark: problem.reason, seconds: 0 }));
}

/** All in one gateway, side by side. */
async function inChromium(): Promise<void> {
  const shots = values.shots === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', values.shots);
  for (const agent of wanted) {
    const problem = await missing(agent);
    if (problem) results.set(agent, problem);
  }
  const ready = wanted.filter((agent) => !results.has(agent));
  for (const [agent, cells] of await inPage(ready, into, shots)) results.set(agent, cells);
}

async function cellsOf(agent: RealAgent): Promise<readonly Cell[] | string> {
  const problem = await missing(agent);
  if (problem) return problem;
  if (values.conformance) return conformance(agent, into, say);
  return drive(agent, { into, scenarios: chosen, record: values.record, say });
}

const results: Results = new Map();
const waiting = [...wanted];
const worker = async () => {
  for (let agent = waiting.shift(); agent; agent = waiting.shift()) results.set(agent, await cellsOf(agent));
};
if (values.page) await inChromium();
else await Promise.all(Array.from({ length: jobs }, worker));

const inOrder: Results = new Map(wanted.map((agent) => [agent, results.get(agent) ?? 'not run']));
say(`\n${table(chosen, inOrder)}`);
for (const [{ name }, cells] of inOrder)
  if (typeof cells === 'string') say(`real agents: ${name} was not run, ${cells}`);
if (values.table !== undefined)
  intoDocument(resolve(process.env.INIT_CWD ?? '.', values.table), chosen, inOrder);

const all = [...inOrder.values()].flatMap((cells) => (typeof cells === 'string' ? [] : cells));
const failed = all.filter(({ mark }) => mark === 'FAILED').length;
const skipped = wanted.length * chosen.length - all.length;
say(`${all.length - failed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
// Limits of what came in time are still running, and hold nothing up.
const code = failed > 0 || wanted.length * chosen.length === 0 ? 1 : 0;
process.stdout.write('', () => process.exit(code));
