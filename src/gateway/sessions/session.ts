import { type Actor, createActor, fromPromise, type InspectionEvent } from 'xstate';
import type { Wishes } from '../../../machines/changes.ts';
import type { Command, Refused } from '../../../machines/decide.ts';
import { after, judge } from '../../../machines/law.ts';
import type { OrchestratorRef } from '../../../machines/orchestrator.machine.ts';
import { runnerMachine } from '../../../machines/runner.machine.ts';
import type {
  AppendInput,
  AppendOutput,
  Limits,
  RunnerEvent,
  SessionRef,
} from '../../../machines/runner.types.ts';
import { cursorOf } from '../../../machines/session.ts';
import { turnOf } from '../../../machines/turn.logic.ts';
import { AgentError } from '../../agents/agent.ts';
import type { Fact } from '../../wire/facts.ts';
import type { SessionSnapshot } from '../../wire/snapshot.ts';
import type { Clock } from '../clock.ts';
import { activeAt } from '../log/envelope.ts';
import type { Log, MessageRow } from '../log/log.ts';
import { Refusal, restarting } from '../refusal.ts';
import { agentEffects } from './agent.effect.ts';
import type { AgentHost } from './agent.host.ts';
import { project, snapshotOf, stateOf } from './project.ts';

/** A command without the id that finds its answer's way back. */
export type Ask = Command extends infer C ? (C extends Command ? Omit<C, 'id'> : never) : never;

/** The law refused drafts that the runner made: a fault of ours, said and not retried. */
class Unlawful extends Error {
  override readonly name = 'Unlawful';
}

export interface SessionOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly orchestrator: OrchestratorRef;
  readonly ref: SessionRef;
  readonly host: AgentHost;
  /** Called after each append has been committed and applied: `headChanged` when the list's line is another. */
  readonly onCommitted: (session: OpenSession, facts: readonly Fact[], headChanged: boolean) => void;
  readonly onFenced: (session: OpenSession) => void;
  readonly inspect: (event: InspectionEvent) => void;
}

type Waiter = {
  readonly resolve: (answer: Readonly<Record<string, unknown>>) => void;
  readonly reject: (error: Refusal) => void;
};

/** A session that is open in the gateway: its actor, its runner (the only writer of its log), and its readers. */
export class OpenSession {
  readonly id: string;
  readonly ref: SessionRef;
  readonly host: AgentHost;
  readonly readers = new Set<(facts: readonly Fact[]) => void>();
  /** Told that the session is gone. */
  readonly closers = new Set<() => void>();
  readonly #options: SessionOptions;
  readonly runner: Actor<typeof runnerMachine>;
  readonly #waiters = new Map<string, Waiter>();
  #commands = 0;
  #updatedAt: number;

