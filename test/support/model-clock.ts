import type { Clock } from '../../src/agents/model/clock.ts';

/** A clock that the test owns: nothing passes but by `advance`. */
export class ManualClock implements Clock {
  #now = 1_700_000_000_000;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  readonly #watchers = new Set<() => void>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const abort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      };
      const sleeper = {
        at: this.#now + ms,
        wake: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#sleepers.add(sleeper);
      for (const watcher of this.#watchers) watcher();
    });
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.at > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /** The waits that are open, in ms from now, shortest first. */
  get waits(): number[] {
    return [...this.#sleepers].map((sleeper) => sleeper.at - this.#now).sort((a, b) => a - b);
  }

  /** Resolves when somebody waits for exactly `ms` from now. */
  async sleeping(ms: number): Promise<void> {
    while (!this.waits.includes(ms)) {
      await new Promise<void>((resolve) => {
        const watcher = () => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
  }
}
