import type { Failure, StopReason } from '../../wire/content.ts';
import { stopReason } from '../../wire/content.ts';
import type { Turn } from '../../wire/turn.ts';
import { Channel } from '../acp/channel.ts';
import type { AgentError, Output, Poll } from '../agent.ts';
import type { Clock } from '../model/clock.ts';
import type { BackEvent } from './events.ts';
import { at, type Profile, textAt } from './profile.ts';
import { SaidText } from './text.ts';
import { Tools } from './tools.ts';

/** How a turn ends, from whoever says so first: an event, the answer of the dispatch, or a poll. */
interface End {
  readonly reply?: string | undefined;
  readonly stopReason?: string | undefined;
  readonly error?: string | undefined;
}

export interface TurnDeps {
  readonly profile: Profile;
  readonly clock: Clock;
  /** Work that the end waits for: guidance whose answer is on its way. */
  readonly pending: () => Promise<unknown>;
  /** True while the event stream is open. */
  readonly live: () => boolean;
}

/**
 * One turn of the back end. The answer of the dispatch decides what it is: the whole reply, a job, or a turn whose
 * events will end it. What came before is of the turn; an end that came before waits for the answer, since it may be
 * the end of the dispatching alone while a job goes on (C39, C40).
 */
export class BackTurn {
  readonly id: string;
  readonly output = new Channel<Output>();
  phase: 'dispatching' | 'running' | 'job' | 'over' = 'dispatching';
  job: string | undefined;
  /** The back end's session of the job, where that is not this one. */
  session: string | undefined;
  /** The job that goes on elsewhere: what still comes is the job's. */
  handedTo: string | undefined;
  /** An end event has come: none is outstanding. */
  ended = false;
  /** A stop was asked for. */
  cancelled = false;
  /** Something of its answer has come. */
  begun = false;
  /** Events that fitted nothing. */
  ignored = 0;
  readonly #deps: TurnDeps;
  readonly #said: SaidText;
  readonly #tools = new Tools();
  readonly #stop = new AbortController();
  #noted: End | undefined;
  #lastEvent = 0;
  #asked = false;
  #warned = false;

  constructor(id: string, deps: TurnDeps, seen?: Turn) {
    this.id = id;
    this.#deps = deps;
    this.#said = new SaidText(seen);
  }

  event(event: BackEvent): void {
    if (this.phase === 'over') {
      this.ended ||= event.kind === 'end';
      this.ignored += 1;
      return;
    }
    if (event.kind === 'end') return this.#endEvent(event);
    this.begun = true;
    this.#asked = false;
    this.#lastEvent = this.#deps.clock.now();
    if (event.kind === 'text' || event.kind === 'thought') {
      if (event.text === undefined) return;
      if (event.kind === 'text') this.#said.add(event.text);
      else this.#said.cut();
      this.output.push({ type: event.kind, text: event.text });
    } else if (event.kind === 'progress') {
      if (event.progress !== undefined)
        this.output.push({ type: 'progress', progress: { text: event.progress } });
    } else {
      const output = this.#tools.take(event);
      if (!output) return;
      this.#said.cut();
      this.output.push(output);
    }
  }

