import type { WebSocket } from 'ws';
import type { ServerFrame } from '../wire/live.ts';
import type { ReaderLimits } from './http/event.stream.ts';

interface Waiting {
  readonly text: string;
  readonly size: number;
  /** Facts can be had again by a resync; what else is said cannot. */
  readonly facts: boolean;
}

/** What is handed to the socket before it says that it wrote it; the rest waits where it can still be dropped. */
const inFlightBytes = 64 * 1024;

/** The frames for one socket, in order and counted. */
export class Outgoing {
  readonly #socket: WebSocket;
  readonly #limits: ReaderLimits;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #inFlight = 0;
  #relieved: (() => void)[] = [];

  constructor(socket: WebSocket, limits: ReaderLimits) {
    this.#socket = socket;
    this.#limits = limits;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  get isFull(): boolean {
    return this.#frames > this.#limits.frames || this.#bytes > this.#limits.bytes;
  }

  send(frame: ServerFrame): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const text = JSON.stringify(frame);
    const entry = { text, size: Buffer.byteLength(text), facts: frame.type === 'facts' };
    this.#waiting.push(entry);
    this.#waitingBytes += entry.size;
    this.#pump();
  }

  /** Forgets the facts that still wait: the reader will be told to read again. */
  dropFacts(): void {
    this.#waiting = this.#waiting.filter((entry) => !entry.facts);
    this.#waitingBytes = this.#waiting.reduce((sum, entry) => sum + entry.size, 0);
    this.#relieve();
  }

  /** Resolves when the reader keeps up again; undefined when it does. */
  relief(): Promise<void> | undefined {
    if (!this.#isBehind || this.#socket.readyState !== this.#socket.OPEN) return undefined;
    return new Promise((resolve) => this.#relieved.push(resolve));
  }

  close(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#relieve();
  }

  get #frames(): number {
    return this.#inFlight + this.#waiting.length;
  }

  get #bytes(): number {
    return this.#socket.bufferedAmount + this.#waitingBytes;
  }

  get #isBehind(): boolean {
    return this.#frames > this.#limits.frames / 2 || this.#bytes > this.#limits.bytes / 2;
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#socket.bufferedAmount < inFlightBytes) {
      const entry = this.#waiting.shift() as Waiting;
      this.#waitingBytes -= entry.size;
      this.#inFlight += 1;
      this.#socket.send(entry.text, () => {
        this.#inFlight -= 1;
        if (!this.#isBehind) this.#relieve();
        this.#pump();
      });
    }
  }

  #relieve(): void {
    for (const resolve of this.#relieved.splice(0)) resolve();
  }
}
