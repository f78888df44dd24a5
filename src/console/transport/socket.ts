import { fromCallback } from 'xstate';
import type { SocketEvent, SocketOrder } from '../../../machines/link.machine.ts';
import type { ServerFrame } from '../../wire/live.ts';

/** The part of a browser's WebSocket that the link needs. */
export interface Socket {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: (() => void) | null;
  readonly readyState: number;
  send(data: string): void;
  close(code?: number): void;
}

const isOpen = 1;

/** The link's connection. A frame that cannot be read ends it: nobody knows what was missed. */
export function socketLogic(open: () => Socket) {
  return fromCallback<SocketOrder>(({ sendBack, receive }) => {
    const back = (event: SocketEvent) => sendBack(event);
    const closed = (reason: string) => {
      socket.onclose = null;
      back({ type: 'socket.closed', reason });
    };
    const socket = open();
    socket.onmessage = ({ data }) => {
      const frame = parse(data);
      if (frame) return back({ type: 'socket.frame', frame });
      socket.onmessage = null;
      socket.close(1003);
      closed('The gateway said something that could not be read.');
    };
    socket.onclose = ({ code, reason }) =>
      closed(reason === '' ? (reasons[code] ?? 'The gateway cannot be reached.') : `Closed: ${reason}.`);
    // Always followed by a close, which says all that a page may know.
    socket.onerror = () => {};
    receive(({ frame }) => {
      if (socket.readyState === isOpen) socket.send(JSON.stringify(frame));
    });
    return () => {
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    };
  });
}

const reasons: Readonly<Record<number, string>> = {
  1000: 'The gateway closed the connection.',
  1001: 'The gateway went away.',
  1011: 'The gateway failed; its log has more.',
};

function parse(data: unknown): ServerFrame | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const frame: unknown = JSON.parse(data);
    const sound = typeof frame === 'object' && frame !== null && 'type' in frame;
    return sound ? (frame as ServerFrame) : undefined;
  } catch {
    return undefined;
  }
}

/** Opens the live channel of the gateway at `base`, or of the page's own origin. */
export function openLive(base = ''): Socket {
  const url = new URL('/api/live', base === '' ? location.href : base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url) as Socket;
}
