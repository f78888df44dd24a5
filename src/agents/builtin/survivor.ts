import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath } from 'node:url';
import type { Turn } from '../../wire/turn.ts';
import type { Output, Poll } from '../agent.ts';
import { AgentError } from '../agent.ts';
import type { Clock } from '../workspace/clock.ts';
import { environment, isAlive, signalGroup } from '../workspace/groups.ts';
import type { Play, Scene } from './play.ts';

/** A step of a worker's work: waits `after` ms, then until `file` exists, then says `output`. */
export interface WorkItem {
  readonly after?: number;
  readonly file?: string;
  readonly output?: Output;
}

interface Place {
  readonly stateDir: string;
  readonly clock: Clock;
}

/** How often a file is looked at, how long a stop may take, and when a silent worker counts as gone. */
const look = 40;
const patience = 2000;
const stale = 30_000;

const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** Does the work in a process of its own, which goes on when the gateway ends, and says what it says. */
export async function* survive(scene: Scene, items: readonly WorkItem[]): Play {
  const { handle } = scene;
  if (handle === undefined) throw new Error('surviving work needs a handle');
  const [plan, out] = [planOf(scene, handle), fileOf(scene, handle)];
  await writeFile(plan, JSON.stringify(items), { mode: 0o600 });
  const mark = randomUUID();
  const child = spawn(process.execPath, [worker, plan, out], {
    cwd: scene.cwd,
    detached: true,
    env: environment(mark),
    stdio: 'ignore',
  });
  await once(child, 'spawn');
  const pid = child.pid as number;
  const ended = child.exitCode === null ? once(child, 'exit').then(() => undefined) : Promise.resolve();
  child.unref();
  scene.spawned({ pgid: pid, command: 'built-in agent, surviving work', mark, survives: true, ended });
  yield* read(scene, handle, { pid, gone: async () => child.exitCode !== null || child.signalCode !== null });
}

/** Joins the work again, from its first word. */
export async function* follow(scene: Scene, handle: string): Play {
  if (!handle.startsWith('worker:')) return yield gone;
  const out = fileOf(scene, handle);
  const { pid } = await readAll(out);
  if (pid === undefined) return yield gone;
  const over = Promise.withResolvers<void>();
  scene.spawned({
    pgid: pid,
    command: 'built-in agent, surviving work',
    survives: true,
    ended: over.promise,
  });
  try {
    for await (const said of read(scene, handle, { pid, gone: () => isGone(out, pid) })) {
      if (said.type === 'ended') over.resolve();
      yield said;
    }
  } finally {
    if (!scene.abandoned.aborted) over.resolve();
  }
}

const gone: Output = {
  type: 'ended',
  stopReason: 'lost',
  error: {
    code: 'builtin.unknown_work',
    message: 'This work ended with the process that ran it: what it had said is kept, and you can retry.',
  },
};

interface Running {
  readonly pid: number;
  gone(): Promise<boolean>;
}

async function* read(scene: Scene, handle: string, running: Running): Play {
  const tail = new Tail(fileOf(scene, handle));
  let ended = false;
  try {
    while (!ended) {
      // Asked before the file is read: what a worker wrote before it went is not missed.
      const gone = await running.gone();
      const said = await tail.read();
      for (const output of said) {
        ended ||= output.type === 'ended';
        yield output;
      }
      if (ended || said.length > 0) continue;
      if (gone) {
        throw new AgentError(
          'builtin.worker_lost',
          'The worker ended before its work did: its text so far is kept.',
        );
      }
      await scene.sleep(look);
    }
  } finally {
    if (!ended && scene.stopped.aborted && !scene.abandoned.aborted)
      await stopWorker(scene, handle, running.pid);
  }
}

/** What the turn does not hold yet of what the play says from its start. */
export async function* unseen(seen: Turn, play: Play): Play {
  const length = { text: 0, thought: 0 };
  const tools = new Map<string, { done: boolean; output: number }>();
  for (const part of seen.parts) {
    if (part.type === 'text' || part.type === 'thought') length[part.type] += part.text.length;
    if (part.type !== 'tool') continue;
    const done = part.status !== 'pending' && part.status !== 'in_progress';
    tools.set(part.id, { done, output: part.output.length });
  }
  for await (const said of play) {
    if (said.type === 'text' || said.type === 'thought') {
      const text = said.text.slice(length[said.type]);
      length[said.type] = Math.max(0, length[said.type] - said.text.length);
      if (text !== '') yield { ...said, text };
    } else if ('toolCallId' in said && said.toolCallId !== undefined && tools.has(said.toolCallId)) {
      const tool = tools.get(said.toolCallId);
      if (!tool || tool.done || said.type === 'tool.started') continue;
      if (said.type !== 'tool.updated' || said.output === undefined) yield said;
      else {
        const output = said.output.slice(tool.output);
        tool.output = Math.max(0, tool.output - said.output.length);
        if (output !== '') yield { ...said, output };
      }
    } else yield said;
  }
}

