/**
 * One flush a frame for everything that the page shows. Writers mark what changed; in the next frame each is run once,
 * so however many events came, the page is written once and the last value is what is shown.
 */
interface FrameClock {
  readonly request: (flush: () => void) => number;
  readonly cancel: (handle: number) => void;
}

/** A page in the background gets no frames: a timer takes their place, so that it is right when it comes back. */
const hiddenMs = 250;

class FrameScheduler {
  readonly #dirty = new Set<() => void>();
  readonly #clock: FrameClock;
  #wrap: (run: () => void) => void = (run) => run();
  #handle: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(clock: FrameClock) {
    this.#clock = clock;
  }

  /** Runs `write` in the next frame, once, however often it was marked. */
  mark(write: () => void): void {
    this.#dirty.add(write);
    if (this.#handle !== undefined) return;
    this.#handle = this.#clock.request(() => this.flush());
    this.#timer = setTimeout(() => this.flush(), hiddenMs);
  }

  forget(write: () => void): void {
    this.#dirty.delete(write);
  }

  /** Writes now what the next frame would write. */
  flush(): void {
    if (this.#handle !== undefined) this.#clock.cancel(this.#handle);
    clearTimeout(this.#timer);
    this.#handle = undefined;
    this.#timer = undefined;
    const writes = [...this.#dirty];
    this.#dirty.clear();
    this.#wrap(() => {
      for (const write of writes) write();
    });
  }

  /** `wrap` is called around each flush: Solid's `batch`. */
  within(wrap: (run: () => void) => void): void {
    this.#wrap = wrap;
  }
}

export const frames = new FrameScheduler({
  request: (flush) => requestAnimationFrame(flush),
  cancel: (handle) => cancelAnimationFrame(handle),
});
