interface Task {
  readonly at: number;
  readonly order: number;
  readonly life: Life | undefined;
  run: (() => void) | undefined;
}

const epoch = 1_700_000_000_000;

/** The only source of time and of asynchronous work in the world: what is due first runs first, then in the order of asking. */
export class Scheduler {
  #now = epoch;
  #order = 0;
  readonly #heap: Task[] = [];

  get now(): number {
    return this.#now;
  }

  /** Milliseconds since the world began. */
  get elapsed(): number {
    return this.#now - epoch;
  }

  /** Runs `run` after `ms`, unless the life that it belongs to has ended by then. */
  after(ms: number, run: () => void, life?: Life): Task {
    this.#order += 1;
    const task: Task = { at: this.#now + Math.max(0, Math.round(ms)), order: this.#order, life, run };
    this.#push(task);
    return task;
  }

  /** Resolves after `ms`; never, when the life ends before. */
  sleep(ms: number, life?: Life): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve, life));
  }

  cancel(task: Task): void {
    task.run = undefined;
  }

  /** Runs the next task that is due up to `until`; false when there is none, and the time is `until` then. */
  step(until: number): boolean {
    for (;;) {
      const task = this.#heap[0];
      if (!task || task.at > until) {
        this.#now = Math.max(this.#now, until);
        return false;
      }
      this.#pop();
      if (!task.run || task.life?.isOver) continue;
      this.#now = Math.max(this.#now, task.at);
      task.run();
      return true;
    }
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let i = heap.push(task) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(task, heap[parent] as Task)) break;
      heap[i] = heap[parent] as Task;
      i = parent;
    }
    heap[i] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Task;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Task, heap[child] as Task)) child += 1;
      if (!isBefore(heap[child] as Task, last)) break;
      heap[i] = heap[child] as Task;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** The life of a process or a page. When it is over, nothing of it ever runs again: not even its promises go on. */
export class Life {
  readonly scheduler: Scheduler;
  readonly name: string;
  isOver = false;
  /** Timers that it has set and that have neither fired nor been cleared. */
  readonly timers = new Set<Task>();

  constructor(scheduler: Scheduler, name: string) {
    this.scheduler = scheduler;
    this.name = name;
  }

  /** Its clock: for XState's actors and for the gateway. */
  readonly clock = {
    now: (): number => this.scheduler.now,
    setTimeout: (run: () => void, ms: number): Task => {
      const task = this.scheduler.after(
        ms,
        () => {
          this.timers.delete(task);
          run();
        },
        this,
      );
      this.timers.add(task);
      return task;
    },
    clearTimeout: (task: Task): void => {
      if (!task) return;
      this.timers.delete(task);
      this.scheduler.cancel(task);
    },
  };

  sleep(ms: number): Promise<void> {
    return this.scheduler.sleep(ms, this);
  }
}

/** Lets all promises that can go on go on. Nothing in the world waits for anything but the scheduler. */
export function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
