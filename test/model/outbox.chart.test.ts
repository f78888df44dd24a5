import { describe, expect, it, test } from 'vitest';
import { createActor, fromCallback, fromPromise } from 'xstate';
import type { Entries } from '../../machines/outbox.entries.ts';
import { outboxMachine } from '../../machines/outbox.machine.ts';
import type { OutboxEvent, StoreOrder } from '../../machines/outbox.setup.ts';
import { Script, say, started } from '../support/facts.ts';
import { Bench, Problem, settled } from '../support/outbox.bench.ts';

const states = ['restoring', 'delivering', 'waiting', 'resting'] as const;
type State = (typeof states)[number];

const network = () => new TypeError('Failed to fetch');

/**
 * An outbox in this state: of its messages `m2` was refused, `m1` waits for half a second unless it rests, and a request
 * is out for `m3` while it delivers. What it restores is read when the test lets it.
 */
async function reach(wanted: State) {
  const bench = new Bench();
  bench.open();
  await settled();
  const request = (id: string) => bench.pending.find(({ entry }) => entry.id === id);
  bench.send('a');
  bench.send('b');
  request('m2')?.fail(new Problem(409, 'some.code', 'No.'));
  if (wanted === 'resting') request('m1')?.answer();
  else request('m1')?.fail(network());
  await settled();
  bench.tabs[0]?.send({ type: 'seen', session: 'a', messages: [] });
  if (wanted === 'delivering' || wanted === 'restoring') bench.send('c');
  const read = Promise.withResolvers<void>();
  bench.reading = read.promise;
  read.promise.catch(() => {});
  if (wanted === 'restoring') bench.tabs[0]?.send({ type: 'restore' });
  expect(bench.state()).toBe(wanted);
  const send = (event: OutboxEvent) => bench.tabs[0]?.send(event);
  return { bench, send, request, read };
}
type Reached = Awaited<ReturnType<typeof reach>>;

const acts = {
  ask: ({ bench }) =>
    bench.ask({ id: 'm4', session: 'd', at: 4, kind: 'answer', body: { permission: 'p', option: 'yes' } }),
  fact: ({ send }) => send({ type: 'fact', fact: new Script('a').fact(started('t', 1, say('m1'))) }),
  seen: ({ send }) => send({ type: 'seen', session: 'a', cursor: 'e.1', messages: ['m1'] }),
  wake: ({ send }) => send({ type: 'wake' }),
  time: ({ bench }) => bench.clock.advance(500),
  dismiss: ({ send }) => send({ type: 'dismiss', id: 'm2' }),
  'dismiss of what is not refused': ({ send }) => send({ type: 'dismiss', id: 'm1' }),
  restore: ({ send }) => send({ type: 'restore' }),
  'store failed': ({ send }) => send({ type: 'store.failed', reason: 'The disk is full.' }),
  'store breaks': ({ bench, send }) => {
    bench.broken = true;
    send({ type: 'dismiss', id: 'm2' });
  },
  answer: ({ request }) => request('m3')?.answer({ cursor: 'e.7' }),
  refusal: ({ request }) => request('m3')?.fail(new Problem(404, 'session.unknown', 'Gone.')),
  'no answer': ({ request }) => request('m3')?.fail(network()),
  'what was kept': ({ read }) => read.resolve(),
  'what was kept cannot be read': ({ read }) => read.reject(new Error('No disk.')),
  'a long time': ({ bench, send }) => {
    send({ type: 'fact', fact: new Script('a').fact(started('t', 1, say('m1'))) });
    bench.clock.advance(3000);
  },
} satisfies Readonly<Record<string, (reached: Reached) => unknown>>;
type Act = keyof typeof acts;

interface Outcome {
  readonly to?: State;
  /** Each with its state; a star for one that waits for its time. */
  readonly entries?: string;
  readonly unsaved?: string;
  /** What the store is told. */
  readonly orders?: readonly string[];
}

const nothing = {};
const unsaved = { unsaved: 'The disk is full.' };

