import { setTimeout as delay } from 'node:timers/promises';

/** All waiting of the builtin agent goes through here, so that a test can own the time. */
export interface Clock {
  /** Waits `ms` milliseconds. Rejects, and leaves no timer behind, as soon as `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const realClock: Clock = {
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
};

/** Whether `event` came within `ms`. */
export async function within(clock: Clock, ms: number, event: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([
      event.then(() => true),
      clock.sleep(ms, over.signal).then(
        () => false,
        () => false,
      ),
    ]);
  } finally {
    over.abort();
  }
}
