import { report } from './report.ts';
import { type Result, run } from './schedule.ts';
import { shrink } from './shrink.ts';

/** Plays a seed; when it breaks an invariant, fails with the shortest way to it, drawn. */
export async function plays(seed: string): Promise<Result> {
  const result = await run(seed);
  if (result.breaches.length > 0) {
    const shortest = await shrink(result, 60);
    throw new Error(report(await run(seed, { steps: shortest.steps, tracing: true })));
  }
  return result;
}
