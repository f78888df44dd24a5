import type { Output } from '../agent.ts';

interface Size {
  /** Tokens. */
  readonly window: number;
  /** False: nobody said so, it was assumed. */
  readonly known: boolean;
}

type Notice = Extract<Output, { type: 'notice' }>;

function notice(level: Notice['level'], code: string, text: string): Notice {
  return { type: 'notice', level, code, text };
}

function full({ window, known }: Size, id: string): string {
  return `its window (${window} tokens${known ? '' : `, assumed: set contextWindow for "${id}"`}) is full`;
}

export function contextCut(count: number, size: Size, id: string): Output {
  const turns = count === 1 ? 'The oldest turn is' : `The ${count} oldest turns are`;
  return notice('info', 'context.cut', `${turns} no longer sent to the model: ${full(size, id)}.`);
}

export function resultsCut(count: number, size: Size, id: string): Output {
  const results = count === 1 ? 'An early result of a tool is' : `${count} early results of tools are`;
  return notice('info', 'context.cut', `${results} no longer sent to the model: ${full(size, id)}.`);
}

export function withoutTools(model: string, why: string, detail: string): Output {
  const text = `${model} gets no tools, because ${why}: it can only talk.${detail && ` (${detail})`}`;
  return notice('warning', 'model.no_tools', text);
}

export function tooManySteps(count: number): Output {
  return notice(
    'warning',
    'model.max_steps',
    `The model used tools ${count} times in this turn and was stopped there: write "go on" to let it continue.`,
  );
}

export const uncalledTool: Output = notice(
  'warning',
  'model.tool_calls',
  'The model asked for a tool, and was offered none: the request was dropped.',
);
