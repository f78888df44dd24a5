import { z } from 'zod';
import { listDirectory, readText, searchText } from '../../workspace/files.ts';
import { completed, tool } from './tool.ts';

const path = z.string().describe('Relative to the working directory.');
const shownEntries = 500;

export const list = tool({
  name: 'list',
  description:
    'Lists a directory: its directories (with a slash at the end), then its files with their sizes.',
  kind: 'read',
  input: z.object({ path: path.optional().describe('Default: the working directory.') }),
  readOnly: true,
  title: (input) => `List ${input.path ?? '.'}`,
  async *run({ cwd }, input) {
    const entries = await listDirectory(cwd, input.path || '.');
    const lines = entries
      .slice(0, shownEntries)
      .map(({ name, directory, size }) =>
        directory ? `${name}/` : `${name}${size === undefined ? '' : `  ${size} bytes`}`,
      );
    if (entries.length > shownEntries) lines.push(`[${entries.length - shownEntries} more are not shown]`);
    return completed(lines.join('\n') || '[empty]');
  },
});

export const read = tool({
  name: 'read',
  description:
    'Reads a text file, or some of its lines. A long file comes in pieces: the end of each says how to go on.',
  kind: 'read',
  input: z.object({
    path,
    line: z.coerce.number().int().min(1).optional().describe('The first line, counted from 1.'),
    limit: z.coerce.number().int().min(1).optional().describe('How many lines.'),
  }),
  readOnly: true,
  title: (input) => `Read ${input.path}`,
  locations: ({ path, line }) => [{ path, ...(line !== undefined && { line }) }],
  // biome-ignore lint/correctness/useYield: it has nothing to say before its result.
  async *run(scene, input) {
    const lines = (await readText(scene.cwd, input.path)).split('\n');
    const from = (input.line ?? 1) - 1;
    const room = scene.limit - 100;
    let to = from;
    let size = 0;
    const last = input.limit === undefined ? lines.length : Math.min(lines.length, from + input.limit);
    while (to < last && (to === from || size + (lines[to] as string).length < room)) {
      size += (lines[to] as string).length + 1;
      to += 1;
    }
    const text = lines.slice(from, to).join('\n');
    if (from >= lines.length)
      return completed(`[there is no line ${from + 1}: it has ${lines.length} lines]`);
    const rest =
      to < lines.length ? `\n[lines ${from + 1} to ${to} of ${lines.length}; go on with line ${to + 1}]` : '';
    return completed(`${text}${rest}`);
  },
});

export const search = tool({
  name: 'search',
  description:
    'Finds the lines that hold a text, case aside, in all text files of a directory. No wildcards.',
  kind: 'search',
  input: z.object({
    text: z.string().min(1),
    path: path.optional().describe('A directory or a file; default: the working directory.'),
  }),
  readOnly: true,
  title: (input) => `Search ${input.path ?? '.'} for “${input.text}”`,
  async *run(scene, input) {
    const found = await searchText(scene.cwd, input.path || '.', input.text, scene.stopped);
    const lines = found.matches.map((match) => `${match.path}:${match.line}: ${match.text}`);
    if (found.bounded) lines.push('[there may be more: search a smaller directory]');
    if (lines.length === 0) lines.push(`[no line holds it in ${found.files} files]`);
    return completed(lines.join('\n'), {
      locations: found.matches.map((match) => ({ path: match.path, line: match.line })),
    });
  },
});
