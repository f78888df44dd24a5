import { randomInt } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { readOptions } from '../../support/options.ts';
import { allTransitions } from './coverage.ts';
import { report } from './report.ts';
import { type Result, run } from './schedule.ts';
import { fixedSeeds } from './seeds.ts';
import { shrink, stepsBy } from './shrink.ts';
import { keep, type Place, resume, Totals } from './totals.ts';
import { isUnreached } from './unreached.ts';
import type { Order, Played } from './worker.program.ts';

const usage = `npm run simulate -- [options]
  --seed S      the first seed; without --runs and --minutes this schedule alone is played, and drawn
  --steps 1,4   only these steps of the seed
  --runs N      so many schedules (default 1,000)
  --minutes M   until M minutes have passed
  --full        fixed seeds and 100,000 fresh ones; a transition that none of them takes fails the run. A run that was
                cut, or that --minutes ended, goes on with the next --full
  --fresh       begins a full run anew
  --threads T   worker threads (default 2)`;

const { values, number, count, misuse } = readOptions(
  {
    options: {
      seed: { type: 'string' },
      steps: { type: 'string' },
      runs: { type: 'string' },
      minutes: { type: 'string' },
      threads: { type: 'string' },
      full: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  },
  usage,
);
const chosen = {
  seed: count('seed', 0),
  runs: count('runs'),
  minutes: number('minutes'),
  threads: count('threads') ?? 2,
};

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

/** Seeds for the workers, in order; what a worker has not come back with is open. */
class Seeds {
  readonly first: number;
  readonly #limit: number;
  readonly #open = new Set<readonly [from: number, size: number]>();
  readonly #again: (readonly [from: number, size: number])[];
  #next: number;

  constructor(place: Place, limit: number) {
    this.first = place.first;
    this.#limit = limit + fixedSeeds.length;
    this.#next = place.next;
    this.#again = [...place.open];
  }

  get place(): Place {
    return { first: this.first, next: this.#next, open: [...this.#open, ...this.#again] };
  }

  take(): { readonly order: Order; readonly done: () => void } | undefined {
    const size = Math.min(20, this.#limit - this.#next);
    const range = this.#again.shift() ?? (size > 0 ? ([this.#next, size] as const) : undefined);
    if (!range) return undefined;
    const [from, count] = range;
    this.#next = Math.max(this.#next, from + count);
    this.#open.add(range);
    const seedAt = (at: number) => fixedSeeds[at] ?? String(this.first + at - fixedSeeds.length);
    const seeds = Array.from({ length: count }, (_, i) => seedAt(from + i));
    return { order: { seeds, every: 4 }, done: () => this.#open.delete(range) };
  }
}

const keepEveryMs = 60_000;

async function search(): Promise<boolean> {
  const { runs, minutes, threads, seed = randomInt(1, 1_000_000_000) } = chosen;
  const cut = values.full && !values.fresh && chosen.seed === undefined ? resume() : undefined;
  const totals = cut?.totals ?? new Totals();
  const limit = values.full ? 100_000 : (runs ?? (minutes === undefined ? 1_000 : Infinity));
  const seeds = new Seeds(cut?.place ?? { first: seed, next: 0, open: [] }, limit);
  const began = performance.now() - totals.seconds * 1_000;
  const until = minutes === undefined ? Infinity : performance.now() + minutes * 60_000;
  if (cut) write(`goes on after ${totals.runs} schedules; --fresh begins anew`);
  write(`fixed seeds: ${fixedSeeds.length}; fresh seeds from ${seeds.first} on; ${threads} threads`);
  let [told, kept] = [performance.now(), performance.now()];
  const tellProgress = () => {
    const now = performance.now();
    totals.seconds = (now - began) / 1_000;
    if (now - told > 5_000) {
      told = now;
      write(totals.speed);
    }
    if (values.full && now - kept > keepEveryMs) {
      kept = now;
      keep(totals, seeds.place);
    }
  };
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('./worker.program.ts', import.meta.url));
      return new Promise<void>((resolve, reject) => {
        let done = () => {};
        const go = () => {
          const isOver = performance.now() > until || totals.failed.length >= 20;
          const more = isOver ? undefined : seeds.take();
          if (!more) return void worker.terminate().then(() => resolve());
          done = more.done;
          worker.postMessage(more.order);
        };
        worker.on('error', reject);
        worker.on('message', (played: Played) => {
          done();
          totals.add(played);
          for (const { seed, invariant } of played.failed) write(`seed ${seed} breaks ${invariant}`);
          tellProgress();
          go();
        });
        go();
      });
    }),
  );
  if (values.full) keep(totals, seeds.place);
  write(totals.speed);
  const { missed, wrong } = tell(totals);
  for (const { seed, invariant, what } of totals.failed)
    write(`FAILED seed ${seed}: ${invariant}: ${what.slice(0, 400)}`);
  const worst = totals.failed.find((one) => one.invariant !== 'unhandled');
  if (worst) await explain(worst.seed);
  const isWhole = !values.full || totals.runs >= limit + fixedSeeds.length;
  if (!isWhole)
    write(`not all of it: ${totals.runs} of ${limit + fixedSeeds.length}; the same command goes on`);
  return totals.failed.length === 0 && wrong === 0 && !(values.full && (missed > 0 || !isWhole));
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

const alone =
  values.seed !== undefined && values.runs === undefined && values.minutes === undefined && !values.full;
if (values.steps !== undefined && !/^\d+(,\d+)*$/.test(values.steps))
  misuse(`--steps ${values.steps}: give numbers of steps, as 1,4.`);
const ids = values.steps?.split(',').map(Number);
const isWell = alone
  ? await explain(values.seed ?? '', ids && stepsBy(values.seed ?? '', ids))
  : await search();
if (!isWell) process.exitCode = 1;
