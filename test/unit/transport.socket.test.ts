import { describe, expect, it } from 'vitest';
import { createActor, setup, spawnChild, stopChild } from 'xstate';
import type { SocketEvent } from '../../machines/link.machine.ts';
import { type Socket, socketLogic } from '../../src/console/transport/socket.ts';

function bench() {
  const heard: SocketEvent[] = [];
  const sent: string[] = [];
  const closed: (number | undefined)[] = [];
  const socket: Socket & { readyState: number } = {
    onmessage: null,
    onclose: null,
    onerror: null,
    readyState: 1,
    send: (data) => sent.push(data),
    close: (code) => closed.push(code),
  };
  const machine = setup({
    types: { events: {} as SocketEvent | { type: 'hang up' } },
    actors: { socket: socketLogic(() => socket) },
  }).createMachine({
    entry: spawnChild('socket', { id: 'socket' }),
    on: {
      'hang up': { actions: stopChild('socket') },
      '*': { actions: ({ event }) => event.type !== 'hang up' && heard.push(event) },
    },
  });
  const actor = createActor(machine).start();
  return { actor, socket, heard, sent, closed };
}

describe('the connection of a page', () => {
  it('hands on frames, and sends what it is told', () => {
    const { actor, socket, heard, sent } = bench();
    const frame = { type: 'heartbeat', at: 1 } as const;
    socket.onmessage?.({ data: JSON.stringify(frame) });
    expect(heard).toEqual([{ type: 'socket.frame', frame }]);
    actor.getSnapshot().children.socket?.send({ type: 'send', frame: { type: 'ping' } });
    expect(sent).toEqual(['{"type":"ping"}']);
  });

  it('sends nothing before it is open', () => {
    const { actor, socket, sent } = bench();
    socket.readyState = 0;
    actor.getSnapshot().children.socket?.send({ type: 'send', frame: { type: 'ping' } });
    expect(sent).toEqual([]);
  });

  it.each(['{', '7', 'null', '{}'])('is over when what came cannot be read: %s', (data) => {
    const { socket, heard, closed } = bench();
    const { onmessage } = socket;
    onmessage?.({ data });
    expect(heard).toMatchObject([{ type: 'socket.closed' }]);
    expect(closed).toEqual([1003]);
    // It says so once.
    expect(socket.onmessage).toBeNull();
    expect(socket.onclose).toBeNull();
  });

  it.each([
    [1006, '', 'The gateway cannot be reached.'],
    [1001, 'the gateway closes', 'Closed: the gateway closes.'],
    [1001, '', 'The gateway went away.'],
  ])('says why it closed: %i %s', (code, reason, text) => {
    const { socket, heard } = bench();
    socket.onclose?.({ code, reason });
    expect(heard).toEqual([{ type: 'socket.closed', reason: text }]);
  });

  it('closes, and is silent, when it is stopped', () => {
    const { actor, socket, heard, closed } = bench();
    actor.send({ type: 'hang up' });
    expect(closed).toEqual([undefined]);
    socket.onmessage?.({ data: '{"type":"pong"}' });
    socket.onclose?.({ code: 1000, reason: '' });
    expect(heard).toEqual([]);
  });
});
