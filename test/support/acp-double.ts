import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { SessionConfigOption, StopReason, ToolCallContent } from '@agentclientprotocol/sdk';
import { createAcp } from '../../src/agents/acp/acp.ts';
import type { AcpAgent, AcpOptions } from '../../src/agents/acp/options.ts';
import type { Connector } from '../../src/agents/agent.ts';
import { Secret } from '../../src/agents/model/secret.ts';

/** How the program behaves before any script. */
export interface DoubleOptions {
  /** What goes wrong at its start; `login`: until `authenticate`. */
  start?: 'crash' | 'silent' | 'version' | 'login' | undefined;
  /** How it continues a session of an earlier process, if it can. */
  readonly continues?: 'load' | 'resume';
  /** It lists its sessions, so many on a page. */
  readonly lists?: number;
  readonly forks?: true;
  /** It ends in the middle of what `load` replays. */
  readonly diesInLoad?: true;
  /** What it calls itself. */
  readonly name?: string;
  /** Config options beside the model, as the protocol has them; the value `broken` is refused. */
  readonly settings?: readonly SessionConfigOption[];
  /** Bytes that come along with its list of commands (A9). */
  readonly weight?: number;
}

/** What a script may hold; verbs that the built-in agent has too mean the same. */
export type DoubleStep =
  | { readonly text: string; readonly more?: object }
  | { readonly thought: string }
  /** Any `session/update`, as it is. */
  | { readonly update: object }
  /** Announced at its first step, unless `once`; later ones update it. */
  | {
      readonly tool: string;
      readonly once?: boolean;
      readonly title?: string;
      readonly kind?: string;
      readonly status?: string;
      readonly content?: readonly ToolCallContent[];
      readonly rawInput?: unknown;
      readonly rawOutput?: unknown;
    }
  | {
      readonly permission: string;
      readonly tool?: string;
      readonly title?: string;
      readonly content?: readonly ToolCallContent[];
      readonly on?: Readonly<Record<string, readonly DoubleStep[]>>;
    }
  /** Asks for values (`form`, as the protocol has it) or for a visit (`url`); what is answered is said. `visit` names it. */
  | {
      readonly elicit: string;
      readonly form?: object;
      readonly url?: string;
      readonly visit?: string;
      readonly tool?: string;
      readonly on?: Readonly<Record<string, readonly DoubleStep[]>>;
    }
  /** Says that a visit is over. */
  | { readonly visited: string }
  /** Waits until the file is in the session's directory, or for a stop. */
  | { readonly gate: { readonly file: string } }
  | { readonly hang: true }
  | { readonly wait: number }
  /** Ignores stops from here, and SIGTERM. */
  | { readonly stubborn: true }
  | { readonly crash: string }
  | { readonly die: true }
  /** Leaves a process behind (A15), in its own group or apart from it. */
  | { readonly leave: true | 'apart' }
  | { readonly fail: string; readonly code?: number; readonly data?: unknown }
  | { readonly end: StopReason }
  /** Any request to the client; its answer is said. */
  | { readonly ask: string; readonly params?: object }
  | {
      readonly terminal: { readonly command: string; readonly args?: readonly string[] };
      readonly title?: string;
    }
  /** Played beside the steps that follow. */
  | { readonly meanwhile: readonly DoubleStep[] }
  /** Played once the prompt is answered. */
  | { readonly later: readonly DoubleStep[] };

interface Noted {
  readonly what: string;
  readonly pid: number;
  readonly [key: string]: unknown;
}

/** A home for doubles: what they noted, over all processes and sessions. */
export class Double {
  readonly home = mkdtempSync(join(tmpdir(), 'sluice-acp-'));
  readonly connector: Connector;

  constructor(options: DoubleOptions = {}, agent: Partial<AcpAgent> = {}, acp: Partial<AcpOptions> = {}) {
    const program = resolve(import.meta.dirname, 'acp-double.program.ts');
    const env = { ACP_DOUBLE: JSON.stringify(options), ACP_DOUBLE_HOME: this.home };
    this.connector = createAcp({
      ...acp,
      agent: {
        id: 'double',
        name: 'Double',
        command: [process.execPath, program],
        ...agent,
        env: {
          ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, new Secret(value)])),
          ...agent.env,
        },
      },
    });
  }

  noted(what?: string): readonly Noted[] {
    const file = join(this.home, 'journal.jsonl');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    const all = lines.map((line) => JSON.parse(line) as Noted);
    return what === undefined ? all : all.filter((noted) => noted.what === what);
  }

  /** A session of its own that it has had at some time. */
  plant(id: string, session: { readonly cwd: string; readonly said: readonly object[] }): void {
    writeFileSync(join(this.home, `${id}.json`), JSON.stringify(session));
  }

  /** It forgets one. */
  unplant(id: string): void {
    rmSync(join(this.home, `${id}.json`));
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Lets scripts go on that wait at the gate. */
export function openGate(directory: string, file: string): void {
  const path = join(directory, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
}

/** A message for the double, or for the built-in agent, that plays these steps. */
export function play(id: string, steps: readonly DoubleStep[]) {
  return { id, content: [{ type: 'text' as const, text: `script: ${JSON.stringify(steps)}` }] };
}
