import type { Failure } from '../../wire/content.ts';
import { Channel } from '../acp/channel.ts';
import type { Output } from '../agent.ts';
import type { Answer } from './api.ts';
import type { ResponseReader } from './reader.ts';

const lost = 'The stream of the answer broke off; the server goes on, and is asked.';
const unstreamed = 'The server does not stream this answer; it is asked.';

/** One response on its way: its reader, and the stream that feeds it while there is one. */
export class Run {
  readonly reader: ResponseReader;
  /** Resolves when the response has a name. */
  readonly named: Promise<void>;
  /** False when the server does not give its stream again: from then on it is only polled. */
  streamable = true;
  readonly #failure: (error: unknown) => Failure;
  readonly #naming = Promise.withResolvers<void>();
  readonly #gone = new AbortController();
  #output = new Channel<Output>();
  #streaming = false;
  readonly #stop = new AbortController();

  /** `failure`: what a request that failed for good is called. */
  constructor(reader: ResponseReader, failure: (error: unknown) => Failure) {
    this.reader = reader;
    this.#failure = failure;
    this.named = this.#naming.promise;
    if (reader.id !== undefined) this.#naming.resolve();
  }

  /** True while events are read, and a poll would learn nothing. */
  get streaming(): boolean {
    return this.#streaming;
  }

  /** True while the response goes on at the server, with or without us. */
  get survives(): boolean {
    return !this.stopped && !this.reader.over && this.reader.id !== undefined;
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborts when nothing is read any more. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** What comes of an answer, until the response is over or stopped, or its stream is lost. */
  follow(connect: (push: (output: Output) => void) => Promise<Answer>): AsyncIterable<Output> {
    const output = new Channel<Output>();
    this.#output = output;
    this.#streaming = true;
    void this.#pump(connect, output).finally(() => {
      this.#streaming = false;
      output.end();
    });
    return output;
  }

  /** Ends the turn on this side: the server has been told, or will be once the response has a name. */
  stop(): void {
    this.#stop.abort();
    this.#output.push({ type: 'ended', stopReason: 'cancelled' });
    this.#output.end();
  }

  /** Reads no more. */
  leave(): void {
    this.#gone.abort();
  }

  async #pump(
    connect: (push: (output: Output) => void) => Promise<Answer>,
    output: Channel<Output>,
  ): Promise<void> {
    const push = (one: Output) => {
      if (this.reader.id !== undefined) this.#naming.resolve();
      output.push(one);
    };
    let brought = false;
    try {
      const answer = await connect(push);
      if (answer.kind === 'object') {
        this.streamable = false;
        for (const one of this.reader.whole(answer.response)) push(one);
        if (!this.reader.over) push({ type: 'poll', reason: unstreamed });
        return;
      }
      for await (const event of answer.events) {
        brought = true;
        for (const one of this.reader.event(event)) push(one);
        if (this.reader.over) return;
      }
    } catch (error) {
      if (this.reader.id === undefined)
        return push({ type: 'ended', stopReason: 'error', error: this.#failure(error) });
    }
    // A stream that brings nothing would be joined again for ever.
    if (!brought) this.streamable = false;
    if (this.reader.id !== undefined) return push({ type: 'poll', reason: lost });
    const error = this.reader.error ?? {
      code: 'responses.ended_early',
      message: 'The server closed the connection before the response began. Retry asks again.',
    };
    push({ type: 'ended', stopReason: 'error', error });
  }
}
