export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls it once a second until the returned function is called. */
  readonly eachSecond: (call: () => void) => () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  eachSecond(call) {
    const timer = setInterval(call, 1000);
    return () => clearInterval(timer);
  },
};
