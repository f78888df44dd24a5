import type { Api } from '../../../src/console/transport/api.ts';
import { ProblemError } from '../../../src/console/transport/problem.ts';
import type { Socket } from '../../../src/console/transport/socket.ts';
import { Refusal } from '../../../src/gateway/refusal.ts';
import type { Service } from '../../../src/gateway/service.ts';
import type { Random } from './random.ts';
import type { Life, Scheduler } from './scheduler.ts';
import { type Server, ServerSocket } from './server.ts';
import type { Watch } from './watch.ts';
import { calm, type Weather } from './weather.ts';

const networkMs = 3_000;

/** Told of each frame that comes over the wire, and of each that is lost on it. */
interface Ear {
  heard(): void;
  lost(): void;
}

interface Line {
  cut(): void;
  /** Nothing comes through any more, and nobody is told. */
  isHalfOpen: boolean;
  /** The page reads nothing until then. */
  slowUntil: number;
  /** It reads what waits, now. */
  hurry(): void;
}

/** Pages and gateways, and all that lies between them. */
export class Network {
  weather: Weather;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #watch: Watch;
  readonly #servers: () => readonly Server[];
  readonly #lines = new Map<string, Line>();
  /** Pages that have no network now. */
  readonly away = new Set<string>();

  constructor(
    scheduler: Scheduler,
    random: Random,
    watch: Watch,
    weather: Weather,
    servers: () => readonly Server[],
  ) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#watch = watch;
    this.weather = weather;
    this.#servers = servers;
  }

  calm(): void {
    this.weather = calm;
    this.away.clear();
    for (const line of this.#lines.values()) {
      line.hurry();
      if (line.isHalfOpen) line.cut();
    }
  }

  cut(page: string): boolean {
    const line = this.#lines.get(page);
    line?.cut();
    return line !== undefined;
  }

  halfOpen(page: string): boolean {
    const line = this.#lines.get(page);
    if (line) line.isHalfOpen = true;
    return line !== undefined;
  }

  slow(page: string, ms: number): boolean {
    const line = this.#lines.get(page);
    if (line) line.slowUntil = this.#scheduler.now + ms;
    return line !== undefined;
  }

  #server(random: Random): Server | undefined {
    const up = this.#servers().filter((server) => server.isUp);
    return up.length === 0 ? undefined : random.pick(up);
  }

  /** A page's WebSocket. */
  connect(page: string, life: Life, count: number, ear: Ear): Socket {
    const random = this.#random.fork(`${page}/line${count}`);
    const scheduler = this.#scheduler;
    const watch = this.#watch;
    const delay = () => random.pick(this.weather.delays);
    let state = 0;
    let far: ServerSocket | undefined;
    const socket: Socket = {
      onmessage: null,
      onclose: null,
      onerror: null,
      get readyState() {
        return state;
      },
      send: (text) => up(text),
      close: () => line.cut(),
    };
    let downAt = 0;
    const line: Line = {
      isHalfOpen: false,
      slowUntil: 0,
      hurry: () => {
        line.slowUntil = 0;
        downAt = scheduler.now;
        for (const _ of onWay) scheduler.after(0, flush);
      },
      cut: () => {
        if (state === 3) return;
        const wasHalfOpen = line.isHalfOpen;
        state = 3;
        if (this.#lines.get(page) === line) this.#lines.delete(page);
        if (!wasHalfOpen) scheduler.after(delay(), () => far?.cut());
        scheduler.after(delay(), () => socket.onclose?.({ code: 1006, reason: '' }), life);
      },
    };
    let upAt = 0;
    const up = (text: string) => {
      upAt = Math.max(upAt, scheduler.now + delay());
      scheduler.after(upAt - scheduler.now, () => {
        if (line.isHalfOpen || state === 3) return;
        watch.line(page, 'gateway', () => text);
        far?.emit('message', Buffer.from(text), false);
      });
    };
    // One connection keeps its order, also when its reader is slow.
    const onWay: { readonly text: string; readonly flushed: () => void }[] = [];
    const flush = () => {
      if (line.slowUntil > scheduler.now) {
        scheduler.after(line.slowUntil - scheduler.now, flush);
        return;
      }
      const next = onWay.shift();
      if (!next || line.isHalfOpen) return;
      next.flushed();
      arrive(next.text);
    };
    const down = (text: string, flushed: () => void) => {
      downAt = Math.max(downAt, scheduler.now + delay(), line.slowUntil);
      onWay.push({ text, flushed });
      scheduler.after(downAt - scheduler.now, flush);
    };
    const arrive = (text: string) => {
      if (state !== 1 || life.isOver) return;
      ear.heard();
      if (random.chance(this.weather.cuts)) {
        watch.hit('wire: cut in the middle of a frame');
        socket.onmessage?.({ data: text.slice(0, text.length >> 1) });
        line.cut();
        return;
      }
      if (random.chance(this.weather.loses)) {
        // Lost bytes are never just skipped: the connection breaks with them, a little later.
        watch.hit('wire: frame lost');
        ear.lost();
        scheduler.after(random.int(0, 60), () => line.cut());
        return;
      }
      watch.line('gateway', page, () => text);
      socket.onmessage?.({ data: text });
      if (!random.chance(this.weather.doubles)) return;
      watch.hit('wire: frame doubled');
      socket.onmessage?.({ data: text });
    };
    scheduler.after(delay() + delay(), () => {
      if (state === 3) return;
      if (random.chance(this.weather.cuts)) {
        watch.hit('wire: connection that never opens');
        return;
      }
      const server = this.away.has(page) ? undefined : this.#server(random);
      if (!server?.live) return line.cut();
      state = 1;
      this.#lines.set(page, line);
      far = new ServerSocket(
        (text, flushed) => down(text, flushed),
        // The browser answers a ping by itself, if it can be reached.
        () => {
          if (!line.isHalfOpen) scheduler.after(delay(), () => !line.isHalfOpen && far?.emit('pong'));
        },
        () => {
          server.sockets.delete(far as ServerSocket);
          if (!line.isHalfOpen) line.cut();
        },
      );
      server.sockets.add(far);
      server.live.accept(far.asWebSocket);
    });
    return socket;
  }

  /** The gateway's calls, as a page makes them. */
  api(page: string, life: Life): Api {
    let calls = 0;
    const call = <T>(name: string, run: (service: Service) => Promise<unknown>, signal?: AbortSignal) => {
      calls += 1;
      return this.#call<T>(page, life, `${name}/${calls}`, run, signal);
    };
    return {
      health: () => call('health', async () => ({ name: 'Sluice', version: '0' })),
      agents: (signal) => call('agents', (service) => service.agents(), signal),
      earlier: (agent, query = {}, signal) =>
        call('earlier', (service) => service.earlier(agent, query), signal),
      addAgent: (body) => call('add agent', (service) => service.addAgent(body)),
      removeAgent: (id) => call(`remove agent ${id}`, (service) => service.removeAgent(id)),
      sessions: (query = {}, signal) =>
        call('sessions', (service) => service.list({ limit: 50, ...query }), signal),
      create: (body) => call('create', (service) => service.create(body)),
      snapshot: (id, signal) => call(`snapshot ${id}`, (service) => service.snapshot(id), signal),
      change: (id, body) => call(`change ${id}`, (service) => service.change(id, body)),
      remove: (id) => call(`remove ${id}`, (service) => service.remove(id)),
      turns: (id, before, limit = 50) => call('turns', (service) => service.turns(id, before, limit)),
      send: (id, body, signal) => call(`send ${id} ${body.id}`, (service) => service.send(id, body), signal),
      stop: (id, body, signal) =>
        call(`stop ${id} ${JSON.stringify(body)}`, (service) => service.stop(id, body), signal),
      resume: (id) => call(`resume ${id}`, (service) => service.resume(id)),
      retry: (id, turn, at) =>
        call(`retry ${id} ${turn} ${at}`, (service) =>
          service.retry(id, { turn, ...(at !== undefined && { at }) }),
        ),
      editQueue: (id, body) =>
        call(`queue ${id} ${JSON.stringify(body)}`, (service) => service.editQueue(id, body)),
      answer: (id, permission, { option, content }, signal) =>
        call(
          `answer ${id} ${permission} ${option}`,
          (service) => service.answer(id, permission, option, content),
          signal,
        ),
      jobs: (signal) => call('jobs', (service) => service.jobs(), signal),
      job: (id) => call(`job ${id}`, (service) => service.job(id)),
      stopJob: (id, signal) => call(`stop job ${id}`, (service) => service.stopJob(id), signal),
    };
  }

  #call<T>(
    page: string,
    life: Life,
    name: string,
    run: (service: Service) => Promise<unknown>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const random = this.#random.fork(`${page}/${name}`);
    const delay = () => random.pick(this.weather.delays);
    const scheduler = this.#scheduler;
    const watch = this.#watch;
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (ms: number, finish: () => void) =>
        scheduler.after(
          ms,
          () => {
            if (isOver) return;
            isOver = true;
            finish();
          },
          life,
        );
      const unheard = (ms: number) => end(ms, () => reject(new TypeError('Failed to fetch')));
      signal?.addEventListener('abort', () => end(0, () => reject(new Error('aborted'))));
      const arrive = (again: boolean) => {
        const server = this.away.has(page) ? undefined : this.#server(random);
        if (!server?.gateway) return again ? undefined : void unheard(delay());
        watch.line(page, 'gateway', () => name);
        const lost = () => void unheard(delay());
        if (!again) server.calls.add(lost);
        const answer = (finish: () => void) => {
          server.calls.delete(lost);
          if (again) return;
          if (random.chance(this.weather.loses * 3)) {
            watch.hit('wire: answer lost');
            unheard(networkMs);
          } else end(delay(), finish);
        };
        run(server.gateway).then(
          (value) => answer(() => resolve(JSON.parse(JSON.stringify(value ?? null)))),
          (error: unknown) => answer(() => reject(this.#problem(name, error))),
        );
        return undefined;
      };
      if (random.chance(this.weather.loses * 3)) {
        watch.hit('wire: request lost');
        unheard(networkMs);
        return;
      }
      scheduler.after(delay(), () => arrive(false));
      if (!random.chance(this.weather.doubles * 2)) return;
      watch.hit('wire: request doubled');
      scheduler.after(delay() + 1, () => arrive(true));
    });
  }

  #problem(name: string, error: unknown): ProblemError {
    this.#watch.line('gateway', 'world', () => `${name} refused: ${String(error)}`);
    if (error instanceof Refusal) {
      this.#watch.hit(`refused: ${error.code}`);
      return new ProblemError(
        error.status,
        error.code,
        error.message,
        JSON.parse(JSON.stringify(error.extra)),
      );
    }
    const kind = error instanceof Error ? error.name : String(error);
    this.#watch.hit(`internal error: ${kind}`);
    if (kind !== 'LogUnavailable' && kind !== 'LogConflict') {
      this.#watch.breach(
        'internal error',
        `${name}: ${error instanceof Error ? error.stack : String(error)}`,
      );
    }
    return new ProblemError(500, 'internal', String(error));
  }
}
