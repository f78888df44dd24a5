import { onCleanup } from 'solid-js';
import { frames } from '../lib/frame.ts';
import { writeLive } from '../lib/live.ts';
import { highlightBlock } from './highlight.ts';
import { MarkdownStream } from './stream.ts';

interface Shown {
  readonly text: string;
  readonly revision: number;
  readonly done: boolean;
}

/** A write that takes longer than this, in ms, is followed by a pause: one huge block must not hold up the page. */
const budget = 12;
const pause = 4;

class Writer {
  readonly #stream: MarkdownStream;
  #next: Shown;
  #finished = false;
  #revision: number;
  /** Of a write, in ms, smoothed. */
  #cost = 0;
  #notBefore = 0;

  constructor(root: HTMLElement, first: Shown) {
    this.#stream = new MarkdownStream(root, highlightBlock);
    this.#next = first;
    this.#revision = first.revision;
  }

  take(next: Shown): void {
    this.#next = next;
    this.write();
  }

  readonly write = (): void => {
    const { text, revision, done } = this.#next;
    if (revision !== this.#revision) {
      this.#stream.reset();
      this.#revision = revision;
      this.#finished = false;
    }
    if (this.#finished) return;
    const begun = performance.now();
    // The end is always written at once.
    if (!done && begun < this.#notBefore) return frames.mark(this.write);
    if (done) this.#stream.finish(text);
    else this.#stream.update(text);
    this.#finished = done;
    const took = performance.now() - begun;
    this.#cost += (took - this.#cost) / 4;
    if (this.#cost > budget) this.#notBefore = begun + took + this.#cost * pause;
  };
}

/** Markdown that may still grow. `done`: no more text comes. A raised `revision` means that text was taken back. */
export function Markdown(props: Shown) {
  return (
    <div
      class="md"
      ref={(root) => {
        const read = (): Shown => ({ text: props.text, revision: props.revision, done: props.done });
        const writer = new Writer(root, { text: '', revision: 0, done: false });
        writeLive(read, (next) => writer.take(next));
        onCleanup(() => frames.forget(writer.write));
      }}
    />
  );
}
