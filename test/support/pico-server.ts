import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Gate } from './model-server.ts';

/**
 * picoclaw's pico channel as its protocol reads: cumulative text, deletes, frames that overtake, no end of a turn, no
 * results of tools, stop as text, answers lost with the socket. Each trap is a step or a knob.
 */
export type PicoStep =
  /** A frame as it is; `session_id` is added. */
  | { readonly frame: string; readonly payload?: Readonly<Record<string, unknown>> }
  /** An error frame: it names no session. */
  | { readonly error: string; readonly message: string }
  | { readonly gate: Gate }
  /** Closes the session's sockets: 1006 cuts them. */
  | { readonly close: number }
  /** What `GET /api/sessions/ID` has as the answer from now on. */
  | { readonly record: string };

export interface PicoPlay {
  readonly steps: readonly PicoStep[];
  /** `/stop` is ignored. */
  readonly stubborn?: boolean;
}

export interface PicoKnobs {
  readonly token?: string;
  /** The handshake is refused with this status. */
  readonly refuse?: number;
  /** The socket opens and is closed with 1013. */
  readonly full?: boolean;
  /** False: there is no history to ask. */
  readonly history?: boolean;
}

export interface PicoDouble {
  readonly url: string;
  /** What was sent, in order: `content` of each `message.send`. */
  readonly sent: readonly string[];
  readonly payloads: readonly Readonly<Record<string, unknown>>[];
  readonly handshakes: readonly IncomingMessage[];
  sockets(session: string): number;
  /** How often the history was asked for. */
  asked(): number;
  /** A frame outside of any play. */
  tell(session: string, type: string, payload?: Readonly<Record<string, unknown>>): void;
  cut(session: string): void;
  close(): Promise<void>;
}

export const create = (id: string, content: string, more: object = {}): PicoStep => ({
  frame: 'message.create',
  payload: { message_id: id, content, ...more },
});
export const update = (id: string, content: string, more: object = {}): PicoStep => ({
  frame: 'message.update',
  payload: { message_id: id, content, ...more },
});
export const remove = (id: string): PicoStep => ({ frame: 'message.delete', payload: { message_id: id } });
export const typing = (what: 'start' | 'stop'): PicoStep => ({ frame: `typing.${what}` });
export const usage = { context_usage: { used_tokens: 10, total_tokens: 100 } };

export async function startPico(
  script: (content: string) => PicoPlay,
  knobs: PicoKnobs = {},
): Promise<PicoDouble> {
  const sent: string[] = [];
  const payloads: Record<string, unknown>[] = [];
  const handshakes: IncomingMessage[] = [];
  const sockets = new Map<string, Set<WebSocket>>();
  const histories = new Map<string, { role: string; content: string }[]>();
  const running = new Map<
    string,
    { readonly play: PicoPlay; readonly stopped: PromiseWithResolvers<void> }
  >();
  let ids = 0;
  let asked = 0;

  /** Every socket of the session gets every frame; without one, the frame is lost. */
  function tell(session: string, type: string, payload?: object, named = true): void {
    const frame = { type, ...(named && { session_id: session }), timestamp: 0, ...(payload && { payload }) };
    for (const socket of sockets.get(session) ?? []) socket.send(JSON.stringify(frame));
  }

  function drop(session: string, code: number): void {
    for (const socket of [...(sockets.get(session) ?? [])])
      if (code === 1006) socket.terminate();
      else socket.close(code);
  }

  async function message(session: string, payload: Record<string, unknown>): Promise<void> {
    const content = String(payload.content ?? '');
    if (content.trim() === '')
      return tell(session, 'error', { code: 'empty_content', message: 'empty' }, false);
    sent.push(content);
    payloads.push(payload);
    const history = histories.get(session) ?? [];
    histories.set(session, history);
    const before = running.get(session);
    if (content === '/stop') {
      if (before?.play.stubborn) return;
      before?.stopped.resolve();
      // It forgets the user's message too.
      if (before) history.pop();
      ids += 1;
      return tell(session, 'message.create', { message_id: `stop-${ids}`, content: 'Task stopped.' });
    }
    history.push({ role: 'user', content });
    const play = script(content);
    const on = { play, stopped: Promise.withResolvers<void>() };
    running.set(session, on);
    let stopped = false;
    void on.stopped.promise.then(() => {
      stopped = true;
    });
    for (const step of play.steps) {
      if ('gate' in step) await step.gate.pass(on.stopped.promise);
      if (stopped) break;
      if ('frame' in step) tell(session, step.frame, step.payload);
      else if ('error' in step) tell(session, 'error', { code: step.error, message: step.message }, false);
      else if ('close' in step) drop(session, step.close);
      else if ('record' in step) history.push({ role: 'assistant', content: step.record });
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (running.get(session) === on) running.delete(session);
  }

  const server = createServer((request, response) => {
    const session = /^\/api\/sessions\/([^/?]+)$/.exec(request.url ?? '')?.[1];
    asked += 1;
    const messages = histories.get(decodeURIComponent(session ?? ''));
    if (knobs.history === false || !messages) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: session, messages, summary: '' }));
  });
  const wss = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    handshakes.push(request);
    const url = new URL(request.url ?? '/', 'http://loopback');
    const wrong = knobs.token !== undefined && request.headers.authorization !== `Bearer ${knobs.token}`;
    const status = knobs.refuse ?? (wrong ? 401 : url.pathname === '/pico/ws' ? 0 : 404);
    if (status !== 0) return void socket.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\n\r\n`);
    wss.handleUpgrade(request, socket, head, (ws) => {
      if (knobs.full) return ws.close(1013);
      const session = url.searchParams.get('session_id') ?? '';
      const all = sockets.get(session) ?? new Set();
      sockets.set(session, all.add(ws));
      ws.on('close', () => all.delete(ws));
      ws.on('message', (data) => {
        const frame = JSON.parse(String(data)) as { type: string; payload?: Record<string, unknown> };
        if (frame.type === 'message.send') void message(session, frame.payload ?? {});
        else tell(session, 'error', { code: 'unknown_type', message: frame.type }, false);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    payloads,
    handshakes,
    sockets: (session) => sockets.get(session)?.size ?? 0,
    asked: () => asked,
    tell,
    cut: (session) => drop(session, 1006),
    close: () =>
      new Promise((resolve) => {
        for (const ws of wss.clients) ws.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
