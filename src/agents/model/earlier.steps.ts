import type { ModelMessage } from 'ai';
import type { ToolPart, Turn } from '../../wire/turn.ts';
import type { Exchange } from './context.ts';
import { shortened } from './tools/tool.ts';

/** Characters of one result and of one text in an input, at most; fewer when a turn has many. */
const longest = 4_000;
/** Characters of all results of a turn, about. */
const longestTurn = 24_000;

type Part = Extract<
  Exclude<Extract<ModelMessage, { role: 'assistant' }>['content'], string>[number],
  { type: 'tool-call' | 'text' }
>;
type Result = Extract<ModelMessage, { role: 'tool' }>['content'][number];

/**
 * What a turn did with tools, from what is kept of it: as the messages in which a model reads of its own calls. Calls that
 * nothing came between count as one step. Undefined for a turn without any.
 */
export function stepsOf(turn: Turn): Pick<Exchange, 'steps' | 'rest'> | undefined {
  const calls = turn.parts.flatMap((part) => (part.type === 'tool' && isCall(part) ? part : []));
  if (calls.length === 0) return undefined;
  const room = Math.min(longest, Math.max(400, Math.floor(longestTurn / calls.length)));
  const steps: ModelMessage[] = [];
  let texts: string[] = [];
  let step: { said: Part[]; results: Result[] } | undefined;
  const close = () => {
    if (step) steps.push({ role: 'assistant', content: step.said }, { role: 'tool', content: step.results });
    step = undefined;
  };
  for (const part of turn.parts) {
    if (part.type === 'text' && part.text.trim() !== '') {
      close();
      texts.push(part.text);
    }
    if (part.type !== 'tool' || !isCall(part)) continue;
    const text = texts.join('\n\n');
    texts = [];
    step ??= { said: text === '' ? [] : [{ type: 'text', text }], results: [] };
    const named = { toolCallId: idOf(turn, part), toolName: nameOf(part) };
    step.said.push({ type: 'tool-call', ...named, input: bounded(part.rawInput, room) });
    const value = shortened(resultOf(part), room);
    const type = part.status === 'completed' ? ('text' as const) : ('error-text' as const);
    step.results.push({ type: 'tool-result', ...named, output: { type, value } });
  }
  close();
  return { steps, rest: texts.join('\n\n') };
}

/** It was made: its input is known. Its card is named after the tool. */
function isCall({ id, rawInput }: ToolPart): boolean {
  return /^[A-Za-z]\w*-\d+$/.test(id) && typeof rawInput === 'object' && rawInput !== null;
}

const nameOf = ({ id }: ToolPart) => id.replace(/-\d+$/, '');
const idOf = (turn: Turn, { id }: ToolPart) => `${turn.id}_${id}`.replace(/[^A-Za-z0-9_-]/g, '_');

function resultOf({ status, content, output, reason, exitCode }: ToolPart): string {
  if (status === 'refused') return `The person did not allow this.`;
  const said = content.map((one) => {
    if (one.type === 'diff') return `${one.oldText === null ? 'Wrote' : 'Changed'} ${one.path}.`;
    return one.type === 'content' && one.content.type === 'text' ? one.content.text : '';
  });
  const text = said.filter((one) => one !== '').join('\n') || output || reason || '(no output)';
  return exitCode ? `${text}\n(exit code ${exitCode})` : text;
}

/** Texts in it are shortened: what was written into a file can be read there. */
function bounded(value: unknown, limit: number): unknown {
  if (typeof value === 'string') return shortened(value, limit);
  if (Array.isArray(value)) return value.slice(0, 100).map((one) => bounded(one, limit));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, bounded(one, limit)]));
}
