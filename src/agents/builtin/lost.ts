import type { Output, Poll, Progress } from '../agent.ts';
import type { Rejoin } from './play.ts';

/** A turn whose stream was lost: it goes on here, unseen, until a poll fetches the rest or joins it again. */
export class Lost {
  readonly #outputs: AsyncGenerator<Output | Rejoin, void>;
  readonly #join: (rest: readonly Output[]) => AsyncGenerator<Output, void>;
  #rest: Output[] = [];
  #progress: Progress | undefined;
  #state: 'running' | 'back' | 'joined' | 'ended' = 'running';

  /** `join` streams what came meanwhile and then what `outputs` still brings. */
  constructor(
    outputs: AsyncGenerator<Output | Rejoin, void>,
    join: (rest: readonly Output[]) => AsyncGenerator<Output, void>,
  ) {
    this.#outputs = outputs;
    this.#join = join;
    // What breaks off ends without an end, which the next poll tells.
    void this.#pump().catch(() => {
      this.#state = 'ended';
    });
  }

  poll(): Poll {
    switch (this.#state) {
      case 'running':
      case 'joined':
        return { state: 'running', ...(this.#progress && { progress: this.#progress }) };
      case 'back':
        this.#state = 'joined';
        return { state: 'stream', output: this.#join(this.#rest) };
      case 'ended': {
        if (this.#rest.at(-1)?.type === 'ended') return { state: 'ended', output: this.#rest };
        return {
          state: 'unknown',
          reason: 'The built-in agent lost the turn: its work broke off without an end.',
        };
      }
    }
  }

  async #pump(): Promise<void> {
    for (let next = await this.#outputs.next(); !next.done; next = await this.#outputs.next()) {
      const said = next.value;
      if (said.type === 'rejoin') {
        this.#state = 'back';
        return;
      }
      if (said.type === 'progress') this.#progress = said.progress;
      else this.#rest.push(said);
      // A question needs an answer: the stream has to come back for it.
      if (said.type === 'permission.asked') {
        this.#state = 'back';
        return;
      }
    }
    this.#state = 'ended';
  }
}
