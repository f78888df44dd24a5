import type {
  ContentBlock as AcpBlock,
  ContentChunk,
  SessionUpdate,
  ToolCallUpdate,
} from '@agentclientprotocol/sdk';
import type { Usage } from '../../wire/content.ts';
import type { Output, ToolFields } from '../agent.ts';
import { blockOf, exitCodeOf, fieldsOf, planOf } from './fields.ts';
import type { Terminals } from './terminals.ts';

interface Tool {
  finished: boolean;
  /** What it was given and has to show, as it was said last: tells growing arguments from news. */
  said: readonly string[];
  /** Not said yet. */
  held: (ToolFields & { readonly title?: string }) | undefined;
  terminal: string | undefined;
  /** The user refused what it asked for. */
  refused: boolean;
}

export interface UpdatesOptions {
  readonly terminals: Terminals;
  readonly say: (output: Output) => void;
}

/** Turns `session/update` notifications into output, one agent session's long. Never throws on what an agent sends. */
export class Updates {
  readonly #options: UpdatesOptions;
  readonly #tools = new Map<string, Tool>();
  /** The stretch of text that chunks follow on: a new message, or anything in between, begins another. */
  #stretch = { kind: '', message: '', count: 0 };
  #pictures = 0;

  constructor(options: UpdatesOptions) {
    this.#options = options;
  }

  read(update: SessionUpdate): void {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        return this.#chunk('text', update);
      case 'agent_thought_chunk':
        return this.#chunk('thought', update);
      case 'tool_call':
      case 'tool_call_update':
        return this.tool(update);
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

  /** A call, or news of one: also what a permission says of it. */
  tool(update: ToolCallUpdate): void {
    const fields = fieldsOf(update);
    const { toolCallId } = fields;
    const title = update.title || update.name || undefined;
    const ends = update.status === 'completed' || update.status === 'failed' ? update.status : undefined;
    const status = update.status === 'pending' || update.status === 'in_progress' ? update.status : undefined;
    let tool = this.#tools.get(toolCallId);
    this.#stretch.kind = '';
    if (!tool || (tool.finished && 'sessionUpdate' in update && update.sessionUpdate === 'tool_call')) {
      tool = {
        finished: false,
        said: bulkOf(fields),
        held: undefined,
        terminal: undefined,
        refused: false,
      };
      this.#tools.set(toolCallId, tool);
      this.#say({ type: 'tool.started', title: title ?? 'Tool', ...(status && { status }), ...fields });
    } else if (tool.finished) {
      return;
    } else if (!ends) {
      this.#changed(tool, { ...fields, ...(title && { title }) }, status);
    }
    this.#attach(tool, fields);
    if (ends) this.#finish(tool, ends, fields, title);
  }

  /** The user said no: should the call fail now, it was refused. */
  refuse(toolCallId: string): void {
    const tool = this.#tools.get(toolCallId);
    if (tool) tool.refused = true;
  }

  /** Says what was held back of growing arguments. */
  flush(): void {
    for (const tool of this.#tools.values()) {
      const { held } = tool;
      tool.held = undefined;
      if (held && !tool.finished) this.#options.say({ type: 'tool.updated', ...held });
    }
  }

  #say(output: Output): void {
    if (output.type !== 'usage' && output.type !== 'changed') this.flush();
    this.#options.say(output);
  }

  #chunk(kind: 'text' | 'thought', { content, messageId, _meta }: ContentChunk): void {
    const usage = _meta?.usage;
    if (typeof usage === 'object' && usage !== null) this.#say({ type: 'usage', usage: spentUsage(usage) });
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

  /**
   * A13: some agents send the arguments of a call again with each delta, as long as they are by then. Each is the whole,
   * and replaces; only so many are said that the log stays in proportion to the last one.
   */
  #changed(
    tool: Tool,
    news: ToolFields & { title?: string },
    status: 'pending' | 'in_progress' | undefined,
  ): void {
    const merged = { ...tool.held, ...news };
    const said = bulkOf(merged);
    if (!status && grows(tool.said, said)) {
      tool.held = merged;
      return;
    }
    tool.held = undefined;
    tool.said = said;
    this.#say({ type: 'tool.updated', ...merged, ...(status && { status }) });
  }

  /** The output of a command that we run for the agent is the live output of its call. */
  #attach(tool: Tool, { toolCallId, content }: ToolFields): void {
    const terminal = content?.find((one) => one.type === 'terminal')?.terminalId;
    if (terminal === undefined || tool.terminal === terminal) return;
    tool.terminal = terminal;
    this.#options.terminals.follow(terminal, (output) => {
      if (!tool.finished) this.#say({ type: 'tool.updated', toolCallId, output });
    });
  }

  #finish(tool: Tool, status: 'completed' | 'failed', fields: ToolFields, title: string | undefined): void {
    const last = { ...tool.held, ...fields, ...(title && { title }) };
    tool.held = undefined;
    tool.finished = true;
    const ofTerminal = tool.terminal && this.#options.terminals.exitOf(tool.terminal)?.exitCode;
    const exitCode =
      exitCodeOf(fields.rawOutput) ?? (typeof ofTerminal === 'number' ? ofTerminal : undefined);
    if (tool.refused && status === 'failed') {
      this.#say({ type: 'tool.updated', ...last });
      this.#say({ type: 'tool.refused', toolCallId: fields.toolCallId, reason: 'You did not allow it.' });
      return;
    }
    this.#say({ type: 'tool.finished', ...last, status, ...(exitCode !== undefined && { exitCode }) });
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

function bulkOf({ content, rawInput }: ToolFields): string[] {
  return [rawInput, content].map((part) => (part === undefined ? '' : JSON.stringify(part)));
}

/** The same, and some more at its end, but not so much that it is worth saying. */
function grows(before: readonly string[], after: readonly string[]): boolean {
  const begins = after.every((part, i) => part.startsWith((before[i] ?? '').replace(/["}\]]+$/, '')));
  const size = before.join('').length;
  return begins && size > 0 && after.join('').length < size * 1.25 + 200;
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

/** Tokens of a turn, in the shape that several agents put beside their answer. */
export function spentUsage(usage: object): Usage {
  const said = usage as Record<string, unknown>;
  const names = ['inputTokens', 'outputTokens', 'totalTokens'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (typeof said[name] === 'number' ? [[name, said[name]]] : [])),
  );
}
