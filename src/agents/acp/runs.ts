import type { Output, PromptRequest } from '../agent.ts';
import type { Channel } from './channel.ts';

/** A prompt that the agent answers. */
export interface Run {
  readonly turn: string;
  readonly channel: Channel<Output>;
  cancelled: boolean;
}

/** The one prompt that may run, and where what the agent says belongs: to it, to the next one, or to no prompt. */
export class Runs {
  readonly #onOutput: (output: Output) => void;
  #lastTurn: string | undefined;
  /** Said in a prompt, and not of it: follows when it is over. */
  #asides: Output[] = [];
  #aside = false;
  /** To be said with the first prompt. */
  #opening: Output[] = [];
  current: Run | undefined;

  constructor(onOutput: (output: Output) => void) {
    this.#onOutput = onOutput;
  }

  get cancelled(): boolean {
    return this.current?.cancelled ?? false;
  }

  begin({ turn, signal }: PromptRequest, channel: Channel<Output>): Run {
    const run: Run = { turn, channel, cancelled: false };
    this.current = run;
    signal.addEventListener('abort', () => channel.abandon(), { once: true });
    for (const output of this.#opening.splice(0)) channel.push(output);
    return run;
  }

  /** To be said as soon as there is a prompt. */
  note(notice: Output): void {
    this.#opening.push(notice);
  }

  /** What `read` says comes from elsewhere than the prompt, if `elsewhere`. */
  reading(elsewhere: boolean, read: () => void): void {
    this.#aside = elsewhere;
    try {
      read();
    } finally {
      this.#aside = false;
    }
  }

  say(output: Output): void {
    if (output.type === 'changed') return this.#onOutput(output);
    if (this.current && this.#aside && output.type !== 'usage') {
      this.#asides.push(output);
      return;
    }
    if (this.current) return this.current.channel.push(output);
    // A4: it may come after the end of the turn that it is about.
    const turn = output.type === 'usage' && this.#lastTurn !== undefined && { turn: this.#lastTurn };
    this.#onOutput({ ...output, ...turn });
  }

  end(run: Run, end: Output): void {
    this.current = undefined;
    this.#lastTurn = run.turn;
    run.channel.push(end);
    run.channel.end();
    const asides = this.#asides.splice(0);
    if (asides.length === 0) return;
    void run.channel.drained.then(() => {
      for (const output of asides) this.say(output);
    });
  }
}
