import { fromCallback, fromPromise } from 'xstate';
import type { AgentInput, AgentOrder, Polled, RunnerEvent, Settled } from '../../../machines/runner.types.ts';
import type { AgentSession, Output } from '../../agents/agent.ts';
import { withUntil } from '../../agents/usage.limit.ts';
import type { Turn } from '../../wire/turn.ts';
import { type AgentHost, settledBy } from './agent.host.ts';

const early: Settled = {
  stopReason: 'error',
  error: {
    code: 'stream.ended_early',
    message:
      'The agent ended its answer without saying that it is complete. What came is kept; you can retry.',
  },
};

export interface AgentEffects {
  readonly agent: ReturnType<typeof fromCallback<AgentOrder, AgentInput>>;
  readonly poll: ReturnType<typeof fromPromise<Polled, { readonly handle: string }>>;
}

/**
 * The runner's effects on the agent's side. `open`: the open turn as it is committed, for joining it again; `now`:
 * milliseconds since 1970.
 */
export function agentEffects(host: AgentHost, open: () => Turn | undefined, now: () => number): AgentEffects {
  /** The running prompt, so that a poll which found the stream can hand it over. */
  let current: Prompt | undefined;
  return {
    agent: fromCallback<AgentOrder, AgentInput>(({ input, sendBack, receive }) => {
      const prompt = new Prompt(host, input, sendBack, open, now);
      current = prompt;
      receive((order) => prompt.obey(order));
      void prompt.run();
      return () => prompt.leave();
    }),
    poll: fromPromise<Polled, { readonly handle: string }>(async ({ input }) => {
      const session = await host.open();
      const found = (await session.poll?.(input.handle)) ?? { state: 'running' };
      if (found.state === 'stream') {
        current?.follow(found.output);
        return { state: 'stream' };
      }
      if (found.state !== 'ended') return found;
      const end = found.output.findLast((output) => output.type === 'ended');
      const output = found.output.filter((o) => o.type !== 'ended');
      return {
        state: 'ended',
        output,
        settled: end?.type === 'ended' ? dated(settledOf(end), now()) : { stopReason: 'end_turn' },
      };
    }),
  };
}

function settledOf(end: Extract<Output, { type: 'ended' }>): Settled {
  const { stopReason, error, job } = end;
  return { stopReason, ...(error && { error }), ...(job !== undefined && { job }) };
}

/** A usage limit is a state with its time, whichever agent reports it. */
function dated(settled: Settled, now: number): Settled {
  return settled.error ? { ...settled, error: withUntil(settled.error, now) } : settled;
}

/** One prompt on its way: from opening the agent to the one report of how it ended. */
class Prompt {
  readonly #host: AgentHost;
  readonly #input: AgentInput;
  readonly #send: (event: RunnerEvent) => void;
  readonly #open: () => Turn | undefined;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  readonly #unwatch: () => void;
  #session: AgentSession | undefined;
  #cancelled = false;
  /** Nothing reads from the agent now: the stream is lost, or never was. */
  #idle = false;
  #killed: Promise<void> | undefined;
  #settled = false;

  constructor(
    host: AgentHost,
    input: AgentInput,
    send: (event: RunnerEvent) => void,
    open: () => Turn | undefined,
    now: () => number,
  ) {
    this.#host = host;
    this.#input = input;
    this.#send = send;
    this.#open = open;
    this.#now = now;
    this.#unwatch = host.watch((error) => this.#settle({ stopReason: 'error', error }));
  }

