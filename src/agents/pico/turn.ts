import { Channel } from '../acp/channel.ts';
import type { AgentError, Output } from '../agent.ts';
import type { Clock } from '../model/clock.ts';
import { PicoMessages } from './messages.ts';
import type { PicoWaits } from './options.ts';
import type { Frame } from './socket.ts';

/** How picoclaw begins an answer that is none: it has no other word for a failure of its model. */
const failureWords = 'Error processing message:';

export interface TurnDeps {
  readonly waits: PicoWaits;
  readonly clock: Clock;
  /** Messages of turns that are over. */
  readonly old: Set<string>;
  /** What picoclaw has written down as the answer to the running message; undefined: it cannot be asked. */
  readonly recorded: (signal: AbortSignal) => Promise<{ readonly answer?: string } | undefined>;
}

/**
 * One turn. picoclaw has no end of a turn: an answer that comes with its usage is the last one; else its silence and
 * its session's history are what there is to go by, and the row says so.
 */
export class PicoTurn {
  readonly output = new Channel<Output>();
  readonly #deps: TurnDeps;
  readonly #messages: PicoMessages;
  readonly #over = new AbortController();
  #sent = false;
  #stopping = false;
  #final = false;
  #asked = 0;
  #lastFrame = 0;
  #toldTools = false;

  constructor(deps: TurnDeps) {
    this.#deps = deps;
    this.#messages = new PicoMessages((output) => this.#push(output), deps.old);
  }

  get over(): boolean {
    return this.#over.signal.aborted;
  }

  get sent(): boolean {
    return this.#sent;
  }

  /** The message is on its way: from here on silence counts. */
  begin(): void {
    this.#sent = true;
    this.#lastFrame = this.#deps.clock.now();
    this.output.push({ type: 'accepted' });
    void this.#watch();
  }

  frame(frame: Frame): void {
    if (this.over) return;
    this.#lastFrame = this.#deps.clock.now();
    this.#asked = 0;
    const { type, payload = {} } = frame;
    if (this.#stopping) {
      // The first new message after a stop is its word that it has stopped.
      if (type === 'message.create' && payload.kind === undefined) this.#stopped(frame);
      return;
    }
    if (type === 'error') {
      const code = String(payload.code ?? 'error');
      const message = `picoclaw did not take the message (${code}): ${String(payload.message ?? 'it gave no reason')}.`;
      return this.end({ type: 'ended', stopReason: 'error', error: { code: `pico.${code}`, message } });
    }
    // It comes in the middle of a turn with tools too: an end only of what was final.
    if (type === 'typing.stop' && this.#final) return this.#finish();
    if (!type.startsWith('message.')) return;
    const meaning = this.#messages.take(frame);
    if (meaning === 'final') {
      this.#final = true;
      void this.#settle();
    } else if (meaning !== 'stale') {
      // It was not the last one after all.
      this.#final = false;
    }
  }

  /** `/stop` is sent: nothing of the answer counts any more. */
  stop(): void {
    this.#stopping = true;
    void this.#after(this.#deps.waits.stop, () => this.end({ type: 'ended', stopReason: 'cancelled' }));
  }

  fail(error: AgentError): void {
    const { code, message } = error;
    if (this.#stopping) return this.end({ type: 'ended', stopReason: 'cancelled' });
    this.end({ type: 'ended', stopReason: 'error', error: { code, message } });
  }

  end(output: Extract<Output, { type: 'ended' }>): void {
    if (this.over) return;
    this.leave();
    this.output.push(output);
    this.output.end();
  }

  /** Nobody reads any more. */
  leave(): void {
    this.#over.abort();
    this.#messages.retire();
  }

  #push(output: Output): void {
    this.output.push(output);
    if (output.type !== 'tool.finished' || this.#toldTools) return;
    this.#toldTools = true;
    const text = 'picoclaw does not send the results of tools: whether they worked is not known here.';
    this.output.push({ type: 'notice', level: 'info', code: 'pico.no_results', text });
  }

  #stopped(frame: Frame): void {
    const id = frame.payload?.message_id ?? frame.id;
    if (typeof id === 'string') this.#deps.old.add(id);
    this.end({ type: 'ended', stopReason: 'cancelled' });
  }

  async #settle(): Promise<void> {
    await this.#after(this.#deps.waits.settle, () => {
      if (this.#final) this.#finish();
    });
  }

  async #watch(): Promise<void> {
    const { clock, waits } = this.#deps;
    while (!this.over) {
      const quiet = clock.now() - this.#lastFrame;
      if (quiet >= waits.quiet && !this.#stopping) await this.#ask();
      const rest = quiet >= waits.quiet ? waits.quiet : waits.quiet - quiet;
      await clock.sleep(rest, this.#over.signal).catch(() => {});
    }
  }

  /** Nothing is heard: is that the end? */
  async #ask(): Promise<void> {
    // A tool may take its time, and its turn goes on after it.
    if (this.#messages.runsTool) return;
    const before = this.#lastFrame;
    const recorded = await this.#deps.recorded(this.#over.signal).catch(() => undefined);
    if (this.over || this.#lastFrame !== before) return;
    this.#asked += 1;
    const { last, said } = this.#messages;
    if (recorded?.answer?.trim().startsWith(last.trim())) {
      if (recorded.answer.trim() !== last.trim()) this.#messages.complete(recorded.answer);
      return this.#infer('its session has the whole answer');
    }
    // It cannot be asked: twice as long a silence has to do.
    if (recorded === undefined && said && this.#asked > 1) this.#infer('nothing more was heard');
  }

  #infer(why: string): void {
    const text = `picoclaw does not say when a turn is over. This end is inferred: ${why}.`;
    this.#messages.closeTools();
    this.output.push({ type: 'notice', level: 'info', code: 'pico.inferred_end', text });
    this.#finish();
  }

  #finish(): void {
    this.#messages.closeTools();
    const { last } = this.#messages;
    if (!last.startsWith(failureWords)) return this.end({ type: 'ended', stopReason: 'end_turn' });
    const said = last.slice(failureWords.length).trim();
    const message = `picoclaw answered with an error: ${said || 'it gave no reason.'}`;
    this.end({ type: 'ended', stopReason: 'error', error: { code: 'pico.failed', message } });
  }

  async #after(ms: number, run: () => void): Promise<void> {
    try {
      await this.#deps.clock.sleep(ms, this.#over.signal);
    } catch {
      return;
    }
    run();
  }
}
