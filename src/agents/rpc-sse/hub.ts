import type { Clock } from '../model/clock.ts';
import { serverEvents } from '../sse.ts';
import { type BackEvent, readEvent } from './events.ts';
import type { RpcServer } from './options.ts';
import type { Profile } from './profile.ts';
import { type Rpc, unauthorized, unreachable } from './rpc.ts';

/** What a session hears of the stream. */
export interface Listener {
  event(event: BackEvent): void;
  lost(reason: string): void;
  /** Events came that name no session, for the first time; true when it was shown to somebody. */
  unscoped(): boolean;
}

const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** Events of a job that nobody has taken yet. */
const keptEvents = 2_000;

/**
 * The one event stream of a back end, for all of its sessions. Open while a session is; each event goes to the job
 * or to the session that it names and to no other, and one that names none is refused and counted (I14).
 */
export class Hub {
  /** Events that named no session, and those that named one that is not here. */
  readonly counts = { unscoped: 0, foreign: 0 };
  readonly #server: RpcServer;
  readonly #profile: Profile;
  readonly #rpc: Rpc;
  readonly #clock: Clock;
  readonly #fetch: typeof fetch;
  readonly #sessions = new Map<string, Listener>();
  readonly #jobs = new Map<string, Listener | BackEvent[]>();
  #open: AbortController | undefined;
  #connected = Promise.withResolvers<boolean>();
  #shown = false;
  live = false;

  constructor(server: RpcServer, profile: Profile, rpc: Rpc, clock: Clock, fetcher: typeof fetch) {
    this.#server = server;
    this.#profile = profile;
    this.#rpc = rpc;
    this.#clock = clock;
    this.#fetch = fetcher;
  }

  join(session: string, listener: Listener): () => void {
    this.#sessions.set(session, listener);
    if (!this.#open) {
      this.#open = new AbortController();
      void this.#stay(this.#open.signal);
    }
    return () => {
      if (this.#sessions.get(session) === listener) this.#sessions.delete(session);
      for (const [job, taker] of this.#jobs) if (taker === listener) this.#jobs.delete(job);
      if (this.#sessions.size > 0) return;
      this.#open?.abort();
      this.#open = undefined;
    };
  }

  /** The job's events go to this listener, with those that were kept; without one they are kept for it. */
  assign(job: string, listener?: Listener): void {
    const before = this.#jobs.get(job);
    if (!listener) {
      if (!before) this.#jobs.set(job, []);
      return;
    }
    this.#jobs.set(job, listener);
    if (Array.isArray(before)) for (const event of before) listener.event(event);
  }

  /** An event that is the job's, whatever it names. */
  give(job: string, event: BackEvent): void {
    const taker = this.#jobs.get(job);
    if (Array.isArray(taker)) this.#keep(taker, event);
    else taker?.event(event);
  }

  /** The job is over: its events are of no interest any more. */
  release(job: string): void {
    this.#jobs.delete(job);
  }

  /** True once the stream is open; false when the first try has failed, or it takes too long. */
  async ready(signal: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const late = this.#clock
      .sleep(this.#profile.waits.stream, AbortSignal.any([signal, over.signal]))
      .then(() => false)
      .catch(() => false);
    const first = await Promise.race([this.#connected.promise, late]);
    over.abort();
    return first;
  }

  /** Shows once that events were refused, as soon as there is a turn to show it in. */
  showUnscoped(listener: Listener): void {
    if (this.counts.unscoped > 0 && !this.#shown) this.#shown = listener.unscoped();
  }

  #keep(events: BackEvent[], event: BackEvent): void {
    if (events.length < keptEvents) events.push(event);
  }

  async #stay(signal: AbortSignal): Promise<void> {
    let last: string | undefined;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const response = await this.#fetch(this.#server.events, {
          headers: {
            accept: 'text/event-stream',
            ...this.#rpc.headers,
            ...(last && { 'last-event-id': last }),
          },
          signal,
        });
        if (response.status === 401 || response.status === 403)
          throw unauthorized(this.#server, response.status);
        if (!response.ok || !response.body)
          throw new Error(`the event stream was answered ${response.status}`);
        this.live = true;
        this.#connected.resolve(true);
        for await (const message of serverEvents(response.body)) {
          failures = 0;
          last = message.id ?? last;
          const event = readEvent(this.#profile, message);
          if (event) this.#route(event);
        }
        throw new Error('the back end closed the event stream');
      } catch (error) {
        if (signal.aborted) break;
        this.#lose(error);
      }
      await this.#clock.sleep(Math.min(firstDelayMs * 2 ** failures, longestDelayMs), signal).catch(() => {});
    }
    this.live = false;
    this.#connected.resolve(false);
    this.#connected = Promise.withResolvers();
  }

  #lose(error: unknown): void {
    const wasLive = this.live;
    this.live = false;
    this.#connected.resolve(false);
    this.#connected = Promise.withResolvers();
    const { message } = error instanceof TypeError ? unreachable(this.#server, error) : (error as Error);
    if (wasLive) for (const listener of [...this.#sessions.values()]) listener.lost(message);
  }

  #route(event: BackEvent): void {
    const taker = event.job === undefined ? undefined : this.#jobs.get(event.job);
    if (taker && event.job !== undefined) return this.give(event.job, event);
    if (event.session === undefined && event.job === undefined) {
      this.counts.unscoped += 1;
      for (const listener of this.#sessions.values()) this.showUnscoped(listener);
      return;
    }
    const listener = event.session === undefined ? undefined : this.#sessions.get(event.session);
    if (listener) listener.event(event);
    else this.counts.foreign += 1;
  }
}
