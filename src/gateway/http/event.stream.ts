/** How much may wait for one reader. */
export interface ReaderLimits {
  readonly frames: number;
  readonly bytes: number;
}

export const readerLimits: ReaderLimits = { frames: 256, bytes: 2 * 1024 * 1024 };

const chunkBytes = 64 * 1024;

/**
 * The body of a `text/event-stream` answer. What its reader has not taken yet waits here, so that it can be counted:
 * nothing is handed on before the connection asks for it.
 */
export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves when it is over, by either side. */
  readonly closed: Promise<void>;
  readonly #limits: ReaderLimits;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #cancelled = false;
  #wake: (() => void) | undefined;
  #relieved: (() => void)[] = [];
  #close: () => void;

  constructor(limits: ReaderLimits) {
    this.#limits = limits;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#close = resolve;
    this.body = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.#cancel() },
      { highWaterMark: 0 },
    );
  }

  get isFull(): boolean {
    return this.#waiting.length > this.#limits.frames || this.#bytes > this.#limits.bytes;
  }

  /** More than half of what may wait. */
  get isBehind(): boolean {
    return this.#waiting.length > this.#limits.frames / 2 || this.#bytes > this.#limits.bytes / 2;
  }

  /** Hands over one frame. */
  push(text: string): void {
    if (this.#ended) return;
    const bytes = Buffer.from(text);
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    this.#wake?.();
  }

  /** Resolves when the reader keeps up again; undefined when it does. */
  relief(): Promise<void> | undefined {
    if (this.#ended || !this.isBehind) return undefined;
    return new Promise((resolve) => this.#relieved.push(resolve));
  }

  /** Says one last thing, instead of all that still waits, and closes. */
  end(last?: string): void {
    if (this.#ended) return;
    if (last !== undefined) {
      this.#waiting = [];
      this.push(last);
    }
    this.#finish();
  }

  #cancel(): void {
    this.#waiting = [];
    this.#cancelled = true;
    this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    this.#wake?.();
    this.#relieve();
    this.#close();
  }

  #relieve(): void {
    for (const resolve of this.#relieved.splice(0)) resolve();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#cancelled) return;
    if (this.#waiting.length === 0) {
      controller.close();
      return;
    }
    const chunk = this.#take();
    if (!this.isBehind) this.#relieve();
    controller.enqueue(chunk);
  }

  #take(): Uint8Array {
    let count = 0;
    let size = 0;
    while (count < this.#waiting.length && (count === 0 || size < chunkBytes)) {
      size += this.#waiting[count]?.length ?? 0;
      count += 1;
    }
    this.#bytes -= size;
    return Buffer.concat(this.#waiting.splice(0, count), size);
  }
}

export function eventStreamAnswer(stream: EventStream): Response {
  return new Response(stream.body, { headers: eventStreamHeaders });
}

export const eventStreamHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies that would keep the frames back.
  'x-accel-buffering': 'no',
};
