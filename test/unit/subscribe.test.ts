import { describe, expect, it } from 'vitest';
import { after, unopened } from '../../machines/law.ts';
import type { Log } from '../../src/gateway/log/log.ts';
import type { OpenSession } from '../../src/gateway/sessions/session.ts';
import { subscribe } from '../../src/gateway/sessions/subscribe.ts';
import type { Fact } from '../../src/wire/facts.ts';
import type { Grade } from '../../src/wire/live.ts';
import { opened, Script, started, text } from '../support/facts.ts';

/** A session with a log in the test's hand: what it reads comes when the test says, what is committed is told at once. */
class Bench {
  readonly log = new Script();
  readonly frames: { prev: number; seq: number; facts: readonly Fact[] }[] = [];
  readonly resyncs: string[] = [];
  readonly readers = new Set<(facts: readonly Fact[]) => void>();
  readonly closers = new Set<() => void>();
  #reads: (() => void)[] = [];
  #state = unopened('s', 'conversation');

  constructor(count: number) {
    this.commit(...this.log.write(opened(), started('t')));
    for (let i = 2; i < count; i++) this.commit(this.log.fact(text('t', i - 2, 'x')));
  }

  commit(...facts: readonly Fact[]): void {
    this.#state = facts.reduce(after, this.#state);
    for (const read of [...this.readers]) read(facts);
  }

  /** The session goes on while the reader is still given what is old. */
  say(): void {
    this.commit(this.log.fact(text('t', this.log.seq - 2, 'x')));
  }

  subscribe(cursor: string | undefined, grade: Grade = 'live') {
    const session = {
      id: 's',
      ref: { getSnapshot: () => this.#state },
      readers: this.readers,
      closers: this.closers,
    };
    const log = {
      head: async () => ({ epoch: 'e', seq: this.log.seq }),
      read: (_: string, from: number, limit = 1_000) =>
        new Promise<readonly Fact[]>((resolve) =>
          this.#reads.push(() => resolve(this.log.facts.slice(from, from + limit))),
        ),
    };
    return subscribe(log as unknown as Log, session as unknown as OpenSession, cursor, grade, {
      facts: (frame) => void this.frames.push(frame),
      resync: (reason) => void this.resyncs.push(reason),
    });
  }

  /** Lets what is read now come. */
  async read(): Promise<void> {
    for (const go of this.#reads.splice(0)) go();
    await new Promise((resolve) => setImmediate(resolve));
  }

  get seqs(): readonly number[] {
    return this.frames.flatMap((frame) => frame.facts.map((fact) => fact.seq));
  }
}

const upTo = (seq: number, from = 1) => Array.from({ length: seq - from + 1 }, (_, i) => from + i);

describe('a subscription', () => {
  it('brings old facts first, then those that were committed meanwhile, then new ones: each once, in order (I6)', async () => {
    const bench = new Bench(5);
    await bench.subscribe('e.2');
    bench.say();
    bench.say();
    expect(bench.frames).toEqual([]);
    await bench.read();
    bench.say();
    expect(bench.seqs).toEqual(upTo(8, 3));
    // Each frame goes on from the one before.
    expect(bench.frames.map((frame) => frame.prev)).toEqual([
      2,
      ...bench.frames.slice(0, -1).map((f) => f.seq),
    ]);
  });

  it('reads a long log page by page, without a gap and without a fact twice (I6)', async () => {
    const bench = new Bench(1_201);
    await bench.subscribe('e.0');
    for (let page = 0; page < 3; page++) {
      bench.say();
      await bench.read();
    }
    expect(bench.seqs).toEqual(upTo(1_204));
  });

  it('moves the reader over what its grade leaves out (I6)', async () => {
    const bench = new Bench(4);
    await bench.subscribe('e.2', 'turn');
    await bench.read();
    bench.say();
    expect(bench.frames.map(({ prev, seq, facts }) => [prev, seq, facts.length])).toEqual([
      [2, 4, 0],
      [4, 5, 0],
    ]);
  });

  it.each([
    ['another epoch', 'f.2', 'epoch'],
    ['a place that is not there yet', 'e.99', 'ahead'],
  ])('after %s is no subscription: its reader starts anew (I6, I13)', async (_, cursor, reason) => {
    const bench = new Bench(3);
    await bench.subscribe(cursor);
    await bench.read();
    bench.say();
    expect([bench.resyncs, bench.frames, bench.readers.size]).toEqual([[reason], [], 0]);
  });

  it('without a cursor begins at the head, from nothing at the first fact', async () => {
    const bench = new Bench(3);
    await bench.subscribe(undefined);
    await bench.read();
    bench.say();
    expect(bench.seqs).toEqual([4]);
    const whole = new Bench(3);
    await whole.subscribe('0.0');
    await whole.read();
    expect(whole.seqs).toEqual([1, 2, 3]);
  });

  it('takes of facts that it was told already only what is new (I6)', async () => {
    const bench = new Bench(3);
    await bench.subscribe('e.0');
    await bench.read();
    bench.say();
    bench.say();
    bench.commit(...bench.log.facts.slice(2));
    bench.log.fact(text('t', bench.log.seq - 2, 'x'));
    bench.commit(...bench.log.facts.slice(3));
    expect(bench.seqs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('that is closed hears nothing more and leaves nothing behind (I8)', async () => {
    const bench = new Bench(3);
    const subscription = await bench.subscribe('e.0');
    subscription.close();
    await bench.read();
    bench.say();
    expect([bench.frames, bench.readers.size, bench.closers.size]).toEqual([[], 0, 0]);
  });

  it('of a session that goes away is over, and its reader is told (I13)', async () => {
    const bench = new Bench(3);
    await bench.subscribe('e.3');
    await bench.read();
    for (const close of [...bench.closers]) close();
    bench.say();
    expect([bench.resyncs, bench.frames, bench.readers.size]).toEqual([['gone'], [], 0]);
  });
});
