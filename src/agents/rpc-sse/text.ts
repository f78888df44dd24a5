import type { Turn } from '../../wire/turn.ts';
import type { Output } from '../agent.ts';

/** The text of a turn as it was given on, so that a whole reply that follows is neither doubled nor lost. */
export class SaidText {
  #all = '';
  /** Since the last thing that was not text. */
  #last = '';

  constructor(seen?: Turn) {
    for (const part of seen?.parts ?? []) {
      if (part.type === 'text') this.add(part.text);
      else this.cut();
    }
  }

  add(text: string): void {
    this.#all += text;
    this.#last += text;
  }

  /** Something else came: text that follows is another part. */
  cut(): void {
    this.#last = '';
  }

  get empty(): boolean {
    return this.#all === '';
  }

  /** What makes the turn's text the reply, which is the last word: the rest of it, or all of it anew. */
  complete(reply: string): Output[] {
    if (reply === this.#all || reply === this.#last || (this.#last === '' && this.#all.endsWith(reply)))
      return [];
    for (const said of [this.#all, this.#last]) {
      if (!reply.startsWith(said)) continue;
      const rest = reply.slice(said.length);
      // After a tool the reply may be all of the text, or what was said since: the longer match comes first.
      this.add(rest);
      return [{ type: 'text', text: rest }];
    }
    this.#all = `${this.#all.slice(0, this.#all.length - this.#last.length)}${reply}`;
    this.#last = reply;
    return [{ type: 'replace', kind: 'text', text: reply, reason: 'The back end sent its whole answer.' }];
  }
}
