import type { RawData, WebSocket } from 'ws';
import { parseCursor } from '../wire/cursor.ts';
import type { ClientFrame, ResyncReason } from '../wire/live.ts';
import { clientFrame } from '../wire/requests.ts';
import type { SessionSummary } from '../wire/snapshot.ts';
import { Outgoing } from './live.outgoing.ts';
import type { LiveOptions } from './live.ts';
import { Refusal } from './refusal.ts';
import type { Subscription } from './service.ts';

/** A subscription of this socket; it counts until it is closed, also while the service still makes it. */
interface Following {
  isOpen: boolean;
  subscription?: Subscription;
}

const maxFollowing = 1_000;
const maxMistakes = 10;
/** At most one list of changed sessions in this time. */
const summaryMs = 100;

/** One tab: its subscriptions, and the summaries of all sessions as they change. */
export class LiveSocket {
  readonly #socket: WebSocket;
  readonly #options: LiveOptions;
  readonly #outgoing: Outgoing;
  readonly #following = new Map<string, Following>();
  readonly #unwatch: readonly (() => void)[];
  readonly #changed = new Map<string, SessionSummary>();
  readonly #removed = new Set<string>();
  #summaryTimer: unknown;
  #summaryAt = Number.NEGATIVE_INFINITY;
  #mistakes = 0;
  #isAlive = true;

  constructor(socket: WebSocket, options: LiveOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#outgoing = new Outgoing(socket, options.limits);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    socket.on('close', () => this.#end());
    socket.on('error', (error) => options.logger.debug({ err: error }, 'a live socket failed'));
    this.#outgoing.send({ type: 'hello', version: options.version, heartbeatMs: options.heartbeatMs });
    const { service } = options;
    this.#unwatch = [
      service.watch((changed, removed) => this.#summarize(changed, removed)),
      service.watchAgents(() => this.#outgoing.send({ type: 'agents' })),
    ];
  }

  get subscriptions(): number {
    return this.#following.size;
  }

  /** Ends the socket when nothing was heard since the last beat. */
  beat(): void {
    if (!this.#isAlive) {
      this.#socket.terminate();
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
    this.#outgoing.send({ type: 'heartbeat', at: this.#options.clock.now() });
    this.#guard();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#isAlive = true;
    const frame = isBinary ? undefined : parseFrame(String(data));
    if (frame === undefined) return this.#mistake();
    switch (frame.type) {
      case 'ping':
        this.#outgoing.send({ type: 'pong' });
        this.#guard();
        return;
      case 'unsubscribe':
        return this.#unsubscribe(frame.session);
      case 'subscribe':
        void this.#subscribe(frame);
    }
  }

  #mistake(): void {
    this.#mistakes += 1;
    const detail = 'This is not a frame of the live channel. See clientFrame in /api/openapi.json.';
    this.#outgoing.send({ type: 'error', code: 'frame.malformed', detail });
    if (this.#mistakes >= maxMistakes) this.#socket.close(1008, 'too many malformed frames');
  }

  #unsubscribe(session: string): void {
    const following = this.#following.get(session);
    if (following === undefined) return;
    following.isOpen = false;
    following.subscription?.close();
    this.#following.delete(session);
  }

  async #subscribe(frame: Extract<ClientFrame, { type: 'subscribe' }>): Promise<void> {
    const { session, after, grade = 'live' } = frame;
    if (after !== undefined && parseCursor(after) === undefined) {
      const detail = 'The cursor is malformed. Send one that was received, such as E.12.';
      this.#outgoing.send({ type: 'error', session, code: 'cursor.malformed', detail });
      return this.#guard();
    }
    this.#unsubscribe(session);
    if (this.#following.size >= maxFollowing) {
      const detail = `A socket follows at most ${maxFollowing} sessions. Unsubscribe from some.`;
      this.#outgoing.send({ type: 'error', session, code: 'subscriptions.limit', detail });
      return this.#guard();
    }
    const following: Following = { isOpen: true };
    this.#following.set(session, following);
    try {
      const subscription = await this.#options.service.subscribe(session, after, grade, {
        facts: (facts) => {
          if (!following.isOpen) return undefined;
          this.#outgoing.send({ type: 'facts', session, ...facts });
          // Old facts that come before the subscription stands are paced by its maker, not by what waits here.
          if (following.subscription === undefined) return undefined;
          this.#guard();
          return this.#outgoing.relief();
        },
        resync: (reason) => {
          if (following.isOpen) this.#resync(session, reason);
        },
      });
      if (!following.isOpen) return subscription.close();
      following.subscription = subscription;
      this.#outgoing.send({ type: 'subscribed', session, cursor: subscription.cursor });
    } catch (error) {
      if (!following.isOpen) return;
      this.#unsubscribe(session);
      this.#refuse(session, error);
    }
    this.#guard();
  }

  #refuse(session: string, error: unknown): void {
    if (error instanceof Refusal) {
      this.#outgoing.send({ type: 'error', session, code: error.code, detail: error.message });
      return;
    }
    this.#options.logger.error({ err: error, session }, 'a subscription failed');
    const detail = 'Something went wrong in the gateway; its log has more. Try again.';
    this.#outgoing.send({ type: 'error', session, code: 'internal', detail });
  }

  #resync(session: string, reason: ResyncReason): void {
    this.#unsubscribe(session);
    this.#outgoing.send({ type: 'resync', session, reason });
  }

  /** A reader that is too far behind loses its subscriptions, and only it: nobody else waits for it. */
  #guard(): void {
    if (!this.#outgoing.isFull) return;
    const sessions = [...this.#following.keys()];
    this.#outgoing.dropFacts();
    for (const session of sessions) this.#resync(session, 'slow');
    // It has nothing left to lose and still asks for more than it reads.
    if (sessions.length === 0 && this.#outgoing.isFull) this.#socket.terminate();
  }

  #summarize(changed: readonly SessionSummary[], removed: readonly string[]): void {
    for (const summary of changed) {
      this.#removed.delete(summary.id);
      this.#changed.set(summary.id, summary);
    }
    for (const id of removed) {
      this.#changed.delete(id);
      this.#removed.add(id);
    }
    if (this.#summaryTimer !== undefined) return;
    const { clock } = this.#options;
    if (clock.now() - this.#summaryAt >= summaryMs && this.#outgoing.isIdle) this.#sendSummaries();
    else this.#armSummaries();
  }

  #armSummaries(): void {
    this.#summaryTimer = this.#options.clock.setTimeout(() => {
      this.#summaryTimer = undefined;
      // While the reader is behind, changes go on to be joined here.
      if (this.#outgoing.isIdle) this.#sendSummaries();
      else this.#armSummaries();
    }, summaryMs);
  }

  #sendSummaries(): void {
    this.#summaryAt = this.#options.clock.now();
    this.#outgoing.send({
      type: 'sessions',
      changed: [...this.#changed.values()],
      removed: [...this.#removed],
    });
    this.#changed.clear();
    this.#removed.clear();
  }

  #end(): void {
    for (const unwatch of this.#unwatch) unwatch();
    if (this.#summaryTimer !== undefined) this.#options.clock.clearTimeout(this.#summaryTimer as never);
    for (const session of [...this.#following.keys()]) this.#unsubscribe(session);
    this.#outgoing.close();
  }
}

function parseFrame(text: string): ClientFrame | undefined {
  try {
    const result = clientFrame.safeParse(JSON.parse(text));
    return result.success ? (result.data as ClientFrame) : undefined;
  } catch {
    return undefined;
  }
}
