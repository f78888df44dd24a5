import WebSocket from 'ws';
import { AgentError } from '../agent.ts';
import type { PicoServer } from './options.ts';

/** What goes over the wire, both ways. */
export interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly session_id?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

export interface PicoSocket {
  readonly open: boolean;
  /** Resolves when the frame is with the system; rejects with `pico.disconnected`. */
  send(frame: Frame): Promise<void>;
  close(): void;
}

export interface SocketEvents {
  frame(frame: Frame): void;
  /** The connection is gone, not by `close`. */
  gone(error: AgentError): void;
}

const handshakeMs = 10_000;

/** Opens the one socket of a conversation. Rejects with an AgentError that says what to do. */
export function connect(server: PicoServer, session: string, events: SocketEvents): Promise<PicoSocket> {
  const url = socketUrl(server.url);
  url.searchParams.set('session_id', session);
  const socket = new WebSocket(url, {
    handshakeTimeout: handshakeMs,
    headers: server.token ? { authorization: `Bearer ${server.token.reveal()}` } : {},
  });
  const opened = Promise.withResolvers<PicoSocket>();
  const gone = Promise.withResolvers<AgentError>();
  let closing = false;
  socket.on('unexpected-response', (request, response) => {
    opened.reject(refused(server, response.statusCode ?? 0));
    request.destroy();
  });
  socket.on('error', (error) => opened.reject(unreachable(server, error)));
  socket.on('message', (data) => {
    const frame = parse(String(data));
    if (frame) events.frame(frame);
  });
  socket.on('close', (code) => {
    const error = closed(server, code);
    gone.resolve(error);
    opened.reject(error);
    if (!closing) events.gone(error);
  });
  socket.on('open', () =>
    opened.resolve({
      get open() {
        return socket.readyState === WebSocket.OPEN;
      },
      async send(frame) {
        const failed =
          socket.readyState !== WebSocket.OPEN ||
          (await new Promise<unknown>((resolve) =>
            socket.send(JSON.stringify(frame), (error) => resolve(error)),
          ));
        // The end of the connection says why.
        if (failed) throw await gone.promise;
      },
      close() {
        closing = true;
        socket.close(1000);
        // A peer that does not answer the farewell is not waited for.
        setTimeout(() => socket.terminate(), 500).unref();
      },
    }),
  );
  return opened.promise;
}

/** `http://host:18790` is enough: the scheme and the path follow. */
export function socketUrl(url: string): URL {
  const parsed = new URL(url);
  parsed.protocol = parsed.protocol.replace(/^http/, 'ws');
  if (parsed.pathname === '/') parsed.pathname = '/pico/ws';
  return parsed;
}

function refused(server: PicoServer, status: number): AgentError {
  const at = `picoclaw at ${new URL(server.url).host}`;
  if (status === 401 || status === 403) {
    const how = server.tokenEnv
      ? `the environment variable ${server.tokenEnv}`
      : `"token" for "${server.id}"`;
    const message = `${at} refused the token (${status}): set ${how} to that of its pico channel.`;
    return new AgentError('pico.unauthorized', message);
  }
  if (status === 503) {
    const message = `${at} takes no connection (503): its pico channel is stopped, or has as many as it allows. Start it, or close other clients.`;
    return new AgentError('pico.unavailable', message);
  }
  const message = `${at} did not open its pico channel (${status}): check "url" for "${server.id}", and that the channel is enabled.`;
  return new AgentError('pico.refused', message);
}

function unreachable(server: PicoServer, error: Error): AgentError {
  const why = (error as NodeJS.ErrnoException).code ?? error.message;
  const message = `picoclaw at ${new URL(server.url).host} cannot be reached (${why}): start it with its gateway, or correct "url" for "${server.id}".`;
  return new AgentError('pico.unreachable', message);
}

function closed(server: PicoServer, code: number): AgentError {
  const at = `picoclaw at ${new URL(server.url).host}`;
  if (code === 1013)
    return new AgentError('pico.full', `${at} has as many connections as it allows: close other clients.`);
  const message = `The connection to ${at} was lost (${code}), and with it the rest of the answer: picoclaw does not send it again. What had come is kept; retry asks anew.`;
  return new AgentError('pico.disconnected', message);
}

function parse(text: string): Frame | undefined {
  try {
    const frame = JSON.parse(text) as Frame;
    if (typeof frame?.type === 'string') return frame;
  } catch {
    // No frame.
  }
  return undefined;
}
