import type { Settled } from '../../../machines/runner.types.ts';
import {
  AgentError,
  type AgentProcess,
  type AgentSession,
  type Connector,
  type Output,
} from '../../agents/agent.ts';
import type { Failure } from '../../wire/content.ts';
import type { Clock } from '../clock.ts';
import type { Given } from './origin.ts';

/** Sends a signal to a process group; throws when there is none. */
export type SignalGroup = (pgid: number, signal: 'SIGTERM' | 'SIGKILL') => void;

export const signalGroup: SignalGroup = (pgid, signal) => {
  process.kill(-pgid, signal);
};

export interface HostOptions {
  readonly session: string;
  readonly kind: 'conversation' | 'job';
  readonly connector: Connector;
  readonly stateDir: string;
  /** What the agent is opened with, as the session stands now. */
  readonly current: () => Promise<Given>;
  /** Output that belongs to no prompt. */
  readonly onOutput: (output: Output) => void;
  readonly onProcess: (process: AgentProcess) => void;
  readonly clock: Clock;
  readonly signal: SignalGroup;
  readonly warn: (message: string, error: unknown) => void;
}

/** The agent's side of a session over its whole life: opened when first needed, opened anew after its end. */
export class AgentHost {
  readonly #options: HostOptions;
  #opening: Promise<AgentSession> | undefined;
  /** Names the opening that counts. */
  #current: symbol | undefined;
  #session: AgentSession | undefined;
  /** Openings that were killed: a process that comes up for one of these all the same is ended at once. */
  readonly #killed = new Set<symbol>();
  readonly #processes = new Set<AgentProcess>();
  /** Told when the agent is gone by itself. */
  #onExit: ((reason: Failure) => void) | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** True when work would go on if the gateway ended now. */
  get survives(): boolean {
    return this.#session?.survives === true || [...this.#processes].some((process) => process.survives);
  }

  /** The agent's session; rejects with what to do when it cannot be started. */
  open(): Promise<AgentSession> {
    if (!this.#opening) {
      this.#current = Symbol();
      this.#opening = this.#start(this.#current);
    }
    return this.#opening;
  }

  /** The agent's session if it is up. */
  async running(): Promise<AgentSession | undefined> {
    return this.#opening?.catch(() => undefined);
  }

  /** A question that nobody will be asked: an agent that waits for its answer goes on. */
  async cancel(permission: string): Promise<void> {
    try {
      await (await this.running())?.answer(permission, { outcome: 'cancelled' });
    } catch (error) {
      this.#options.warn('an agent could not be told that its question is not asked', error);
    }
  }

  /** Who is told when the agent ends by itself while a turn runs. */
  watch(onExit: (reason: Failure) => void): () => void {
    this.#onExit = onExit;
    return () => {
      if (this.#onExit === onExit) this.#onExit = undefined;
    };
  }

  /** SIGTERM to the agent's process groups. What survives restarts is ended too: a stop is a stop. */
  terminate(): void {
    this.#signal('SIGTERM');
  }

  /**
   * SIGKILL, and the agent's session is given up: the next prompt opens a new one. Resolves when the processes have ended,
   * which a signal alone does not say.
   */
  async kill(): Promise<void> {
    if (this.#current) this.#killed.add(this.#current);
    const ends = [...this.#processes].map((process) => process.ended);
    this.#signal('SIGKILL');
    void this.#discard();
    await Promise.all(ends);
  }

  /** Ends the agent's side; within 2 s, or its processes are killed. What survives restarts is left running. */
  async close(): Promise<void> {
    const closed = this.#discard();
    const { clock } = this.#options;
    let timer: unknown;
    const bound = new Promise<'late'>((resolve) => {
      timer = clock.setTimeout(() => resolve('late'), 2_000);
    });
    const first = await Promise.race([closed, bound]);
    clock.clearTimeout(timer as never);
    if (first === 'late') this.#signal('SIGKILL', (process) => !process.survives);
  }

  async #start(opening: symbol): Promise<AgentSession> {
    const { connector, session, kind, stateDir, onOutput } = this.#options;
    try {
      const opened = await connector.open({
        ...(await this.#options.current()),
        session,
        kind,
        stateDir,
        onOutput,
        onProcess: (process) => this.#record(opening, process),
        onExit: (reason) => this.#exited(opening, reason),
      });
      if (this.#current === opening) this.#session = opened;
      return opened;
    } catch (error) {
      if (this.#current === opening) this.#opening = undefined;
      throw error;
    }
  }

  #record(opening: symbol, process: AgentProcess): void {
    this.#processes.add(process);
    this.#options.onProcess(process);
    void process.ended.then(() => this.#processes.delete(process));
    if (this.#killed.has(opening)) this.#signal('SIGKILL', (one) => one === process);
  }

  #exited(opening: symbol, reason: Failure): void {
    // One that was given up may end after the next has been opened, and says nothing of that one.
    if (this.#current !== opening && this.#current !== undefined) return;
    this.#opening = undefined;
    this.#session = undefined;
    this.#onExit?.(reason);
  }

  async #discard(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#current = undefined;
    this.#session = undefined;
    if (!opening) return;
    try {
      const session = await opening;
      await session.close();
    } catch (error) {
      this.#options.warn('an agent did not close well', error);
    }
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL', only: (process: AgentProcess) => boolean = () => true): void {
    for (const { pgid } of [...this.#processes].filter(only)) {
      try {
        this.#options.signal(pgid, signal);
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

/** How an error of the agent's side ends a turn. */
export function settledBy(error: unknown): Settled {
  if (error instanceof AgentError) return { stopReason: 'error', error: error.failure };
  const said = error instanceof Error ? error.message : String(error);
  const message = said || 'The agent failed without saying why.';
  return { stopReason: 'error', error: { code: 'agent.failed', message } };
}
