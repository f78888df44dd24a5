import type { Random } from './random.ts';

/** One thing that a user does, or that goes wrong. Plain data, so that a schedule can be made shorter and played again. */
export type Step = { readonly id: number; readonly after: number } & Deed;

/** A moment that a user waits for: the page says that it has lost the gateway, or has found it again. */
export type When = 'stale' | 'connected';

export type Deed =
  | {
      readonly do: 'send';
      readonly tab: number;
      readonly session: number;
      readonly delivery: 'queue' | 'steer' | 'background';
      readonly times: number;
    }
  | { readonly do: 'send again'; readonly tab: number; readonly pick: number }
  | {
      readonly do: 'stop turn' | 'stop message' | 'stop old' | 'stop job' | 'resume' | 'rename';
      readonly tab: number;
      readonly session: number;
      readonly pick: number;
    }
  | {
      readonly do: 'retry';
      readonly tab: number;
      readonly session: number;
      /** When the agent can be used again, or not at all any more. */
      readonly at: 'now' | 'later' | 'much later' | 'never';
    }
  | {
      readonly do: 'edit' | 'move' | 'remove';
      readonly tab: number;
      readonly session: number;
      readonly pick: number;
      readonly to: number;
    }
  | {
      readonly do: 'answer';
      readonly tab: number;
      readonly session: number;
      readonly option: 'yes' | 'no';
      readonly both: boolean;
      /** What a job of the session asks. */
      readonly job: boolean;
    }
  | {
      readonly do: 'open' | 'open unknown' | 'leave' | 'delete';
      readonly tab: number;
      readonly session: number;
    }
  | { readonly do: 'reload'; readonly tab: number }
  | { readonly do: 'dismiss'; readonly tab: number; readonly when?: When }
  | { readonly do: 'reconnect'; readonly tab: number }
  | { readonly do: 'cut'; readonly tab: number }
  /** `upon`: what its user does when the page says so, in the `ms` in which everybody waits. */
  | {
      readonly do: 'half open';
      readonly tab: number;
      readonly session: number;
      readonly upon: 'nothing' | 'open' | 'leave' | 'reconnect';
      readonly ms: number;
    }
  | { readonly do: 'away'; readonly tab: number; readonly ms: number }
  /** `wait`: nobody does anything else meanwhile. */
  | { readonly do: 'slow'; readonly tab: number; readonly ms: number; readonly wait: boolean }
  | { readonly do: 'crash' | 'restart'; readonly down: number }
  /** `moves`: pages lose their connection meanwhile, and find the one gateway or the other. */
  | { readonly do: 'race'; readonly ms: number; readonly moves: boolean }
  | { readonly do: 'restore'; readonly keep: number; readonly down: number }
  | { readonly do: 'disk full'; readonly ms: number }
  | { readonly do: 'append fails'; readonly times: number }
  | { readonly do: 'agent dies'; readonly session: number; readonly job: boolean }
  | {
      readonly do: 'agent wakes';
      readonly session: number;
      readonly job: boolean;
      readonly pieces: number;
    }
  | { readonly do: 'wait'; readonly ms: number };

export const tabs = 2;
export const sessions = 2;

