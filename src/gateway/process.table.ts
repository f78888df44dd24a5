import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What the operating system says about processes: from /proc on Linux, from `ps` on other Unix systems. */
interface Stat {
  readonly state: string;
  readonly group: number;
  /** Clock ticks since the machine started. */
  readonly ticks: string;
}

/** When the process was started, comparable over runs of the gateway; undefined when there is none or nobody says. */
export function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const stat = statOf(pid);
    return stat && `${text('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}:${stat.ticks}`;
  }
  return ps(['-o', 'lstart=', '-p', String(pid)]);
}

/** The process group of a process. */
export function groupOf(pid: number): number | undefined {
  if (process.platform === 'linux') return statOf(pid)?.group;
  const group = Number(ps(['-o', 'pgid=', '-p', String(pid)]));
  return group > 0 ? group : undefined;
}

/** Somebody of the group is alive. Zombies are not: where nobody reaps them, they stay. */
export function groupHasLiving(pgid: number): boolean {
  if (process.platform === 'linux') return livingOf(pgid).length > 0;
  try {
    process.kill(-pgid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A living member of the group was started with `variable=value` in its environment. Linux only; elsewhere false. */
export function isMarked(pgid: number, variable: string, value: string): boolean {
  if (process.platform !== 'linux') return false;
  return livingOf(pgid).some((pid) =>
    text(`/proc/${pid}/environ`)?.split('\0').includes(`${variable}=${value}`),
  );
}

function livingOf(pgid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat !== undefined && stat.group === pgid && stat.state !== 'Z' && stat.state !== 'X';
    });
}

/** /proc/PID/stat: the command, in brackets, may itself hold spaces and brackets. */
function statOf(pid: number): Stat | undefined {
  const line = text(`/proc/${pid}/stat`);
  if (line === undefined) return undefined;
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const ticks = fields[19];
  return state && group && ticks ? { state, group: Number(group), ticks } : undefined;
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function ps(args: readonly string[]): string | undefined {
  if (process.platform === 'win32') return undefined;
  try {
    return (
      execFileSync('ps', [...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, LC_ALL: 'C' },
      }).trim() || undefined
    );
  } catch {
    return undefined;
  }
}
