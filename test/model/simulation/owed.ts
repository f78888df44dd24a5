import type { Scheduler } from './scheduler.ts';

interface Debt {
  readonly due: number;
  readonly invariant: string;
  readonly what: string;
  readonly isPaid: () => boolean;
}

/** What has to come about in time: looked at when it is due. */
export class Owed {
  readonly #scheduler: Scheduler;
  readonly #breach: (invariant: string, what: string) => void;
  #debts: Debt[] = [];
  #next = Number.POSITIVE_INFINITY;

  constructor(scheduler: Scheduler, breach: (invariant: string, what: string) => void) {
    this.#scheduler = scheduler;
    this.#breach = breach;
  }

  get now(): number {
    return this.#scheduler.now;
  }

  /** `what` is said when it is not so in `ms`. */
  add(ms: number, invariant: string, what: string, isPaid: () => boolean): void {
    const due = this.now + ms;
    this.#debts.push({ due, invariant, what, isPaid });
    this.#next = Math.min(this.#next, due);
  }

  look(): void {
    if (this.now < this.#next) return;
    const due = this.#debts.filter((debt) => debt.due <= this.now);
    this.#debts = this.#debts.filter((debt) => debt.due > this.now);
    this.#next = Math.min(Number.POSITIVE_INFINITY, ...this.#debts.map((debt) => debt.due));
    for (const { invariant, what, isPaid } of due) if (!isPaid()) this.#breach(invariant, what);
  }
}
