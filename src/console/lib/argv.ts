/** A command line as the arguments that it is, or why it is none. */
export type Argv =
  | { readonly argv: readonly string[] }
  | { readonly argv?: undefined; readonly problem: string };

/**
 * Splits at white space. Quotes of either kind hold together; a backslash takes what follows as it is before white space, a
 * quote or a backslash, but not between single quotes. Nothing else has a meaning: there is no shell.
 */
export function splitCommand(line: string): Argv {
  const argv: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] as string;
    const next = line[at + 1];
    if (char === '\\' && quote !== "'" && next !== undefined && /[\s"'\\]/.test(next)) {
      word = (word ?? '') + next;
      at += 1;
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) argv.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') return { problem: `A ${quote} is not closed.` };
  if (word !== undefined) argv.push(word);
  return { argv };
}

/** The first word in which a shell would read more than it says; nothing here does. */
export function shellOnly(argv: readonly string[]): string | undefined {
  const assigned = argv[0] !== undefined && /^[A-Za-z_]\w*=/.test(argv[0]) ? argv[0] : undefined;
  return assigned ?? argv.find((word) => /^(~(?=$|\/)|[|&;<>]|\d>)|\$[A-Za-z_{(]|`/.test(word));
}

/** `NAME=value`, one a line; empty lines are passed over. */
export function readEnvironment(
  text: string,
):
  | { readonly env: Readonly<Record<string, string>> }
  | { readonly env?: undefined; readonly problem: string } {
  const env: Record<string, string> = {};
  for (const line of text.split(/\r?\n/).filter((one) => one.trim() !== '')) {
    const [, name, value] = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      return {
        problem: `Each line is NAME=value. This one is not: line ${text.split(/\r?\n/).indexOf(line) + 1}.`,
      };
    }
    env[name] = value;
  }
  return { env };
}
