import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { linkMachine } from '../../machines/link.machine.ts';
import { TestClock } from '../support/clock.ts';
import { linkBench as bench, frame, greeting, heartbeatMs, state } from '../support/link.bench.ts';

describe('the link', () => {
  it('throws when no socket was provided', () => {
    const clock = new TestClock();
    const link = createActor(linkMachine, {
      clock,
      input: { now: () => clock.now(), jitter: () => 0, cursorOf: () => undefined },
    });
    const errors: unknown[] = [];
    link.subscribe({ error: (error) => errors.push(error) });
    link.start();
    expect(String(errors[0])).toContain('the socket actor was not provided');
  });

  it('is live after the greeting, and not before', () => {
    const { link, socket, emitted, hello } = bench();
    expect(state(link)).toBe('connecting');
    socket().say({ type: 'heartbeat', at: 1 });
    expect(state(link)).toBe('connecting');
    hello();
    expect(state(link)).toBe('live');
    expect(link.getSnapshot().context.version).toBe('1');
    expect(emitted).toEqual([{ type: 'connected' }]);
  });

  it('gives up a connection that never greets', () => {
    const { link, clock, sockets } = bench();
    clock.advance(10_000);
    expect(state(link)).toBe('reconnecting');
    expect(sockets[0]?.open).toBe(false);
  });

  it('is stale when nothing came for two and a half heartbeats, and live again with any frame', () => {
    const { link, clock, socket, hello } = bench();
    hello();
    clock.advance(heartbeatMs * 2.5 - 1);
    expect(state(link)).toBe('live');
    socket().say({ type: 'heartbeat', at: 1 });
    clock.advance(heartbeatMs * 2.5 - 1);
    expect(state(link)).toBe('live');
    clock.advance(1);
    expect(state(link)).toBe('stale');
    expect(socket().sent.at(-1)).toEqual({ type: 'ping' });
    socket().say({ type: 'pong' });
    expect(state(link)).toBe('live');
  });

  it.each([-86_400_000, 86_400_000])('asks for a sign of life when its clock was set by %i ms', (ms) => {
    const { link, clock, setClock, socket, hello } = bench();
    hello();
    clock.advance(100);
    setClock(ms);
    clock.advance(heartbeatMs * 2.5);
    expect(state(link)).toBe('stale');
    expect(socket().sent.at(-1)).toEqual({ type: 'ping' });
    socket().say({ type: 'pong' });
    clock.advance(heartbeatMs * 2.5 - 1);
    expect(state(link)).toBe('live');
    clock.advance(1);
    expect(state(link)).toBe('stale');
  });

  it('counts what came in the very instant in which it looks', () => {
    const { link, clock, setClock, socket, hello } = bench();
    hello();
    clock.advance(heartbeatMs * 2.5 - 1);
    socket().say({ type: 'heartbeat', at: 1 });
    setClock(-1);
    clock.advance(1);
    expect(state(link)).toBe('live');
  });

  it('has nothing new to remember of a frame that follows another', () => {
    const { link, socket, hello } = bench();
    hello();
    link.send({ type: 'subscribe', session: 'a', after: 'E.4' });
    socket().say(frame('a', 4, 5));
    const { wanted } = link.getSnapshot().context;
    socket().say(frame('a', 5, 6));
    expect(link.getSnapshot().context.wanted).toBe(wanted);
  });

  it('gives up a stale connection that does not answer the ping, and says why (I13)', () => {
    const { link, clock, sockets, hello } = bench();
    hello();
    clock.advance(heartbeatMs * 5);
    expect(state(link)).toBe('reconnecting');
    expect(sockets[0]?.open).toBe(false);
    expect(link.getSnapshot().context.reason).toBe('The gateway is silent.');
  });

  it('waits 0.5 s, doubled up to 15 s, and says when it tries again (I13)', () => {
    const { link, clock, socket } = bench();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      socket().drop('refused');
      expect(state(link)).toBe('reconnecting');
      const { nextAt, reason } = link.getSnapshot().context;
      expect(reason).toBe('refused');
      waits.push((nextAt ?? 0) - clock.now());
      clock.advance((nextAt ?? 0) - clock.now() - 1);
      expect(state(link)).toBe('reconnecting');
      clock.advance(1);
      expect(state(link)).toBe('connecting');
      expect(link.getSnapshot().context.nextAt).toBeNull();
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  });

  it('leaves half of each wait to chance, and starts anew after a greeting', () => {
    const chance = [0, 1, 0.5, 0];
    const { link, clock, socket, hello } = bench(() => chance.shift() ?? 0);
    const waits: number[] = [];
    const lose = () => {
      socket().drop();
      const { nextAt } = link.getSnapshot().context;
      waits.push((nextAt ?? 0) - clock.now());
      clock.advance((nextAt ?? 0) - clock.now());
    };
    lose();
    lose();
    lose();
    hello();
    lose();
    expect(waits).toEqual([250, 1000, 1500, 250]);
  });

  it.each(['reconnecting', 'stale', 'offline'] as const)('tries at once when asked to while %s', (from) => {
    const { link, clock, socket, sockets, hello } = bench();
    hello();
    if (from === 'reconnecting') socket().drop();
    if (from === 'stale') clock.advance(heartbeatMs * 2.5);
    if (from === 'offline') link.send({ type: 'offline' });
    expect(state(link)).toBe(from);
    link.send({ type: 'retry' });
    expect(state(link)).toBe('connecting');
    expect(sockets.map((one) => one.open)).toEqual([false, true]);
    hello();
    expect(state(link)).toBe('live');
    clock.advance(heartbeatMs);
    expect(sockets).toHaveLength(2);
  });

  it.each(['retry', 'online'] as const)('dials anew at a %s: what was dialled before may hang', (type) => {
    const { link, clock, sockets, hello } = bench();
    expect(state(link)).toBe('connecting');
    clock.advance(9_000);
    link.send({ type });
    expect(sockets.map((one) => one.open)).toEqual([false, true]);
    clock.advance(9_000);
    expect(state(link)).toBe('connecting');
    hello();
    expect(state(link)).toBe('live');
  });

  it('is offline while the browser says so, tries now and then, and at once when the network is back', () => {
    const { link, clock, socket, sockets, hello } = bench();
    hello();
    link.send({ type: 'offline' });
    expect(state(link)).toBe('offline');
    expect(sockets[0]?.open).toBe(false);
    expect(link.getSnapshot().context.reason).toBe('This device has no network.');
    clock.advance((link.getSnapshot().context.nextAt ?? 0) - clock.now());
    expect(state(link)).toBe('connecting');
    socket().drop();
    expect(state(link)).toBe('offline');
    link.send({ type: 'online' });
    expect(state(link)).toBe('connecting');
    socket().drop();
    expect(state(link)).toBe('reconnecting');
  });

  it('hears nothing of a connection that it has given up', () => {
    const { link, clock, sockets, emitted, hello } = bench();
    link.send({ type: 'subscribe', session: 'a', after: 'E.0' });
    hello();
    sockets[0]?.drop();
    clock.advance(1000);
    const before = emitted.length;
    sockets[0]?.say(frame('a', 0, 1));
    sockets[0]?.drop();
    sockets[0]?.say(greeting);
    expect(state(link)).toBe('connecting');
    expect(emitted).toHaveLength(before);
  });

  it('subscribes to all wanted sessions on each connection, after the cursors where they stand then (I6)', () => {
    const { link, clock, socket, cursors, hello } = bench();
    link.send({ type: 'subscribe', session: 'a', after: 'E.3' });
    link.send({ type: 'subscribe', session: 'b', after: 'E.1' });
    cursors.set('a', 'E.3').set('b', 'E.1');
    expect(socket().sent).toEqual([]);
    hello();
    expect(socket().sent).toEqual([
      { type: 'subscribe', session: 'a', after: 'E.3' },
      { type: 'subscribe', session: 'b', after: 'E.1' },
    ]);
    cursors.set('a', 'E.9').delete('b');
    link.send({ type: 'unsubscribe', session: 'c' });
    socket().drop();
    clock.advance(1000);
    hello();
    // b is being read: it is subscribed when that is done.
    expect(socket().sent).toEqual([{ type: 'subscribe', session: 'a', after: 'E.9' }]);
    link.send({ type: 'subscribe', session: 'b', after: 'F.2' });
    expect(socket().sent.at(-1)).toEqual({ type: 'subscribe', session: 'b', after: 'F.2' });
    link.send({ type: 'unsubscribe', session: 'a' });
    expect(socket().sent.at(-1)).toEqual({ type: 'unsubscribe', session: 'a' });
    socket().drop();
    cursors.set('b', 'F.2');
    clock.advance(1000);
    hello();
    expect(socket().sent).toEqual([{ type: 'subscribe', session: 'b', after: 'F.2' }]);
  });

  it('hands on frames, summaries, resyncs and refusals; frames of sessions that nobody wants go nowhere', () => {
    const { link, socket, emitted, hello } = bench();
    hello();
    link.send({ type: 'subscribe', session: 'a', after: 'E.0' });
    emitted.length = 0;
    const facts = frame('a', 0, 1);
    socket().say(facts);
    socket().say(frame('b', 0, 1));
    socket().say({ type: 'sessions', changed: [], removed: ['x'] });
    socket().say({ type: 'resync', session: 'a', reason: 'slow' });
    socket().say({ type: 'resync', session: 'b', reason: 'slow' });
    socket().say({ type: 'error', session: 'a', code: 'session.unknown', detail: 'No.' });
    expect(emitted).toEqual([
      { type: 'facts', frame: facts },
      { type: 'sessions', changed: [], removed: ['x'] },
      { type: 'resync', session: 'a', reason: 'slow' },
      { type: 'refused', session: 'a', code: 'session.unknown', detail: 'No.' },
    ]);
  });

  it('drops frames of an earlier subscription that are still on their way (I6)', () => {
    const { link, socket, emitted, hello } = bench();
    hello();
    link.send({ type: 'subscribe', session: 'a', after: 'E.0' });
    socket().say({ type: 'subscribed', session: 'a', cursor: 'E.0' });
    socket().say(frame('a', 0, 5));
    link.send({ type: 'subscribe', session: 'a', after: 'F.7' });
    emitted.length = 0;
    socket().say(frame('a', 5, 6));
    socket().say(frame('a', 8, 9, 'F'));
    expect(emitted).toEqual([]);
    // After the answer a hole is a hole, and the session's actor must see it.
    socket().say({ type: 'subscribed', session: 'a', cursor: 'F.7' });
    socket().say(frame('a', 8, 9, 'F'));
    expect(emitted).toEqual([{ type: 'facts', frame: frame('a', 8, 9, 'F') }]);
  });

  it('reaches each of its states, under any schedule keeps one connection at most, and always tries again', () => {
    const reached = new Set<unknown>();
    const step = fc.oneof(
      fc.constantFrom(
        'hello',
        'beat',
        'drop',
        'retry',
        'online',
        'offline',
        'subscribe',
        'unsubscribe' as const,
      ),
      fc.integer({ min: 1, max: 60_000 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { link, clock, sockets, socket, hello } = bench();
        for (const one of steps) {
          if (typeof one === 'number') clock.advance(one);
          else if (one === 'hello') hello();
          else if (one === 'beat') socket().say({ type: 'heartbeat', at: 0 });
          else if (one === 'drop') socket().drop();
          else if (one === 'subscribe') link.send({ type: one, session: 'a', after: 'E.0' });
          else if (one === 'unsubscribe') link.send({ type: one, session: 'a' });
          else link.send({ type: one });
          reached.add(state(link));
          const open = sockets.filter((each) => each.open).length;
          expect(open).toBeLessThanOrEqual(1);
          const { nextAt } = link.getSnapshot().context;
          const down = state(link) === 'reconnecting' || state(link) === 'offline';
          expect(nextAt !== null).toBe(down);
          // In every state something is armed that leads on, so no page waits for ever.
          expect(clock.next).toBeDefined();
        }
        link.send({ type: 'online' });
        while (state(link) !== 'connecting') clock.advance(clock.next ?? 0);
        hello();
        expect(state(link)).toBe('live');
        link.stop();
        expect(clock.pending).toBe(0);
        expect(sockets.some((each) => each.open)).toBe(false);
      }),
      { numRuns: 300 },
    );
    expect([...reached].sort()).toEqual(['connecting', 'live', 'offline', 'reconnecting', 'stale']);
  });
});
