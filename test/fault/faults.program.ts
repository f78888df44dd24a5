import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { openTab } from '../support/gateway-server.ts';
import { Kills } from '../support/kills.ts';
import { script } from '../support/local-gateway.ts';
import { readOptions } from '../support/options.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { until } from '../support/real-logs.ts';

/**
 * The long form of the faults: a gateway that is killed at 200 random points while ten conversations stream, and its
 * memory over three cycles of the same work. A run that was cut goes on where it was.
 */
const usage = 'npm run faults -- [--points 200] [--seed S] [--fresh] [--only kills|memory]';
const kept = resolve(import.meta.dirname, '../../node_modules/.cache/sluice-faults.json');
/** One gateway and its data for so many kills; its start takes longer with each session that it has. */
const pointsEach = 20;

interface State {
  readonly seed: number;
  readonly done: number;
  readonly seenFacts: number;
  readonly openTurns: number;
  readonly wrong: readonly string[];
}

const { values, count, word } = readOptions(
  {
    options: {
      points: { type: 'string' },
      seed: { type: 'string' },
      fresh: { type: 'boolean' },
      only: { type: 'string' },
      help: { type: 'boolean' },
    },
  },
  usage,
);
const points = count('points') ?? 200;
const wantedSeed = count('seed', 0);
const only = word('only', 'kills', 'memory');

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function before(): State {
  const known =
    existsSync(kept) && !values.fresh ? (JSON.parse(readFileSync(kept, 'utf8')) as State) : undefined;
  const seed = wantedSeed ?? known?.seed ?? Math.floor(Math.random() * 1e9);
  if (known && known.seed === seed) return known;
  return { seed, done: 0, seenFacts: 0, openTurns: 0, wrong: [] };
}

async function killAtRandomPoints(): Promise<readonly string[]> {
  let state = before();
  say(`seed ${state.seed}, ${state.done} of ${points} kills are done`);
  while (state.done < points) {
    const first = state.done;
    const kills = new Kills(state.seed + first);
    try {
      await kills.start();
      const last = Math.min(points, first + pointsEach);
      for (let round = 0; first + round < last; round++) {
        const { seenFacts, openTurns, wrong } = await kills.round(round);
        state = {
          ...state,
          seenFacts: state.seenFacts + seenFacts,
          openTurns: state.openTurns + openTurns,
          wrong: [...state.wrong, ...wrong.map((what) => `kill ${first + round}: ${what}`)],
        };
        say(
          `${first + round + 1}/${points} ${seenFacts} facts seen, ${openTurns} turns open ${wrong.join('; ')}`,
        );
      }
      state = { ...state, done: last, wrong: [...state.wrong, ...(await kills.finish())] };
    } finally {
      await kills.remove();
    }
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, JSON.stringify(state));
  }
  const { done, seenFacts, openTurns, wrong } = state;
  say(
    `${done} kills, ${seenFacts} facts seen before them, ${openTurns} turns were open, ${wrong.length} violations`,
  );
  rmSync(kept, { force: true });
  return wrong;
}

/** One cycle: conversations come, stream, are read by tabs that come and go, and are deleted. */
async function work(gateway: GatewayProcess, cycle: number): Promise<void> {
  const port = Number(new URL(gateway.url).port);
  const ids = Array.from({ length: 60 }, (_, i) => `m${cycle}-${i}`);
  for (const id of ids) await gateway.call('POST', '/api/sessions', { id, agent: 'builtin' });
  const tab = await openTab(port, { authorization: `Bearer ${gateway.token}` });
  for (const id of ids) {
    tab.say({ type: 'subscribe', session: id, after: '0.0' });
    const steps = [
      { tool: 't1', output: 'x'.repeat(2_000), status: 'completed' },
      { tokens: { count: 400, every: 0 } },
    ];
    await gateway.call('POST', `/api/sessions/${id}/messages`, script(`a-${id}`, steps));
  }
  for (const id of ids) await until(gateway, id, (now) => now.state === 'finalized');
  tab.socket.close();
  for (const id of ids) await gateway.call('DELETE', `/api/sessions/${id}`);
}

async function memoryOverCycles(): Promise<readonly string[]> {
  const gateway = new GatewayProcess([], {}, { probe: true });
  try {
    await gateway.start();
    // What is kept on purpose, and what is compiled, is there after the first ones.
    for (let cycle = 0; cycle < 3; cycle++) await work(gateway, cycle);
    const heaps: number[] = [(await gateway.probe({ collect: true })).heapBytes];
    for (let cycle = 3; cycle < 6; cycle++) {
      await work(gateway, cycle);
      heaps.push((await gateway.probe({ collect: true })).heapBytes);
      say(`cycle ${cycle - 2}: ${((heaps.at(-1) as number) / 1e6).toFixed(1)} MB`);
    }
    const growth = Math.max(...heaps) / (heaps[0] as number) - 1;
    say(
      `memory: ${heaps.map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`).join(', ')}, ${(growth * 100).toFixed(1)} % at most`,
    );
    return growth > 0.1 ? [`memory grew by ${(growth * 100).toFixed(1)} % over three cycles`] : [];
  } finally {
    await gateway.remove();
  }
}

const wrong = [
  ...(only === 'memory' ? [] : await killAtRandomPoints()),
  ...(only === 'kills' ? [] : await memoryOverCycles()),
];
for (const what of wrong) say(`WRONG ${what}`);
process.exitCode = wrong.length > 0 ? 1 : 0;
