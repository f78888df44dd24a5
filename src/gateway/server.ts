import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { Logger } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { createApp } from './http/app.ts';
import { type EventStream, type ReaderLimits, readerLimits } from './http/event.stream.ts';
import { problem, rawProblem } from './http/problem.ts';
import { createLive, type Live } from './live.ts';
import { Refusal } from './refusal.ts';
import { type AttemptLimits, createAttempts } from './security/attempts.ts';
import { createGate } from './security/gate.ts';
import { createHostList, isEveryAddress, urlHost } from './security/hosts.ts';
import type { Service } from './service.ts';
import { createUpgrade } from './upgrade.ts';

export interface ServerOptions {
  /** Called once the port is ours; who comes before it resolves waits. */
  readonly open: () => Promise<Service>;
  readonly version: string;
  readonly token: string;
  readonly logger: Logger;
  /** Where the built console is. */
  readonly pages: string;
  /** 0 for any. */
  readonly port: number;
  /** How many ports after `port` are tried when other programs have it. */
  readonly otherPorts?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Names, beside the loopback ones, that requests may use: `name` or `name:port`. */
  readonly allowHosts?: readonly string[];
  /** Default 15,000. */
  readonly heartbeatMs?: number;
  readonly limits?: ReaderLimits;
  /** The largest body, in bytes; default 8 MiB. */
  readonly bodyBytes?: number;
  readonly attempts?: AttemptLimits;
  readonly clock?: Clock;
}

export interface RunningServer {
  readonly port: number;
  /** Without the token. */
  readonly url: string;
  /** For the person who started it: carries the token. */
  readonly openUrl: string;
  readonly live: Live;
  /** From now on only reads are served: the gateway is about to end. */
  refuseChanges(): void;
  /** Ends streams and sockets, then the server. Bounded: what does not go within 2 s is cut. */
  close(): Promise<void>;
}

/** The port is another program's; the message says what to do. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

interface Handlers {
  readonly request: (request: IncomingMessage, response: ServerResponse) => unknown;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Listens. Rejects with `PortTaken`, with the system's error, or with that of `open`. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { clock = systemClock, host = '127.0.0.1', limits = readerLimits, heartbeatMs = 15_000 } = options;
  const streams = new Set<EventStream>();
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: 10_000,
    requestTimeout: 120_000,
    keepAliveTimeout: 10_000,
  });
  const ready = Promise.withResolvers<Handlers>();
  ready.promise.catch(() => {});
  server.on('request', (...call) => void ready.promise.then(({ request }) => request(...call)));
  server.on('upgrade', (...call) => void ready.promise.then(({ upgrade }) => upgrade(...call)));
  server.on('clientError', refuseMalformed);
  // The port first: when it is not to be had, nothing was begun.
  await listen(server, host, options.port, options.otherPorts ?? 0);
  const { port } = server.address() as AddressInfo;

  const service = await options.open().catch((error: unknown) => {
    server.close();
    server.closeAllConnections();
    throw error;
  });
  const gate = createGate({
    token: options.token,
    hosts: createHostList({ port, bound: host, allowed: options.allowHosts ?? [] }),
    attempts: createAttempts(clock.now, options.attempts),
  });
  let isClosing = false;
  const outside = { ...options, service, clock, limits, heartbeatMs, streams };
  const live = createLive(outside);
  const app = createApp({
    ...outside,
    gate,
    isClosing: () => isClosing,
    bodyBytes: options.bodyBytes ?? 8 * 1024 * 1024,
    address: ({ env }) => (env as HttpBindings).incoming.socket.remoteAddress ?? '',
  });
  const request = getRequestListener(app.fetch, {
    errorHandler: () => problem(new Refusal(400, 'request.malformed', 'The request has no sound address.')),
  });
  ready.resolve({ request, upgrade: createUpgrade(gate, live) });
  const url = `http://${isEveryAddress(host) ? '127.0.0.1' : urlHost(host)}:${port}/`;
  return {
    port,
    url,
    openUrl: `${url}?token=${options.token}`,
    live,
    refuseChanges() {
      isClosing = true;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const stream of streams) stream.end();
      await live.close(1_000);
      // A connection is idle a moment after its last answer ended.
      const idle = setInterval(() => server.closeIdleConnections(), 20);
      const grace = setTimeout(() => server.closeAllConnections(), 1_000);
      await closed;
      clearInterval(idle);
      clearTimeout(grace);
    },
  };
}

async function listen(server: Server, host: string, port: number, others: number): Promise<void> {
  for (let next = port; ; next += 1) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(next, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (next - port >= others || next >= 65_535) {
        const tried = next === port ? `Port ${port} is` : `The ports ${port} to ${next} are`;
        throw new PortTaken(
          `${tried} in use by another program. Choose one with --port, or --port 0 for any.`,
        );
      }
    }
  }
}

/** What is not HTTP, or has too large a head: there is no request to answer. */
function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Duplex & Partial<IncomingMessage['socket']>,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const isLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const refusal = isLarge
    ? new Refusal(431, 'headers.large', 'The headers are larger than 16 KiB. Send less.')
    : new Refusal(400, 'request.malformed', 'This is not a sound HTTP request.');
  socket.end(rawProblem(refusal));
}
