import { createActor, fromCallback, fromPromise } from 'xstate';
import { conversationMachine } from '../../machines/conversation.machine.ts';
import type { Command } from '../../machines/decide.ts';
import { jobMachine } from '../../machines/job.machine.ts';
import { judge } from '../../machines/law.ts';
import { orchestratorMachine } from '../../machines/orchestrator.machine.ts';
import { runnerMachine } from '../../machines/runner.machine.ts';
import {
  type AgentInput,
  type AgentOrder,
  type AppendInput,
  type AppendOutput,
  defaultLimits,
  type Limits,
  type Polled,
  type RunnerEmitted,
  type RunnerEvent,
  type SessionRef,
  type Settled,
} from '../../machines/runner.types.ts';
import { turnOf } from '../../machines/turn.logic.ts';
import { checkDraft, type Draft, type Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { Output } from '../../src/wire/output.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { TestClock } from './clock.ts';
import { opened, say } from './facts.ts';

/** A command without the id that the world gives it. */
export type Ask = Command extends infer C ? (C extends Command ? Omit<C, 'id'> : never) : never;
export type Reply = Extract<RunnerEmitted, { type: 'answered' | 'refused' }>;

class Failing extends Error {
  constructor(name: 'LogUnavailable' | 'LogConflict' | 'Unlawful', message: string) {
    super(message);
    this.name = name;
  }
}

interface Waiting {
  readonly drafts: readonly Draft[];
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

/** What the agent's side was given, and what it was told, by turn. */
interface Prompt extends AgentInput {
  readonly orders: AgentOrder[];
  left: boolean;
}

/**
 * The real runner, session and orchestrator around a log in memory, an agent that says what the test tells it to say,
 * and a clock that the test owns. `gated`: appends wait until the test lets them go.
 */
export class RunnerWorld {
  readonly clock = new TestClock();
  readonly facts: Fact[] = [];
  readonly prompts: Prompt[] = [];
  readonly replies = new Map<string, Reply>();
  readonly waiting: Waiting[] = [];
  /** What the next polls find; while it is empty, a poll waits. */
  readonly polls: (Polled | Error)[] = [];
  /** The handles by which was polled. */
  readonly handles: string[] = [];
  fenced = 0;
  /** Questions of which the agent was told that nobody is asked. */
  readonly unheard: string[] = [];
  gated = false;
  /** While set, each append fails with it. */
  broken: 'LogUnavailable' | 'LogConflict' | 'Unlawful' | undefined;
  /** Drafts that the law refused: a fault of the runner, wherever it happens. */
  readonly unlawful: string[] = [];
  readonly session: SessionRef;
  readonly orchestrator;
  readonly runner;
  readonly #kind: 'conversation' | 'job';
  #commands = 0;
  #sendBack: ((event: RunnerEvent) => void) | undefined;
  #pollWaits: ((polled: Polled | Error) => void)[] = [];

  /** `first`: more of the first fact; `log`: what an earlier gateway wrote after it. */
  constructor(
    options: {
      kind?: 'conversation' | 'job';
      limits?: Partial<Limits>;
      first?: Partial<Draft>;
      log?: readonly Draft[];
    } = {},
  ) {
    this.#kind = options.kind ?? 'conversation';
    const never = fromPromise<SessionSnapshot, { session: string }>(() => new Promise(() => {}));
    const actors = {
      conversation: conversationMachine.provide({ actors: { load: never } }),
      job: jobMachine.provide({ actors: { load: never } }),
    };
    this.orchestrator = createActor(orchestratorMachine.provide({ actors: actors as never }), {
      clock: this.clock,
      input: {},
    });
    this.orchestrator.start();
    this.orchestrator.send({ type: 'open', session: 's', kind: this.#kind });
    this.session = this.orchestrator.getSnapshot().context.sessions.s?.ref as SessionRef;
    this.#commit([{ ...opened(this.#kind), ...options.first } as Draft, ...(options.log ?? [])]);
    this.runner = createActor(
      runnerMachine.provide({
        actors: {
          append: fromPromise<AppendOutput, AppendInput>(({ input }) => this.#append(input.batch.drafts)),
          agent: fromCallback<AgentOrder, AgentInput>((({ input, sendBack, receive }: never) =>
            this.#prompted(input, sendBack, receive)) as never),
          poll: fromPromise<Polled, { readonly handle: string }>(({ input }) => this.#poll(input.handle)),
        },
      }),
      {
        clock: this.clock,
        input: {
          session: this.session,
          limits: { ...defaultLimits, ...options.limits },
          now: () => this.clock.now(),
        },
      },
    );
    this.runner.on('answered', (reply) => this.replies.set(reply.command, reply));
    this.runner.on('refused', (reply) => this.replies.set(reply.command, reply));
    this.runner.on('unheard', ({ permission }) => this.unheard.push(permission));
    this.runner.on('fenced', () => {
      this.fenced += 1;
    });
    this.runner.start();
  }

  /** The state of the session's machine. */
  get state(): string {
    return String(this.session.getSnapshot().value);
  }

  get polled(): number {
    return this.handles.length;
  }

  get context() {
    return this.session.getSnapshot().context;
  }

  get types(): string[] {
    return this.facts.map((fact) => fact.type);
  }

  /** All turns as the actor holds them. */
  get turns(): readonly Turn[] {
    const { turns, open } = this.context;
    return open ? [...turns, turnOf(open.ref)] : turns;
  }

  get texts(): string[] {
    return this.turns.map((turn) =>
      turn.parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    );
  }

  get prompt(): Prompt {
    const prompt = this.prompts.at(-1);
    if (!prompt) throw new Error('the agent was not prompted');
    return prompt;
  }

  get orders(): string[] {
    return this.prompt.orders.map((order) => order.type);
  }

  /** Sends a command; its answer is in `replies` under the id that this returns. */
  ask(command: Ask): string {
    this.#commands += 1;
    const id = `c${this.#commands}`;
    this.runner.send({ type: 'command', command: { ...command, id } as Command });
    return id;
  }

  send(id: string, delivery: 'queue' | 'steer' = 'queue'): string {
    return this.ask({ type: 'send', message: say(id), delivery, digest: id });
  }

  /** The agent speaks in the running turn, or in the one that is named. */
  says(...outputs: readonly Output[]): void {
    this.runner.send({ type: 'output', turn: this.prompt.turn, outputs });
  }

  unasked(...outputs: readonly Output[]): void {
    this.runner.send({ type: 'output', turn: null, outputs });
  }

  text(text: string): void {
    this.says({ type: 'text', text });
  }

  /** The agent's side of the running prompt is over. A prompt that was left is heard no more. */
  settles(settled: Settled = { stopReason: 'end_turn' }): void {
    this.#sendBack?.({ type: 'agent.settled', turn: this.prompt.turn, settled });
  }

  /** Lets everything that only waits for promises happen. */
  async quiet(): Promise<void> {
    let before = -1;
    for (let still = 0; still < 2; ) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const moved =
        this.facts.length + this.replies.size + this.waiting.length + this.prompts.length + this.polled;
      still = moved === before ? still + 1 : 0;
      before = moved;
    }
  }

  /** What only waits for promises happens first, then time passes. */
  async pass(ms: number): Promise<void> {
    await this.quiet();
    this.clock.advance(ms);
    await this.quiet();
  }

  /** Lets the append that waits go on; with a name, it fails. */
  land(failure?: 'LogUnavailable' | 'LogConflict'): void {
    const append = this.waiting.shift();
    if (!append) return;
    if (failure) append.fail(new Failing(failure, failure));
    else append.go();
  }

  /** Gives a poll that waits what it found. */
  finds(polled: Polled | Error): void {
    const waits = this.#pollWaits.shift();
    if (waits) waits(polled);
    else this.polls.push(polled);
  }

  /** The same rows, by folding the log from its first fact (I6). */
  replayed(): readonly Turn[] {
    return foldAll(this.facts);
  }

  async #append(drafts: readonly Draft[]): Promise<readonly Fact[]> {
    if (this.gated) {
      await new Promise<void>((resolve, reject) => {
        this.waiting.push({ drafts, go: resolve, fail: reject });
      });
    }
    if (this.broken) throw new Failing(this.broken, this.broken);
    const verdict = judge(this.session.getSnapshot(), drafts, this.clock.now());
    if (!verdict.lawful) {
      const said = `${verdict.refused.type} in ${this.state}: ${JSON.stringify(drafts)}`;
      this.unlawful.push(said);
      throw new Failing('Unlawful', said);
    }
    return this.#commit(drafts);
  }

  #commit(drafts: readonly Draft[]): readonly Fact[] {
    const facts = drafts.map((draft, index) => {
      checkDraft(draft);
      // As a log would give it back: what is not JSON does not survive.
      const body = JSON.parse(JSON.stringify(draft)) as Draft;
      const seq = this.facts.length + 1 + index;
      return { ...body, v: 1, session: 's', epoch: 'e', seq, at: this.clock.now() } as Fact;
    });
    this.facts.push(...facts);
    for (const fact of facts) this.orchestrator.send({ type: 'fact', fact });
    return facts;
  }

  #prompted(
    input: AgentInput,
    sendBack: (event: RunnerEvent) => void,
    receive: (listener: (order: AgentOrder) => void) => void,
  ): () => void {
    const prompt: Prompt = { ...input, orders: [], left: false };
    this.prompts.push(prompt);
    this.#sendBack = sendBack;
    receive((order) => prompt.orders.push(order));
    return () => {
      prompt.left = true;
      if (this.#sendBack === sendBack) this.#sendBack = undefined;
    };
  }

  async #poll(handle: string): Promise<Polled> {
    this.handles.push(handle);
    const found = this.polls.shift() ?? (await new Promise<Polled | Error>((r) => this.#pollWaits.push(r)));
    if (found instanceof Error) throw found;
    return found;
  }
}