/** What users do, and how often. */
const deeds: readonly (readonly [number, (r: Random) => Deed])[] = [
  [
    14,
    (r) => ({
      do: 'send',
      ...where(r),
      delivery: r.weighted([
        [6, 'queue'],
        [2, 'steer'],
        [3, 'background'],
      ] as const),
      times: r.chance(0.15) ? 2 : 1,
    }),
  ],
  [1.5, (r) => ({ do: 'send again', tab: tab(r), pick: r.int(0, 9) })],
  [4, (r) => ({ do: 'stop turn', ...where(r), pick: r.int(0, 9) })],
  [2, (r) => ({ do: 'stop message', ...where(r), pick: r.int(0, 9) })],
  [0.7, (r) => ({ do: 'stop old', ...where(r), pick: r.int(0, 9) })],
  [2, (r) => ({ do: 'stop job', ...where(r), pick: r.int(0, 9) })],
  [3, (r) => ({ do: 'resume', ...where(r), pick: 0 })],
  [
    2,
    (r) => ({
      do: 'retry',
      ...where(r),
      at: r.weighted([
        [4, 'now'],
        [4, 'later'],
        [1, 'much later'],
        [1, 'never'],
      ] as const),
    }),
  ],
  [0.7, (r) => ({ do: 'rename', ...where(r), pick: r.int(0, 9) })],
  [1, (r) => ({ do: 'edit', ...where(r), pick: r.int(0, 9), to: 0 })],
  [1, (r) => ({ do: 'move', ...where(r), pick: r.int(0, 9), to: r.int(0, 2) })],
  [0.8, (r) => ({ do: 'remove', ...where(r), pick: r.int(0, 9), to: 0 })],
  [
    6,
    (r) => ({
      do: 'answer',
      ...where(r),
      option: r.pick(['yes', 'yes', 'no'] as const),
      both: r.chance(0.3),
      job: r.chance(0.3),
    }),
  ],
  [1.5, (r) => ({ do: 'open', ...where(r) })],
  [0.3, (r) => ({ do: 'open unknown', ...where(r) })],
  [1, (r) => ({ do: 'leave', ...where(r) })],
  [0.4, (r) => ({ do: 'delete', ...where(r) })],
  [1.2, (r) => ({ do: 'reload', tab: tab(r) })],
  [1.5, (r) => ({ do: 'agent wakes', session: session(r), job: r.chance(0.2), pieces: r.int(1, 4) })],
  [2, (r) => ({ do: 'dismiss', tab: tab(r), ...(r.chance(0.3) && { when: 'connected' as const }) })],
  [0.8, (r) => ({ do: 'reconnect', tab: tab(r) })],
  [3, (r) => ({ do: 'wait', ms: r.pick([300, 300, 1_500, 1_500, 1_500, 6_000, 6_000, 16_000, 70_000]) })],
];

/** What goes wrong. Each schedule has some of these and not others: so each is met alone, and in company. */
const faults: readonly (readonly [number, (r: Random) => Deed])[] = [
  [2, (r) => ({ do: 'cut', tab: tab(r) })],
  [
    1.5,
    (r) => ({
      do: 'half open',
      tab: tab(r),
      session: session(r),
      upon: r.pick(['nothing', 'open', 'leave', 'reconnect'] as const),
      ms: r.pick([0, 0, 20_000, 45_000]),
    }),
  ],
  [1, (r) => ({ do: 'away', tab: tab(r), ms: r.pick([50, 700, 4_000, 40_000]) })],
  [1.5, (r) => ({ do: 'slow', tab: tab(r), ms: r.pick([100, 1_500, 8_000, 15_000]), wait: r.chance(0.3) })],
  [2, (r) => ({ do: 'crash', down: r.pick([0, 40, 1_000]) })],
  [1.2, (r) => ({ do: 'restart', down: r.pick([0, 40, 1_000]) })],
  [0.8, (r) => ({ do: 'race', ms: r.pick([50, 500, 3_000, 9_000]), moves: r.chance(0.5) })],
  [0.4, (r) => ({ do: 'restore', keep: r.pick([0.3, 0.6, 0.9, 1]), down: 40 })],
  [1, (r) => ({ do: 'disk full', ms: r.pick([50, 600, 4_000]) })],
  [1, (r) => ({ do: 'append fails', times: r.int(1, 3) })],
  [1.5, (r) => ({ do: 'agent dies', session: session(r), job: r.chance(0.2) })],
];

function tab(r: Random): number {
  return r.int(0, tabs - 1);
}

function session(r: Random): number {
  return r.int(0, sessions - 1);
}

function where(r: Random): { tab: number; session: number } {
  return { tab: tab(r), session: r.chance(0.75) ? 0 : session(r) };
}

/** The schedule of a seed: made before anything runs, so that leaving steps out leaves the others as they are. */
export function stepsOf(random: Random): readonly Step[] {
  const mine = faults.filter(() => random.chance(0.35));
  const share = mine.length === 0 ? 0 : random.pick([0.05, 0.12, 0.25]);
  const length = random.int(6, 36);
  return Array.from({ length }, (_, id) => {
    const after = random.weighted([
      [3, 0],
      [4, random.int(1, 30)],
      [3, random.int(30, 250)],
      [1, random.int(250, 1_500)],
    ]);
    const deed = random.chance(share) ? random.weighted(mine)(random) : random.weighted(deeds)(random);
    return { id, after, ...deed };
  });
}
