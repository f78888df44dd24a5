import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import type { InspectionEvent } from 'xstate';
import type { Limits, RunnerContext, SessionRef } from '../../../machines/runner.types.ts';
import { createGateway, type Gateway } from '../../../src/gateway/gateway.ts';
import { createLive, type Live } from '../../../src/gateway/live.ts';
import type { Agents } from './agents.ts';
import type { Coverage } from './coverage.ts';
import type { Disk } from './disk.ts';
import { Life, type Scheduler } from './scheduler.ts';
import type { Watch } from './watch.ts';

/** Short, so that a schedule meets them all. */
const limits: Limits = {
  gather: 20,
  stall: 4_000,
  cancel: 1_000,
  terminate: 600,
  kill: 400,
  poll: 300,
  pollMax: 2_000,
  quiet: 500,
  blocked: 300,
};

const heartbeatMs = 5_000;
const quiet = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger;

interface Parts {
  readonly scheduler: Scheduler;
  readonly disk: Disk;
  readonly agents: Agents;
  readonly watch: Watch;
  readonly coverage: Coverage | undefined;
}

/** A gateway process: the real gateway and the real live channel, over the world's disk, clock and agents. */
export class Server {
  readonly life: Life;
  readonly name: string;
  readonly log;
  gateway: Gateway | undefined;
  live: Live | undefined;
  /** Sessions that are open in it. */
  readonly actors = new Map<string, SessionRef>();
  readonly sockets = new Set<ServerSocket>();
  /** What waits for an answer, to be told that there will be none. */
  readonly calls = new Set<() => void>();
  readonly #parts: Parts;
  #isClosing = false;

  constructor(number: number, parts: Parts) {
    this.#parts = parts;
    this.name = `gateway${number}`;
    this.life = new Life(parts.scheduler, this.name);
    this.log = parts.disk.handle(this.life);
  }

  get isUp(): boolean {
    return this.gateway !== undefined && !this.life.isOver && !this.#isClosing;
  }

  /** As a start does: agents of an earlier run are ended, the log is put in order, then it serves. */
  async start(): Promise<void> {
    const { agents, watch } = this.#parts;
    const { life } = this;
    watch.line('world', 'gateway', () => `${this.name} starts`);
    const serves = watch.gateways.starts(life);
    const gateway = await createGateway({
      log: this.log,
      connectors: [agents.connector(life)],
      roots: ['/'],
      stateRoot: '/tmp',
      clock: life.clock as never,
      limits,
      signal: (pgid, signal) => agents.signal(pgid, signal),
      observe: (event) => this.#observe(event),
      warn: (message, error) => this.#warn(message, error),
    });
    if (life.isOver) return;
    serves();
    watch.gateways.overlook(gateway, life);
    this.gateway = gateway;
    this.live = createLive({
      service: gateway,
      version: this.name,
      clock: life.clock as never,
      logger: quiet,
      heartbeatMs,
      limits: { frames: 12, bytes: 16 * 1024 },
    });
    watch.line('gateway', 'world', () => `${this.name} serves`);
  }

  /** Its memory is gone, with everything that was on its way. */
  crash(): void {
    this.life.isOver = true;
    this.#leave();
  }

  /** Ends as a user ends it. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#parts.watch.gateways.closes(this.life);
    for (const socket of [...this.sockets]) socket.cut();
    await this.gateway?.close();
    if (this.life.isOver) return;
    const timers = this.life.timers.size;
    if (timers > 0) this.#parts.watch.breach('timers', `${timers} timers of a gateway that has closed`);
    this.life.isOver = true;
    this.#leave();
  }

  #leave(): void {
    for (const socket of [...this.sockets]) socket.cut();
    for (const end of [...this.calls]) end();
    this.calls.clear();
    this.actors.clear();
  }

  #observe(event: InspectionEvent): void {
    if (this.life.isOver) return;
    const ref = event.actorRef as SessionRef;
    if (event.type === '@xstate.actor' && ref.id?.startsWith('session:'))
      this.actors.set(ref.id.slice(8), ref);
    this.#parts.coverage?.observe(event);
    if (event.type === '@xstate.snapshot' && 'context' in event.snapshot) {
      const context = event.snapshot.context as Partial<RunnerContext>;
      const { commands, batch } = context;
      if (commands && batch) this.#parts.watch.gateways.pen(ref, { commands, batch });
    }
    if (event.type !== '@xstate.event' || event.event.type !== 'xstate.error.actor.append') return;
    const { error } = event.event as unknown as { error: Error };
    // The law refused what the runner itself made of the committed state.
    if (error.name === 'Unlawful' || error.name === 'ZodError')
      this.#parts.watch.breach('law', error.message);
    else this.#parts.watch.hit(`append fails: ${error.name}`);
    if (error.name === 'LogConflict') this.#fenced(event.actorRef.getSnapshot().context);
  }

  #fenced({ session }: RunnerContext): void {
    const { agents, watch } = this.#parts;
    const { id } = session.getSnapshot().context;
    const programs = agents.programs.filter((one) => one.session === id && one.life === this.life);
    const isShown = () => this.actors.get(id) === session && session.getSnapshot().status === 'active';
    watch.gateways.fenced(this.life, id, programs, isShown);
  }

  #warn(message: string, error: unknown): void {
    const name = error instanceof Error ? error.name : String(error);
    this.#parts.watch.hit(`warning: ${message}`);
    this.#parts.watch.line('gateway', 'world', () => `${message}: ${name}`);
  }
}

/** The gateway's end of a connection, as `ws` would hand it over. */
export class ServerSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly #out: (text: string, flushed: () => void) => void;
  readonly #cut: () => void;
  readonly #ping: () => void;

  constructor(out: (text: string, flushed: () => void) => void, ping: () => void, cut: () => void) {
    super();
    this.#out = out;
    this.#ping = ping;
    this.#cut = cut;
  }

  send(text: string, done?: () => void): void {
    const size = text.length;
    this.bufferedAmount += size;
    this.#out(text, () => {
      this.bufferedAmount -= size;
      done?.();
    });
  }

  ping(): void {
    this.#ping();
  }

  terminate(): void {
    this.cut();
  }

  close(): void {
    this.cut();
  }

  /** The connection is gone, whoever ended it. */
  cut(): void {
    if (this.readyState !== 1) return;
    this.readyState = 3;
    this.#cut();
    this.emit('close');
  }

  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}
