import { createActor, fromCallback } from 'xstate';
import {
  type LinkEmitted,
  type LinkRef,
  linkMachine,
  type SocketEvent,
  type SocketOrder,
} from '../../machines/link.machine.ts';
import type { Fact } from '../../src/wire/facts.ts';
import type { ClientFrame, ServerFrame } from '../../src/wire/live.ts';
import { TestClock } from './clock.ts';

interface Socket {
  readonly sent: ClientFrame[];
  open: boolean;
  readonly say: (frame: ServerFrame) => void;
  readonly drop: (reason?: string) => void;
}

export interface LinkBench {
  readonly link: LinkRef;
  readonly clock: TestClock;
  /** Sets the clock of the wall by so many milliseconds: timers know nothing of it. */
  readonly setClock: (ms: number) => void;
  readonly sockets: Socket[];
  readonly emitted: LinkEmitted[];
  readonly cursors: Map<string, string>;
  readonly socket: () => Socket;
  readonly hello: () => void;
}

export const heartbeatMs = 10_000;
export const greeting: ServerFrame = { type: 'hello', version: '1', heartbeatMs };

export function linkBench(jitter = () => 1): LinkBench {
  const clock = new TestClock();
  let wall = 0;
  const sockets: Socket[] = [];
  const emitted: LinkEmitted[] = [];
  const cursors = new Map<string, string>();
  const socketLogic = fromCallback<SocketOrder>(({ sendBack, receive }) => {
    const back = (event: SocketEvent) => sendBack(event);
    const socket: Socket = {
      sent: [],
      open: true,
      say: (frame) => back({ type: 'socket.frame', frame }),
      drop: (reason = 'gone') => {
        socket.open = false;
        back({ type: 'socket.closed', reason });
      },
    };
    receive((order) => {
      if (order.type === 'send') socket.sent.push(order.frame);
    });
    sockets.push(socket);
    return () => {
      socket.open = false;
    };
  });
  const link = createActor(linkMachine.provide({ actors: { socket: socketLogic } }), {
    clock,
    input: { now: () => clock.now() + wall, jitter, cursorOf: (session) => cursors.get(session) },
  });
  link.on('*', (event) => emitted.push(event));
  link.start();
  const socket = () => sockets.at(-1) as Socket;
  const setClock = (ms: number) => {
    wall += ms;
  };
  return { link, clock, setClock, sockets, emitted, cursors, socket, hello: () => socket().say(greeting) };
}

export const state = (link: LinkRef) => link.getSnapshot().value;
export const frame = (session: string, prev: number, seq: number, epoch = 'E'): ServerFrame => ({
  type: 'facts',
  session,
  epoch,
  prev,
  seq,
  facts: [{ v: 1, session, epoch, seq, at: 0, type: 'session.changed', title: `${seq}` } satisfies Fact],
});
