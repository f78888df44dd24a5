import type { ContentBlock } from '../../wire/content.ts';

/** What the user says into a running turn, for agents that ask for it. */
export class Guidance {
  /** The agent asks, or is known to. */
  asked = false;
  readonly #waiting: { readonly text: string; readonly taken: (taken: boolean) => void }[] = [];

  /** Resolves when the agent has it, or with false when it will not ask any more. */
  offer(content: readonly ContentBlock[]): Promise<boolean> {
    const text = content.flatMap((block) => (block.type === 'text' ? block.text : [])).join('\n');
    if (!this.asked || text === '') return Promise.resolve(false);
    return new Promise((taken) => this.#waiting.push({ text, taken }));
  }

  /** In the words of Qwen Code. */
  take(): { readonly messages: readonly string[]; readonly hasQueuedPrompt: boolean } {
    this.asked = true;
    const taken = this.#waiting.splice(0);
    for (const one of taken) one.taken(true);
    return { messages: taken.map(({ text }) => text), hasQueuedPrompt: false };
  }

  refuse(): void {
    for (const one of this.#waiting.splice(0)) one.taken(false);
  }
}
