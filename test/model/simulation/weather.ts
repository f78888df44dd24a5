import type { Random } from './random.ts';

/** What may go wrong between a page and its gateway. */
export interface Weather {
  readonly delays: readonly number[];
  readonly loses: number;
  readonly doubles: number;
  readonly cuts: number;
}

export const calm: Weather = { delays: [0, 1, 5], loses: 0, doubles: 0, cuts: 0 };

export function weatherOf(random: Random): Weather {
  return {
    delays: random.pick([
      [0, 1, 2, 5],
      [0, 1, 5, 30, 120],
      [1, 20, 80, 400],
    ]),
    loses: random.pick([0, 0, 0.01, 0.04]),
    doubles: random.pick([0, 0.05, 0.2]),
    cuts: random.pick([0, 0, 0.01, 0.03]),
  };
}
