import { describe, expect, it } from 'vitest';
import type { SessionSummary } from '../../src/wire/snapshot.ts';
import { directoryBench as bench, line } from '../support/directory.bench.ts';
import { settled } from '../support/outbox.bench.ts';

const told = (...changed: SessionSummary[]) => ({ type: 'sessions', changed, removed: [] }) as const;

describe('the directory', () => {
  it('takes the newer of an answer and what was said while it was on its way (C30)', async () => {
    const { asked, directory, titles } = bench();
    directory.send(told(line('a', 5), line('b', 1), line('d', 1)));
    directory.send({ type: 'sessions', changed: [], removed: ['c', 'd'] });
    asked[0]?.answer({ sessions: [line('a', 4), line('b', 2), line('c', 1)] });
    await settled();
    expect(titles()).toEqual(['a e.5', 'b e.2']);
    expect(directory.getSnapshot().context.loaded).toBe(true);
  });

  it('prefers what was said in the meantime where nothing was logged in between', async () => {
    const { asked, directory } = bench();
    directory.send(told(line('a', 5, { unread: 0 })));
    asked[0]?.answer({ sessions: [line('a', 5, { unread: 3 })] });
    await settled();
    expect(directory.getSnapshot().context.sessions.a?.unread).toBe(0);
  });

  it('drops, when it is read again, what the gateway has no longer; what says the same stays the same', async () => {
    const { asked, directory, titles } = bench();
    asked[0]?.answer({ sessions: [line('a', 1), line('b', 1)] });
    await settled();
    const { a } = directory.getSnapshot().context.sessions;
    directory.send({ type: 'reload' });
    asked[1]?.answer({ sessions: [line('a', 1)] });
    await settled();
    expect(titles()).toEqual(['a e.1']);
    expect(directory.getSnapshot().context.sessions.a).toBe(a);
  });

  it('ignores a line that is older than the one it has', async () => {
    const { asked, directory, titles } = bench();
    asked[0]?.answer({ sessions: [line('a', 3)] });
    await settled();
    directory.send(told(line('a', 2)));
    expect(titles()).toEqual(['a e.3']);
    // Another epoch is another log.
    directory.send(told(line('a', 1, { cursor: 'f.1' })));
    expect(titles()).toEqual(['a f.1']);
  });

  it('says why it could not be read, and tries again with growing waits (I13)', async () => {
    const { clock, asked, directory } = bench();
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      asked[i]?.fail(new Error('Failed to fetch'));
      await settled();
      expect(directory.getSnapshot().matches({ lines: 'failed' })).toBe(true);
      expect(directory.getSnapshot().context.problem?.message).toBe('Failed to fetch');
      waits.push(clock.next ?? 0);
      clock.advance(clock.next ?? 0);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    asked[7]?.answer({});
    await settled();
    expect(directory.getSnapshot().context.problem).toBeNull();
  });

  it('reads further conversations behind the oldest that it has, and no more than there are', async () => {
    const { asked, directory, titles } = bench();
    directory.send({ type: 'more' });
    expect(asked).toHaveLength(1);
    asked[0]?.answer({ sessions: [line('b', 9), line('a', 8), line('j', 1, { kind: 'job' })], more: true });
    await settled();
    directory.send({ type: 'more' });
    expect(directory.getSnapshot().matches({ lines: 'paging' })).toBe(true);
    expect(asked[1]?.before).toBe('a');
    directory.send({ type: 'sessions', changed: [line('a', 10)], removed: ['z'] });
    asked[1]?.answer({ sessions: [line('a', 8), line('y', 2), line('z', 1)], more: false });
    await settled();
    expect(titles().sort()).toEqual(['a e.10', 'b e.9', 'j e.1', 'y e.2']);
    directory.send({ type: 'more' });
    expect(asked).toHaveLength(2);
  });

  it('starts anew when it is asked to while it reads: the first answer is not heard', async () => {
    const { asked, directory, titles } = bench();
    directory.send({ type: 'reload' });
    asked[0]?.answer({ sessions: [line('a', 1)] });
    await settled();
    expect(titles()).toEqual([]);
    asked[1]?.answer({ sessions: [line('b', 1)] });
    await settled();
    expect(titles()).toEqual(['b e.1']);
  });

  it('goes on paging where the last page ended, also when older lines have come in another way', async () => {
    const { asked, directory } = bench();
    asked[0]?.answer({ sessions: [line('c', 30), line('b', 20)], more: true });
    await settled();
    directory.send(told(line('ancient', 1)));
    directory.send({ type: 'more' });
    expect(asked[1]?.before).toBe('b');
    asked[1]?.answer({ sessions: [line('a', 10)], more: true });
    await settled();
    directory.send({ type: 'more' });
    expect(asked[2]?.before).toBe('a');
  });

  it('goes on behind the last of those of one instant, in the order of the gateway', async () => {
    const { asked, directory } = bench();
    asked[0]?.answer({ sessions: [line('e', 5), line('d', 4), line('c', 4)], more: true });
    await settled();
    // It was told of otherwise: what lies between was not read.
    directory.send(told(line('a', 4)));
    directory.send({ type: 'more' });
    expect(asked[1]?.before).toBe('c');
  });

  it('goes on behind what is left of what was read, when its last one has moved up', async () => {
    const { asked, directory } = bench();
    asked[0]?.answer({ sessions: [line('a', 9), line('c', 4)], more: true });
    await settled();
    directory.send(told(line('c', 20)));
    directory.send({ type: 'more' });
    expect(asked[1]?.before).toBe('a');
  });

  it('keeps, of what a page tells again, what was said in the meantime', async () => {
    const { asked, directory, titles } = bench();
    directory.send({ type: 'sessions', changed: [], removed: ['back'] });
    asked[0]?.answer({ sessions: [line('b', 9)], more: true });
    await settled();
    directory.send(told(line('back', 10)));
    directory.send({ type: 'more' });
    directory.send(told(line('a', 5, { unread: 0 })));
    asked[1]?.answer({ sessions: [line('a', 5, { unread: 3 })] });
    await settled();
    expect(directory.getSnapshot().context.sessions.a?.unread).toBe(0);
    expect(titles()).toEqual(['b e.9', 'back e.10', 'a e.5']);
  });

  it('goes on behind the last conversation, whatever jobs have come, and not at all without one', async () => {
    const { asked, directory } = bench();
    asked[0]?.answer({ sessions: [line('j', 9, { kind: 'job' })], more: true });
    await settled();
    directory.send({ type: 'more' });
    expect(asked).toHaveLength(1);
    directory.send({ type: 'reload' });
    const jobs = [line('j', 9, { kind: 'job' }), line('k', 20, { kind: 'job' })];
    asked[1]?.answer({ sessions: [line('b', 12), line('a', 10), ...jobs], more: true });
    await settled();
    directory.send({ type: 'more' });
    expect(asked[2]?.before).toBe('a');
  });

  it('keeps what was gone for a moment while it was being read', async () => {
    const { asked, directory, titles } = bench();
    directory.send({ type: 'sessions', changed: [], removed: ['a', 'b'] });
    directory.send(told(line('a', 5)));
    asked[0]?.answer({ sessions: [line('a', 4), line('b', 4)] });
    await settled();
    expect(titles()).toEqual(['a e.5']);
    // What was said of the reading before says nothing of this one.
    directory.send({ type: 'reload' });
    asked[1]?.answer({ sessions: [line('b', 4)] });
    await settled();
    expect(titles()).toEqual(['b e.4']);
  });

  it('asks the gateway for words once they are typed, and takes the answer to the last ones only', async () => {
    const { asked, searched, clock, directory, titles } = bench();
    asked[0]?.answer({ sessions: [line('a', 1)] });
    await settled();
    const found = () => directory.getSnapshot().context.found?.map(({ id }) => id);
    for (const query of ['f', 'fo', ' foo ']) directory.send({ type: 'search', query });
    expect(searched).toEqual([]);
    clock.advance(200);
    expect(searched.map(({ query }) => query)).toEqual(['foo']);
    directory.send({ type: 'search', query: 'bar' });
    clock.advance(200);
    searched[0]?.answer([line('foo', 3)]);
    await settled();
    expect(found()).toBeUndefined();
    searched[1]?.answer([line('bar', 2), line('barn', 1)]);
    await settled();
    expect(found()).toEqual(['bar', 'barn']);
    // Where paging has come to is not changed by it.
    expect(titles()).toEqual(['a e.1']);
    directory.send({ type: 'sessions', changed: [], removed: ['barn'] });
    expect(found()).toEqual(['bar']);
    directory.send({ type: 'search', query: '' });
    expect(found()).toBeUndefined();
    clock.advance(10_000);
    expect(searched).toHaveLength(2);
  });

  it('asks for the words again after a failure, and after a new connection', async () => {
    const { searched, clock, directory } = bench();
    directory.send({ type: 'search', query: 'foo' });
    clock.advance(200);
    searched[0]?.fail(new Error('down'));
    await settled();
    clock.advance(3000);
    expect(searched).toHaveLength(2);
    directory.send({ type: 'reload' });
    expect(searched).toHaveLength(3);
  });
});
