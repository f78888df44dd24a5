import { diffLines } from 'diff';
import type { PermissionOption } from '../../wire/content.ts';
import { AgentError } from '../agent.ts';
import { listDirectory, readIfThere, readText, searchText, writeText } from '../workspace/files.ts';
import { type Args, type CommandSpec, phrase } from './grammar.ts';
import { fenced, inline, type Play, type Scene, say } from './play.ts';
import { runCommand } from './work.run.ts';

/** How much of a file an answer quotes; the tool card holds it all. */
const quoted = 16_000;
const shownEntries = 200;

const listing = '(?:list|ls|dir)';

export const workCommands: readonly CommandSpec[] = [
  {
    name: 'list',
    hint: '[directory]',
    example: 'list [DIRECTORY]',
    description: 'lists a directory of this conversation',
    group: 'work',
    patterns: [
      phrase(
        `${listing}(?: (?:the |all |my )*(?:files|directory|folder|contents)(?: (?:in|of|under))?)?(?: here)?`,
      ),
      phrase(
        '(?:what|which) files (?:are|do (?:we|i|you) have)(?: here| there)?(?: (?:in|under) (?<path>.+))?',
      ),
      phrase('show(?: me)?(?: the| all| my)* files(?: here)?(?: (?:in|of|under) (?<path>.+))?'),
      phrase(
        `${listing}(?: (?:the |all |my )*(?:files|directory|folder|contents)(?: (?:in|of|under))?)? (?<path>.+)`,
      ),
    ],
    play: (scene, args) => answered(scene, list(scene, path(args, 'path', '.'))),
  },
  {
    name: 'search',
    hint: 'text [in directory]',
    example: 'search TEXT [in DIRECTORY]',
    description: 'finds the lines that hold a text, case aside',
    group: 'work',
    patterns: [
      phrase('(?:search|grep|find|look for)(?: for)? "(?<text>[^"]+)"(?: (?:in|under) (?<path>[^\\n]+))?'),
      phrase('(?:search|grep|find|look for)(?: for)? (?<text>[^\\n]+?) (?:in|under) (?<path>\\S+)'),
      phrase('(?:search|grep|find|look for)(?: for)? (?<text>[^\\n]+)'),
    ],
    verbatim: true,
    play: (scene, args) => answered(scene, search(scene, path(args, 'text', ''), path(args, 'path', '.'))),
  },
  {
    name: 'diff',
    hint: 'file file',
    example: 'diff FILE FILE',
    description: 'shows how two files differ',
    group: 'work',
    patterns: [
      phrase('(?:diff|compare) "(?<a>[^"]+)"(?: (?:and|with|to))? "(?<b>[^"]+)"'),
      phrase('(?:diff|compare) (?<a>\\S+)(?: (?:and|with|to))? (?<b>\\S+)'),
    ],
    play: (scene, args) => answered(scene, diff(scene, path(args, 'a', ''), path(args, 'b', ''))),
  },
  {
    name: 'write',
    hint: 'file: text',
    example: 'write FILE: TEXT',
    description: 'writes a file, after asking you with the change before your eyes',
    group: 'work',
    patterns: [phrase('(?:write|create|save)(?: to)?(?: file)? (?<path>[^:\\n]+?)~:[ \\t]*\\n?(?<text>.*)')],
    verbatim: true,
    play: (scene, args) =>
      answered(
        scene,
        change(scene, path(args, 'path', ''), () => args.text ?? ''),
      ),
  },
  {
    name: 'edit',
    hint: 'file: old => new',
    example: 'edit FILE: OLD => NEW',
    description: 'replaces one place in a file, after asking you',
    group: 'work',
    patterns: [phrase('(?:edit|replace in|change) (?<path>[^:\\n]+?)~:~(?<before>.+?) => (?<after>.*)')],
    verbatim: true,
    play: (scene, args) =>
      answered(
        scene,
        change(scene, path(args, 'path', ''), (old) => replaced(args, old)),
      ),
  },
  {
    name: 'run',
    hint: 'command',
    example: 'run COMMAND',
    description: 'runs a shell command here, after asking you, and shows its output as it comes',
    group: 'work',
    patterns: [phrase('(?:run|execute|exec|sh) (?<command>.+)'), phrase('[$!]~(?<command>.+)')],
    verbatim: true,
    play: (scene, args) => runCommand(scene, args.command ?? ''),
  },
];

