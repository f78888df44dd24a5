import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { rawProblem } from './http/problem.ts';
import type { Live } from './live.ts';
import { Refusal } from './refusal.ts';
import type { Caller, Gate } from './security/gate.ts';

/** The largest frame that a tab may send. */
const frameBytes = 64 * 1024;

/** Answers upgrades: the same gate as for requests, then the live channel. */
export function createUpgrade(gate: Gate, live: Live) {
  const server = new WebSocketServer({ noServer: true, maxPayload: frameBytes, perMessageDeflate: false });
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    const refusal = refuse(gate, request);
    if (refusal) {
      socket.end(rawProblem(refusal));
      return;
    }
    server.handleUpgrade(request, socket, head, (webSocket) => live.accept(webSocket));
  };
}

function refuse(gate: Gate, request: IncomingMessage): Refusal | undefined {
  const caller: Caller = {
    method: request.method ?? 'GET',
    upgrade: true,
    api: true,
    address: request.socket.remoteAddress ?? '',
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
  };
  const refusal = gate.admit(caller) ?? gate.authorize(caller);
  if (refusal) return refusal;
  if (request.url?.split('?', 1)[0] !== '/api/live') {
    return new Refusal(404, 'route.unknown', 'Only /api/live is a WebSocket.');
  }
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
    return new Refusal(426, 'upgrade.missing', '/api/live is a WebSocket.');
  }
  return undefined;
}
