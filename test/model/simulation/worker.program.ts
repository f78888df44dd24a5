import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import { run } from './schedule.ts';

/** Plays schedules until it is told to end. */
export interface Order {
  readonly seeds: readonly string[];
  /** Of how many schedules one is looked at for coverage. */
  readonly every: number;
}

export interface Played {
  readonly runs: number;
  readonly steps: number;
  readonly events: number;
  readonly facts: number;
  readonly hits: readonly [string, number][];
  readonly transitions: readonly [string, number][];
  readonly states: readonly [string, number][];
  readonly situations: readonly string[];
  readonly failed: readonly { readonly seed: string; readonly invariant: string; readonly what: string }[];
}

let rejected: unknown;
process.on('unhandledRejection', (error) => {
  rejected = error;
});

/** A million of them are kept and compared, and nobody reads them. */
function short(situation: string): string {
  return createHash('sha1').update(situation).digest('base64url').slice(0, 12);
}

async function play({ seeds, every }: Order): Promise<Played> {
  const coverage = new Coverage();
  const hits = new Map<string, number>();
  const failed: Played['failed'][number][] = [];
  let [steps, events, facts] = [0, 0, 0];
  for (const [index, seed] of seeds.entries()) {
    const result = await run(seed, { coverage: index % every === 0 ? coverage : undefined });
    steps += result.steps.length;
    events += result.events;
    facts += result.facts;
    for (const [name, count] of result.hits) hits.set(name, (hits.get(name) ?? 0) + count);
    const breach = result.breaches[0];
    if (breach) failed.push({ seed, invariant: breach.invariant, what: breach.what });
    else if (rejected !== undefined) {
      const what = rejected instanceof Error ? (rejected.stack ?? rejected.message) : String(rejected);
      failed.push({ seed, invariant: 'unhandled', what });
    }
    rejected = undefined;
  }
  return {
    runs: seeds.length,
    steps,
    events,
    facts,
    hits: [...hits],
    transitions: [...coverage.transitions],
    states: [...coverage.states],
    situations: [...coverage.situations].map(short),
    failed,
  };
}

void workerData;
parentPort?.on('message', async (order: Order) => parentPort?.postMessage(await play(order)));
