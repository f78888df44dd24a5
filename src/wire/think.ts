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
  /** The run that opened the code; there is one in all but `none`. */
  readonly opener: Run | null;
  /** The run that is being read. */
  readonly run: Run | null;
  /** Only blanks or `>` so far on this line; only blanks so far. */
  readonly first: boolean;
  readonly blank: boolean;
  /** A fence ends with this line: its closing run was read, and only blanks since. */
  readonly closing: boolean;
  readonly escaped: boolean;
}

/** Backticks or tildes, and whether only blanks or `>` stand before them on their line. */
interface Run {
  readonly mark: string;
  readonly size: number;
  readonly first: boolean;
}

const start: Code = {
  in: 'none',
  opener: null,
  run: null,
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
      // In a thought this is the start still.
      code = settleRun(code);
      if (code.in === 'none' && !code.escaped) {
        if (text.startsWith(tag, at)) {
          add(pieces, mode, text.slice(shown, at));
          mode = mode === 'text' ? 'thought' : 'text';
          code = start;
          at += tag.length;
          shown = at;
          continue;
        }
        if (tag.startsWith(text.slice(at))) break;
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
  if (before.run?.mark === char) return { ...before, run: { ...before.run, size: before.run.size + 1 } };
  const code = settleRun(before);
  if (char === '~' || (char === '`' && !code.escaped)) {
    const run = { mark: char, size: 1, first: code.first };
    return { ...code, run, first: false, blank: false, closing: false, escaped: false };
  }
  if (char === '\n') return endLine(code);
  // Backslashes escape in prose only; in code they are themselves.
  const escaped = char === '\\' && code.in === 'none' && !code.escaped;
  if (char === ' ' || char === '\t' || char === '\r') return { ...code, escaped };
  return { ...code, first: code.first && char === '>', blank: false, closing: false, escaped };
}

/** A run of backticks or tildes is over: it opens code, closes it, or is text. */
function settleRun(code: Code): Code {
  const { run } = code;
  if (run === null) return code;
  const rest = { ...code, run: null };
  const opener = code.opener as Run;
  if (code.in === 'fence') {
    return { ...rest, closing: run.first && run.mark === opener.mark && run.size >= opener.size };
  }
  // A fence ends a paragraph, and with it inline code that was not closed.
  if (run.first && run.size >= 3) return { ...rest, in: run.mark === '`' ? 'opening' : 'fence', opener: run };
  if (run.mark === '~') return rest;
  if (code.in === 'none') return { ...rest, in: 'inline', opener: run };
  return { ...rest, in: run.size === opener.size ? 'none' : 'inline' };
}

function endLine(code: Code): Code {
  if (code.closing || (code.in === 'inline' && code.blank)) return start;
  const line = { ...code, first: true, blank: true, closing: false, escaped: false };
  return code.in === 'opening' ? { ...line, in: 'fence' } : line;
}