  async run(): Promise<void> {
    try {
      const session = await this.#host.open();
      // I3, I5: the turn has ended or was stopped while its agent was started: nothing is to be cancelled, no prompt is sent.
      if (this.#settled) return;
      const rejoins = this.#input.how === 'reattach';
      this.#session = session;
      const stream = this.#stream(session);
      if (stream && rejoins) this.#remind();
      if (this.#cancelled || this.#input.stopping) this.#cancel();
      if (!stream) this.#idle = true;
      else await this.#read(stream);
    } catch (error) {
      this.#settle(this.#cancelled ? { stopReason: 'cancelled' } : settledBy(error));
    }
  }

  /** Reads a stream that a poll has found again. */
  follow(stream: AsyncIterable<Output>): void {
    this.#idle = false;
    this.#read(stream).catch((error: unknown) => this.#settle(settledBy(error)));
  }

  obey(order: AgentOrder): void {
    switch (order.type) {
      case 'cancel':
        return this.#cancel();
      case 'terminate':
        return this.#host.terminate();
      case 'kill':
        this.#killed = this.#host.kill();
        return this.#abort.abort();
      case 'answer':
        void this.#tell(() => this.#session?.answer(order.permission, order.answer));
        return;
      case 'steer':
        void this.#steer(order.message, order.content);
        return;
    }
  }

  /** The runner has left the turn; whatever still runs has no reader. */
  leave(): void {
    this.#unwatch();
    if (!this.#settled) this.#abort.abort();
    this.#settled = true;
  }

  #stream(session: AgentSession): AsyncIterable<Output> | undefined {
    const { turn, content, how } = this.#input;
    if (how === 'attend') return undefined;
    if (how === 'prompt') return session.prompt({ turn, content, signal: this.#abort.signal });
    const seen = this.#open();
    if (session.reattach && seen?.handle !== undefined) return session.reattach(seen.handle, seen);
    this.#settle({
      stopReason: 'lost',
      error: {
        code: 'gateway.restarted',
        message: 'The gateway was restarted, and this agent cannot go on from there.',
      },
    });
    return undefined;
  }

  async #read(stream: AsyncIterable<Output>): Promise<void> {
    const { turn } = this.#input;
    let lost: Output | undefined;
    let last: Output | undefined;
    for await (const output of stream) {
      if (output.type === 'ended') {
        this.#settle(settledOf(output));
        continue;
      }
      if (output.type === 'poll') lost = output;
      last = output;
      // A4: usage may follow the end; the runner knows what is still welcome.
      this.#send({ type: 'output', turn, outputs: [output] });
    }
    if (!lost) return this.#settle(this.#cancelled ? { stopReason: 'cancelled' } : early);
    // Lost after it was asked to stop, the agent may still run: the ladder of the stop ends it.
    this.#idle = true;
    // What came after it said so looked like its stream was back.
    if (last !== lost) this.#send({ type: 'output', turn, outputs: [lost] });
  }

  /** C24: an answer may be committed while nobody can tell the agent: between two gateways, or before it is reached. */
  #remind(): void {
    for (const part of this.#open()?.parts ?? []) {
      if (part.type !== 'permission' || part.state !== 'answered' || part.option === undefined) continue;
      const { id, option: optionId, content } = part;
      const answer = { outcome: 'selected', optionId, ...(content && { content }) } as const;
      void this.#tell(() => this.#session?.answer(id, answer));
    }
  }

  #cancel(): void {
    this.#cancelled = true;
    if (!this.#session) {
      // What is joined again runs already: it is told as soon as it can be.
      if (this.#input.how !== 'reattach') this.#settle({ stopReason: 'cancelled' });
      return;
    }
    void this.#tell(() => this.#session?.cancel()).then((told) => {
      // No stream will say that it is over; an agent that cannot be told goes on, until it is ended.
      if (this.#idle && told) this.#settle({ stopReason: 'cancelled' });
    });
  }

  async #steer(message: string, content: Extract<AgentOrder, { type: 'steer' }>['content']): Promise<void> {
    let taken = false;
    await this.#tell(async () => {
      taken = (await this.#session?.steer?.(content)) ?? false;
    });
    this.#send({ type: 'agent.steered', message, taken });
  }

  /** A call to the agent whose failure shows in its stream, or in the ladder of the stop. */
  async #tell(call: () => void | Promise<void> | undefined): Promise<boolean> {
    try {
      await call();
      return true;
    } catch (error) {
      this.#send({
        type: 'output',
        turn: this.#input.turn,
        outputs: [{ type: 'notice', level: 'warning', code: 'agent.unanswered', text: String(error) }],
      });
      return false;
    }
  }

  /** One report, whatever happens (I1). */
  #settle(settled: Settled): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#unwatch();
    // D4: what a restart has lost is interrupted, whoever found out.
    const interrupted = this.#input.how === 'reattach' && settled.stopReason === 'lost';
    const told = dated(interrupted ? { ...settled, interrupted } : settled, this.#now());
    const report = () => this.#send({ type: 'agent.settled', turn: this.#input.turn, settled: told });
    // I5: the stream of a killed agent ends at once; the turn has ended when nothing of it runs.
    if (this.#killed) void this.#killed.then(report);
    else report();
  }
}
