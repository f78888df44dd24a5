/** Time, so that tests can own it. Fits XState's `SimulatedClock`. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** `holds`: the process waits for it. */
  setTimeout(fn: () => void, ms: number, holds?: boolean): unknown;
  clearTimeout(timer: never): void;
}

/** Its timers do not keep the process alive, unless they are said to: connections do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (fn, ms, holds = false) => {
    const timer = setTimeout(fn, ms);
    return holds ? timer : timer.unref();
  },
  clearTimeout: (timer) => clearTimeout(timer),
};
