import type { Failure, StopReason } from '../../wire/content.ts';
import type { Turn } from '../../wire/turn.ts';
import type { Output } from '../agent.ts';
import type { OutputItem, ResponseEvent, ResponseObject } from './api.ts';
import { approvalOf, callOf, finishedTool, isTool, startedTool } from './tools.ts';

interface Text {
  readonly kind: 'text' | 'thought';
  /** As it was given on. */
  text: string;
  /** How much of it the present stream has told: less than `text` while a stream repeats what is known. */
  told: number;
}

/**
 * Events and whole responses -> output, each piece once, however often it is told: over lost connections, a stream
 * that begins again at a checkpoint, and a poll that brings the whole.
 */
export class ResponseReader {
  /** The response's id, once it is known. */
  id: string | undefined;
  /** The number of the last event that was taken. */
  sequence = -1;
  /** The response has come to its end. */
  over = false;
  readonly #turn: string;
  readonly #texts = new Map<string, Text>();
  readonly #tools = new Map<string, 'open' | 'closed'>();
  readonly #items = new Set<string>();
  /** Functions that the model called and nobody here has. */
  readonly #functions: string[] = [];
  /** Approvals that a person has answered before this reader began. */
  readonly #answered = new Set<string>();
  #asking: string[] = [];
  #waits = false;
  #refused = false;
  #named = false;
  #error: Failure | undefined;

