import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type Sluice, start } from '../../src/console/start.ts';
import type { Kept, Shelf } from '../../src/console/transport/store.ts';
import { TestClock } from '../support/clock.ts';
import { ended, say, started, text } from '../support/facts.ts';
import { settled } from '../support/outbox.bench.ts';
import { PageGateway } from '../support/page.gateway.ts';

function memoryShelf(): Shelf & { readonly kept: Map<string, Kept> } {
  const kept = new Map<string, Kept>();
  return {
    kept,
    values: async () => [...kept.values()],
    set: async (one) => kept.set(one.entry.id, one),
    delete: async (id) => kept.delete(id),
  };
}

interface Page {
  readonly page: Sluice;
  readonly gateway: PageGateway;
  readonly clock: TestClock;
  readonly shelf: ReturnType<typeof memoryShelf>;
}

const pages: Sluice[] = [];
afterEach(() => {
  for (const page of pages.splice(0)) page.close();
});

async function bench(gateway = new PageGateway()): Promise<Page> {
  const clock = new TestClock();
  const shelf = memoryShelf();
  const page = start({
    base: 'http://gateway',
    fetch: gateway.fetch as typeof fetch,
    openSocket: gateway.openSocket,
    shelf,
    presence: null,
    now: () => clock.now(),
    random: () => 1,
    clock,
  });
  pages.push(page);
  gateway.line.flush();
  await settled();
  return { page, gateway, clock, shelf };
}

/** What is on its way arrives, until nothing is. */
async function arrive({ gateway }: Page): Promise<void> {
  do {
    gateway.line.flush();
    await settled();
  } while (gateway.line.queue.length > 0);
}

const actorOf = (page: Sluice, session: string) =>
  page.root.getSnapshot().context.sessions[session]?.ref.getSnapshot();

/** All that a page shows of a session, in the shape of the gateway's snapshot. */
function shown(page: Sluice, session: string) {
  const actor = actorOf(page, session);
  if (!actor) return undefined;
  const { epoch, seq, turns, open, queue, permissions, jobs, notices, usage, title } = actor.context;
  const live = open?.ref.getSnapshot().context;
  return {
    state: actor.value,
    cursor: `${epoch}.${seq}`,
    turns: live ? [...turns, live] : turns,
    ...{ queue, permissions, jobs, notices, usage, title },
  };
}

function expected(gateway: PageGateway, session: string) {
  const { state, cursor, turns, queue, permissions, jobs, notices, usage, title } = gateway.snapshot(session);
  return { state, cursor, turns, queue, permissions, jobs, notices, usage, title };
}

const open = (page: Sluice, session: string, kind: 'conversation' | 'job' = 'conversation') =>
  page.root.send({ type: 'open', session, kind });

