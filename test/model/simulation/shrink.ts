import { type Result, run, scheduleOf } from './schedule.ts';
import type { Step } from './steps.ts';

/** Leaves out what the failure does not need: the shortest schedule found that breaks the same invariant. */
export async function shrink(failed: Result, tries = 400): Promise<Result> {
  const { seed } = failed;
  const invariant = failed.breaches[0]?.invariant;
  let best = failed;
  let left = tries;
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    if (left <= 0) return false;
    left -= 1;
    const result = await run(seed, { steps });
    if (result.breaches[0]?.invariant !== invariant) return false;
    best = result;
    return true;
  };
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.steps.length; ) {
      const { steps } = best;
      if (!(await attempt([...steps.slice(0, at), ...steps.slice(at + size)]))) at += size;
    }
  }
  for (let at = 0; at < best.steps.length; at++) {
    const step = best.steps[at];
    if (step && step.after > 0) await attempt(best.steps.with(at, { ...step, after: 0 }));
  }
  return best;
}

/** The steps of a seed by their numbers, as a report names them. */
export function stepsBy(seed: string, ids: readonly number[]): readonly Step[] {
  return scheduleOf(seed).filter((step) => ids.includes(step.id));
}
