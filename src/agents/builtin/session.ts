import { randomUUID } from 'node:crypto';
import type { ContentBlock } from '../../wire/content.ts';
import type { Turn } from '../../wire/turn.ts';
import type { AgentSession, OpenOptions, Output, PermissionAnswer, Poll, PromptRequest } from '../agent.ts';
import { AgentError } from '../agent.ts';
import type { Clock } from '../workspace/clock.ts';
import type { Gates } from './gates.ts';
import { Lost } from './lost.ts';
import { textOf, titleOf } from './message.ts';
import type { Rejoin, Scene } from './play.ts';
import { reply } from './reply.ts';
import { Run, type Stage } from './run.ts';
import { follow, pollWorker, stopWorker, unseen } from './survivor.ts';

/** One conversation's side of the builtin agent. */
export class BuiltinSession implements AgentSession {
  readonly #options: OpenOptions;
  readonly #stage: Stage;
  readonly #closed = new AbortController();
  readonly #earlier: string[];
  readonly #lost = new Map<string, Lost>();
  readonly #asides = new Set<Promise<void>>();
  #run: Run | undefined;
  /** A worker that is polled, with no run of this session over it. */
  #polled: string | undefined;
  #gone: AgentError | undefined;

  constructor(options: OpenOptions, clock: Clock, gates: Gates) {
    this.#options = options;
    this.#earlier = options.history.flatMap((turn) => (turn.message ? [textOf(turn.message.content)] : []));
    this.#stage = {
      cwd: options.cwd,
      stateDir: options.stateDir,
      clock,
      gates,
      allowed: new Set(),
      closed: this.#closed.signal,
      earlier: () => [...this.#earlier],
      spawned: options.onProcess,
      crashed: (message) => this.#crash(message),
      later: (work) => this.#later(work),
    };
  }

  prompt(request: PromptRequest): AsyncIterable<Output> {
    const text = textOf(request.content);
    const answer = reply(text, request.content, this.#earlier);
    const first = this.#earlier.length === 0 && this.#options.kind === 'conversation';
    const handle = answer.handle && `${answer.handle}:${randomUUID()}`;
    const opened = this.#begin(request.turn, request.signal, handle);
    if (!(opened instanceof Run)) return opened;
    this.#earlier.push(text);
    const opening: Output[] = [];
    if (!answer.acceptsItself) opening.push({ type: 'accepted', ...(handle && { handle }) });
    if (first) opening.push({ type: 'changed', title: titleOf(answer.title ?? text) });
    return this.#stream(opened.outputs(answer.play(opened), opening), handle, []);
  }

  async cancel(): Promise<void> {
    const run = this.#run;
    run?.stop();
    // Without a stream nothing else tells when it is over.
    if (run?.handle !== undefined && this.#lost.has(run.handle)) await run.ended;
    if (this.#polled !== undefined) await stopWorker(this.#stage, this.#polled);
  }

  answer(permission: string, answer: PermissionAnswer): void {
    this.#run?.answer(permission, answer);
  }

  async steer(content: readonly ContentBlock[]): Promise<boolean> {
    return this.#run?.guide(textOf(content)) ?? false;
  }

  async poll(handle: string): Promise<Poll> {
    if (handle.startsWith('worker:')) {
      const poll = await pollWorker(this.#stage, handle);
      this.#polled = poll.state === 'running' && !this.#run ? handle : undefined;
      return poll;
    }
    const unknown: Poll = {
      state: 'unknown',
      reason: 'The built-in agent does not know this work: it ended with the process that ran it.',
    };
    return this.#lost.get(handle)?.poll() ?? unknown;
  }

  reattach(handle: string, seen: Turn): AsyncIterable<Output> {
    const opened = this.#begin(seen.id, new AbortController().signal, handle);
    if (!(opened instanceof Run)) return opened;
    return this.#stream(opened.outputs(unseen(seen, follow(opened, handle)), []), undefined, []);
  }

  async close(): Promise<void> {
    this.#gone ??= new AgentError(
      'builtin.closed',
      'This session of the built-in agent is closed: open it again.',
    );
    this.#closed.abort();
    await Promise.allSettled(this.#asides);
  }

  /** Starts at once, not at the first read, so that a stop in between finds the run. */
  #begin(turn: string, signal: AbortSignal, handle: string | undefined): Run | AsyncIterable<Output> {
    if (this.#gone) return failing(this.#gone);
    if (this.#run) {
      return failing(
        new AgentError('builtin.busy', 'The built-in agent is still answering: wait, or stop it.'),
      );
    }
    const run = new Run(this.#stage, { turn, signal, handle });
    this.#run = run;
    this.#polled = undefined;
    void run.ended.then(() => {
      if (this.#run === run) this.#run = undefined;
    });
    return run;
  }

  async *#stream(
    outputs: AsyncGenerator<Output | Rejoin, void>,
    handle: string | undefined,
    rest: readonly Output[],
  ): AsyncGenerator<Output, void> {
    let lost = false;
    try {
      yield* rest;
      for (let next = await outputs.next(); !next.done; next = await outputs.next()) {
        const said = next.value;
        if (said.type === 'rejoin') continue;
        if (said.type === 'poll' && handle !== undefined) {
          lost = true;
          this.#lost.set(handle, new Lost(outputs, (missed) => this.#stream(outputs, handle, missed)));
        }
        yield said;
        if (lost) return;
      }
    } finally {
      if (!lost) await outputs.return();
    }
  }

  #crash(message: string): void {
    this.#gone = new AgentError('agent.exited', message);
    this.#closed.abort();
    this.#options.onExit({ code: 'agent.exited', message });
  }

  #later(work: Parameters<Scene['later']>[0]): void {
    const signal = this.#closed.signal;
    const say = (output: Output) => {
      if (!signal.aborted) this.#options.onOutput(output);
    };
    const aside = work(say, {
      sleep: (ms) => this.#stage.clock.sleep(ms, signal),
      idle: async () => {
        while (this.#run) await this.#run.ended;
      },
    }).catch((error: unknown) => {
      say({
        type: 'notice',
        level: 'error',
        code: 'builtin.failed',
        text: `Work aside failed: ${String(error)}`,
      });
    });
    this.#asides.add(aside);
    void aside.finally(() => this.#asides.delete(aside));
  }
}

function failing(error: AgentError): AsyncIterable<Output> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}
