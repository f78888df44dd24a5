import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Ends the program: what is wrong with what it was given, and how it is used. */
function misuse(what: string, usage: string): never {
  process.stderr.write(`${what}\n\n${usage}\n`);
  process.exit(2);
}

/**
 * What a program was given by hand; `--help` says `usage` and ends. Numbers are asked for by their option: one that is none
 * would otherwise let a search end at once and say that all is well.
 */
export function readOptions<T extends ParseArgsConfig>(config: T, usage: string) {
  const parsed = read(config, usage);
  if ((parsed.values as { help?: boolean }).help) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  const given = (name: string) => (parsed.values as Readonly<Record<string, string | undefined>>)[name];
  return {
    ...parsed,
    /** A number above 0; undefined where none is given. */
    number(name: keyof T['options'] & string): number | undefined {
      const text = given(name);
      if (text === undefined) return undefined;
      if (Number(text) > 0) return Number(text);
      return misuse(`--${name} ${text}: give a number above 0.`, usage);
    },
    /** A whole number from `least` on; undefined where none is given. */
    count(name: keyof T['options'] & string, least = 1): number | undefined {
      const text = given(name);
      if (text === undefined) return undefined;
      if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text)) && Number(text) >= least)
        return Number(text);
      return misuse(`--${name} ${text}: give a whole number from ${least} on.`, usage);
    },
    /** One of these words; undefined where none is given. */
    word<W extends string>(name: keyof T['options'] & string, ...words: readonly W[]): W | undefined {
      const text = given(name);
      if (text === undefined || (words as readonly string[]).includes(text)) return text as W | undefined;
      return misuse(`--${name} ${text}: give one of ${words.join(', ')}.`, usage);
    },
    misuse: (what: string): never => misuse(what, usage),
  };
}

function read<T extends ParseArgsConfig>(config: T, usage: string): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    return misuse((error as Error).message, usage);
  }
}