const chart: Readonly<Record<State, Readonly<Record<Act, Outcome>>>> = {
  restoring: {
    ask: { entries: 'm1 waiting*, m2 refused, m3 sent, m4 waiting', orders: ['save m4'] },
    fact: { entries: 'm2 refused, m3 sent', orders: ['remove m1'] },
    seen: { entries: 'm2 refused, m3 sent', orders: ['remove m1'] },
    wake: { entries: 'm1 waiting, m2 refused, m3 sent', orders: ['save m1'] },
    time: { entries: 'm1 waiting, m2 refused, m3 sent', orders: ['save m1'] },
    dismiss: { entries: 'm1 waiting*, m3 sent', orders: ['remove m2'] },
    'dismiss of what is not refused': nothing,
    restore: nothing,
    'store failed': unsaved,
    'store breaks': {
      entries: 'm1 waiting*, m3 sent',
      orders: ['remove m2'],
      unsaved: 'The store is broken.',
    },
    answer: { entries: 'm1 waiting*, m2 refused, m3 accepted', orders: ['remove m3'] },
    refusal: { entries: 'm1 waiting*, m2 refused, m3 refused', orders: ['save m3'] },
    'no answer': { entries: 'm1 waiting*, m2 refused, m3 waiting*', orders: ['save m3'] },
    'what was kept': { to: 'delivering' },
    'what was kept cannot be read': { to: 'delivering', unsaved: 'No disk.' },
    'a long time': {
      to: 'delivering',
      entries: 'm2 refused, m3 sent',
      orders: ['remove m1'],
      unsaved: 'What an earlier page left could not be read in time.',
    },
  },
  delivering: {
    ask: { entries: 'm1 waiting*, m2 refused, m3 sent, m4 sent', orders: ['save m4', 'save m4'] },
    fact: { entries: 'm2 refused, m3 sent', orders: ['remove m1'] },
    seen: { entries: 'm2 refused, m3 sent', orders: ['remove m1'] },
    wake: { entries: 'm1 sent, m2 refused, m3 sent', orders: ['save m1', 'save m1'] },
    time: { entries: 'm1 sent, m2 refused, m3 sent', orders: ['save m1', 'save m1'] },
    dismiss: { entries: 'm1 waiting*, m3 sent', orders: ['remove m2'] },
    'dismiss of what is not refused': nothing,
    restore: { to: 'restoring' },
    'store failed': unsaved,
    'store breaks': {
      entries: 'm1 waiting*, m3 sent',
      orders: ['remove m2'],
      unsaved: 'The store is broken.',
    },
    answer: { to: 'waiting', entries: 'm1 waiting*, m2 refused, m3 accepted', orders: ['remove m3'] },
    refusal: { to: 'waiting', entries: 'm1 waiting*, m2 refused, m3 refused', orders: ['save m3'] },
    'no answer': { to: 'waiting', entries: 'm1 waiting*, m2 refused, m3 waiting*', orders: ['save m3'] },
    'what was kept': nothing,
    'what was kept cannot be read': nothing,
    'a long time': { entries: 'm2 refused, m3 sent', orders: ['remove m1'] },
  },
  waiting: {
    ask: { to: 'delivering', entries: 'm1 waiting*, m2 refused, m4 sent', orders: ['save m4', 'save m4'] },
    fact: { to: 'resting', entries: 'm2 refused', orders: ['remove m1'] },
    seen: { to: 'resting', entries: 'm2 refused', orders: ['remove m1'] },
    wake: { to: 'delivering', entries: 'm1 sent, m2 refused', orders: ['save m1', 'save m1'] },
    time: { to: 'delivering', entries: 'm1 sent, m2 refused', orders: ['save m1', 'save m1'] },
    dismiss: { entries: 'm1 waiting*', orders: ['remove m2'] },
    'dismiss of what is not refused': nothing,
    restore: { to: 'restoring' },
    'store failed': unsaved,
    'store breaks': { entries: 'm1 waiting*', orders: ['remove m2'], unsaved: 'The store is broken.' },
    answer: nothing,
    refusal: nothing,
    'no answer': nothing,
    'what was kept': nothing,
    'what was kept cannot be read': nothing,
    'a long time': { to: 'resting', entries: 'm2 refused', orders: ['remove m1'] },
  },
  resting: {
    ask: { to: 'delivering', entries: 'm2 refused, m4 sent', orders: ['save m4', 'save m4'] },
    fact: nothing,
    seen: nothing,
    wake: nothing,
    time: nothing,
    dismiss: { entries: '', orders: ['remove m2'] },
    'dismiss of what is not refused': nothing,
    restore: { to: 'restoring' },
    'store failed': unsaved,
    'store breaks': { entries: '', orders: ['remove m2'], unsaved: 'The store is broken.' },
    answer: nothing,
    refusal: nothing,
    'no answer': nothing,
    'what was kept': nothing,
    'what was kept cannot be read': nothing,
    'a long time': nothing,
  },
};

function told({ bench }: Reached) {
  const { entries, unsaved } = bench.tabs[0]?.getSnapshot().context ?? { entries: [] as Entries };
  return {
    to: bench.state(),
    entries: entries.map(({ id, state, nextAt }) => `${id} ${state}${nextAt === null ? '' : '*'}`).join(', '),
    unsaved,
    orders: bench.orders.map((order) => `${order.type} ${order.type === 'save' ? order.entry.id : order.id}`),
  };
}