  /** The answer of the dispatch; what it is, for the session to act on. */
  answered(result: unknown): 'over' | 'job' | 'running' {
    const { answer } = this.#deps.profile;
    if (this.phase !== 'dispatching') return 'over';
    const reply = typeof result === 'string' ? result : textAt(result, answer.reply);
    const job = textAt(result, answer.job);
    if (job !== undefined) {
      if (reply !== undefined && this.#said.empty) this.#complete(reply);
      return 'job';
    }
    if (reply !== undefined) {
      this.#finish({ ...this.#noted, reply });
      return 'over';
    }
    const error = textAt(result, answer.error);
    if (error !== undefined) {
      this.#finish({ error });
      return 'over';
    }
    this.phase = 'running';
    this.output.push({ type: 'accepted' });
    if (this.#noted) this.#finish(this.#noted);
    return 'running';
  }

  /** From here on the turn is a job: only what names the job ends it. */
  becomeJob(job: string): void {
    this.phase = 'job';
    this.job = job;
    this.#noted = undefined;
    if (this.#deps.profile.methods.job === false) {
      this.output.push({ type: 'accepted' });
      return;
    }
    this.output.push({ type: 'accepted', handle: job });
    this.watchJob();
  }

  /** The turn is over here; its job goes on as a session of its own. */
  handOver(job: string, handle: string): void {
    this.handedTo = job;
    this.end({ type: 'ended', stopReason: 'job', job: handle });
  }

  /** A job of which nothing is heard is asked about: its end may have no event, or came while nobody listened. */
  watchJob(): void {
    this.#lastEvent = this.#deps.clock.now();
    if (!this.#deps.live()) this.ask('There is no event stream; the job is asked about.');
    void this.#watch();
  }

  ask(reason: string): void {
    if (this.phase !== 'job' || this.#asked || this.#deps.profile.methods.job === false) return;
    this.#asked = true;
    this.output.push({ type: 'poll', reason });
  }

  /** The dispatch failed, or its answer was lost. */
  failed(error: AgentError): void {
    if (this.phase !== 'dispatching') return;
    if (this.#noted) return this.#finish(this.#noted);
    if (error.code === 'rpc.unreachable' && this.begun) {
      // It runs, as its events show: their end will do.
      this.phase = 'running';
      this.#warn('rpc.answer_lost', 'The answer of the back end was lost; its events are followed.');
      return;
    }
    this.end({ type: 'ended', stopReason: 'error', error: error.failure });
  }

  lost(reason: string): void {
    if (this.phase === 'over') return;
    this.ask(`The event stream is lost (${reason}); the job is asked about.`);
    const text = `The event stream was lost (${reason}). What was said meanwhile is missing here, unless the back end sends its whole answer.`;
    this.#warn('rpc.stream_lost', text);
  }

  notice(code: string, text: string): void {
    this.output.push({ type: 'notice', level: 'warning', code, text });
    this.#said.cut();
  }

  /** What a poll found, in terms of what the turn has said. */
  polled(result: unknown): Poll {
    const { answer, statuses } = this.#deps.profile;
    const status = textAt(result, answer.status) ?? '';
    const progress = textAt(result, answer.progress);
    if (statuses.running.includes(status))
      return { state: 'running', ...(progress !== undefined && { progress: { text: progress } }) };
    const reply = textAt(result, answer.reply);
    const output = reply === undefined ? [] : this.#said.complete(reply);
    if (statuses.done.includes(status))
      return this.#over([...output, { type: 'ended', stopReason: 'end_turn' }]);
    if (statuses.cancelled.includes(status))
      return this.#over([...output, { type: 'ended', stopReason: 'cancelled' }]);
    if (statuses.failed.includes(status)) {
      const error = failureOf(textAt(result, answer.error));
      return this.#over([...output, { type: 'ended', stopReason: 'error', error }]);
    }
    const shown = JSON.stringify(at(result, answer.status) ?? result ?? null).slice(0, 100);
    return { state: 'unknown', reason: `The back end does not know job ${this.job} (any more): ${shown}.` };
  }

  /** It has ended, and its end event has not come: what still comes is of this turn. */
  get outstanding(): boolean {
    return this.phase === 'over' && !this.ended && this.job === undefined;
  }

  /** Ends the turn on this side, once. */
  end(output: Extract<Output, { type: 'ended' }>): void {
    if (this.phase === 'over') return;
    this.#leave();
    void this.#deps.pending().then(() => {
      this.output.push(output);
      this.output.end();
    });
  }

  /** Nobody reads any more. */
  leave(): void {
    this.#leave();
    this.output.end();
  }

  #over(output: readonly Output[]): Poll {
    this.#leave();
    return { state: 'ended', output };
  }

  #leave(): void {
    this.phase = 'over';
    this.#stop.abort();
  }

  #endEvent(event: BackEvent): void {
    this.ended = true;
    // C40: the end of the dispatching is not the end of the job.
    if (this.phase === 'job' && event.job !== this.job) {
      this.ignored += 1;
      return;
    }
    if (this.phase !== 'dispatching') return this.#finish(event);
    const first = this.#noted === undefined;
    this.#noted = { ...this.#noted, ...event };
    if (first) void this.#awaitAnswer();
  }

  async #awaitAnswer(): Promise<void> {
    await this.#deps.clock.sleep(this.#deps.profile.waits.answer, this.#stop.signal).catch(() => {});
    if (this.phase === 'dispatching' && this.#noted) this.#finish(this.#noted);
  }

  async #watch(): Promise<void> {
    const { clock, profile } = this.#deps;
    while (this.phase === 'job' && !this.#stop.signal.aborted) {
      const quiet = clock.now() - this.#lastEvent;
      if (quiet >= profile.waits.quiet) this.ask('Nothing is heard of the job; it is asked about.');
      const wait = quiet >= profile.waits.quiet ? profile.waits.quiet : profile.waits.quiet - quiet;
      await clock.sleep(wait, this.#stop.signal).catch(() => {});
    }
  }

  #complete(reply: string): void {
    for (const output of this.#said.complete(reply)) this.output.push(output);
  }

  #finish(end: End): void {
    if (end.reply !== undefined) this.#complete(end.reply);
    if (end.error !== undefined)
      return this.end({ type: 'ended', stopReason: 'error', error: failureOf(end.error) });
    this.end({ type: 'ended', stopReason: reasonOf(end.stopReason) });
  }

  #warn(code: string, text: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.notice(code, text);
  }
}

function failureOf(said: string | undefined): Failure {
  return { code: 'rpc.failed', message: `The back end failed: ${said ?? 'it gave no reason.'}` };
}

/** The back end's own word where it is one of ours; a turn that ended for another reason ended well. */
function reasonOf(said: string | undefined): StopReason {
  if (said === 'length') return 'max_tokens';
  const known = stopReason.safeParse(said);
  return known.success && known.data !== 'job' ? known.data : 'end_turn';
}
