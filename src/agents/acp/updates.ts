import type { ContentBlock as AcpBlock, ContentChunk, SessionUpdate } from '@agentclientprotocol/sdk';
import type { Usage } from '../../wire/content.ts';
import type { Output } from '../agent.ts';
import { blockOf, planOf } from './fields.ts';
import type { Terminals } from './terminals.ts';
import { ToolCalls } from './tools.ts';

export interface UpdatesOptions {
  readonly terminals: Terminals;
  readonly say: (output: Output) => void;
}

/** Turns `session/update` notifications into output, one agent session's long. Never throws on what an agent sends. */
export class Updates {
  readonly #options: UpdatesOptions;
  /** What is told of tool calls, also in permissions. */
  readonly tools: ToolCalls;
  /** The stretch of text that chunks follow on: a new message, or anything in between, begins another. */
  #stretch = { kind: '', message: '', count: 0 };
  #pictures = 0;

  constructor(options: UpdatesOptions) {
    this.#options = options;
    this.tools = new ToolCalls(options.terminals, options.say);
  }

  read(update: SessionUpdate): void {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        return this.#chunk('text', update);
      case 'agent_thought_chunk':
        return this.#chunk('thought', update);
      case 'tool_call':
      case 'tool_call_update':
        this.#stretch.kind = '';
        return this.tools.take(update);
      case 'plan':
        this.#stretch.kind = '';
        return this.#say({ type: 'plan', entries: planOf(update.entries) });
      case 'usage_update':
        return this.#say({ type: 'usage', usage: contextUsage(update) });
      case 'session_info_update':
        if (update.title) this.#say({ type: 'changed', title: update.title.slice(0, 200) });
        return;
      case 'available_commands_update':
        // A9: names and descriptions only; some agents send half a megabyte of bodies along.
        return this.#say({ type: 'changed', commands: commandsOf(update.availableCommands) });
      case 'notice': {
        const level = update.severity === 'error' || update.severity === 'warning' ? update.severity : 'info';
        const text = update.description ? `${update.title}: ${update.description}` : update.title;
        return this.#say({ type: 'notice', level, code: 'agent.notice', text });
      }
      case 'compaction_update':
        return this.#compaction(update);
      default:
        // What a newer version says, and what was said by the user, makes no row.
        return;
    }
  }

  #say(output: Output): void {
    if (output.type !== 'usage' && output.type !== 'changed') this.tools.flush();
    this.#options.say(output);
  }

  #chunk(kind: 'text' | 'thought', { content, messageId, _meta }: ContentChunk): void {
    const usage = spentUsage(_meta);
    if (usage) this.#say({ type: 'usage', usage });
    if (content?.type !== 'text') return this.#picture(content);
    // A13: Gemini begins each thought with an empty heading.
    const text = kind === 'thought' ? content.text.replace(/^\*{4}\n/, '') : content.text;
    if (typeof text !== 'string' || text === '') return;
    const message = messageId ?? '';
    if (this.#stretch.kind !== kind || this.#stretch.message !== message) {
      this.#stretch = { kind, message, count: this.#stretch.count + 1 };
    }
    this.#say({ type: kind, text, ...(message && { part: `m${this.#stretch.count}` }) });
  }

  /** What is not text has its place in a card. */
  #picture(content: AcpBlock | undefined): void {
    const block = blockOf(content);
    if (!block) return;
    if (block.type === 'resource_link') {
      return this.#say({ type: 'text', text: `[${block.title ?? block.name}](${block.uri})` });
    }
    this.#pictures += 1;
    this.#stretch.kind = '';
    const toolCallId = `content-${this.#pictures}`;
    const titles = { image: 'Image', audio: 'Sound', resource: 'File', text: 'Text' };
    const title = block.type === 'resource' ? block.resource.uri : titles[block.type];
    const shown = { toolCallId, content: [{ type: 'content' as const, content: block }] };
    this.#say({ type: 'tool.started', title, kind: 'other', ...shown });
    this.#say({ type: 'tool.finished', toolCallId, status: 'completed' });
  }

  #compaction(update: Extract<SessionUpdate, { sessionUpdate: 'compaction_update' }>): void {
    const texts: Readonly<Record<string, string>> = {
      in_progress: 'The agent is shortening its memory of this conversation.',
      completed: 'The agent has shortened its memory of this conversation to a summary.',
      failed: `The agent could not shorten its memory of this conversation: ${update.error ?? 'no reason given'}.`,
    };
    const text = texts[update.status];
    const level = update.status === 'failed' ? 'warning' : 'info';
    if (text) this.#say({ type: 'notice', level, code: 'agent.compaction', text });
  }
}

function commandsOf(commands: unknown): { name: string; description: string; hint?: string }[] {
  if (!Array.isArray(commands)) return [];
  return commands.slice(0, 500).flatMap(({ name, description, input }) => {
    if (typeof name !== 'string') return [];
    const hint =
      typeof input?.hint === 'string' && input.hint !== '' ? String(input.hint).slice(0, 200) : undefined;
    return { name, description: String(description ?? '').slice(0, 500), ...(hint && { hint }) };
  });
}

function contextUsage(update: Extract<SessionUpdate, { sessionUpdate: 'usage_update' }>): Usage {
  const { used, size, cost } = update;
  return {
    ...(typeof used === 'number' && { contextTokens: used }),
    ...(typeof size === 'number' && { contextSize: size }),
    ...(cost?.currency === 'USD' && { costUsd: cost.amount }),
  };
}

/** Tokens of a turn, in the shapes that agents put beside the answer to a prompt, or to a chunk of it. */
export function spentUsage(beside: unknown): Usage | undefined {
  const { usage, quota } = (beside ?? {}) as { usage?: unknown; quota?: { token_count?: unknown } };
  const said = usage ?? quota?.token_count;
  if (typeof said !== 'object' || said === null) return undefined;
  const counts = said as Record<string, unknown>;
  const number = (...names: string[]) =>
    names.map((name) => counts[name]).find((one) => typeof one === 'number');
  const inputTokens = number('inputTokens', 'input_tokens');
  const outputTokens = number('outputTokens', 'output_tokens');
  const totalTokens = number('totalTokens', 'total_tokens');
  // Some send zeros for what they have not counted.
  if (!inputTokens && !outputTokens && !totalTokens) return undefined;
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    ...(totalTokens !== undefined && { totalTokens }),
  } as Usage;
}
