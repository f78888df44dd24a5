/**
 * Splits inline `<think>…</think>` out of a model's text while it streams.
 *
 * The rules, for the whole text and so for each way of cutting it into chunks:
 * - `<think>` outside of Markdown code, and not after a backslash, opens a thought.
 * - The first `</think>` after it closes the thought, wherever it stands: a thought with an unbalanced fence must
 *   not swallow the answer. A thought that is never closed lasts to the end.
 * - In fenced code (``` or ~~~) and in inline code both tags are text. Inline code ends at its closing run of
 *   backticks or at the end of its paragraph.
 * - After a thought the text starts anew, as it does on the screen.
 *
 * Nothing is lost: the pieces and the tags together are the whole text. At most a beginning of a tag is held back.
 */
export interface ThinkPiece {
  readonly kind: 'text' | 'thought';
  readonly text: string;
}

export interface ThinkOptions {
  /** The tag's name; default `think`. */
  readonly tag?: string;
  /** The text begins inside a thought: the model's template has already written the opening tag. */
  readonly open?: boolean;
}

export interface ThinkState {
  readonly tag: string;
  readonly mode: 'text' | 'thought';
  /** The beginning of a tag, not yet shown. */
  readonly held: string;
  readonly code: Code;
}

/** Where in Markdown the text stands. Plain data. */
interface Code {
  /** `opening`: a backtick fence whose info line is not over; another backtick on it would make it inline code. */
  readonly in: 'none' | 'inline' | 'opening' | 'fence';
  /** The character and length of the run that opened the code. */
  readonly mark: string;
  readonly size: number;
  /** The run of backticks or tildes that is being read, and whether only blanks or `>` stand before it on its line. */
  readonly run: number;
  readonly runMark: string;
  readonly runFirst: boolean;
  /** Only blanks or `>` so far on this line; only blanks so far. */
  readonly first: boolean;
  readonly blank: boolean;
  /** A fence may end here: its closing run was read, and only blanks since. */
  readonly closing: boolean;
  readonly escaped: boolean;
}

const start: Code = {
  in: 'none',
  mark: '',
  size: 0,
  run: 0,
  runMark: '',
  runFirst: false,
  first: true,
  blank: true,
  closing: false,
  escaped: false,
};

export function begin(options: ThinkOptions = {}): ThinkState {
  return { tag: options.tag ?? 'think', mode: options.open ? 'thought' : 'text', held: '', code: start };
}

/** Takes the next chunk; the pieces are what can be shown now. */
export function push(
  state: ThinkState,
  chunk: string,
): { readonly state: ThinkState; readonly pieces: ThinkPiece[] } {
  const pieces: ThinkPiece[] = [];
  const text = state.held + chunk;
  let { mode, code } = state;
  let shown = 0;
  let at = 0;
  while (at < text.length) {
    const char = text[at] as string;
    const tag = mode === 'thought' ? `</${state.tag}>` : `<${state.tag}>`;
    if (char === '<') {
      if (mode === 'text') code = settleRun(code);
      if (mode === 'thought' || (code.in === 'none' && !code.escaped)) {
        if (text.startsWith(tag, at)) {
          add(pieces, mode, text.slice(shown, at));
          mode = mode === 'text' ? 'thought' : 'text';
          code = start;
          at += tag.length;
          shown = at;
          continue;
        }
        if (text.length - at < tag.length && tag.startsWith(text.slice(at))) break;
      }
    }
    if (mode === 'text') code = read(code, char);
    at += 1;
  }
  add(pieces, mode, text.slice(shown, at));
  return { state: { tag: state.tag, mode, held: text.slice(at), code }, pieces };
}

/** The text is over: what was held back is shown. */
export function end(state: ThinkState): ThinkPiece[] {
  return state.held === '' ? [] : [{ kind: state.mode, text: state.held }];
}

function add(pieces: ThinkPiece[], kind: ThinkPiece['kind'], text: string): void {
  if (text === '') return;
  const last = pieces.at(-1);
  if (last?.kind === kind) pieces[pieces.length - 1] = { kind, text: last.text + text };
  else pieces.push({ kind, text });
}

/** One character of text that is no tag. */
function read(before: Code, char: string): Code {
  const isMark =
    (char === '`' && !before.escaped) || (char === '~' && (before.runMark === '~' || before.first));
  if (isMark && before.run > 0 && before.runMark === char) return { ...before, run: before.run + 1 };
  const code = settleRun(before);
  if (isMark) {
    return {
      ...code,
      run: 1,
      runMark: char,
      runFirst: code.first,
      first: false,
      blank: false,
      closing: false,
    };
  }
  if (char === '\n') return endLine(code);
  // Backslashes escape in prose only; in code they are themselves.
  const escaped = char === '\\' && code.in === 'none' && !code.escaped;
  if (char === ' ' || char === '\t' || char === '\r') return code.escaped ? { ...code, escaped } : code;
  const first = code.first && char === '>';
  if (code.first === first && !code.blank && !code.closing && code.escaped === escaped) return code;
  return { ...code, first, blank: false, closing: false, escaped };
}

/** A run of backticks or tildes is over: it opens code, closes it, or is text. */
function settleRun(code: Code): Code {
  if (code.run === 0) return code;
  const { run, runMark, runFirst } = code;
  const rest = { ...code, run: 0, runMark: '', runFirst: false, escaped: false };
  if (code.in === 'fence') {
    return { ...rest, closing: runFirst && runMark === code.mark && run >= code.size };
  }
  // A fence ends a paragraph, and with it inline code that was not closed.
  if (runFirst && run >= 3)
    return { ...rest, in: runMark === '`' ? 'opening' : 'fence', mark: runMark, size: run };
  if (runMark === '~') return rest;
  if (code.in === 'none') return { ...rest, in: 'inline', mark: '`', size: run };
  if (run === code.size) return { ...rest, in: 'none', mark: '', size: 0 };
  return { ...rest, in: 'inline' };
}

function endLine(code: Code): Code {
  const line = { ...code, first: true, blank: true, closing: false, escaped: false };
  const over = (code.in === 'fence' && code.closing) || (code.in === 'inline' && code.blank);
  if (over) return { ...line, in: 'none', mark: '', size: 0 };
  return code.in === 'opening' ? { ...line, in: 'fence' } : line;
}