describe('a page', () => {
  it('reads a session, follows it after that place, and stands where the gateway stands (I6)', async () => {
    const all = await bench();
    const { page, gateway } = all;
    gateway.open('s');
    gateway.write('s', started('t1'), text('t1', 0, 'Hel'));
    open(page, 's');
    await arrive(all);
    expect(gateway.line.said).toEqual([{ type: 'subscribe', session: 's', after: 'e.3' }]);
    gateway.write('s', text('t1', 3, 'lo'), ended('t1'));
    await arrive(all);
    expect(shown(page, 's')).toEqual(expected(gateway, 's'));
    expect(page.root.getSnapshot().context.ignored).toEqual({});
  });

  it('loses nothing that is said while the snapshot is on its way (C30)', async () => {
    const all = await bench();
    const { page, gateway } = all;
    gateway.open('s');
    gateway.write('s', started('t1'));
    let release: (response: Response) => void = () => {};
    const early = Response.json(gateway.snapshot('s'));
    gateway.instead = (path) =>
      path === '/sessions/s' ? new Promise((done) => (release = done)) : undefined;
    open(page, 's');
    await settled();
    gateway.write('s', text('t1', 0, 'late'));
    release(early);
    await settled();
    await arrive(all);
    expect(shown(page, 's')).toEqual(expected(gateway, 's'));
  });

  it('takes a frame that comes twice once, without counting it as a fault (C21)', async () => {
    const all = await bench();
    const { page, gateway } = all;
    gateway.open('s');
    open(page, 's');
    await arrive(all);
    gateway.write('s', started('t1'), text('t1', 0, 'a'));
    gateway.line.queue.push(...gateway.line.queue);
    await arrive(all);
    expect(shown(page, 's')).toEqual(expected(gateway, 's'));
    expect(page.root.getSnapshot().context.ignored).toEqual({});
  });

  it('reads a session again, once, when a frame was lost (I6)', async () => {
    const all = await bench();
    const { page, gateway } = all;
    gateway.open('s');
    open(page, 's');
    await arrive(all);
    const reads = () => gateway.calls.filter((call) => call.path === '/sessions/s').length;
    expect(reads()).toBe(1);
    gateway.write('s', started('t1'));
    gateway.line.queue.shift();
    gateway.write('s', text('t1', 0, 'a'), text('t1', 1, 'b'), text('t1', 2, 'c'));
    await arrive(all);
    expect(reads()).toBe(2);
    expect(shown(page, 's')).toEqual(expected(gateway, 's'));
  });

  it('shows a stop until the turn stops', async () => {
    const all = await bench();
    const { page, gateway } = all;
    gateway.open('s');
    gateway.write('s', started('t1'));
    open(page, 's');
    await arrive(all);
    gateway.instead = (path) => {
      if (path !== '/sessions/s/stop') return undefined;
      gateway.write('s', { type: 'turn.stopping', turn: 't1', stage: 'asked' });
      return Response.json({ state: 'cancelling', cursor: gateway.snapshot('s').cursor }, { status: 202 });
    };
    const states: unknown[] = [];
    page.outbox.subscribe(({ context }) =>
      states.push(context.entries[0]?.state ?? actorOf(page, 's')?.value),
    );
    page.outbox.send({
      type: 'ask',
      ask: { id: 'x', session: 's', at: 1, kind: 'stop', body: { turn: 't1' } },
    });
    await settled();
    expect(states.at(-1)).toBe('accepted');
    await arrive(all);
    expect(states.at(-1)).toBe('cancelling');
  });

  it('says that a session does not exist, and asks no more', async () => {
    const all = await bench();
    open(all.page, 'none');
    await arrive(all);
    expect(actorOf(all.page, 'none')?.value).toBe('closed');
    expect(actorOf(all.page, 'none')?.context.problem?.code).toBe('session.unknown');
    expect(all.clock.advance(60_000)).toBeUndefined();
    expect(all.gateway.calls.filter((call) => call.path === '/sessions/none')).toHaveLength(1);
  });

  it('opens an actor for each job that runs, unasked, and lets its end stand (C20, I14)', async () => {
    const all = await bench();
    const { page, gateway } = all;
    gateway.open('s');
    gateway.open('j', 'job');
    gateway.write('j', started('t1'));
    open(page, 's');
    await arrive(all);
    const request = { agent: 'a', cwd: '/w', message: say('m') };
    gateway.write('s', { type: 'job.attached', job: 'j', request });
    await arrive(all);
    gateway.write('j', text('t1', 0, 'work'));
    await arrive(all);
    expect(shown(page, 'j')).toEqual(expected(gateway, 'j'));
    gateway.write('j', ended('t1'));
    gateway.write('s', { type: 'job.settled', job: 'j', outcome: 'finalized', stopReason: 'end_turn' });
    await arrive(all);
    expect(actorOf(page, 'j')?.status).toBe('done');
    expect(shown(page, 'j')).toEqual(expected(gateway, 'j'));
    expect(gateway.line.following.has('j')).toBe(false);
    expect(shown(page, 's')).toEqual(expected(gateway, 's'));
  });

  it('shows a message until its row is there, and no longer (I9)', async () => {
    const all = await bench();
    const { page, gateway, shelf } = all;
    gateway.open('s');
    gateway.write('s', started('t1'));
    open(page, 's');
    await arrive(all);
    const body = { content: [{ type: 'text' as const, text: 'hi' }], delivery: 'queue' as const };
    page.outbox.send({ type: 'ask', ask: { id: 'm', session: 's', at: 1, kind: 'send', body } });
    expect(page.outbox.getSnapshot().context.entries[0]?.state).toBe('sent');
    await settled();
    expect(gateway.calls.at(-1)).toEqual({
      method: 'POST',
      path: '/sessions/s/messages',
      body: { id: 'm', ...body },
    });
    expect(page.outbox.getSnapshot().context.entries[0]?.state).toBe('accepted');
    expect(shelf.kept.size).toBe(0);
    const gone: boolean[] = [];
    page.outbox.subscribe(({ context }) => {
      const queued = actorOf(page, 's')?.context.queue.messages.length;
      gone.push(context.entries.length === 0 && queued === 1);
    });
    await arrive(all);
    expect(gone).toContain(true);
    expect(page.outbox.getSnapshot().context.entries).toEqual([]);
  });

  it('does not wait for facts of a session that nobody has open here', async () => {
    const { page, gateway } = await bench();
    gateway.open('s');
    const body = { content: [], delivery: 'background' as const };
    page.outbox.send({ type: 'ask', ask: { id: 'm', session: 's', at: 1, kind: 'send', body } });
    await settled();
    expect(page.outbox.getSnapshot().context.entries).toEqual([]);
  });

  it('waits no more for the fact of a message whose session is gone before it was read (I9)', async () => {
    const { page, gateway } = await bench();
    gateway.open('s');
    const read = Promise.withResolvers<void>();
    gateway.instead = async (path, method) => {
      if (path === '/sessions/s' && method === 'GET') await read.promise;
      return undefined;
    };
    open(page, 's');
    await settled();
    const body = { content: [], delivery: 'queue' as const };
    page.outbox.send({ type: 'ask', ask: { id: 'm', session: 's', at: 1, kind: 'send', body } });
    await settled();
    expect(page.outbox.getSnapshot().context.entries[0]?.state).toBe('accepted');
    gateway.logs.delete('s');
    read.resolve();
    await settled();
    expect(page.outbox.getSnapshot().context.entries).toEqual([]);
  });

  it('sends what waits, and reads its list again, as soon as the gateway is back', async () => {
    const all = await bench();
    const { page, gateway, clock } = all;
    gateway.open('s');
    gateway.instead = () => {
      throw new TypeError('Failed to fetch');
    };
    gateway.line.drop();
    const body = { content: [], delivery: 'queue' as const };
    page.outbox.send({ type: 'ask', ask: { id: 'm', session: 's', at: 1, kind: 'send', body } });
    for (let i = 0; i < 3; i++) {
      clock.advance(page.outbox.getSnapshot().context.entries[0]?.nextAt ? 400 : 0);
      await settled();
    }
    expect(page.outbox.getSnapshot().context.entries[0]?.state).toBe('waiting');
    expect(page.directory.getSnapshot().context.sessions).toEqual({});
    gateway.instead = () => undefined;
    page.link.send({ type: 'retry' });
    await arrive(all);
    expect(gateway.snapshot('s').queue.messages.map((queued) => queued.message.id)).toEqual(['m']);
    expect(Object.keys(page.directory.getSnapshot().context.sessions)).toEqual(['s']);
    expect(page.directory.getSnapshot().context.agents[0]?.name).toBe('A');
  });

  it('keeps its list true by what the gateway says, and forgets what is gone', async () => {
    const all = await bench();
    const { page, gateway } = all;
    gateway.open('s');
    gateway.line.queue.push({ type: 'sessions', changed: [gateway.summary('s')], removed: [] });
    await arrive(all);
    const line = page.directory.getSnapshot().context.sessions.s;
    expect(line?.state).toBe('idle');
    gateway.line.queue.push({ type: 'sessions', changed: [gateway.summary('s')], removed: [] });
    await arrive(all);
    expect(page.directory.getSnapshot().context.sessions.s).toBe(line);
    open(page, 's');
    await arrive(all);
    gateway.line.queue.push({ type: 'sessions', changed: [], removed: ['s'] });
    await arrive(all);
    expect(page.directory.getSnapshot().context.sessions).toEqual({});
    expect(page.root.getSnapshot().context.sessions).toEqual({});
    expect(gateway.line.said.at(-1)).toEqual({ type: 'unsubscribe', session: 's' });
  });

  it('leaves nothing behind when it is closed', async () => {
    const all = await bench();
    all.gateway.open('s');
    open(all.page, 's');
    await arrive(all);
    all.page.close();
    expect(all.clock.pending).toBe(0);
    expect(all.gateway.line.readyState).toBe(3);
  });
});

