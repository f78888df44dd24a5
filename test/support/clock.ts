/** A clock that the test owns, for XState actors and everything else that takes one: time passes by `advance` alone. */
export class TestClock {
  #now = 1_700_000_000_000;
  #ids = 0;
  readonly #timers = new Map<number, { readonly at: number; readonly fn: () => void }>();

  now(): number {
    return this.#now;
  }

  readonly setTimeout = (fn: () => void, ms: number): number => {
    this.#ids += 1;
    this.#timers.set(this.#ids, { at: this.#now + Math.max(0, ms), fn });
    return this.#ids;
  };

  readonly clearTimeout = (id: number): void => {
    this.#timers.delete(id);
  };

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer; undefined when none waits. */
  get next(): number | undefined {
    const due = [...this.#timers.values()].map((timer) => timer.at - this.#now);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Lets `ms` pass: timers fire in the order of their time, those of one instant in the order in which they were set. */
  advance(ms: number): void {
    const until = this.#now + ms;
    // Timers that set each other for the same instant would fire for ever.
    for (let fired = 0; ; fired += 1) {
      if (fired > 20_000) throw new Error('Time does not pass: timers are set anew without end.');
      const due = [...this.#timers]
        .filter(([, timer]) => timer.at <= until)
        .sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [id, { at, fn }] = due;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, at);
      fn();
    }
    this.#now = until;
  }
}