describe.each(states)('an outbox that is %s', (from) => {
  test.each(Object.keys(acts) as Act[])('and what follows from: %s', async (act) => {
    const reached = await reach(from);
    const { bench } = reached;
    bench.orders.length = 0;
    const before = told(reached);
    acts[act](reached);
    await settled();
    const after = told(reached);
    expect(after).toEqual({ ...before, ...chart[from][act] });
    // A request is out for each that is sent, and a timer runs for each that waits for its time.
    const out = bench.pending.map(({ entry }) => `${entry.id} sent`).sort();
    expect(out).toEqual(after.entries.match(/\w+ sent/g) ?? []);
    const reading = after.to === 'restoring' ? 1 : 0;
    expect(bench.clock.pending).toBe((after.entries.match(/\*/g) ?? []).length + reading);
  });
});

describe('the requests of an outbox', () => {
  it('wait from half of the time up to all of it, by chance', async () => {
    const { bench, request } = await reach('delivering');
    bench.jitter = 0;
    request('m3')?.fail(network());
    await settled();
    expect((bench.entry('m3')?.nextAt ?? 0) - bench.clock.now()).toBe(250);
  });

  it('are made again each at its own time', async () => {
    const { bench, request } = await reach('delivering');
    bench.clock.advance(100);
    request('m3')?.fail(network());
    await settled();
    bench.clock.advance(400);
    expect(bench.pending.map(({ entry }) => entry.id)).toEqual(['m1']);
    bench.clock.advance(100);
    expect(bench.pending.map(({ entry }) => entry.id)).toEqual(['m1', 'm3']);
  });

  it('wait longer by their own attempts, not by those of others', async () => {
    const { bench, request } = await reach('delivering');
    bench.clock.advance(500);
    request('m1')?.fail(network());
    request('m3')?.fail(network());
    await settled();
    expect((bench.entry('m1')?.nextAt ?? 0) - bench.clock.now()).toBe(1000);
    expect((bench.entry('m3')?.nextAt ?? 0) - bench.clock.now()).toBe(500);
  });

  it('are given up when a fact has said what their answer would say', async () => {
    const { bench, send } = await reach('delivering');
    send({ type: 'fact', fact: new Script('c').fact(started('t', 1, say('m3'))) });
    expect(bench.pending).toEqual([]);
  });

  it('are forgotten by the store once, when they are answered', async () => {
    const { bench, send, request } = await reach('delivering');
    request('m3')?.answer({ cursor: 'e.7' });
    await settled();
    send({ type: 'seen', session: 'c', cursor: 'e.7', messages: [] });
    expect(bench.entry('m3')).toBeUndefined();
    expect(bench.orders.filter((order) => order.type === 'remove' && order.id === 'm3')).toHaveLength(1);
  });

  it('go on when what they ask for becomes clearer: a stop learns its turn, and that is kept (C42)', async () => {
    const { bench, send, request } = await reach('delivering');
    const stop = bench.stop({ message: 'm3' }, 'c');
    request('m3')?.answer({ cursor: 'e.1' });
    await settled();
    const out = request(stop);
    expect(out?.open).toBe(true);
    const fact = new Script('c').fact({ ...started('t9'), message: say('m3') });
    send({ type: 'fact', fact });
    expect(bench.entry(stop)).toMatchObject({ state: 'sent', turn: 't9' });
    expect(bench.store.get(stop)).toMatchObject({ turn: 't9' });
    expect(request(stop)).toBe(out);
    expect(bench.pending).toHaveLength(1);
  });
});

describe('an outbox whose parts are missing', () => {
  const input = { now: () => 0, jitter: () => 0 };
  const store = fromCallback<StoreOrder>(() => {});
  const load = fromPromise<Entries>(async () => []);

  it('says which, as nothing is kept without it', async () => {
    const storeless = createActor(outboxMachine.provide({ actors: { load } }), { input }).start();
    const loadless = createActor(outboxMachine.provide({ actors: { store } }), { input }).start();
    await settled();
    expect(storeless.getSnapshot().context.unsaved).toBe('the store actor was not provided');
    expect(loadless.getSnapshot().context.unsaved).toBe('the load actor was not provided');
    expect(loadless.getSnapshot().value).toBe('resting');
  });

  it('takes a request that cannot be made for one that was not heard', async () => {
    const outbox = createActor(outboxMachine.provide({ actors: { load, store } }), { input }).start();
    await settled();
    const body = { permission: 'p', option: 'yes' };
    outbox.send({ type: 'ask', ask: { id: 'x', session: 's', at: 1, kind: 'answer', body } });
    await settled();
    expect(outbox.getSnapshot().value).toBe('waiting');
    outbox.stop();
  });

  it.each([
    ['an error', new Error('No disk.'), 'No disk.'],
    ['anything else', 'no disk', 'no disk'],
  ])('says why, be it %s', async (_, reason, text) => {
    const load = fromPromise<Entries>(() => Promise.reject(reason));
    const outbox = createActor(outboxMachine.provide({ actors: { load, store } }), { input }).start();
    await settled();
    expect(outbox.getSnapshot().context.unsaved).toBe(text);
    outbox.stop();
  });
});
