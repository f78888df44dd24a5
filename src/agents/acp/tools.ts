import type { ToolCallUpdate } from '@agentclientprotocol/sdk';
import type { ToolContent } from '../../wire/content.ts';
import type { Output, ToolFields } from '../agent.ts';
import { argumentsOf } from './diffs.ts';
import { exitCodeOf, fieldsOf } from './fields.ts';
import type { Terminals } from './terminals.ts';

interface Tool {
  finished: boolean;
  /** What it was given and has to show, as it was said last: tells growing arguments from news. */
  said: readonly string[];
  /** Not said yet. */
  held: (ToolFields & { readonly title?: string }) | undefined;
  terminal: string | undefined;
  args: object | undefined;
  /** What it changes, as it was shown last. */
  diffs: readonly ToolContent[];
  /** The user refused what it asked for. */
  refused: boolean;
}

/** The tool calls of an agent session, from what is told of them. */
export class ToolCalls {
  readonly #terminals: Terminals;
  readonly #say: (output: Output) => void;
  readonly #tools = new Map<string, Tool>();
  readonly #held = new Set<Tool>();

  constructor(terminals: Terminals, say: (output: Output) => void) {
    this.#terminals = terminals;
    this.#say = say;
  }

  /** A call, or news of one: also what a permission says of it. */
  take(update: ToolCallUpdate): void {
    const told = fieldsOf(update);
    const { toolCallId } = told;
    const title = update.title || update.name || undefined;
    const ends = update.status === 'completed' || update.status === 'failed' ? update.status : undefined;
    const status = update.status === 'pending' || update.status === 'in_progress' ? update.status : undefined;
    const known = this.#tools.get(toolCallId);
    const again =
      known?.finished && 'sessionUpdate' in update && update.sessionUpdate === 'tool_call' ? true : !known;
    if (known?.finished && !again) return;
    const tool = again || !known ? this.#begin(toolCallId) : known;
    const fields = withDiffs(tool, told);
    if (again) {
      tool.said = bulkOf(fields);
      this.#tell({ type: 'tool.started', title: title ?? 'Tool', ...(status && { status }), ...fields });
    } else if (!ends) this.#changed(tool, { ...fields, ...(title && { title }) }, status);
    this.#attach(tool, fields);
    if (ends) this.#finish(tool, ends, fields, title);
  }

  /** What a call was given, as far as it is known, and whether it shows what it changes. */
  known(toolCallId: string): { readonly args: object | undefined; readonly hasDiff: boolean } {
    const tool = this.#tools.get(toolCallId);
    return { args: tool?.args, hasDiff: (tool?.diffs.length ?? 0) > 0 };
  }

  /** True for a call that was announced and has not ended. */
  isOpen(toolCallId: string): boolean {
    return this.#tools.get(toolCallId)?.finished === false;
  }

  /** The user said no: should the call fail now, it was refused. */
  refuse(toolCallId: string): void {
    const tool = this.#tools.get(toolCallId);
    if (tool) tool.refused = true;
  }

  /** Says what was held back of growing arguments. */
  flush(): void {
    for (const tool of this.#held) {
      const { held } = tool;
      tool.held = undefined;
      if (held) this.#say({ type: 'tool.updated', ...held });
    }
    this.#held.clear();
  }

  #begin(toolCallId: string): Tool {
    const tool: Tool = {
      finished: false,
      said: [],
      held: undefined,
      terminal: undefined,
      args: undefined,
      diffs: [],
      refused: false,
    };
    this.#tools.set(toolCallId, tool);
    return tool;
  }

  #tell(output: Output): void {
    this.flush();
    this.#say(output);
  }

  /**
   * A13: some agents send the arguments of a call again with each delta, as long as they are by then. Each is the whole,
   * and replaces; only so many are said that the log stays in proportion to the last one.
   */
  #changed(
    tool: Tool,
    news: ToolFields & { readonly title?: string },
    status: 'pending' | 'in_progress' | undefined,
  ): void {
    const merged = { ...tool.held, ...news };
    const said = bulkOf(merged);
    if (grows(tool.said, said)) {
      tool.held = { ...merged, ...(status && { status }) };
      this.#held.add(tool);
      return;
    }
    tool.held = undefined;
    this.#held.delete(tool);
    tool.said = said;
    this.#tell({ type: 'tool.updated', ...merged, ...(status && { status }) });
  }

  /** The output of a command that we run for the agent is the live output of its call. */
  #attach(tool: Tool, { toolCallId, content }: ToolFields): void {
    const terminal = content?.find((one) => one.type === 'terminal')?.terminalId;
    if (terminal === undefined || tool.terminal === terminal) return;
    tool.terminal = terminal;
    this.#terminals.follow(terminal, (output) => {
      if (!tool.finished) this.#tell({ type: 'tool.updated', toolCallId, output });
    });
  }

  #finish(tool: Tool, status: 'completed' | 'failed', fields: ToolFields, title: string | undefined): void {
    const last = { ...tool.held, ...fields, ...(title && { title }) };
    tool.held = undefined;
    this.#held.delete(tool);
    tool.finished = true;
    const ofTerminal = tool.terminal && this.#terminals.exitOf(tool.terminal)?.exitCode;
    const exitCode =
      exitCodeOf(fields.rawOutput) ?? (typeof ofTerminal === 'number' ? ofTerminal : undefined);
    if (tool.refused && status === 'failed') {
      this.#tell({ type: 'tool.updated', ...last });
      this.#tell({ type: 'tool.refused', toolCallId: fields.toolCallId, reason: 'You did not allow it.' });
      return;
    }
    this.#tell({ type: 'tool.finished', ...last, status, ...(exitCode !== undefined && { exitCode }) });
  }
}

/** Some agents replace the diff that they asked about by a sentence: what was changed stays in the card. */
function withDiffs(tool: Tool, fields: ToolFields): ToolFields {
  const { content, rawInput } = fields;
  tool.args = argumentsOf(rawInput, content) ?? tool.args;
  if (!content) return fields;
  const diffs = content.filter((one) => one.type === 'diff');
  if (diffs.length > 0) tool.diffs = diffs;
  return diffs.length > 0 ? fields : { ...fields, content: [...tool.diffs, ...content] };
}

function bulkOf({ content, rawInput }: ToolFields): string[] {
  return [rawInput, content].map((part) => (part === undefined ? '' : JSON.stringify(part)));
}

/** The same, and some more at its end, but not so much that it is worth saying. */
function grows(before: readonly string[], after: readonly string[]): boolean {
  const begins = after.every((part, i) => part.startsWith((before[i] ?? '').replace(/["}\]]+$/, '')));
  const size = before.join('').length;
  const grown = after.join('').length;
  return begins && size > 0 && grown > size && grown < size * 1.25 + 200;
}