/** After the demos, so that `show markdown` is not taken for a file. */
export const readCommand: CommandSpec = {
  name: 'read',
  hint: 'file',
  example: 'read FILE',
  description: 'shows a text file',
  group: 'work',
  patterns: [
    phrase('(?:read|cat|open|view|print|look at)(?: me)?(?: the)?(?: file)? (?<path>[^\\n]+)'),
    phrase('show(?: me)?(?: the)?(?: file)? (?<path>[^\\n]*[./][^\\n]*)'),
    phrase("what(?:'s| is) in (?<path>[^\\n]*[./][^\\n]*)"),
  ],
  play: (scene, args) => answered(scene, read(scene, path(args, 'path', ''))),
};

function path(args: Args, name: string, none: string): string {
  const given = args[name]?.trim() ?? none;
  return /^(["'`])(.+)\1$/.exec(given)?.[2] ?? given;
}

async function* list(scene: Scene, where: string): Play {
  const toolCallId = scene.name('list');
  yield { type: 'tool.started', toolCallId, kind: 'read', title: `List ${where}`, status: 'in_progress' };
  const entries = yield* orFail(toolCallId, listDirectory(scene.cwd, where));
  const lines = entries.map(({ name, directory, size }) =>
    directory ? `${name}/` : `${name}${size === undefined ? '' : `  ${bytes(size)}`}`,
  );
  yield finished(toolCallId, lines.join('\n'));
  if (entries.length === 0) return yield* say(scene, `${inline(where)} is empty.`);
  const more =
    lines.length > shownEntries ? `\n${lines.length - shownEntries} more are in the card above.\n` : '';
  const count = `${lines.length} ${lines.length === 1 ? 'entry' : 'entries'} in ${inline(where)}:`;
  yield* say(scene, `${count}\n\n${fenced(lines.slice(0, shownEntries).join('\n'))}${more}`, { chunks: 40 });
}

async function* read(scene: Scene, name: string): Play {
  const toolCallId = scene.name('read');
  const locations = [{ path: name }];
  yield {
    type: 'tool.started',
    toolCallId,
    kind: 'read',
    title: `Read ${name}`,
    status: 'in_progress',
    locations,
  };
  const text = yield* orFail(toolCallId, readText(scene.cwd, name));
  yield finished(toolCallId, text);
  if (text === '') return yield* say(scene, `${inline(name)} is empty.`);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const part = text.length > quoted ? `${[...text.slice(0, quoted)].slice(0, -1).join('')}\n…` : text;
  const cut = part === text ? '' : `\nThat is its beginning; the card above holds all of it.\n`;
  const language = /\.(\w{1,8})$/.exec(name)?.[1] ?? '';
  const head = `${inline(name)}, ${lines} ${lines === 1 ? 'line' : 'lines'}:`;
  yield* say(scene, `${head}\n\n${fenced(part, language)}${cut}`, { chunks: 60 });
}

async function* search(scene: Scene, text: string, where: string): Play {
  const toolCallId = scene.name('search');
  const title = `Search ${where} for “${text}”`;
  yield { type: 'tool.started', toolCallId, kind: 'search', title, status: 'in_progress' };
  const found = yield* orFail(toolCallId, searchText(scene.cwd, where, text, scene.stopped));
  const lines = found.matches.map((match) => `${match.path}:${match.line}: ${match.text}`);
  const locations = found.matches.map((match) => ({ path: match.path, line: match.line }));
  yield { ...finished(toolCallId, lines.join('\n')), locations };
  const files = `${found.files} ${found.files === 1 ? 'file' : 'files'}`;
  if (lines.length === 0) {
    const bound = found.bounded ? ', where I stopped: try a smaller directory' : '';
    return yield* say(scene, `No line holds “${text}” in ${files} of ${inline(where)}${bound}.`);
  }
  const bound = found.bounded ? ' I stopped there: there may be more.' : '';
  const head = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'} in ${files}.${bound}`;
  yield* say(scene, `${head}\n\n${fenced(lines.join('\n'))}`, { chunks: 40 });
}

async function* diff(scene: Scene, a: string, b: string): Play {
  const toolCallId = scene.name('diff');
  const locations = [{ path: a }, { path: b }];
  yield {
    type: 'tool.started',
    toolCallId,
    kind: 'read',
    title: `Compare ${a} with ${b}`,
    status: 'in_progress',
    locations,
  };
  const [oldText, newText] = yield* orFail(
    toolCallId,
    Promise.all([readText(scene.cwd, a), readText(scene.cwd, b)]),
  );
  const content = [{ type: 'diff' as const, path: b, oldText, newText }];
  yield { type: 'tool.finished', toolCallId, status: 'completed', content };
  const verdict =
    oldText === newText
      ? `${inline(a)} and ${inline(b)} are the same.`
      : `From ${inline(a)} to ${inline(b)}: ${changes(oldText, newText)}.`;
  yield* say(scene, verdict);
}

const options: readonly PermissionOption[] = [
  { optionId: 'allow', name: 'Write it', kind: 'allow_once' },
  { optionId: 'always', name: 'Always allow writing in this conversation', kind: 'allow_always' },
  { optionId: 'reject', name: 'Do not write', kind: 'reject_once' },
];

async function* change(scene: Scene, name: string, make: (old: string | null) => string): Play {
  const toolCallId = scene.name('write');
  const locations = [{ path: name }];
  yield {
    type: 'tool.started',
    toolCallId,
    kind: 'edit',
    title: `Write ${name}`,
    status: 'pending',
    locations,
  };
  const [oldText, newText] = yield* orFail(
    toolCallId,
    readIfThere(scene.cwd, name).then((old) => [old, make(old)] as const),
  );
  const content = [{ type: 'diff' as const, path: name, oldText, newText }];
  yield { type: 'tool.updated', toolCallId, status: 'pending', content };
  if (!scene.allowed.has('write')) {
    const option = yield* scene.ask({ toolCallId, title: `Write ${name}?`, options });
    if (option === 'always') scene.allowed.add('write');
    if (option !== 'allow' && option !== 'always') {
      yield { type: 'tool.refused', toolCallId, reason: 'You did not allow it.' };
      return yield* say(scene, `I left ${inline(name)} as it was.`);
    }
  }
  // What was shown is what may be replaced: a file that changed meanwhile is not.
  const still = yield* orFail(toolCallId, readIfThere(scene.cwd, name));
  if (still !== oldText) {
    yield { type: 'tool.finished', toolCallId, status: 'failed' };
    return yield* say(
      scene,
      `${inline(name)} changed while you decided, so I left it. Ask again to see it anew.`,
    );
  }
  yield* orFail(toolCallId, writeText(scene.cwd, name, newText));
  yield { type: 'tool.finished', toolCallId, status: 'completed', content };
  yield* say(scene, `Wrote ${inline(name)}: ${changes(oldText ?? '', newText)}.`);
}

function replaced(args: Args, old: string | null): string {
  const { before = '', after = '' } = args;
  if (old === null)
    throw new AgentError('files.not_found', 'There is no such file to edit: `write` makes one.');
  const places = old.split(before).length - 1;
  if (places !== 1) {
    const seen =
      places === 0 ? 'is not in the file' : `is there ${places} times: name more of its surroundings`;
    throw new AgentError('builtin.edit', `“${before}” ${seen}. Nothing was changed.`);
  }
  return old.replace(before, () => after);
}

function changes(oldText: string, newText: string): string {
  const parts = diffLines(oldText, newText, { timeout: 500 });
  if (!parts) return 'much has changed';
  const count = (wanted: 'added' | 'removed') =>
    parts.reduce((sum, part) => sum + (part[wanted] ? (part.count ?? 0) : 0), 0);
  const lines = (n: number) => `${n} ${n === 1 ? 'line' : 'lines'}`;
  return `${lines(count('added'))} added, ${lines(count('removed'))} removed`;
}

function finished(toolCallId: string, text: string) {
  const content = text === '' ? [] : [{ type: 'content' as const, content: { type: 'text' as const, text } }];
  return { type: 'tool.finished' as const, toolCallId, status: 'completed' as const, content };
}

/** Waits for the work of a tool. When it fails, the tool is closed and its reason is the answer. */
async function* orFail<T>(toolCallId: string, work: Promise<T>): AsyncGenerator<ToolOutput, T> {
  try {
    return await work;
  } catch (error) {
    yield { type: 'tool.finished', toolCallId, status: 'failed' };
    throw error;
  }
}

/** What cannot be done is an answer, not a failure of the agent: the conversation goes on. */
async function* answered(scene: Scene, play: Play): Play {
  try {
    yield* play;
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    yield* say(scene, error.message);
  }
}

type ToolOutput = { readonly type: 'tool.finished'; readonly toolCallId: string; readonly status: 'failed' };

function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  return size < 1024 * 1024 ? `${(size / 1024).toFixed(1)} kB` : `${(size / 1024 / 1024).toFixed(1)} MB`;
}
