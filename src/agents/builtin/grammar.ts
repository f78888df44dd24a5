import type { Command } from '../../wire/content.ts';
import type { Play, Scene } from './play.ts';

/** One thing that the agent can be asked to do. */
export interface CommandSpec {
  /** For the slash menu: `/read`. */
  readonly name: string;
  /** What follows the name, for the slash menu. */
  readonly hint?: string;
  /** What `help` shows that one may type. */
  readonly example: string;
  /** What it does, as `help` says it. */
  readonly description: string;
  readonly group: 'work' | 'show' | 'talk';
  /** Tried in order on the cleaned message; named groups become the arguments. */
  readonly patterns: readonly RegExp[];
  /** The rest of the message is the user's own text: nothing is taken off its end. */
  readonly verbatim?: boolean;
  /** The turn can be found again by a handle: in this process, or over a restart in a worker's file. */
  readonly handle?: 'lost' | 'worker';
  play(scene: Scene, args: Args): Play;
}

export type Args = Readonly<Record<string, string | undefined>>;

export interface Parsed {
  readonly spec: CommandSpec;
  readonly args: Args;
}

const courtesy =
  /^(?:please|ok(?:ay)?|now|then|and|can you|could you|would you|will you|i(?: would|'d) like (?:you )?to|i want (?:you )?to|let'?s|just)[,\s]+(?=\S)/i;
/** Taken off only after a word, so that `..` as a path stays what it is. */
const ending = /(?<=[\p{L}\p{N})"'`])[.!?]+$/u;
const thanks = /[,\s]+(?:please|for me|thanks|thank you)$/i;

/** Finds what a message asks for, of all commands or of the one that `/name` calls; undefined when it asks for nothing that is known. */
export function parse(specs: readonly CommandSpec[], message: string): Parsed | undefined {
  const [, named] = /^\/(\w+)/.exec(message.trim()) ?? [];
  const text = named === undefined ? strip(message.trim(), courtesy) : message.trim().slice(1);
  const polished = text.replace(ending, '').replace(thanks, '').replace(ending, '');
  for (const spec of specs) {
    if (named !== undefined && spec.name !== named.toLowerCase()) continue;
    for (const pattern of spec.patterns) {
      const match = pattern.exec(spec.verbatim ? text : polished);
      if (match) return { spec, args: { ...match.groups } };
    }
  }
  return undefined;
}

/** A pattern over the whole message, case aside, spaces as they come. */
export function phrase(source: string): RegExp {
  return new RegExp(`^${source.replaceAll(' ', '\\s+').replaceAll('~', '\\s*')}$`, 'is');
}

export function slashCommands(specs: readonly CommandSpec[]): Command[] {
  return specs.map(({ name, description, hint }) => ({
    name,
    description,
    ...(hint !== undefined && { hint }),
  }));
}

/** Commands whose name or example shares a word with the message, best first. */
export function similar(specs: readonly CommandSpec[], message: string): CommandSpec[] {
  const words = new Set(message.toLowerCase().match(/\p{L}{3,}/gu));
  const score = (spec: CommandSpec) => {
    const own = `${spec.name} ${spec.example}`.toLowerCase().match(/\p{L}{3,}/gu) ?? [];
    return new Set(own.filter((word) => words.has(word))).size;
  };
  return specs
    .map((spec) => ({ spec, score: score(spec) }))
    .filter((candidate) => candidate.score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map((candidate) => candidate.spec);
}

function strip(text: string, pattern: RegExp): string {
  const shorter = text.replace(pattern, '');
  return shorter === text ? text : strip(shorter, pattern);
}