describe('any schedule of a connection', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant('write' as const) },
    { weight: 6, arbitrary: fc.constant('next' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('lose', 'double', 'swap', 'slow', 'drop', 'renew', 'late' as const),
    },
    { weight: 1, arbitrary: fc.constantFrom('look away', 'look', 'settle' as const) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 40_000 }) },
  );

  it('brings the page where the gateway is: loss, doubling, reordering, reconnects, new epochs (I6)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const all = await bench();
        const { page, gateway, clock } = all;
        gateway.open('s');
        open(page, 's');
        let length = 0;
        let turns = 0;
        let epochs = 0;
        let isOpen = false;
        const write = () => {
          const { revision } = gateway.snapshot('s').queue;
          if (!isOpen) {
            turns += 1;
            length = 0;
            gateway.write('s', started(`t${turns}`, revision + 1));
          } else if (length >= 4) gateway.write('s', ended(`t${turns}`));
          else gateway.write('s', text(`t${turns}`, length++, 'x'));
          isOpen = gateway.snapshot('s').turns.at(-1)?.outcome === undefined;
        };
        for (const one of steps) {
          const { line } = gateway;
          if (typeof one === 'number') clock.advance(one);
          else if (one === 'write') write();
          else if (one === 'next') line.next();
          // A frame of facts is lost, comes twice, or too late: a fault of the gateway that a page must survive.
          else if (one === 'lose' && line.queue[0]?.type === 'facts') line.queue.shift();
          else if (one === 'double' && line.queue[0]?.type === 'facts')
            line.queue.splice(0, 0, line.queue[0]);
          else if (one === 'swap') {
            const [a, b] = line.queue;
            if (a?.type === 'facts' && b?.type === 'facts') line.queue.splice(0, 2, b, a);
          } else if (one === 'slow' && line.following.has('s')) gateway.resync(line, 's', 'slow');
          else if (one === 'drop') line.drop();
          else if (one === 'renew') gateway.renew('s', `f${++epochs}`);
          else if (one === 'late') {
            const old = Response.json(gateway.snapshot('s'));
            gateway.instead = (path) => {
              if (path !== '/sessions/s') return undefined;
              gateway.instead = () => undefined;
              return old;
            };
          } else if (one === 'look away') page.root.send({ type: 'release', session: 's' });
          else if (one === 'look') open(page, 's');
          else await settled();
        }
        gateway.instead = () => undefined;
        open(page, 's');
        page.link.send({ type: 'retry' });
        for (let round = 0; round < 20; round++) {
          await arrive(all);
          // A last fact shows a page that has lost the one before it that it has.
          if (round === 5) write();
          if (page.link.getSnapshot().value !== 'live' || round < 5) clock.advance(1000);
        }
        expect(page.link.getSnapshot().value).toBe('live');
        expect(shown(page, 's')).toEqual(expected(gateway, 's'));
        page.close();
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
