import { describe, expect, it } from 'vitest';
import { Script, say, started } from '../support/facts.ts';
import { Bench, Problem, settled } from '../support/outbox.bench.ts';

async function opened(): Promise<Bench> {
  const bench = new Bench();
  bench.open();
  await settled();
  return bench;
}

describe('a stop in the outbox', () => {
  it('overtakes every send but the one that it names (I5)', async () => {
    const bench = await opened();
    bench.send();
    const stop = bench.stop({ turn: 't0' });
    expect(bench.pending.at(-1)?.entry.id).toBe(stop);
  });

  it('waits for the answer to the send that it names, and then goes (C42)', async () => {
    const bench = await opened();
    const message = bench.send();
    const stop = bench.stop({ message });
    expect(bench.pending.map((request) => request.entry.id)).toEqual([message]);
    bench.pending[0]?.fail(new TypeError('Failed to fetch'));
    await settled();
    expect(bench.pending).toEqual([]);
    bench.clock.advance(500);
    expect(bench.pending.map((request) => request.entry.id)).toEqual([message]);
    bench.pending[0]?.answer({ cursor: 'e.1' });
    await settled();
    expect(bench.pending.map((request) => request.entry.id)).toEqual([stop]);
  });

  it('goes as soon as a fact says that the message is known, without the answer (C42)', async () => {
    const bench = await opened();
    const message = bench.send();
    const stop = bench.stop({ message });
    const script = new Script('a');
    bench.tabs[0]?.send({ type: 'fact', fact: script.fact(started('t1', 1, say(message))) });
    expect(bench.pending.map((request) => request.entry.id)).toEqual([stop]);
    // The message's turn stops: that is this stop, or another page's that did the same.
    bench.tabs[0]?.send({
      type: 'fact',
      fact: script.fact({ type: 'turn.stopping', turn: 't1', stage: 'asked' }),
    });
    expect(bench.entry(stop)).toBeUndefined();
    expect(bench.state()).toBe('resting');
  });

  it('takes back what never left the page: nothing starts by itself after it (I4)', async () => {
    const bench = await opened();
    const [out, held, background] = [bench.send(), bench.send(), bench.send('a', 0, 'background')];
    const other = bench.send('b');
    bench.stop({ turn: 't0' });
    expect(bench.entry(held)).toMatchObject({ state: 'refused', code: 'outbox.stopped' });
    expect(bench.entry(out)?.state).toBe('sent');
    expect(bench.entry(background)?.state).toBe('waiting');
    expect(bench.entry(other)?.state).toBe('sent');
  });

  it('of a message that never left is no request at all (I5)', async () => {
    const bench = await opened();
    bench.send();
    const message = bench.send();
    bench.stop({ message });
    expect(bench.entry(message)?.state).toBe('refused');
    bench.pending[0]?.answer();
    await settled();
    bench.clock.advance(60_000);
    expect(bench.requests).toHaveLength(1);
    expect(bench.state()).toBe('resting');
  });

  it('of a message that was sent before a reload waits until that is answered (C42)', async () => {
    const bench = await opened();
    const message = bench.send();
    bench.open();
    await settled();
    const stop = bench.stop({ message });
    expect(bench.pending.map((request) => request.entry.id)).toEqual([message]);
    bench.pending[0]?.answer();
    await settled();
    expect(bench.pending.map((request) => request.entry.id)).toEqual([stop]);
  });

  it('of a message that the gateway refused is dropped with it', async () => {
    const bench = await opened();
    const message = bench.send();
    const stop = bench.stop({ message });
    bench.pending[0]?.fail(new Problem(413, 'too.large'));
    await settled();
    expect(bench.entry(stop)).toBeUndefined();
    expect(bench.pending).toEqual([]);
  });

  it('that comes too late says so; its repetition after a lost answer does not (I4, I13)', async () => {
    const bench = await opened();
    const late = bench.stop({ turn: 't1' });
    bench.pending[0]?.fail(new Problem(409, 'turn.over', 'That turn is over.'));
    await settled();
    expect(bench.entry(late)).toMatchObject({ state: 'refused', reason: 'That turn is over.' });
    const again = bench.stop({ turn: 't2' });
    bench.pending[0]?.fail(new TypeError('Failed to fetch'));
    await settled();
    bench.clock.advance(500);
    bench.pending[0]?.fail(new Problem(409, 'turn.over', 'That turn is over.'));
    await settled();
    expect(bench.entry(again)).toBeUndefined();
  });

  it('of a job is known by any stop or end in the log of the job (I14)', async () => {
    const bench = await opened();
    const id = bench.stop({ job: 'j' }, 'j');
    const stopping = { type: 'turn.stopping', turn: 't1', stage: 'asked' } as const;
    bench.tabs[0]?.send({ type: 'fact', fact: new Script('a').fact(stopping) });
    expect(bench.entry(id)).toBeDefined();
    bench.tabs[0]?.send({ type: 'fact', fact: new Script('j').fact(stopping) });
    expect(bench.entry(id)).toBeUndefined();
  });
});

describe('an answer in the outbox', () => {
  it('that was given already is done; one that lost comes back with the reason (I13)', async () => {
    const bench = await opened();
    const same = bench.answer('p1', 'yes');
    const lost = bench.answer('p2', 'yes');
    const [first, second] = bench.pending;
    first?.fail(new Problem(409, 'permission.settled', 'Already.', { answered: 'yes' }));
    second?.fail(new Problem(409, 'permission.settled', 'Already answered: no.', { answered: 'no' }));
    await settled();
    expect(bench.entry(same)).toBeUndefined();
    expect(bench.entry(lost)).toMatchObject({ state: 'refused', reason: 'Already answered: no.' });
  });
});
