import type { Failure } from '../../wire/content.ts';
import { Channel } from '../acp/channel.ts';
import type { Output } from '../agent.ts';
import { unlessAborted } from '../model/abort.ts';
import type { Answer } from './api.ts';
import type { ResponseReader } from './reader.ts';

const lost = 'The stream of the answer broke off; the server goes on, and is asked.';
const unstreamed = 'The server does not stream this answer; it is asked.';

/** An approval, as the server wants to hear of it. */
export interface Approval {
  readonly type: 'mcp_approval_response';
  readonly approval_request_id: string;
  readonly approve: boolean;
}

export interface RunOptions {
  /** What a request that failed for good is called. */
  readonly failure: (error: unknown) => Failure;
  /** Asks for the response that follows on `previous`, once its approvals are answered. */
  readonly goOn: (run: Run, previous: string, answers: readonly Approval[], push: Push) => Promise<Answer>;
}

export type Push = (output: Output) => void;

/** One response on its way: its reader, and the stream that feeds it while there is one. */
export class Run {
  readonly reader: ResponseReader;
  /** Resolves when the response has a name. */
  readonly named: Promise<void>;
  /** False when the server does not give its stream again: from then on it is only polled. */
  streamable = true;
  readonly #failure: RunOptions['failure'];
  readonly #goOn: RunOptions['goOn'];
  /** Answers of the person, by the approval. */
  readonly #approvals = new Map<string, PromiseWithResolvers<boolean>>();
  readonly #naming = Promise.withResolvers<void>();
  readonly #gone = new AbortController();
  #output = new Channel<Output>();
  #streaming = false;
  readonly #stop = new AbortController();

  constructor(reader: ResponseReader, { failure, goOn }: RunOptions) {
    this.reader = reader;
    this.#failure = failure;
    this.#goOn = goOn;
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

  /** True while the server waits for a person. */
  get waiting(): boolean {
    return this.reader.asking !== undefined;
  }

  approve(id: string, approve: boolean): void {
    this.#approval(id).resolve(approve);
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
      let answer = await connect(push);
      for (;;) {
        if (answer.kind === 'object') {
          this.streamable = false;
          for (const one of this.reader.whole(answer.response)) push(one);
        } else {
          for await (const event of answer.events) {
            brought = true;
            for (const one of this.reader.event(event)) push(one);
            if (this.reader.over) return;
          }
        }
        if (this.reader.over) return;
        const { asking } = this.reader;
        if (!asking) {
          if (answer.kind === 'object') return push({ type: 'poll', reason: unstreamed });
          break;
        }
        if (this.reader.answeredBefore) return push(doubtful);
        const answers = await this.#answers(asking, push);
        const previous = String(this.reader.id);
        this.reader.goOn();
        brought = false;
        answer = await this.#goOn(this, previous, answers, push);
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

  async #answers(asking: readonly string[], push: Push): Promise<readonly Approval[]> {
    const answered = asking.map(async (id): Promise<Approval> => {
      const approve = await unlessAborted(
        this.#approval(id).promise,
        AbortSignal.any([this.stopping, this.signal]),
      );
      if (!approve) push({ type: 'tool.refused', toolCallId: id, reason: 'You did not allow it.' });
      return { type: 'mcp_approval_response', approval_request_id: id, approve };
    });
    return Promise.all(answered);
  }

  #approval(id: string): PromiseWithResolvers<boolean> {
    const known = this.#approvals.get(id) ?? Promise.withResolvers<boolean>();
    this.#approvals.set(id, known);
    return known;
  }
}

const doubtful: Output = {
  type: 'ended',
  stopReason: 'lost',
  error: {
    code: 'responses.approval_lost',
    message:
      'The gateway ended just after you had answered, and nobody knows whether the server has heard it. Retry asks again.',
  },
};
