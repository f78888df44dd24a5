import type * as acp from '@agentclientprotocol/sdk';
import type { ContentBlock } from '../../wire/content.ts';
import type { AgentProcess, Output, Recalled, RecalledTurn } from '../agent.ts';
import { withoutEarlier } from '../earlier.ts';
import type { Clock } from '../workspace/clock.ts';
import type { Asks } from './asking.ts';
import type { Client } from './connection.ts';
import { blockOf } from './fields.ts';
import { Services } from './services.ts';
import { Terminals } from './terminals.ts';
import { Updates } from './updates.ts';

export interface RecallOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly onProcess: (process: AgentProcess) => void;
}

/** A8: what agents tell their model in the user's name, and replay as if the user had said it. */
const hidden = /<(system(?:[-_][\w-]+)?)>[\s\S]*?<\/\1>/g;

const nobody: Asks = {
  permission: async () => ({ outcome: { outcome: 'cancelled' } }),
  elicit: async () => ({ action: 'cancel' }),
  elicited() {},
};

/** The client of a program that only tells what an earlier session held: it is given nothing and allowed nothing. */
export class Recall implements Client {
  readonly services: Services;
  readonly asking = nobody;
  readonly #updates: Updates;
  readonly #turns: { content?: ContentBlock[]; outputs: Output[] }[] = [];
  #title: string | undefined;
  /** Of the message that is being told, where the agent names its messages. */
  #message: string | undefined;

  constructor({ cwd, env, clock, onProcess }: RecallOptions) {
    const terminals = new Terminals({ cwd, env, clock, onProcess });
    this.services = new Services(cwd, terminals, () => true);
    this.#updates = new Updates({ terminals, say: (output) => this.#say(output) });
  }

  /** All that was told, once the agent has said that it is all. */
  told(): Recalled {
    this.#updates.tools.flush();
    const turns: readonly RecalledTurn[] = this.#turns;
    return { turns, ...(this.#title !== undefined && { title: this.#title }) };
  }

  update(notification: acp.SessionNotification | undefined): void {
    const update = notification?.update;
    if (!update) return;
    if (update.sessionUpdate === 'user_message_chunk') return this.#user(update);
    try {
      this.#updates.read(update);
    } catch {
      // One slip of the agent's costs one piece of its past.
    }
  }

  other(): unknown {
    return undefined;
  }

  #user({ content, messageId }: acp.ContentChunk): void {
    const block = shown(blockOf(content));
    if (!block) return;
    this.#updates.tools.flush();
    const last = this.#turns.at(-1);
    const message = messageId ?? undefined;
    // Chunks that follow on each other are one message, unless the agent says that they are not.
    const goesOn = last?.content && last.outputs.length === 0 && message === this.#message;
    if (goesOn) last.content?.push(block);
    else this.#turns.push({ content: [block], outputs: [] });
    this.#message = message;
  }

  #say(output: Output): void {
    if (output.type === 'changed') {
      this.#title = output.title ?? this.#title;
      return;
    }
    if (output.type === 'usage') return;
    const last = this.#turns.at(-1);
    if (last) last.outputs.push(output);
    else this.#turns.push({ outputs: [output] });
  }
}

function shown(block: ContentBlock | undefined): ContentBlock | undefined {
  if (block?.type !== 'text') return block;
  const text = withoutEarlier(block.text).replace(hidden, '').trim();
  return text === '' ? undefined : { type: 'text', text };
}
