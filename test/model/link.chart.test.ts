import { describe, expect, it, test } from 'vitest';
import type { LinkEmitted } from '../../machines/link.machine.ts';
import type { ClientFrame } from '../../src/wire/live.ts';
import { frame, heartbeatMs, type LinkBench, linkBench, state } from '../support/link.bench.ts';

const states = ['connecting', 'live', 'stale', 'reconnecting', 'offline'] as const;
type State = (typeof states)[number];

/** A link that follows session `a` and has been in this state for a tenth of a second. */
function reach(wanted: State): LinkBench {
  const bench = linkBench();
  const { link, clock, socket, cursors, hello } = bench;
  cursors.set('a', 'E.4');
  link.send({ type: 'subscribe', session: 'a', after: 'E.4' });
  if (wanted !== 'connecting') hello();
  if (wanted === 'stale') clock.advance(heartbeatMs * 2.5);
  if (wanted === 'reconnecting') socket().drop('lost');
  if (wanted === 'offline') link.send({ type: 'offline' });
  clock.advance(100);
  expect(state(link)).toBe(wanted);
  return bench;
}

const acts = {
  hello: ({ hello }) => hello(),
  heartbeat: ({ socket }) => socket().say({ type: 'heartbeat', at: 1 }),
  facts: ({ socket }) => socket().say(frame('a', 4, 5)),
  agents: ({ socket }) => socket().say({ type: 'agents' }),
  closed: ({ socket }) => socket().drop('gone'),
  subscribe: ({ link }) => link.send({ type: 'subscribe', session: 'b', after: 'E.1' }),
  unsubscribe: ({ link }) => link.send({ type: 'unsubscribe', session: 'a' }),
  retry: ({ link }) => link.send({ type: 'retry' }),
  online: ({ link }) => link.send({ type: 'online' }),
  offline: ({ link }) => link.send({ type: 'offline' }),
  time: ({ clock }) => clock.advance(clock.next ?? 0),
} satisfies Readonly<Record<string, (bench: LinkBench) => void>>;
type Act = keyof typeof acts;

interface Outcome {
  readonly to?: State;
  readonly dials?: true;
  readonly hangsUp?: true;
  readonly sends?: readonly ClientFrame[];
  readonly tells?: readonly LinkEmitted['type'][];
  readonly reason?: string | null;
  /** Milliseconds until something happens by itself. */
  readonly next?: number;
}

const asks = (session: string, after: string): ClientFrame => ({ type: 'subscribe', session, after });
const quiet = heartbeatMs * 2.5;
const reconnects = { to: 'reconnecting', next: 500, reason: 'gone' } as const;
const gives = { ...reconnects, hangsUp: true, reason: 'The gateway is silent.' } as const;
const dials = { to: 'connecting', dials: true, next: 10_000 } as const;
const rests = { to: 'offline', next: 15_000, reason: 'This device has no network.' } as const;
const sends = {
  subscribe: { sends: [asks('b', 'E.1')] },
  unsubscribe: { sends: [{ type: 'unsubscribe', session: 'a' }] },
} as const;

/** What follows in each state from each event. Nothing at all follows from those that are not named. */
const chart: Readonly<Record<State, Partial<Record<Act, Outcome>>>> = {
  connecting: {
    hello: { to: 'live', next: quiet, sends: [asks('a', 'E.4')], tells: ['connected'] },
    closed: reconnects,
    retry: { ...dials, hangsUp: true },
    online: { ...dials, hangsUp: true },
    time: gives,
    offline: { ...rests, hangsUp: true },
  },
  live: {
    // A frame sets no timer: the one there is looks.
    facts: { tells: ['facts'] },
    agents: { tells: ['agents'] },
    closed: reconnects,
    ...sends,
    time: { to: 'stale', next: quiet, sends: [{ type: 'ping' }] },
    offline: { ...rests, hangsUp: true },
  },
  stale: {
    hello: { to: 'live', next: quiet },
    heartbeat: { to: 'live', next: quiet },
    facts: { to: 'live', next: quiet, tells: ['facts'] },
    agents: { to: 'live', next: quiet, tells: ['agents'] },
    closed: reconnects,
    ...sends,
    retry: { ...dials, hangsUp: true },
    time: gives,
    offline: { ...rests, hangsUp: true },
  },
  reconnecting: {
    retry: dials,
    online: dials,
    time: dials,
    offline: rests,
  },
  offline: {
    retry: dials,
    online: dials,
    time: dials,
    offline: { next: 15_000 },
  },
};

