import { describe, expect, it } from 'vitest';
import type { Entry } from '../../machines/outbox.entries.ts';
import { Script, say, started } from '../support/facts.ts';
import { Bench, Problem, settled } from '../support/outbox.bench.ts';

async function opened(): Promise<Bench> {
  const bench = new Bench();
  bench.open();
  await settled();
  return bench;
}

describe('the outbox', () => {
  it('says when nothing can be kept, and sends all the same (I13)', async () => {
    const bench = await opened();
    bench.full = true;
    bench.send();
    expect(bench.tabs[0]?.getSnapshot().context.unsaved).toBe('The disk is full.');
    expect(bench.state()).toBe('delivering');
  });

  it('goes from restoring to resting, delivering, waiting and back', async () => {
    const bench = new Bench();
    bench.open();
    expect(bench.state()).toBe('restoring');
    await settled();
    expect(bench.state()).toBe('resting');
    const id = bench.send();
    expect(bench.state()).toBe('delivering');
    bench.pending[0]?.fail(new TypeError('Failed to fetch'));
    await settled();
    expect(bench.state()).toBe('waiting');
    bench.clock.advance(500);
    expect(bench.state()).toBe('delivering');
    bench.pending[0]?.answer({ cursor: 'e.1' });
    await settled();
    expect(bench.state()).toBe('resting');
    expect(bench.entry(id)?.state).toBe('accepted');
    bench.tabs[0]?.send({ type: 'restore' });
    expect(bench.state()).toBe('restoring');
  });

  it('sends nothing before what an earlier page left is read, and then that first (I9)', async () => {
    const bench = await opened();
    const first = bench.send();
    bench.open();
    const second = bench.send();
    expect(bench.pending).toEqual([]);
    await settled();
    expect(bench.pending.map((request) => request.entry.id)).toEqual([first]);
    bench.pending[0]?.answer();
    await settled();
    expect(bench.pending.map((request) => request.entry.id)).toEqual([second]);
  });

  it('sends all the same when what was left cannot be read in time, and says so (I13)', () => {
    const bench = new Bench();
    bench.open();
    const id = bench.send();
    bench.clock.advance(3000);
    expect(bench.pending.map((request) => request.entry.id)).toEqual([id]);
    expect(bench.tabs[0]?.getSnapshot().context.unsaved).toContain('could not be read in time');
  });

  it('does not take back from a store that forgets late what is done with here (I4, I9)', async () => {
    const bench = await opened();
    const [first, second] = [bench.send(), bench.send()];
    bench.stop({ message: second });
    const kept = [...bench.store.values()].map((entry) => ({ ...entry, state: 'waiting' as const }));
    expect(kept.map((entry) => entry.id)).toContain(second);
    bench.tabs[0]?.send({ type: 'dismiss', id: second });
    bench.pending[0]?.answer(bench.ledger.take(bench.entry(first) as Entry));
    await settled();
    bench.deliver();
    for (const entry of kept) bench.store.set(entry.id, entry);
    bench.tabs[0]?.send({ type: 'restore' });
    await settled();
    expect(bench.state()).toBe('resting');
    expect(bench.tabs[0]?.getSnapshot().context.entries).toEqual([]);
    expect(bench.requests.map((request) => request.entry.id)).toEqual([first]);
  });

  it('does not take back what was done with before what was left is read (I4, I9)', async () => {
    const bench = new Bench();
    bench.open();
    const id = bench.send();
    const kept = bench.entry(id) as Entry;
    bench.ledger.take(kept);
    bench.deliver();
    expect(bench.entry(id)).toBeUndefined();
    bench.store.set(id, kept);
    await settled();
    expect(bench.state()).toBe('resting');
    expect(bench.requests).toEqual([]);
  });

  it('knows what is done with for a thousand more, however often it looks at the others', async () => {
    const bench = await opened();
    const [first, second] = [bench.send(), bench.send()];
    const kept = bench.entry(first) as Entry;
    bench.pending[0]?.answer(bench.ledger.take(kept));
    await settled();
    bench.deliver();
    for (let i = 0; i < 1_100; i++) bench.tabs[0]?.send({ type: 'wake' });
    bench.store.set(first, kept);
    bench.tabs[0]?.send({ type: 'restore' });
    await settled();
    const { entries } = bench.tabs[0]?.getSnapshot().context ?? {};
    expect(entries?.map((entry) => entry.id)).toEqual([second]);
    for (let i = 0; i < 1_010; i++) {
      bench.ledger.take(bench.entry(bench.send('b')) as Entry);
      bench.deliver();
    }
    expect(bench.tabs[0]?.getSnapshot().context.done).toHaveLength(1_000);
  });

  it('takes a double click once (I9)', async () => {
    const bench = await opened();
    const wish = {
      id: 'm',
      session: 'a',
      at: 1,
      kind: 'send',
      body: { content: [], delivery: 'queue' },
    } as const;
    bench.ask(wish);
    bench.ask(wish);
    expect(bench.pending).toHaveLength(1);
    bench.stop({ turn: 't' });
    bench.stop({ turn: 't' });
    bench.answer('p', 'yes');
    bench.answer('p', 'no');
    expect(bench.pending.map((request) => request.entry.kind)).toEqual(['send', 'stop', 'answer']);
  });

  it('sends one message at a time in each session, in order, and sessions side by side (I8)', async () => {
    const bench = await opened();
    const [one, two, other] = [bench.send('a'), bench.send('a'), bench.send('b')];
    expect(bench.pending.map((request) => request.entry.id)).toEqual([one, other]);
    bench.pending[0]?.fail(new TypeError('Failed to fetch'));
    await settled();
    expect(bench.pending.map((request) => request.entry.id)).toEqual([other]);
    bench.clock.advance(500);
    expect(bench.pending.map((request) => request.entry.id)).toEqual([other, one]);
    bench.pending[1]?.answer();
    await settled();
    expect(bench.pending.map((request) => request.entry.id)).toEqual([other, two]);
  });

  it.each([502, 503, 504])('asks again after %i with growing waits, up to 15 s', async (status) => {
    const bench = await opened();
    bench.send();
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      bench.pending[0]?.fail(new Problem(status, 'log.unavailable'));
      await settled();
      waits.push(bench.clock.next ?? 0);
      bench.clock.advance(bench.clock.next ?? 0);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  });

  it('asks again at once when the gateway is back', async () => {
    const bench = await opened();
    const id = bench.send();
    for (let i = 0; i < 4; i++) {
      bench.pending[0]?.fail(new TypeError('Failed to fetch'));
      await settled();
      if (i < 3) bench.clock.advance(bench.clock.next ?? 0);
    }
    expect(bench.state()).toBe('waiting');
    bench.tabs[0]?.send({ type: 'wake' });
    expect(bench.pending.map((request) => request.entry.id)).toEqual([id]);
    bench.clock.advance(60_000);
    expect(bench.pending).toHaveLength(1);
  });

  it.each([400, 401, 404, 409, 413, 500])(
    'never repeats what was refused with %i: it comes back with the reason, also after a reload (I13)',
    async (status) => {
      const bench = await opened();
      const id = bench.send();
      const after = bench.send();
      bench.pending[0]?.fail(new Problem(status, 'some.code', 'Because.'));
      await settled();
      const refused = { state: 'refused', code: 'some.code', reason: 'Because.' };
      expect(bench.entry(id)).toMatchObject(refused);
      expect(bench.pending.map((request) => request.entry.id)).toEqual([after]);
      bench.open();
      await settled();
      expect(bench.entry(id)).toMatchObject(refused);
      bench.clock.advance(60_000);
      expect(bench.requests.filter((request) => request.entry.id === id)).toHaveLength(1);
      bench.tabs[0]?.send({ type: 'dismiss', id });
      expect(bench.entry(id)).toBeUndefined();
      expect(bench.store.has(id)).toBe(false);
    },
  );

  it.each(['fact first', 'answer first'])(
    'is done by the fact or the answer, whichever comes: %s',
    async (order) => {
      const bench = await opened();
      const id = bench.send();
      const request = bench.pending[0];
      expect(bench.store.has(id)).toBe(true);
      const fact = new Script('a').fact(started('t', 1, say(id)));
      if (order === 'answer first') {
        request?.answer({ cursor: 'e.1' });
        await settled();
        // Shown until its row is there, but never sent again.
        expect(bench.entry(id)?.state).toBe('accepted');
        expect(bench.store.has(id)).toBe(false);
      }
      bench.tabs[0]?.send({ type: 'fact', fact });
      expect(bench.entry(id)).toBeUndefined();
      expect(bench.store.has(id)).toBe(false);
      if (order === 'fact first') request?.answer({ cursor: 'e.1' });
      await settled();
      expect(bench.entry(id)).toBeUndefined();
      expect(bench.state()).toBe('resting');
    },
  );

  it.each([
    { type: 'queue.added', message: say('m1'), delivery: 'queue', revision: 1 },
    { type: 'turn.steered', turn: 't', message: say('m1'), confirmed: true, revision: 1 },
    { type: 'queue.removed', message: 'm1', revision: 1 },
    { type: 'job.attached', job: 'j', request: { agent: 'a', cwd: '/w', message: say('m1') } },
  ] as const)('knows a send by $type', async (draft) => {
    const bench = await opened();
    const id = bench.send();
    expect(id).toBe('m1');
    bench.tabs[0]?.send({ type: 'fact', fact: new Script('b').fact(draft) });
    expect(bench.entry(id)).toBeDefined();
    bench.tabs[0]?.send({ type: 'fact', fact: new Script('a').fact(draft) });
    expect(bench.entry(id)).toBeUndefined();
  });

  it.each(['permission.answered', 'permission.withdrawn'] as const)('knows an answer by %s', async (type) => {
    const bench = await opened();
    const id = bench.answer('p', 'yes');
    const script = new Script('a');
    const fact =
      type === 'permission.answered'
        ? script.fact({ type, turn: 't', permission: 'p', option: 'no' })
        : script.fact({ type, turn: 't', permission: 'p', reason: 'The turn was stopped.' });
    bench.tabs[0]?.send({ type: 'fact', fact });
    expect(bench.entry(id)).toBeUndefined();
  });

  it('is shown until the page has read as far as the answer says', async () => {
    const bench = await opened();
    const id = bench.send();
    bench.pending[0]?.answer({ cursor: 'e.7' });
    await settled();
    const outbox = bench.tabs[0];
    outbox?.send({ type: 'seen', session: 'b', cursor: 'e.9', messages: [] });
    outbox?.send({ type: 'seen', session: 'a', cursor: 'e.6', messages: [] });
    expect(bench.entry(id)?.state).toBe('accepted');
    outbox?.send({ type: 'seen', session: 'a', cursor: 'e.7', messages: [] });
    expect(bench.entry(id)).toBeUndefined();
  });

  it('is done when a snapshot holds the message, whatever became of the answer', async () => {
    const bench = await opened();
    const id = bench.send();
    bench.pending[0]?.fail(new TypeError('Failed to fetch'));
    await settled();
    bench.tabs[0]?.send({ type: 'seen', session: 'a', cursor: 'f.2', messages: [id] });
    expect(bench.entry(id)).toBeUndefined();
    expect(bench.clock.pending).toBe(0);
  });

  it('does not bring back what was accepted', async () => {
    const bench = await opened();
    const id = bench.send();
    bench.pending[0]?.answer({ cursor: 'e.7' });
    await settled();
    bench.open();
    await settled();
    expect(bench.entry(id)).toBeUndefined();
    expect(bench.requests).toHaveLength(1);
  });
});
