import type { Usage } from '../../wire/content.ts';
import type { Output } from '../agent.ts';
import type { Frame } from './socket.ts';

interface Message {
  readonly kind: 'text' | 'thought';
  text: string;
}

/** What a frame means beside its output. */
export type Meaning = 'answer' | 'final' | 'other' | 'stale';

/**
 * Frames of messages -> output. A frame holds the whole text so far and may overtake another: what a later one has
 * told already is old, an update of an unknown message makes it, and a deleted message stays deleted.
 */
export class PicoMessages {
  readonly #messages = new Map<string, Message>();
  readonly #deleted = new Set<string>();
  /** Of turns that are over. */
  readonly #old: Set<string>;
  readonly #push: (output: Output) => void;
  readonly #tools = new Map<string, string>();
  #unnamed = 0;
  /** The newest message that is an answer. */
  #last: string | undefined;

  constructor(push: (output: Output) => void, old: Set<string>) {
    this.#push = push;
    this.#old = old;
  }

  /** Something is on the row. */
  get said(): boolean {
    return [...this.#messages.values()].some(({ kind, text }) => kind === 'text' && text !== '');
  }

  /** The newest answer, as far as it has come. */
  get last(): string {
    return (this.#last !== undefined && this.#messages.get(this.#last)?.text) || '';
  }

  get runsTool(): boolean {
    return this.#tools.size > 0;
  }

  take(frame: Frame): Meaning {
    const { payload = {} } = frame;
    const id = textOf(payload.message_id) ?? frame.id ?? `message-${++this.#unnamed}`;
    if (this.#old.has(id)) return 'stale';
    if (frame.type === 'message.delete') {
      this.#delete(id);
      return 'other';
    }
    if (this.#deleted.has(id)) return 'stale';
    // "Thinking …" is not said by anybody.
    if (payload.placeholder === true) return 'other';
    if (payload.kind === 'tool_calls') {
      this.#callTools(id, payload.tool_calls);
      return 'other';
    }
    const kind = payload.kind === 'thought' || payload.thought === true ? 'thought' : 'text';
    const usage = usageOf(payload.context_usage);
    const fresh = this.#set(id, kind, textOf(payload.content) ?? '', usage !== undefined);
    if (kind === 'thought') return fresh ? 'other' : 'stale';
    if (usage) {
      this.#push({ type: 'usage', usage });
      return 'final';
    }
    return fresh ? 'answer' : 'stale';
  }

  /** Tools of which nothing more is heard: picoclaw sends no results. */
  closeTools(): void {
    for (const [toolCallId, title] of this.#tools)
      this.#push({ type: 'tool.finished', toolCallId, title, status: 'completed' });
    this.#tools.clear();
  }

  /** All of the answer, from elsewhere. */
  complete(text: string): void {
    this.#set(this.#last ?? `message-${++this.#unnamed}`, 'text', text, true);
  }

  /** The turn is over: what still comes of its messages is old. */
  retire(): void {
    for (const id of [...this.#messages.keys(), ...this.#deleted]) this.#old.add(id);
  }

  #set(id: string, kind: Message['kind'], text: string, whole: boolean): boolean {
    const known = this.#messages.get(id);
    if (!known) {
      // Its tools have come to an end when it speaks again.
      this.closeTools();
      if (kind === 'text') this.#last = id;
      this.#messages.set(id, { kind, text });
      if (text !== '') this.#push({ type: kind, part: id, text });
      return true;
    }
    if (text === known.text || (!whole && known.text.startsWith(text))) return false;
    const { text: before } = known;
    known.text = text;
    if (text.startsWith(before)) this.#push({ type: known.kind, part: id, text: text.slice(before.length) });
    else this.#push({ type: 'replace', kind: known.kind, part: id, text });
    return true;
  }

  #delete(id: string): void {
    const known = this.#messages.get(id);
    this.#deleted.add(id);
    this.#messages.delete(id);
    if (this.#last === id) this.#last = undefined;
    if (!known || known.text === '') return;
    this.#push({ type: 'replace', kind: known.kind, part: id, text: '', reason: 'picoclaw took it back.' });
  }

  #callTools(id: string, calls: unknown): void {
    if (this.#messages.has(id)) return;
    this.closeTools();
    this.#messages.set(id, { kind: 'thought', text: '' });
    for (const [index, call] of (Array.isArray(calls) ? calls : []).entries()) {
      const { id: named, name, function: of } = (call ?? {}) as ToolCall;
      const toolCallId = named ?? `${id}.${index}`;
      const title = of?.name ?? name ?? 'Tool';
      this.#tools.set(toolCallId, title);
      // The arguments are cut by picoclaw, and may be no JSON.
      const rawInput = of?.arguments;
      this.#push({
        type: 'tool.started',
        toolCallId,
        title,
        status: 'in_progress',
        ...(rawInput !== undefined && { rawInput }),
      });
    }
  }
}

interface ToolCall {
  readonly id?: string;
  readonly name?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

/** The tokens, under the names that they may have; an empty object is an end all the same. */
function usageOf(value: unknown): Usage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const number = (...names: string[]) =>
    names.map((name) => fields[name]).find((one): one is number => typeof one === 'number');
  const contextTokens = number('used_tokens', 'used', 'tokens');
  const contextSize = number('total_tokens', 'total', 'max_tokens', 'context_window');
  return {
    ...(contextTokens !== undefined && { contextTokens }),
    ...(contextSize !== undefined && { contextSize }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
