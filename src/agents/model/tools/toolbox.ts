import { randomUUID } from 'node:crypto';
import type { ToolModelMessage, ToolSet } from 'ai';
import { z } from 'zod';
import type { PermissionOption, ToolContent } from '../../../wire/content.ts';
import { AgentError, type Output, type PermissionAnswer } from '../../agent.ts';
import type { ShellOptions } from '../../workspace/shell.ts';
import { unlessAborted } from '../abort.ts';
import type { Call } from '../attempt.ts';
import { estimateText } from '../context.ts';
import { edit, write } from './edit.ts';
import { parallel } from './parallel.ts';
import { list, read, search } from './read.ts';
import { run } from './run.ts';
import { type Category, type Result, shortened, type ToolScene } from './tool.ts';

const all = [list, read, search, edit, write, run];
const byName = new Map(all.map((tool) => [tool.name, tool]));

/** The tools as the model is told of them: the calls are made here, not by the SDK. */
export const toolSet: ToolSet = Object.fromEntries(
  all.map(({ name, description, input }) => [name, { description, inputSchema: input }]),
);

/** Tokens that the description of all tools takes, estimated. */
export const toolTokens = estimateText(
  JSON.stringify(all.map(({ name, description, input }) => [name, description, z.toJSONSchema(input)])),
);

export function toolInstructions(cwd: string): string {
  return `You can work in the directory ${cwd} with the tools that you are given. Paths are relative to it, and nothing outside of it can be reached. The person is asked before a file is changed or a command is run.`;
}

const options: Readonly<Record<Category, readonly PermissionOption[]>> = {
  edit: [
    { optionId: 'allow', name: 'Write it', kind: 'allow_once' },
    { optionId: 'always', name: 'Always allow writing in this conversation', kind: 'allow_always' },
    { optionId: 'reject', name: 'Do not write', kind: 'reject_once' },
  ],
  run: [
    { optionId: 'allow', name: 'Run it', kind: 'allow_once' },
    { optionId: 'always', name: 'Always allow commands in this conversation', kind: 'allow_always' },
    { optionId: 'reject', name: 'Do not run', kind: 'reject_once' },
  ],
};

export interface ToolboxOptions extends ShellOptions {
  /** Categories that the person always allows; added to here. */
  readonly always: Set<Category>;
  /** Resolves with the answer to a permission that is asked right after. */
  readonly answerTo: (permission: string) => Promise<PermissionAnswer>;
}

export type ToolResults = ToolModelMessage['content'];

/** The calls of one turn, each with its card. */
export class Toolbox {
  readonly #options: ToolboxOptions;
  /** Card of each call of the present step, by the provider's id: servers use these again in the next one. */
  readonly #cards = new Map<string, string>();
  #count = 0;

  constructor(options: ToolboxOptions) {
    this.#options = options;
  }

  /** The model begins to write a call. */
  *announce(id: string, name: string): Generator<Output> {
    if (this.#cards.has(id)) return;
    this.#count += 1;
    const toolCallId = `${name}-${this.#count}`;
    this.#cards.set(id, toolCallId);
    const kind = byName.get(name)?.kind ?? 'other';
    yield { type: 'tool.started', toolCallId, kind, title: name, status: 'pending' };
  }

  /** Closes the cards of calls that will not be made. */
  *drop(reason: string): Generator<Output> {
    for (const toolCallId of this.#cards.values()) {
      yield { type: 'tool.finished', toolCallId, status: 'failed', content: textOf(reason) };
    }
    this.#cards.clear();
  }

  /** Makes the calls of a step in their order, those that only read side by side; gives what the model is told. */
  async *use(calls: readonly Call[], room: number): AsyncGenerator<Output, ToolResults> {
    const results: ToolResults = [];
    for (const call of calls) yield* this.announce(call.id, call.name);
    for (let at = 0; at < calls.length; ) {
      let end = at + 1;
      if (readsOnly(calls[at])) while (end < calls.length && readsOnly(calls[end])) end += 1;
      const group = calls.slice(at, end);
      results.push(...(yield* parallel(group.map((call) => this.#make(call, room)))));
      at = end;
    }
    this.#cards.clear();
    return results;
  }

  async *#make(call: Call, limit: number): AsyncGenerator<Output, ToolResults[number]> {
    const toolCallId = this.#cards.get(call.id) as string;
    const result = yield* this.#result(call, toolCallId, limit);
    const value = shortened(result.text, limit);
    const { status, locations, exitCode } = result;
    if (status === 'refused') {
      yield { type: 'tool.refused', toolCallId, reason: 'You did not allow it.' };
    } else {
      yield {
        type: 'tool.finished',
        toolCallId,
        status,
        content: result.content ?? textOf(value),
        ...(locations && { locations }),
        ...(exitCode !== undefined && { exitCode }),
      };
    }
    const output = { type: status === 'completed' ? ('text' as const) : ('error-text' as const), value };
    return { type: 'tool-result', toolCallId: call.id, toolName: call.name, output };
  }

  async *#result(call: Call, toolCallId: string, limit: number): AsyncGenerator<Output, Result> {
    const tool = byName.get(call.name);
    if (tool === undefined || call.problem !== undefined) {
      return { status: 'failed', text: call.problem ?? `There is no tool ${call.name}.` };
    }
    const input = call.input as never;
    const locations = tool.locations?.(input);
    yield {
      type: 'tool.updated',
      toolCallId,
      kind: tool.kind,
      title: tool.title(input),
      status: tool.readOnly ? 'in_progress' : 'pending',
      rawInput: call.input,
      ...(locations && { locations }),
    };
    try {
      return yield* tool.run(this.#scene(toolCallId, limit), input);
    } catch (error) {
      this.#options.stopped.throwIfAborted();
      const text = error instanceof AgentError ? error.message : `It failed: ${String(error)}`;
      return { status: 'failed', text };
    }
  }

  #scene(toolCallId: string, limit: number): ToolScene {
    const { always, answerTo, ...shell } = this.#options;
    return {
      ...shell,
      toolCallId,
      limit,
      async *allowed(category, title) {
        if (always.has(category)) return true;
        const permission = `permission-${randomUUID()}`;
        const answer = answerTo(permission);
        yield { type: 'permission.asked', permission, toolCallId, title, options: options[category] };
        const given = await unlessAborted(answer, shell.stopped);
        if (given.outcome !== 'selected') return false;
        if (given.optionId === 'always') always.add(category);
        return given.optionId === 'allow' || given.optionId === 'always';
      },
    };
  }
}

function readsOnly(call: Call | undefined): boolean {
  return call?.problem === undefined && byName.get(call?.name ?? '')?.readOnly === true;
}

function textOf(text: string): ToolContent[] {
  return text === '' ? [] : [{ type: 'content', content: { type: 'text', text } }];
}