describe.each(states)('a link that is %s', (from) => {
  test.each(Object.keys(acts) as Act[])('and what follows from: %s', (act) => {
    const bench = reach(from);
    const { link, clock, sockets, emitted, socket } = bench;
    const before = { socket: socket(), sockets: sockets.length, next: clock.next };
    const { reason } = link.getSnapshot().context;
    const wasOpen = before.socket.open;
    before.socket.sent.length = 0;
    emitted.length = 0;
    acts[act](bench);
    const outcome = chart[from][act] ?? {};
    const heard = act === 'closed' && wasOpen;
    expect({
      to: state(link),
      dials: sockets.length > before.sockets,
      hangsUp: wasOpen && !before.socket.open && !heard,
      sends: before.socket.sent,
      tells: emitted.map(({ type }) => type),
      reason: link.getSnapshot().context.reason,
      next: clock.next,
    }).toEqual({
      to: from,
      dials: false,
      hangsUp: false,
      sends: [],
      tells: [],
      reason,
      next: act === 'time' ? undefined : before.next,
      ...outcome,
    });
  });
});

describe('what a link remembers', () => {
  it('stops following what it was told to leave, whatever state it is in', () => {
    for (const from of states) {
      const { link, socket, emitted, hello } = reach(from);
      link.send({ type: 'unsubscribe', session: 'a' });
      link.send({ type: 'subscribe', session: 'b', after: 'E.1' });
      link.send({ type: 'offline' });
      link.send({ type: 'online' });
      hello();
      expect(socket().sent).toEqual([]);
      emitted.length = 0;
      socket().say(frame('a', 4, 5));
      expect(emitted).toEqual([]);
      // Its snapshot is being read.
      expect(Object.keys(link.getSnapshot().context.wanted)).toEqual(['b']);
    }
  });

  it('knows that the network is back, in whichever state it hears of it', () => {
    for (const wait of [0, 15_000, 25_000]) {
      const { link, clock, socket } = reach('connecting');
      link.send({ type: 'offline' });
      clock.advance(wait);
      link.send({ type: 'online' });
      expect(state(link)).toBe('connecting');
      socket().drop();
      expect(state(link)).toBe('reconnecting');
    }
  });

  it('takes nothing of a session that it asked for on an earlier connection alone (I6)', () => {
    const { link, clock, socket, cursors, emitted, hello } = reach('live');
    socket().say(frame('a', 4, 5));
    socket().drop();
    // Its snapshot is being read.
    cursors.delete('a');
    clock.advance(500);
    hello();
    emitted.length = 0;
    socket().say(frame('a', 5, 6));
    expect(emitted).toEqual([]);
    link.send({ type: 'subscribe', session: 'a', after: 'E.5' });
    socket().say(frame('a', 5, 6));
    expect(emitted).toEqual([{ type: 'facts', frame: frame('a', 5, 6) }]);
  });

  it('takes nothing of a session after its resync, until it is asked for anew; others go on (I6, I8)', () => {
    const { link, socket, emitted } = reach('live');
    link.send({ type: 'subscribe', session: 'b', after: 'E.1' });
    socket().say(frame('a', 4, 5));
    socket().say({ type: 'resync', session: 'a', reason: 'slow' });
    emitted.length = 0;
    socket().say(frame('a', 5, 6));
    expect(emitted).toEqual([]);
    socket().say(frame('b', 1, 2));
    link.send({ type: 'subscribe', session: 'a', after: 'E.6' });
    socket().say(frame('a', 6, 7));
    expect(emitted.map((one) => one.type === 'facts' && one.frame.session)).toEqual(['b', 'a']);
  });

  it('hands on a hole in what follows: the session has to see it (I6)', () => {
    const { socket, emitted } = reach('live');
    socket().say(frame('a', 4, 5));
    socket().say(frame('a', 7, 8));
    expect(emitted.slice(1)).toEqual([
      { type: 'facts', frame: frame('a', 4, 5) },
      { type: 'facts', frame: frame('a', 7, 8) },
    ]);
  });

  it('tells the gateway to leave only what it follows', () => {
    const { link, socket } = reach('live');
    link.send({ type: 'unsubscribe', session: 'b' });
    expect(socket().sent).toEqual([asks('a', 'E.4')]);
  });

  it('does not follow what it has left because the gateway answers late', () => {
    const { link, socket, emitted } = reach('live');
    link.send({ type: 'unsubscribe', session: 'a' });
    emitted.length = 0;
    socket().say({ type: 'subscribed', session: 'a', cursor: 'E.4' });
    socket().say(frame('a', 4, 5));
    expect(emitted).toEqual([]);
  });

  it('says of a refusal no session when it concerns none', () => {
    const { socket, emitted } = reach('live');
    emitted.length = 0;
    socket().say({ type: 'error', code: 'frame.unknown', detail: 'No.' });
    expect(emitted).toStrictEqual([{ type: 'refused', code: 'frame.unknown', detail: 'No.' }]);
  });

  it('says who the gateway is, and has no reason to give, once it is live', () => {
    const { link, socket, hello } = reach('connecting');
    expect(link.getSnapshot().context).toMatchObject({ version: null, reason: null });
    socket().drop('gone');
    link.send({ type: 'retry' });
    expect(link.getSnapshot().context.reason).toBe('gone');
    hello();
    expect(link.getSnapshot().context).toMatchObject({ version: '1', reason: null });
  });
});
