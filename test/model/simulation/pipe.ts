import type { Output } from '../../../src/agents/agent.ts';
import type { Life } from './scheduler.ts';

/** What an agent says to one gateway, as that gateway reads it. */
export class Pipe implements AsyncIterable<Output> {
  readonly life: Life;
  /** It was said that the rest is to be had by polls: its end says nothing of the turn. */
  isLost = false;
  readonly #waiting: Output[] = [];
  #read: { resolve(next: IteratorResult<Output>): void; reject(error: Error): void } | undefined;
  #end: Error | 'over' | undefined;

  constructor(life: Life) {
    this.life = life;
  }

  get isOver(): boolean {
    return this.#end !== undefined || this.life.isOver;
  }

  get isOrphan(): boolean {
    return this.life.isOver;
  }

  push(output: Output): void {
    if (this.isOver) return;
    this.isLost ||= output.type === 'poll';
    this.#waiting.push(output);
    this.#go();
  }

  end(error?: Error): void {
    if (this.isOver) return;
    this.#end = error ?? 'over';
    this.#go();
  }

  [Symbol.asyncIterator](): AsyncIterator<Output> {
    return {
      next: () =>
        new Promise((resolve, reject) => {
          this.#read = { resolve, reject };
          this.#go();
        }),
    };
  }

  #go(): void {
    const read = this.#read;
    if (!read) return;
    const output = this.#waiting.shift();
    if (output === undefined && this.#end === undefined) return;
    this.#read = undefined;
    if (output !== undefined) read.resolve({ value: output, done: false });
    else if (this.#end === 'over') read.resolve({ value: undefined, done: true });
    else read.reject(this.#end as Error);
  }
}
