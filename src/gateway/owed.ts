import type { Clock } from './clock.ts';
import { LogUnavailable } from './log/log.ts';
import { Refusal } from './refusal.ts';

const waitMs = 1_000;

/** What a committed fact calls for in another session: done, and while the log cannot be written done again and again. */
export class Owed {
  readonly #clock: Clock;
  readonly #warn: (what: string, error: unknown) => void;
  readonly #timers = new Set<unknown>();
  #closed = false;

  constructor(clock: Clock, warn: (what: string, error: unknown) => void) {
    this.#clock = clock;
    this.#warn = warn;
  }

  /** Resolves after the first try, however it went. What is still owed at the end is done at the next start. */
  async insist(what: string, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#warn(what, error);
      if (this.#closed || !mayPass(error)) return;
      const timer = this.#clock.setTimeout(() => {
        this.#timers.delete(timer);
        void this.insist(what, run);
      }, waitMs);
      this.#timers.add(timer);
    }
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) this.#clock.clearTimeout(timer as never);
    this.#timers.clear();
  }
}

/** The log cannot be written now, or the session is being opened anew. */
function mayPass(error: unknown): boolean {
  return error instanceof LogUnavailable || (error instanceof Refusal && error.status === 503);
}
