import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type CreateTerminalRequest, RequestError, type TerminalExitStatus } from '@agentclientprotocol/sdk';
import type { AgentProcess } from '../agent.ts';
import { type Clock, within } from '../workspace/clock.ts';
import { groupIsAlive, signalGroup } from '../workspace/groups.ts';
import { confinedDirectory } from './files.ts';

export interface TerminalsOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly onProcess: (process: AgentProcess) => void;
}

/** Bytes of output that are kept for `terminal/output` when the agent names no limit, and at most. */
const defaultLimit = 1024 * 1024;
/** Characters of one command's output that are shown while it runs. */
const shownLimit = 256 * 1024;

interface Terminal {
  readonly pgid: number;
  readonly limit: number;
  readonly exited: Promise<TerminalExitStatus>;
  output: string;
  truncated: boolean;
  exit: TerminalExitStatus | undefined;
  shown: number;
  listener: ((text: string) => void) | undefined;
}

/** The commands that an agent runs through us, in the directory of its session. */
export class Terminals {
  readonly #options: TerminalsOptions;
  readonly #terminals = new Map<string, Terminal>();
  /** How those ended that the agent has released. */
  readonly #exits = new Map<string, TerminalExitStatus>();

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  async create(request: CreateTerminalRequest): Promise<string> {
    const { command, args = [], env = [], cwd, outputByteLimit } = request;
    const { onProcess } = this.#options;
    const directory = await confinedDirectory(this.#options.cwd, cwd ?? '.');
    const mark = randomUUID();
    // Some agents send a whole line for the shell as the command.
    const isLine = args.length === 0 && /[\s;&|<>$`"'*?()]/.test(command);
    const child = spawn(isLine ? '/bin/sh' : command, isLine ? ['-c', command] : args, {
      cwd: directory,
      detached: true,
      env: {
        ...this.#options.env,
        ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
        SLUICE_PROCESS: mark,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw RequestError.invalidParams({ details: `${command} could not be started: ${String(error)}` });
    }
    const pgid = child.pid as number;
    const closed = once(child, 'close');
    const exited = once(child, 'exit').then(async ([exitCode, signal]): Promise<TerminalExitStatus> => {
      // What it left in the background may hold its pipes for ever.
      await within(this.#options.clock, 300, closed);
      return { exitCode: exitCode as number | null, signal: signal as string | null };
    });
    const terminal: Terminal = {
      pgid,
      limit: Math.min(outputByteLimit ?? defaultLimit, defaultLimit),
      exited,
      output: '',
      truncated: false,
      exit: undefined,
      shown: 0,
      listener: undefined,
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => take(terminal, text));
    }
    void exited.then((exit) => {
      terminal.exit = exit;
    });
    const ended = exited.then(() => undefined);
    onProcess({ pgid, command: [command, ...args].join(' '), mark, survives: false, ended });
    const id = `term-${randomUUID()}`;
    this.#terminals.set(id, terminal);
    return id;
  }

  output(id: string): { output: string; truncated: boolean; exitStatus?: TerminalExitStatus } {
    const terminal = this.#get(id);
    trim(terminal, terminal.limit);
    const { output, truncated, exit } = terminal;
    return { output, truncated, ...(exit && { exitStatus: exit }) };
  }

  waitForExit(id: string): Promise<TerminalExitStatus> {
    return this.#get(id).exited;
  }

  async kill(id: string): Promise<void> {
    const { pgid, exited } = this.#get(id);
    signalGroup(pgid, 'SIGTERM');
    if (!(await within(this.#options.clock, 2000, exited)) || groupIsAlive(pgid))
      signalGroup(pgid, 'SIGKILL');
    await exited;
  }

  async release(id: string): Promise<void> {
    const terminal = this.#get(id);
    this.#terminals.delete(id);
    if (!terminal.exit) signalGroup(terminal.pgid, 'SIGKILL');
    this.#exits.set(id, await terminal.exited);
  }

  /** What it has said so far goes to `listener` at once, the rest as it comes. A terminal that is gone says nothing. */
  follow(id: string, listener: (text: string) => void): void {
    const terminal = this.#terminals.get(id);
    if (!terminal || terminal.listener) return;
    terminal.listener = listener;
    if (terminal.output) show(terminal, terminal.output);
  }

  /** How it ended; undefined while it runs or when it is not known. */
  exitOf(id: string): TerminalExitStatus | undefined {
    return this.#terminals.get(id)?.exit ?? this.#exits.get(id);
  }

  killAll(): void {
    for (const { pgid, exit } of this.#terminals.values()) if (!exit) signalGroup(pgid, 'SIGKILL');
    this.#terminals.clear();
  }

  #get(id: string): Terminal {
    const terminal = this.#terminals.get(id);
    if (!terminal) throw RequestError.resourceNotFound(id);
    return terminal;
  }
}

function take(terminal: Terminal, text: string): void {
  terminal.output += text;
  if (terminal.output.length > terminal.limit * 2) trim(terminal, terminal.limit);
  if (terminal.listener) show(terminal, text);
}

function show(terminal: Terminal, text: string): void {
  const room = shownLimit - terminal.shown;
  if (room <= 0) return;
  terminal.shown += text.length;
  terminal.listener?.(text.length <= room ? text : `${text.slice(0, room)}\n[the rest is not shown]\n`);
}

/** Cuts from the beginning, at the boundary of a character. */
function trim(terminal: Terminal, limit: number): void {
  const bytes = Buffer.from(terminal.output);
  if (bytes.length <= limit) return;
  let start = bytes.length - limit;
  while (start < bytes.length && ((bytes[start] as number) & 0xc0) === 0x80) start += 1;
  terminal.output = bytes.subarray(start).toString('utf8');
  terminal.truncated = true;
}