  constructor(options: SessionOptions, updatedAt: number) {
    this.#options = options;
    this.ref = options.ref;
    this.host = options.host;
    this.id = options.ref.getSnapshot().context.id;
    this.#updatedAt = updatedAt;
    const { clock, limits } = options;
    const now = () => clock.now();
    const live = () => {
      const { open } = this.ref.getSnapshot().context;
      return open ? turnOf(open.ref) : undefined;
    };
    const effects = agentEffects(options.host, live, now);
    this.runner = createActor(
      runnerMachine.provide({
        actors: {
          ...effects,
          append: fromPromise<AppendOutput, AppendInput>(({ input }) => this.#append(input.batch)),
        },
      }),
      { clock, inspect: options.inspect, input: { session: this.ref, limits, now } },
    );
    this.runner.on('answered', ({ command, answer }) => this.#take(command)?.resolve(answer));
    this.runner.on('refused', ({ command, refused }) => this.#take(command)?.reject(refusalOf(refused)));
    this.runner.on('unheard', ({ permission }) => void options.host.cancel(permission));
    this.runner.on('fenced', () => options.onFenced(this));
    this.runner.start();
  }

  get cursor(): string {
    return cursorOf(this.ref.getSnapshot().context);
  }

  get state(): string {
    return stateOf(this.ref.getSnapshot());
  }

  /** True while the log cannot be written: said in the snapshot's reason (I13). */
  get blocked(): boolean {
    return this.runner.getSnapshot().matches({ pen: 'blocked' });
  }

  snapshot(): SessionSnapshot {
    const snapshot = snapshotOf(this.ref.getSnapshot(), this.#updatedAt);
    return this.blocked ? { ...snapshot, reason: 'Log unavailable: nothing can be written now.' } : snapshot;
  }

  /** Resolves with the answer once what it decided is committed; rejects with a `Refusal`. */
  ask(ask: Ask): Promise<Readonly<Record<string, unknown>>> {
    this.#commands += 1;
    const id = `c${this.#commands}`;
    if (this.runner.getSnapshot().status !== 'active') return Promise.reject(restarting());
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
      this.runner.send({ type: 'command', command: { ...ask, id } as Command });
    });
  }

  tell(event: Extract<RunnerEvent, { type: 'begin' | 'shutdown' | 'leave' | 'output' }>): void {
    // Agents may speak until they are closed, which is after their runner.
    if (this.runner.getSnapshot().status === 'active') this.runner.send(event);
  }

  /** Tells a running agent of new settings; one that is not up gets them when it is opened. */
  async configure({ model, mode, options = {} }: Omit<Wishes, 'title'>): Promise<void> {
    const agent = await this.host.running();
    try {
      if (model !== undefined) await agent?.setModel?.(model);
      if (mode !== undefined) await agent?.setMode?.(mode);
      for (const [id, value] of Object.entries(options)) await agent?.setOption?.(id, value);
    } catch (error) {
      if (error instanceof AgentError) throw new Refusal(409, error.code, error.message);
      throw error;
    }
  }

  /** Resolves when the open turn has ended or the session is gone, or after `ms`. Leaves no reader and no timer. */
  async ended(ms: number): Promise<void> {
    if (!this.ref.getSnapshot().context.open) return;
    await new Promise<void>((resolve) => {
      const { clock } = this.#options;
      const done = () => {
        clock.clearTimeout(timer as never);
        this.readers.delete(read);
        this.closers.delete(done);
        resolve();
      };
      const read = (facts: readonly Fact[]) => {
        if (facts.some((fact) => fact.type === 'turn.ended')) done();
      };
      const timer = clock.setTimeout(done, ms, true);
      this.readers.add(read);
      // A writer that was fenced sees no end: the other one writes it.
      this.closers.add(done);
    });
  }

  /** Stops the runner and the agent's side. What waits for an answer is refused, so that it is asked again. */
  async dispose(): Promise<void> {
    this.runner.stop();
    for (const id of [...this.#waiters.keys()]) this.#take(id)?.reject(restarting());
    await this.host.close();
  }

  #take(id: string): Waiter | undefined {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    return waiter;
  }

  /** Commit, apply to the session's actor, deliver to readers: in this order (I7). */
  async #append({ drafts, decision }: AppendInput['batch']): Promise<AppendOutput> {
    const { log, clock, orchestrator, onCommitted } = this.#options;
    const before = this.ref.getSnapshot();
    const at = clock.now();
    const verdict = judge(before, drafts, at);
    if (!verdict.lawful) {
      const state = JSON.stringify(before.value);
      throw new Unlawful(
        `${verdict.refused.type} is not possible in ${state}: ${JSON.stringify(verdict.refused)}`,
      );
    }
    const remembered = decision && 'message' in decision ? decision.message : undefined;
    const message: MessageRow | undefined = remembered && {
      ...remembered,
      answer: { ...remembered.answer, cursor: '' },
    };
    let headChanged = false;
    const facts = await log.append(this.id, before.context.seq, drafts, (facts) => {
      // What was judged carries the time of its judgement; what is projected must be what a reader of the log finds.
      const next = facts[0]?.at === at ? verdict.next : facts.reduce(after, before);
      const projection = project(before, next, facts, message);
      headChanged = projection.head !== undefined;
      return projection;
    });
    this.#updatedAt = activeAt(facts) ?? this.#updatedAt;
    for (const fact of facts) orchestrator.send({ type: 'fact', fact });
    for (const read of [...this.readers]) read(facts);
    onCommitted(this, facts, headChanged);
    return facts;
  }
}

function refusalOf(refused: Refused): Refusal {
  return new Refusal(refused.status, refused.code, refused.detail, refused.extra);
}
