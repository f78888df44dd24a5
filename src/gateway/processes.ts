import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { groupHasLiving, groupOf, isMarked, startOf } from './process.table.ts';

/** The environment variable that carries `mark` into an agent and all that it starts. */
export const markVariable = 'SLUICE_PROCESS';

/** A process group that this gateway started for a session. */
export interface ProcessRecord {
  readonly pgid: number;
  readonly command: string;
  readonly session: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Meant to outlive the gateway: never killed by `killSurvivors`. */
  readonly survives: boolean;
  /** When the kernel started the group's leader, in the kernel's own terms: tells a reused id from the recorded one. */
  readonly kernelStart?: string;
  /** What `SLUICE_PROCESS` holds in the group's environment, if it was started with it. */
  readonly mark?: string;
  /** The run of the gateway that recorded it. */
  readonly run: string;
}

/**
 * `terminated`, `killed`: by signal; `gone`: nothing was left of it; `reused`: its number now belongs to another program;
 * `kept`: it is meant to survive; `unsure`: it cannot be told whose it is; `stuck`: SIGKILL did not end it within the bound.
 */
type SurvivorFate = 'terminated' | 'killed' | 'gone' | 'reused' | 'kept' | 'unsure' | 'stuck';

export interface SurvivorOptions {
  readonly graceMs?: number;
  /** Asked of what is meant to survive: false when nobody can join it any more, so that it is ended too. */
  readonly wanted?: (record: ProcessRecord) => Promise<boolean>;
}

export interface Survivor {
  readonly record: ProcessRecord;
  readonly fate: SurvivorFate;
}

/** The process groups of agents, in one small file each, so that the next start finds what outlived a crash. */
export class ProcessRecords {
  /** A new value for `SLUICE_PROCESS`; give it to `add` as `mark`. */
  static newMark(): string {
    return randomUUID();
  }

  readonly #directory: string;
  readonly #run = randomUUID();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Call right after the start of the process, while it is surely alive. */
  add(group: {
    readonly pgid: number;
    readonly command: string;
    readonly session: string;
    readonly survives: boolean;
    readonly mark?: string;
  }): ProcessRecord {
    // Signals to group 0 and 1 reach the gateway itself or everything.
    if (!Number.isSafeInteger(group.pgid) || group.pgid <= 1)
      throw new TypeError(`no process group: ${group.pgid}`);
    const kernelStart = startOf(group.pgid);
    const record: ProcessRecord = {
      ...group,
      startedAt: Date.now(),
      run: this.#run,
      ...(kernelStart !== undefined && { kernelStart }),
    };
    const file = this.#file(group.pgid);
    writeFileSync(`${file}.next`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${file}.next`, file);
    return record;
  }

  /** Call when the group has ended. */
  remove(pgid: number): void {
    rmSync(this.#file(pgid), { force: true });
  }

  list(): readonly ProcessRecord[] {
    return readdirSync(this.#directory)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => read(join(this.#directory, name)) ?? []);
  }

  /**
   * Ends the groups that an earlier run left: SIGTERM, and SIGKILL after `graceMs` (default 2,000). Says what became of
   * each; only what is `kept` or `stuck` stays recorded.
   */
  async killSurvivors(options: SurvivorOptions = {}): Promise<readonly Survivor[]> {
    const { graceMs = 2000, wanted = async () => true } = options;
    const earlier = this.list().filter((record) => record.run !== this.#run);
    return Promise.all(
      earlier.map(async (record) => {
        const survives = record.survives && (await wanted(record));
        const fate = await end({ ...record, survives }, graceMs);
        if (fate !== 'kept' && fate !== 'stuck') rmSync(this.#file(record.pgid), { force: true });
        return { record, fate };
      }),
    );
  }

  #file(pgid: number): string {
    return join(this.#directory, `${pgid}.json`);
  }
}

async function end(record: ProcessRecord, graceMs: number): Promise<SurvivorFate> {
  const { pgid } = record;
  if (!groupHasLiving(pgid)) return 'gone';
  const owner = ownerOf(record);
  if (owner !== 'agent') return owner;
  if (record.survives) return 'kept';
  if (await signalAndWait(pgid, 'SIGTERM', graceMs)) return 'terminated';
  // Between the two signals the group may have ended and its number may have been given away.
  if (ownerOf(record) !== 'agent') return 'terminated';
  return (await signalAndWait(pgid, 'SIGKILL', graceMs)) ? 'killed' : 'stuck';
}

/** A group without its leader is known by its mark alone: its number says nothing about who it is. */
function ownerOf(record: ProcessRecord): 'agent' | 'reused' | 'unsure' {
  const { pgid, mark, kernelStart } = record;
  if (pgid <= 1 || pgid === groupOf(process.pid)) return 'reused';
  const start = startOf(pgid);
  if (start !== undefined && start === kernelStart) return 'agent';
  if (mark !== undefined && isMarked(pgid, markVariable, mark)) return 'agent';
  return start !== undefined && kernelStart !== undefined ? 'reused' : 'unsure';
}

/** True when nobody of the group is alive within the bound. */
async function signalAndWait(pgid: number, signal: NodeJS.Signals, boundMs: number): Promise<boolean> {
  try {
    process.kill(-pgid, signal);
  } catch {
    return !groupHasLiving(pgid);
  }
  const end = performance.now() + boundMs;
  while (groupHasLiving(pgid)) {
    if (performance.now() >= end) return false;
    await delay(20);
  }
  return true;
}

function read(file: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
}
