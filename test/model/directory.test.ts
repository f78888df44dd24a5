import { describe, expect, it } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { type DirectoryRef, directoryMachine, type Loaded } from '../../machines/directory.machine.ts';
import type { SessionSummary } from '../../src/wire/snapshot.ts';
import { TestClock } from '../support/clock.ts';
import { settled } from '../support/outbox.bench.ts';

interface Question {
  readonly before?: string;
  readonly answer: (loaded: Partial<Loaded>) => void;
  readonly fail: (error: Error) => void;
}

function bench() {
  const clock = new TestClock();
  const asked: Question[] = [];
  const searched: {
    readonly query: string;
    readonly answer: (lines: readonly SessionSummary[]) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const ask = (before?: string) =>
    new Promise<Loaded>((resolve, reject) => {
      const answer = (loaded: Partial<Loaded>) =>
        resolve({ sessions: [], agents: [], more: false, ...loaded });
      asked.push({ answer, fail: reject, ...(before !== undefined && { before }) });
    });
  const directory: DirectoryRef = createActor(
    directoryMachine.provide({
      actors: {
        load: fromPromise<Loaded>(() => ask()),
        page: fromPromise<Pick<Loaded, 'sessions' | 'more'>, { readonly before: string }>(({ input }) =>
          ask(input.before),
        ),
        find: fromPromise<readonly SessionSummary[], { readonly query: string }>(
          ({ input }) =>
            new Promise((answer, fail) => {
              searched.push({ query: input.query, answer, fail });
            }),
        ),
      },
    }),
    { clock },
  ).start();
  const titles = () =>
    Object.values(directory.getSnapshot().context.sessions).map((line) => `${line.id} ${line.cursor}`);
  return { clock, asked, searched, directory, titles };
}

function line(id: string, seq: number, more: Partial<SessionSummary> = {}): SessionSummary {
  return {
    ...{ id, kind: 'conversation', agent: 'a', cwd: '/w', state: 'idle' },
    ...{ queued: 0, held: false, unread: 0, permissions: 0, runningJobs: 0 },
    ...{ createdAt: 0, updatedAt: seq, cursor: `e.${seq}` },
    ...more,
  };
}

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
