/** A queue with one reader: what was pushed before its end is always read. */
export class Channel<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  readonly #drained = Promise.withResolvers<void>();
  #ended = false;
  #wake: (() => void) | undefined;

  /** Resolves when the reader has taken the last item, or reads no more. */
  get drained(): Promise<void> {
    return this.#drained.promise;
  }

  push(item: T): void {
    if (this.#ended) return;
    this.#items.push(item);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Nobody will read: what waits is forgotten. */
  abandon(): void {
    this.#items.length = 0;
    this.end();
    this.#drained.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    try {
      for (;;) {
        while (this.#items.length > 0) yield this.#items.shift() as T;
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.#drained.resolve();
    }
  }
}
