import { readdirSync, readFileSync } from 'node:fs';

/**
 * The environment of a process that carries `mark`: the gateway's own, without what configures the gateway, since its
 * secrets are not the process's.
 */
export function environment(mark: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_'));
  return { ...Object.fromEntries(own), SLUICE_PROCESS: mark };
}

/** Signals a process group; nothing when it has ended or what is left of it is not ours. */
export function signalGroup(pgid: number, signal: NodeJS.Signals): void {
  deliver(-pgid, signal);
}

export function groupIsAlive(pgid: number): boolean {
  return deliver(-pgid, 0);
}

export function isAlive(pid: number): boolean {
  return deliver(pid, 0) && !isZombie(pid);
}

/**
 * SIGKILL to each process with that mark in its environment: those that have left the group of the one that was started
 * with it. Linux only; elsewhere nothing.
 */
export function killMarked(mark: string): void {
  if (process.platform !== 'linux') return;
  for (const name of readdirSync('/proc'))
    if (/^\d+$/.test(name) && hasMark(name, mark)) deliver(Number(name), 'SIGKILL');
}

function hasMark(pid: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`SLUICE_PROCESS=${mark}`);
  } catch {
    return false; // It has ended, or is not ours.
  }
}

/** In a container whose first process reaps nobody, an orphan that has ended can still be signalled for ever. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false; // No /proc here.
  }
}

function deliver(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM'))
      return false;
    throw error;
  }
}
