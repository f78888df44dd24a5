import type { Coverage } from './coverage.ts';
import { Random } from './random.ts';
import { shareCharts } from './sharing.ts';
import { type Step, stepsOf } from './steps.ts';
import type { Breach, Line } from './watch.ts';
import { World } from './world.ts';

shareCharts();

export interface Result {
  readonly seed: string;
  readonly steps: readonly Step[];
  readonly breaches: readonly Breach[];
  readonly hits: ReadonlyMap<string, number>;
  readonly lines: readonly Line[];
  readonly events: number;
  readonly facts: number;
}

export interface RunOptions {
  /** Instead of those of the seed: a part of them. */
  readonly steps?: readonly Step[];
  /** Notes every message, for the diagram. */
  readonly tracing?: boolean;
  readonly coverage?: Coverage | undefined;
}

export function scheduleOf(seed: string): readonly Step[] {
  return stepsOf(new Random(`${seed}/steps`));
}

/** Plays the schedule of a seed from its beginning to the quiet after it. The same seed gives the same result. */
export async function run(seed: string, options: RunOptions = {}): Promise<Result> {
  const steps = options.steps ?? scheduleOf(seed);
  const world = new World(seed, options.tracing ?? false, options.coverage);
  try {
    await world.begin();
    for (const step of steps) {
      if (world.isBroken) break;
      await world.do(step);
    }
    if (!world.isBroken) await world.calm();
  } catch (error) {
    world.watch.breach('thrown', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const { breaches, hits, lines } = world.watch;
  return { seed, steps, breaches, hits, lines, events: world.events, facts: world.check.facts };
}
