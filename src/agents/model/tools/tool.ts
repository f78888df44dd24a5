import type { z } from 'zod';
import type { ToolContent, ToolKind, ToolLocation } from '../../../wire/content.ts';
import type { Output } from '../../agent.ts';
import type { ShellOptions } from '../../workspace/shell.ts';

/** What a person allows together. */
export type Category = 'edit' | 'run';

/** What a tool works with: the session's directory, and the stop of the turn. */
export interface ToolScene extends ShellOptions {
  readonly toolCallId: string;
  /** Characters of a result that may reach the model. */
  readonly limit: number;
  /** False when the person refuses. Asks nobody when the category is always allowed in this session. */
  allowed(category: Category, question: string): AsyncGenerator<Output, boolean>;
}

/** What came of a call. */
export interface Result {
  /** For the model; shortened by the caller. */
  readonly text: string;
  readonly status: 'completed' | 'failed' | 'refused';
  /** For the card; the text when absent. */
  readonly content?: readonly ToolContent[];
  readonly locations?: readonly ToolLocation[];
  readonly exitCode?: number | null;
}

interface Spec<Schema extends z.ZodType, Input> {
  readonly name: string;
  /** For the model. */
  readonly description: string;
  readonly kind: ToolKind;
  readonly input: Schema;
  /** Changes nothing: needs no permission and may run beside others. */
  readonly readOnly: boolean;
  /** For the card. */
  title(input: Input): string;
  locations?(input: Input): readonly ToolLocation[];
  /** Throws an AgentError for what the model did wrong. */
  run(scene: ToolScene, input: Input): AsyncGenerator<Output, Result>;
}

/** A tool that is given only what its own schema has let through. */
export type Tool = Spec<z.ZodType, never>;

export function tool<Schema extends z.ZodType>(spec: Spec<Schema, z.infer<Schema>>): Tool {
  return spec;
}

export const refused: Result = {
  text: 'The person did not allow this. Do not try to reach the same in another way: ask what to do instead.',
  status: 'refused',
};

export function completed(text: string, more: Partial<Result> = {}): Result {
  return { text, status: 'completed', ...more };
}

/** The beginning and the end of a text, with a note of what is missing between them. */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const head = Math.ceil(limit / 2);
  const tail = Math.floor(limit / 2);
  const end = tail > 0 ? text.slice(-tail) : '';
  return `${text.slice(0, head)}\n[… ${text.length - head - tail} characters are left out here …]\n${end}`;
}