  constructor(turn: string, known?: { readonly handle: string; readonly seen?: Turn }) {
    this.#turn = turn;
    if (!known) return;
    const { id, sequence } = parseHandle(known.handle);
    this.id = id;
    this.sequence = sequence;
    this.#named = true;
    for (const part of known.seen?.parts ?? []) {
      if (part.type === 'text' || part.type === 'thought')
        this.#texts.set(part.id, { kind: part.type, text: part.text, told: 0 });
      if (part.type === 'permission' && part.state !== 'open') this.#answered.add(part.id);
      if (part.type === 'tool')
        this.#tools.set(
          part.id,
          part.status === 'pending' || part.status === 'in_progress' ? 'open' : 'closed',
        );
    }
  }

  /** Names the response and the last event after which nothing is half told: a reader may begin anew there. */
  get handle(): string {
    return `${this.id}#${this.sequence}`;
  }

  /** The approvals that this response ended with; it goes on as another one when they are answered. Else undefined. */
  get asking(): readonly string[] | undefined {
    return this.#waits ? this.#asking : undefined;
  }

  /** True when an answer to one of them may have gone to the server before. */
  get answeredBefore(): boolean {
    return this.#asking.some((id) => this.#answered.has(id));
  }

  /** From here on it reads the response that follows. */
  goOn(): void {
    this.id = undefined;
    this.sequence = -1;
    this.#named = false;
    this.#waits = false;
    this.#asking = [];
    this.#items.clear();
  }

  /** All text of the answer so far. */
  get said(): string {
    const texts = [...this.#texts.values()].filter(({ kind, text }) => kind === 'text' && text !== '');
    return texts.map(({ text }) => text).join('\n\n');
  }

  /** One event. What was taken before changes nothing. */
  *event(event: ResponseEvent): Generator<Output, void> {
    const number = event.sequence_number;
    if (this.over || (number !== undefined && number <= this.sequence)) return;
    if (number !== undefined) this.sequence = number;
    if (event.response?.id !== undefined) yield* this.#name(event.response.id);
    switch (event.type) {
      case 'response.output_item.added':
        if (!event.item) return;
        this.#items.add(event.item.id ?? '');
        yield* this.#startTool(event.item);
        return;
      case 'response.output_item.done':
        if (!event.item) return;
        yield* this.#item(event.item);
        this.#items.delete(event.item.id ?? '');
        // A checkpoint: all that began has been told to its end.
        if (this.#items.size === 0 && this.id !== undefined) yield { type: 'accepted', handle: this.handle };
        return;
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        if (event.type === 'response.refusal.delta') this.#refused = true;
        yield* this.#delta('text', `${event.item_id}.${event.content_index ?? 0}`, event.delta);
        return;
      case 'response.reasoning_summary_text.delta':
        yield* this.#delta('thought', `${event.item_id}.s${event.summary_index ?? 0}`, event.delta);
        return;
      case 'response.reasoning_text.delta':
        yield* this.#delta('thought', `${event.item_id}.c${event.content_index ?? 0}`, event.delta);
        return;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
        if (event.response) yield* this.whole(event.response);
        return;
      case 'error': {
        // The response's own end follows, most of the time, and says more.
        const { code, message } = event.error ?? event;
        this.#error = failureOf(code, message);
        return;
      }
      default:
    }
  }

  /** The response as it stands: what has not been told of it, and its end if it has come to that. */
  *whole(response: ResponseObject): Generator<Output, void> {
    if (this.over || this.#waits) return;
    yield* this.#name(response.id);
    if (!isOver(response)) return;
    for (const item of response.output ?? []) yield* this.#item(item);
    const {
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      total_tokens: totalTokens,
    } = response.usage ?? {};
    if (inputTokens !== undefined || outputTokens !== undefined) {
      const usage = {
        ...(inputTokens !== undefined && { inputTokens }),
        ...(outputTokens !== undefined && { outputTokens }),
        ...(totalTokens !== undefined && { totalTokens }),
        contextTokens: (inputTokens ?? 0) + (outputTokens ?? 0),
      };
      yield { type: 'usage', turn: this.#turn, usage };
    }
    if (response.status === 'completed' && this.#functions.length === 0 && this.#asking.length > 0) {
      this.#waits = true;
      return;
    }
    this.over = true;
    yield this.#end(response);
  }

  /** The stream is over without the response's end; what the server said of an error in it. */
  get error(): Failure | undefined {
    return this.#error;
  }

  *#name(id: string): Generator<Output, void> {
    this.id ??= id;
    if (this.#named) return;
    this.#named = true;
    yield { type: 'accepted', handle: this.handle };
  }

  *#delta(kind: 'text' | 'thought', key: string, delta = ''): Generator<Output, void> {
    const known = this.#text(kind, key);
    const fresh = delta.slice(Math.max(0, known.text.length - known.told));
    known.told += delta.length;
    if (fresh === '') return;
    known.text += fresh;
    yield { type: kind, part: key, text: fresh };
  }

  /** A text that is known to its end. */
  *#set(kind: 'text' | 'thought', key: string, text: string): Generator<Output, void> {
    const known = this.#text(kind, key);
    known.told = text.length;
    if (known.text === text) return;
    if (text.startsWith(known.text)) yield { type: kind, part: key, text: text.slice(known.text.length) };
    else yield { type: 'replace', kind, part: key, text, reason: 'The server has another final text.' };
    known.text = text;
  }

  #text(kind: 'text' | 'thought', key: string): Text {
    const known = this.#texts.get(key);
    if (known) return known;
    const text: Text = { kind, text: '', told: 0 };
    this.#texts.set(key, text);
    return text;
  }

  *#item(item: OutputItem): Generator<Output, void> {
    const { id = '', type } = item;
    if (type === 'message') {
      for (const [index, part] of (item.content ?? []).entries()) {
        if (part.type === 'refusal') this.#refused = true;
        const text = part.type === 'refusal' ? part.refusal : part.text;
        if (text !== undefined) yield* this.#set('text', `${id}.${index}`, text);
      }
    } else if (type === 'reasoning') {
      for (const [index, part] of (item.summary ?? []).entries())
        if (part.text !== undefined) yield* this.#set('thought', `${id}.s${index}`, part.text);
      for (const [index, part] of (item.content ?? []).entries())
        if (part.text !== undefined) yield* this.#set('thought', `${id}.c${index}`, part.text);
    } else if (isTool(item)) {
      yield* this.#startTool(item);
      const call = callOf(item);
      if (this.#tools.get(call) !== 'open') return;
      this.#tools.set(call, 'closed');
      yield finishedTool(item);
    } else if (type === 'mcp_approval_request') {
      if (this.#asking.includes(id)) return;
      this.#asking.push(id);
      if (this.#answered.has(id)) return;
      const { card, permission } = approvalOf(item);
      if (!this.#tools.has(id)) yield card;
      this.#tools.set(id, 'open');
      yield permission;
    } else if (type === 'function_call' || type === 'custom_tool_call') {
      if (this.#tools.has(id)) return;
      this.#tools.set(id, 'closed');
      this.#functions.push(String(item.name ?? type));
    }
  }

  *#startTool(item: OutputItem): Generator<Output, void> {
    const call = callOf(item);
    if (!isTool(item) || this.#tools.has(call)) return;
    this.#tools.set(call, 'open');
    yield startedTool(item);
  }

  #end(response: ResponseObject): Output {
    if (response.status === 'failed') {
      const { code, message } = response.error ?? {};
      const error = message === undefined && this.#error ? this.#error : failureOf(code, message);
      return { type: 'ended', stopReason: 'error', error };
    }
    if (response.status === 'completed' && this.#functions.length > 0) {
      const names = [...new Set(this.#functions)].map((name) => `"${name}"`).join(' and ');
      const message = `The model called ${names}, which nobody here provides: leave ${this.#functions.length > 1 ? 'them' : 'it'} out of "tools" in the settings, where only tools belong that the server runs by itself.`;
      return {
        type: 'ended',
        stopReason: 'error',
        error: { code: 'responses.unprovided_function', message },
      };
    }
    return { type: 'ended', stopReason: this.#stopReason(response) };
  }

  #stopReason(response: ResponseObject): StopReason {
    if (response.status === 'cancelled') return 'cancelled';
    const reason = response.incomplete_details?.reason;
    if (reason === 'content_filter' || this.#refused) return 'refusal';
    return response.status === 'incomplete' ? 'max_tokens' : 'end_turn';
  }
}

/** True for a status that no longer changes. */
export function isOver({ status }: ResponseObject): boolean {
  return status !== undefined && status !== 'queued' && status !== 'in_progress';
}

export function parseHandle(handle: string): { id: string; sequence: number } {
  const at = handle.lastIndexOf('#');
  if (at < 0) return { id: handle, sequence: -1 };
  return { id: handle.slice(0, at), sequence: Number(handle.slice(at + 1)) };
}

function failureOf(code: string | undefined, message: string | undefined): Failure {
  const why = message ?? 'it gave no reason.';
  return { code: code ? `responses.${code}` : 'responses.failed', message: `The server failed: ${why}` };
}
