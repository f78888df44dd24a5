import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { allTransitions, Coverage } from './coverage.ts';
import { report } from './report.ts';
import { type Result, run } from './schedule.ts';
import { fixedSeeds } from './seeds.ts';
import { shrink, stepsBy } from './shrink.ts';
import { isUnreached } from './unreached.ts';
import type { Order, Played } from './worker.program.ts';

const usage = `npm run simulate -- [options]
  --seed S      the first seed; without --runs and --minutes this schedule alone is played, and drawn
  --steps 1,4   only these steps of the seed
  --runs N      so many schedules (default 1,000)
  --minutes M   until M minutes have passed
  --full        fixed seeds and 100,000 fresh ones; a transition that none of them takes fails the run
  --threads T   worker threads (default 2)`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    steps: { type: 'string' },
    runs: { type: 'string' },
    minutes: { type: 'string' },
    threads: { type: 'string', default: '2' },
    full: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const write = (text: string) => process.stdout.write(`${text}\n`);

async function explain(seed: string, steps?: Result['steps']): Promise<boolean> {
  const found = await run(seed, { ...(steps && { steps }) });
  if (found.breaches.length === 0) {
    write(
      `seed ${seed}: ${found.steps.length} steps, ${found.events} events, ${found.facts} facts: no invariant is broken.`,
    );
    return true;
  }
  const shortest = steps ? found : await shrink(found);
  write(report(await run(seed, { steps: shortest.steps, tracing: true })));
  return false;
}

interface Totals {
  runs: number;
  steps: number;
  events: number;
  facts: number;
  readonly hits: Map<string, number>;
  readonly coverage: Coverage;
  readonly failed: Played['failed'][number][];
}

async function search(): Promise<boolean> {
  const first = values.seed === undefined ? randomInt(1, 1_000_000_000) : Number(values.seed);
  const limit = values.full
    ? 100_000
    : Number(values.runs ?? (values.minutes === undefined ? 1_000 : Infinity));
  const started = performance.now();
  const until = values.minutes === undefined ? Infinity : started + Number(values.minutes) * 60_000;
  const threads = Number(values.threads);
  write(`fixed seeds: ${fixedSeeds.length}; fresh seeds from ${first} on; ${threads} threads`);
  const totals: Totals = {
    runs: 0,
    steps: 0,
    events: 0,
    facts: 0,
    hits: new Map(),
    coverage: new Coverage(),
    failed: [],
  };
  let next = 0;
  const order = (): Order | undefined => {
    if (performance.now() > until || totals.failed.length >= 20) return undefined;
    const size = Math.min(20, limit + fixedSeeds.length - next);
    if (size <= 0) return undefined;
    const seeds = Array.from(
      { length: size },
      (_, i) => fixedSeeds[next + i] ?? String(first + next + i - fixedSeeds.length),
    );
    next += size;
    return { seeds, every: 4 };
  };
  let told = started;
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('./worker.program.ts', import.meta.url));
      return new Promise<void>((resolve, reject) => {
        const go = () => {
          const more = order();
          if (more) worker.postMessage(more);
          else void worker.terminate().then(() => resolve());
        };
        worker.on('error', reject);
        worker.on('message', (played: Played) => {
          add(totals, played);
          if (performance.now() - told > 5_000) {
            told = performance.now();
            write(speed(totals, (told - started) / 1_000));
          }
          go();
        });
        go();
      });
    }),
  );
  write(speed(totals, (performance.now() - started) / 1_000));
  const { missed, wrong } = tell(totals);
  for (const { seed, invariant, what } of totals.failed)
    write(`FAILED seed ${seed}: ${invariant}: ${what.slice(0, 400)}`);
  const worst = totals.failed.find((one) => one.invariant !== 'unhandled');
  if (worst) await explain(worst.seed);
  return totals.failed.length === 0 && wrong === 0 && !(values.full && missed > 0);
}

function add(totals: Totals, played: Played): void {
  totals.runs += played.runs;
  totals.steps += played.steps;
  totals.events += played.events;
  totals.facts += played.facts;
  totals.coverage.merge(played);
  totals.failed.push(...played.failed);
  for (const [name, count] of played.hits) totals.hits.set(name, (totals.hits.get(name) ?? 0) + count);
}

function speed({ runs, events, facts, coverage, failed }: Totals, seconds: number): string {
  const per = (count: number) => `${Math.round(count / seconds)}/s`;
  return (
    `${seconds.toFixed(0)} s: ${runs} schedules (${(runs / seconds).toFixed(1)}/s), events ${per(events)}, ` +
    `facts ${per(facts)}, ${coverage.situations.size} distinct situations (${per(coverage.situations.size)}), ${failed.length} failed`
  );
}

/**
 * Says what was met and how often; answers how many transitions were not, of those that can be, and how many were that
 * are said to be impossible.
 */
function tell({ hits, coverage }: Totals): { readonly missed: number; readonly wrong: number } {
  const all = allTransitions();
  const taken = [...all].filter(([id]) => coverage.transitions.has(id));
  const wrong = taken.filter(([, text]) => isUnreached(text));
  const missed = [...all].filter(([id, text]) => !coverage.transitions.has(id) && !isUnreached(text));
  write('\nsteps, faults and misbehaviour:');
  for (const [name, count] of [...hits].sort()) write(`  ${String(count).padStart(8)}  ${name}`);
  write('\nstates:');
  for (const [name, count] of [...coverage.states].sort()) write(`  ${String(count).padStart(8)}  ${name}`);
  write(
    `\ntransitions: ${taken.length} of ${all.size}; ${all.size - taken.length - missed.length} cannot be met here; missed: ${missed.length}`,
  );
  for (const [, text] of missed) write(`  ${text}`);
  for (const [, text] of wrong) write(`taken, although unreached.ts says that it cannot be: ${text}`);
  return { missed: missed.length, wrong: wrong.length };
}

if (values.help) write(usage);
else {
  const alone =
    values.seed !== undefined && values.runs === undefined && values.minutes === undefined && !values.full;
  const ids = values.steps?.split(',').map(Number);
  const isWell = alone
    ? await explain(values.seed ?? '', ids && stepsBy(values.seed ?? '', ids))
    : await search();
  if (!isWell) process.exitCode = 1;
}
