import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AgentProcess, AgentSession, OpenOptions, Output } from '../../src/agents/agent.ts';
import { createBuiltin } from '../../src/agents/builtin/builtin.ts';
import { createGates, type Gates } from '../../src/agents/builtin/gates.ts';
import type { Clock } from '../../src/agents/workspace/clock.ts';
import type { Turn } from '../../src/wire/turn.ts';

const macrotask = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A clock that stands still until the test moves it. */
export class OwnedClock implements Clock {
  now = 0;
  readonly #sleeping = new Set<{ readonly at: number; readonly wake: () => void }>();

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { at: this.now + ms, wake: resolve };
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#sleeping.add(sleeper);
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#sleeping.delete(sleeper);
    }
  }

  /** How many wait. */
  get sleepers(): number {
    return this.#sleeping.size;
  }

  /** Moves the time on, waking whoever is due in order. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await macrotask();
      const next = [...this.#sleeping].sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.now = Math.max(this.now, next.at);
      this.#sleeping.delete(next);
      next.wake();
    }
    this.now = end;
  }
}

/** A clock on which every wait is over at once, in order, with its length counted. */
export class LeapingClock implements Clock {
  now = 0;

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await macrotask();
    signal.throwIfAborted();
    this.now += ms;
  }
}

export interface Opened {
  readonly session: AgentSession;
  readonly cwd: string;
  readonly stateDir: string;
  readonly gates: Gates;
  readonly processes: AgentProcess[];
  /** What came outside of prompts. */
  readonly aside: Output[];
  readonly exits: unknown[];
}

export async function openBuiltin(options: Partial<OpenOptions> & { clock?: Clock } = {}): Promise<Opened> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-builtin-'));
  const {
    clock = new LeapingClock(),
    cwd = directory,
    stateDir = join(directory, '.state'),
    ...others
  } = options;
  const gates = createGates();
  const opened = { gates, cwd, stateDir, processes: [], aside: [], exits: [] } as Omit<Opened, 'session'>;
  const session = await createBuiltin({ clock, gates }).open({
    session: 's1',
    kind: 'conversation',
    history: [],
    onProcess: (process) => opened.processes.push(process),
    onOutput: (output) => opened.aside.push(output),
    onExit: (reason) => opened.exits.push(reason),
    ...others,
    cwd,
    stateDir,
  });
  onTestFinished(async () => {
    await session.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  return { ...opened, session };
}

let turns = 0;

export function prompt(session: AgentSession, text: string, signal = new AbortController().signal) {
  turns += 1;
  return session.prompt({ turn: `turn-${turns}`, content: [{ type: 'text', text }], signal });
}

export async function all(outputs: AsyncIterable<Output>): Promise<Output[]> {
  const collected: Output[] = [];
  for await (const output of outputs) collected.push(output);
  return collected;
}

type OutputOf<T extends Output['type'], O extends Output = Output> = O extends Output
  ? T extends O['type']
    ? O
    : never
  : never;

/** Reads on in the background; `until` resolves with the first output that fits. */
export function reading(outputs: AsyncIterable<Output>) {
  const seen: Output[] = [];
  const waiting = new Set<() => void>();
  const done = (async () => {
    for await (const output of outputs) {
      seen.push(output);
      for (const check of waiting) check();
    }
    return seen;
  })();
  const until = <T extends Output['type']>(type: T, fits: (output: OutputOf<T>) => boolean = () => true) => {
    const { promise, resolve, reject } = Promise.withResolvers<OutputOf<T>>();
    const check = () => {
      const found = seen.find(
        (output): output is OutputOf<T> => output.type === type && fits(output as never),
      );
      if (found) resolve(found);
    };
    waiting.add(check);
    check();
    void done.then(
      () => reject(new Error(`ended without ${type}: ${JSON.stringify(seen)}`)),
      (error: unknown) => reject(error),
    );
    return promise;
  };
  return { seen, done, until };
}

export function text(outputs: readonly Output[], kind: 'text' | 'thought' = 'text'): string {
  return outputs.reduce((whole, output) => {
    if (output.type === kind) return whole + output.text;
    return output.type === 'replace' && output.kind === kind ? output.text : whole;
  }, '');
}

export function end(outputs: readonly Output[]) {
  const last = outputs.at(-1);
  return last?.type === 'ended' ? last.stopReason : undefined;
}

export function script(...steps: unknown[]): string {
  return `script:${JSON.stringify(steps)}`;
}

export function seenTurn(id: string, said: string, more: Partial<Turn> = {}): Turn {
  return {
    id,
    origin: 'user',
    startedAt: 0,
    firstSeq: 1,
    seq: 1,
    parts: said === '' ? [] : [{ type: 'text', id: 'p1', text: said, revision: 0 }],
    accepted: true,
    misfits: [],
    ...more,
  };
}
