import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { within } from './clock.ts';
import { environment, groupIsAlive, signalGroup } from './groups.ts';
import type { Scene } from './play.ts';

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
 * Runs what the user typed in `/bin/sh -c`, in a process group of its own, with nothing to read from. A stop sends
 * SIGTERM to the group, and SIGKILL when it has not ended within 2 s; being abandoned sends SIGKILL at once.
 */
export async function startShell(scene: Scene, command: string): Promise<Shell> {
  const mark = randomUUID();
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: scene.cwd,
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
    if (!(await within(scene.clock, patience, closed))) signalGroup(pgid, 'SIGKILL');
  };
  const kill = () => signalGroup(pgid, 'SIGKILL');
  scene.stopped.addEventListener('abort', terminate, { once: true });
  scene.abandoned.addEventListener('abort', kill, { once: true });
  if (scene.stopped.aborted) void terminate();

  const ended = exited.then(
    async ([exitCode, signal]: (number | NodeJS.Signals | null)[]): Promise<ShellEnd> => {
      const leftovers = groupIsAlive(pgid);
      if (leftovers) await terminate();
      while (!(await within(scene.clock, grace, closed))) {
        // Nobody is slow to read, and nothing comes: a process that left the group holds the pipes.
        if (output.readableLength > 0) continue;
        child.stdout.destroy();
        child.stderr.destroy();
      }
      scene.stopped.removeEventListener('abort', terminate);
      scene.abandoned.removeEventListener('abort', kill);
      return { exitCode: exitCode as number | null, signal: signal as NodeJS.Signals | null, leftovers };
    },
  );
  scene.spawned({ pgid, command, mark, survives: false, ended: ended.then(() => undefined) });
  return { output, ended };
}