/** Asks after the work without joining it. An end brings the whole text, in place of what may be there. */
export async function pollWorker(place: Place, handle: string): Promise<Poll> {
  const out = fileOf(place, handle);
  const { pid, outputs } = await readAll(out);
  if (pid === undefined) return { state: 'unknown', reason: 'There is no trace of this work any more.' };
  const end = outputs.find((output) => output.type === 'ended');
  if (!end) {
    if (await isGone(out, pid)) return { state: 'unknown', reason: 'The worker ended before its work did.' };
    const progress = outputs.findLast((output) => output.type === 'progress')?.progress;
    return { state: 'running', ...(progress && { progress }) };
  }
  const whole = (kind: 'text' | 'thought'): Output[] => {
    const text = outputs.flatMap((output) => (output.type === kind ? [output.text] : [])).join('');
    return text === '' ? [] : [{ type: 'replace', kind, text, reason: 'polled' }];
  };
  return { state: 'ended', output: [...whole('thought'), ...whole('text'), end] };
}

/** Ends the worker: it is asked first, and killed when it has not ended soon. */
export async function stopWorker(place: Place, handle: string, known?: number): Promise<void> {
  const out = fileOf(place, handle);
  const pid = known ?? (await readAll(out)).pid;
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  const never = new AbortController().signal;
  for (let waited = 0; waited < patience; waited += look) {
    const { outputs } = await readAll(out);
    if (outputs.some((output) => output.type === 'ended') || !isAlive(pid)) return;
    await place.clock.sleep(look, never);
  }
  signalGroup(pid, 'SIGKILL');
}

/** Removes the files of work whose turn has ended. */
export async function forgetEnded(stateDir: string, history: readonly Turn[]): Promise<void> {
  for (const turn of history) {
    if (turn.outcome === undefined || !turn.handle?.startsWith('worker:')) continue;
    await rm(fileOf({ stateDir }, turn.handle), { force: true });
    await rm(planOf({ stateDir }, turn.handle), { force: true });
  }
}

/** Reads a file of lines as it grows. */
class Tail {
  readonly #path: string;
  #position = 0;
  #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<Output[]> {
    const lines = await this.lines();
    return lines.flatMap((line) => (line.output ? [line.output] : []));
  }

  async lines(): Promise<Line[]> {
    const file = await open(this.#path).catch(() => undefined);
    if (!file) return [];
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.max(0, size - this.#position));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#position);
      this.#position += bytesRead;
      const lines = (this.#rest + this.#decoder.write(buffer.subarray(0, bytesRead))).split('\n');
      this.#rest = lines.pop() ?? '';
      return lines.map((line): Line => JSON.parse(line));
    } finally {
      await file.close();
    }
  }
}

interface Line {
  readonly worker?: { readonly pid: number };
  readonly output?: Output;
}

async function readAll(path: string): Promise<{ pid: number | undefined; outputs: Output[] }> {
  const lines = await new Tail(path).lines();
  return {
    pid: lines.find((line) => line.worker)?.worker?.pid,
    outputs: lines.flatMap((line) => (line.output ? [line.output] : [])),
  };
}

function fileOf(place: { readonly stateDir: string }, handle: string): string {
  const id = /^worker:([0-9a-f-]{36})$/.exec(handle)?.[1];
  if (id === undefined)
    throw new AgentError('builtin.unknown_work', `Not a handle of the built-in agent: ${handle}`);
  return join(place.stateDir, `${id}.jsonl`);
}

function planOf(place: { readonly stateDir: string }, handle: string): string {
  return fileOf(place, handle).replace(/\.jsonl$/, '.plan.json');
}

async function isGone(out: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return true;
  const info = await stat(out).catch(() => undefined);
  return !info || Date.now() - info.mtimeMs > stale;
}
