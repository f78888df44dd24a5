import { setTimeout as delay } from 'node:timers/promises';

/** All waiting of the model connector goes through here, so that a test can own the time. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Waits `ms` milliseconds. Rejects, and leaves no timer behind, as soon as `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
};
