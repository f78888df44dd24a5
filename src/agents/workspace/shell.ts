import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { AgentProcess } from '../agent.ts';
import { type Clock, within } from './clock.ts';
import { environment, groupIsAlive, signalGroup } from './groups.ts';

export interface ShellOptions {
  readonly cwd: string;
  readonly clock: Clock;
  /** Aborts on a stop: the command is asked to end. */
  readonly stopped: AbortSignal;
  /** Aborts when nobody will read on: the command is killed. */
  readonly abandoned: AbortSignal;
  spawned(process: AgentProcess): void;
}

export interface Shell {
  /** Standard output and errors as they come, whole characters only. */
  readonly output: AsyncIterable<string>;
  readonly ended: Promise<ShellEnd>;
}

export interface ShellEnd {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It left processes in the background, which were ended too. */
  readonly leftovers: boolean;
}

/** From a stop to SIGKILL, and from the command's exit to letting go of pipes that something else holds. */
const patience = 2000;
const grace = 300;

/**
 * Runs a command in `/bin/sh -c`, in a process group of its own, with nothing to read from. A stop sends SIGTERM to
 * the group, and SIGKILL when it has not ended within 2 s; being abandoned sends SIGKILL at once.
 */
export async function startShell(options: ShellOptions, command: string): Promise<Shell> {
  const { clock, stopped, abandoned } = options;
  const mark = randomUUID();
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: options.cwd,
    detached: true,
    env: environment(mark),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await once(child, 'spawn');
  const closed = once(child, 'close');
  const exited = once(child, 'exit');
  const pgid = child.pid as number;

  const output = new PassThrough({ encoding: 'utf8' });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').pipe(output, { end: false });
  }
  void closed.then(() => output.end());

  const terminate = async () => {
    signalGroup(pgid, 'SIGTERM');
    if (!(await within(clock, patience, closed))) signalGroup(pgid, 'SIGKILL');
  };
  const kill = () => signalGroup(pgid, 'SIGKILL');
  stopped.addEventListener('abort', terminate, { once: true });
  abandoned.addEventListener('abort', kill, { once: true });
  if (stopped.aborted) void terminate();

  const ended = exited.then(
    async ([exitCode, signal]: (number | NodeJS.Signals | null)[]): Promise<ShellEnd> => {
      const leftovers = groupIsAlive(pgid);
      if (leftovers) await terminate();
      while (!(await within(clock, grace, closed))) {
        // Nobody is slow to read, and nothing comes: a process that left the group holds the pipes.
        if (output.readableLength > 0) continue;
        child.stdout.destroy();
        child.stderr.destroy();
      }
      stopped.removeEventListener('abort', terminate);
      abandoned.removeEventListener('abort', kill);
      return { exitCode: exitCode as number | null, signal: signal as NodeJS.Signals | null, leftovers };
    },
  );
  options.spawned({ pgid, command, mark, survives: false, ended: ended.then(() => undefined) });
  return { output, ended };
}
