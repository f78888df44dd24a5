import type { ToolContent } from '../../wire/content.ts';
import { readText } from './files.ts';

/** Characters of a file, before and after, that are shown as a diff. */
const largest = 256 * 1024;

/**
 * What a call that is about to write will change, for agents that ask without showing it: from its arguments, and the
 * file as it is now. Undefined when the arguments do not say.
 */
export async function diffOf(cwd: string, args: unknown): Promise<ToolContent | undefined> {
  if (typeof args !== 'object' || args === null) return undefined;
  const path = named(args, ['path', 'file_path', 'filePath', 'absolute_path']);
  if (path === undefined || path === '') return undefined;
  const before = named(args, ['old_string', 'oldString', 'old_text', 'old']);
  const after = named(args, ['new_string', 'newString', 'new_text', 'new']);
  if (before !== undefined && after !== undefined) {
    return { type: 'diff', path, oldText: before.slice(0, largest), newText: after.slice(0, largest) };
  }
  const newText = named(args, ['content', 'contents', 'file_text']);
  if (newText === undefined) return undefined;
  // A file that is not there yet, or may not be read, is shown as new.
  const oldText = await readText(cwd, path).catch(() => null);
  if (newText.length > largest || (oldText?.length ?? 0) > largest) return undefined;
  return { type: 'diff', path, oldText, newText };
}

/** The arguments of a call: as they are, or as the JSON that some agents show instead. */
export function argumentsOf(
  rawInput: unknown,
  content: readonly ToolContent[] | undefined,
): object | undefined {
  if (typeof rawInput === 'object' && rawInput !== null) return rawInput;
  const [first] = content ?? [];
  const text = first?.type === 'content' && first.content.type === 'text' ? first.content.text : '';
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined; // They are not complete yet.
  }
}

function named(args: object, names: readonly string[]): string | undefined {
  const found = names.map((name) => (args as Record<string, unknown>)[name]);
  return found.find((value) => typeof value === 'string');
}
