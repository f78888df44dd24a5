import type { PermissionOption } from '../../wire/content.ts';
import type { Form } from '../../wire/form.schema.ts';
import type { AgentProcess, Output, PermissionAnswer } from '../agent.ts';
import type { Clock } from '../workspace/clock.ts';
import type { Gates } from './gates.ts';

/** After a `poll`: the stream is back, the next poll may join it. Never leaves the builtin agent. */
export interface Rejoin {
  readonly type: 'rejoin';
}

/** The stream itself breaks: the reader gets the error, and no end. */
export class Broken extends Error {}

/** What one message makes the agent do. Ending without `ended` is a good end; a thrown error is a failure. */
export type Play = AsyncGenerator<Output | Rejoin, void>;

/** What a play has to work with. Its waits reject when the prompt is being stopped, which ends the play. */
export interface Scene {
  readonly turn: string;
  readonly cwd: string;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly gates: Gates;
  /** The turn's name on this side, for `poll` and `reattach`; only for plays that asked for one. */
  readonly handle: string | undefined;
  /** Aborts on a stop, and when nobody will read on. */
  readonly stopped: AbortSignal;
  /** Aborts only when nobody will read on. */
  readonly abandoned: AbortSignal;
  /** Earlier messages of the user in this conversation, oldest first. */
  readonly earlier: readonly string[];
  /** Categories that the user always allows in this conversation. */
  readonly allowed: Set<string>;
  sleep(ms: number): Promise<void>;
  /** A name that is not used yet in this turn: `run-1`. */
  name(stem: string): string;
  /** The option that was chosen; `cancelled` only for a play that ignores stops. */
  ask(question: Question): AsyncGenerator<Output, string>;
  /** The whole answer, with the values of a form. */
  inquire(question: Question): AsyncGenerator<Output, PermissionAnswer>;
  spawned(process: AgentProcess): void;
  /** From here the play ignores stops: only being abandoned ends it. */
  ignoreStops(): void;
  /** Ends the stream without an end, as if the connection broke. */
  cut(): void;
  /** The agent is gone, as if its program had crashed. */
  crash(message: string): void;
  /** Guidance given while the play runs, oldest first; undefined: none now, and with `last` none any more. */
  guidance(when: 'now' | 'last'): string | undefined;
  nextGuidance(): Promise<string>;
  /** Does something that belongs to no prompt. `idle` resolves when none runs. */
  later(work: (say: (output: Output) => void, aside: Aside) => Promise<void>): void;
}

export interface Aside {
  sleep(ms: number): Promise<void>;
  idle(): Promise<void>;
}

export interface Question {
  readonly permission?: string;
  readonly toolCallId?: string;
  readonly title: string;
  readonly options: readonly PermissionOption[];
  readonly form?: Form;
  readonly url?: string;
}

/** The words of a play in the right size and pace: natural, and at most about three seconds for long texts. */
export async function* say(scene: Scene, text: string, pace: Pace = {}): Play {
  const kind = pace.kind ?? 'text';
  let n = 0;
  for (const chunk of chunks(text, pace.chunks ?? 120)) {
    await scene.sleep(pace.ms ?? 15 + ((n * 11) % 26));
    n += 1;
    yield { type: kind, text: chunk };
  }
}

interface Pace {
  readonly kind?: 'text' | 'thought';
  /** Between chunks. Default: 15 to 40 ms. */
  readonly ms?: number;
  /** At most about so many chunks. */
  readonly chunks?: number;
}

/** Whole words in pieces of at least six characters, longer when that would be more than `most` pieces. */
export function* chunks(text: string, most: number): Generator<string> {
  const size = Math.max(6, Math.ceil(text.length / most));
  let piece = '';
  for (const [word] of text.matchAll(/\s*\S+|\s+$/gu)) {
    piece += word;
    if (piece.length >= size) {
      yield piece;
      piece = '';
    }
  }
  if (piece !== '') yield piece;
}

/** A fenced block whose fence is longer than any in the text. */
export function fenced(text: string, language = ''): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${fence}\n`;
}

/** Code in a line of text, with a fence longer than any in it. */
export function inline(text: string): string {
  if (!text.includes('`')) return `\`${text}\``;
  const longest = Math.max(...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${text} ${fence}`;
}
