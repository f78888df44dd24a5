import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { AgentError, type AgentProcess } from '../agent.ts';
import { type Clock, within } from '../workspace/clock.ts';
import { environment, groupIsAlive, killMarked, signalGroup } from '../workspace/groups.ts';

export interface ProgramOptions {
  readonly name: string;
  /** Absolute. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Values that no message may show. */
  readonly secrets: readonly string[];
  readonly onProcess: (process: AgentProcess) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const tailLines = 8;
const tailLength = 1200;

/** A running agent program, at the head of a process group of its own. */
export class Program {
  /** Resolves when the program has ended and its last words are read. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #options: ProgramOptions;
  readonly #mark: string;
  #errors = '';
  #ending = false;

  static async start(options: ProgramOptions): Promise<Program> {
    const mark = randomUUID();
    const { SLUICE_PROCESS } = environment(mark);
    const child = spawn(options.file, [...options.args], {
      cwd: options.cwd,
      detached: true,
      env: { ...options.env, SLUICE_PROCESS },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw new AgentError('agent.not_started', `${options.name} could not be started: ${reasonOf(error)}`);
    }
    return new Program(child, mark, options);
  }

  constructor(
    child: ChildProcessByStdio<Writable, Readable, Readable>,
    mark: string,
    options: ProgramOptions,
  ) {
    this.#child = child;
    this.#mark = mark;
    this.#options = options;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-16_384);
    });
    // It may end while something is on its way to it: its end is told by `exited`.
    child.stdin.on('error', () => {});
    this.exited = this.#watch();
    options.onProcess({
      pgid: child.pid as number,
      command: [options.file, ...options.args].join(' '),
      mark,
      survives: false,
      ended: this.exited.then(() => undefined),
    });
  }

  get stdin(): Writable {
    return this.#child.stdin;
  }

  get stdout(): Readable {
    return this.#child.stdout;
  }

  /** The last lines of standard error, without secrets. */
  get lastWords(): string {
    let text = this.#errors;
    for (const secret of this.#options.secrets) text = text.replaceAll(secret, '[redacted]');
    const lines = text
      .replace(/\x1b\[[0-9;]*[A-Za-z]/g, '')
      .replace(/\b(bearer\s+|sk-|sk_)[\w.~+/=-]{8,}/gi, '$1[redacted]')
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
    return lines.slice(-tailLines).join('\n').slice(-tailLength);
  }

  /** Closes its input, then SIGTERM, then SIGKILL to its group; about 1.5 s at most. */
  async end(): Promise<void> {
    const { clock } = this.#options;
    this.#ending = true;
    const pgid = this.#child.pid as number;
    this.#child.stdin.end();
    if (await within(clock, 500, this.exited)) return;
    signalGroup(pgid, 'SIGTERM');
    if (await within(clock, 700, this.exited)) return;
    this.kill();
  }

  kill(): void {
    signalGroup(this.#child.pid as number, 'SIGKILL');
  }

  async #watch(): Promise<Exit> {
    const closed = once(this.#child, 'close');
    const [code, signal] = (await once(this.#child, 'exit')) as [number | null, NodeJS.Signals | null];
    // A15: what it started in its group ends with it.
    const pgid = this.#child.pid as number;
    if (groupIsAlive(pgid)) signalGroup(pgid, 'SIGTERM');
    if (!(await within(this.#options.clock, 300, closed))) signalGroup(pgid, 'SIGKILL');
    if (groupIsAlive(pgid)) signalGroup(pgid, 'SIGKILL');
    // Some start their commands in groups of their own, and had no chance to end them.
    if (signal !== null || !this.#ending) killMarked(this.#mark);
    return { code, signal };
  }
}

/** The program that a command names, as an absolute path; undefined when there is none. */
export async function findProgram(
  command: string,
  cwd: string,
  path: string | undefined,
  directories: readonly string[],
): Promise<string | undefined> {
  if (/[\\/]/.test(command)) {
    const file = isAbsolute(command) ? command : resolve(cwd, command);
    return (await isExecutable(file)) ? file : undefined;
  }
  const onPath = (path ?? '').split(delimiter).filter(isAbsolute);
  const installed = directories.flatMap(upward).map((directory) => join(directory, 'node_modules', '.bin'));
  for (const directory of [...onPath, ...installed]) {
    const file = join(directory, command);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

function upward(directory: string): string[] {
  const above = dirname(directory);
  return above === directory ? [directory] : [directory, ...upward(above)];
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The environment of an agent: the Node that runs the gateway comes first, since the system's may be too old for it. */
export function agentEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  own: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const passed = Object.fromEntries(
    Object.entries(inherited).filter(([name]) => !name.startsWith('SLUICE_')),
  );
  const path = [dirname(process.execPath), passed.PATH].filter(Boolean).join(delimiter);
  return { ...passed, PATH: path, ...own };
}

/** Values of variables whose names say that they are secret. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): string[] {
  const named = /key|token|secret|password|passwd|credential|auth/i;
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value.length >= 6 && named.test(name) ? value : [],
  );
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES') return 'its file may not be run (chmod +x).';
  if (code === 'ENOENT') return 'its interpreter or its working directory is missing.';
  return error instanceof Error ? error.message : String(error);
}
