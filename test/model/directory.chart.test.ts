import { describe, expect, it, test } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { directoryMachine, type Loaded } from '../../machines/directory.machine.ts';
import { TestClock } from '../support/clock.ts';
import { directoryBench, line } from '../support/directory.bench.ts';
import { settled } from '../support/outbox.bench.ts';

type Bench = ReturnType<typeof directoryBench>;

/** What is known, and what is asked for at last. */
function told({ asked, searched, directory, clock }: Bench) {
  const { value, context } = directory.getSnapshot();
  const { loaded, more, problem, sessions, found, query } = context;
  return {
    ...(value as { readonly lines: string; readonly search: string }),
    loads: asked.filter(({ before }) => before === undefined).length,
    pages: asked.flatMap(({ before }) => before ?? []),
    ids: Object.keys(sessions).join(),
    searches: searched.map((one) => one.query),
    found: found?.map(({ id }) => id).join(),
    query,
    loaded,
    more,
    problem: problem?.message,
    next: clock.next,
  };
}
type Outcome = Partial<ReturnType<typeof told>>;

async function follow<Act extends string>(
  bench: Bench,
  act: (bench: Bench) => unknown,
  chart: Partial<Record<Act, Outcome>>,
  name: Act,
): Promise<void> {
  const before = told(bench);
  act(bench);
  await settled();
  expect(told(bench)).toEqual({ ...before, ...chart[name] });
}

describe.each(['loading', 'ready', 'paging', 'failed'] as const)('a list that is %s', (from) => {
  async function reach() {
    const bench = directoryBench();
    const { asked, directory } = bench;
    if (from === 'loading') return bench;
    if (from === 'failed') asked[0]?.fail(new Error('Down.'));
    else asked[0]?.answer({ sessions: [line('b', 2), line('a', 1)], more: true });
    await settled();
    if (from === 'paging') directory.send({ type: 'more' });
    expect(told(bench).lines).toBe(from);
    return bench;
  }

  const acts = {
    answer: ({ asked }) => asked.at(-1)?.answer({ sessions: [line('z', 0)], more: false }),
    failure: ({ asked }) => asked.at(-1)?.fail(new Error('No.')),
    reload: ({ directory }) => directory.send({ type: 'reload' }),
    more: ({ directory }) => directory.send({ type: 'more' }),
    said: ({ directory }) => directory.send({ type: 'sessions', changed: [line('c', 3)], removed: ['a'] }),
    time: ({ clock }) => clock.advance(clock.next ?? 60_000),
  } satisfies Readonly<Record<string, (bench: Bench) => unknown>>;
  type Act = keyof typeof acts;

  const failed = { lines: 'failed', problem: 'No.', next: 500 };
  const chart: Readonly<Record<typeof from, Partial<Record<Act, Outcome>>>> = {
    loading: {
      answer: { lines: 'ready', ids: 'z', loaded: true },
      failure: failed,
      reload: { loads: 2 },
      said: { ids: 'c' },
    },
    ready: {
      reload: { lines: 'loading', loads: 2 },
      more: { lines: 'paging', pages: ['a'] },
      said: { ids: 'b,c' },
    },
    paging: {
      answer: { lines: 'ready', ids: 'b,a,z', more: false },
      failure: failed,
      reload: { lines: 'loading', loads: 2 },
      said: { ids: 'b,c' },
    },
    failed: {
      reload: { lines: 'loading', loads: 2, next: undefined },
      said: { ids: 'c' },
      time: { lines: 'loading', loads: 2, next: undefined },
    },
  };
  test.each(Object.keys(acts) as Act[])('and what follows from: %s', async (act) => {
    await follow(await reach(), acts[act], chart[from], act);
  });
});

describe.each(['nothing', 'typing', 'asking', 'found', 'failed'] as const)(
  'a search that is at: %s',
  (from) => {
    async function reach() {
      const bench = directoryBench();
      const { asked, searched, directory, clock } = bench;
      asked[0]?.answer({});
      await settled();
      if (from === 'nothing') return bench;
      directory.send({ type: 'search', query: ' foo ' });
      if (from !== 'typing') clock.advance(200);
      if (from === 'found') searched[0]?.answer([line('foo', 1)]);
      if (from === 'failed') searched[0]?.fail(new Error('No.'));
      await settled();
      expect(told(bench)).toMatchObject({ search: from, query: 'foo' });
      return bench;
    }

    const acts = {
      words: ({ directory }) => directory.send({ type: 'search', query: 'bar' }),
      'no words': ({ directory }) => directory.send({ type: 'search', query: '  ' }),
      reload: ({ directory }) => directory.send({ type: 'reload' }),
      answer: ({ searched }) => searched.at(-1)?.answer([line('bar', 1)]),
      failure: ({ searched }) => searched.at(-1)?.fail(new Error('No.')),
      removal: ({ directory }) => directory.send({ type: 'sessions', changed: [], removed: ['foo'] }),
      time: ({ clock }) => clock.advance(clock.next ?? 60_000),
    } satisfies Readonly<Record<string, (bench: Bench) => unknown>>;
    type Act = keyof typeof acts;

    const typing = { search: 'typing', query: 'bar', found: undefined, next: 200 };
    const empty = { search: 'nothing', query: '', found: undefined, next: undefined };
    const read = { lines: 'loading', loads: 2 };
    const again = { ...read, search: 'asking', searches: ['foo', 'foo'], next: undefined };
    const chart: Readonly<Record<typeof from, Partial<Record<Act, Outcome>>>> = {
      nothing: { words: typing, reload: read },
      typing: {
        words: typing,
        'no words': empty,
        reload: { ...again, searches: ['foo'] },
        time: { search: 'asking', searches: ['foo'], next: undefined },
      },
      asking: {
        words: typing,
        'no words': empty,
        reload: again,
        answer: { search: 'found', found: 'bar' },
        failure: { search: 'failed', next: 3000 },
      },
      found: { words: typing, 'no words': empty, reload: again, removal: { found: '' } },
      failed: {
        words: typing,
        'no words': empty,
        reload: again,
        time: { search: 'asking', searches: ['foo', 'foo'], next: undefined },
      },
    };
    test.each(Object.keys(acts) as Act[])('and what follows from: %s', async (act) => {
      await follow(await reach(), acts[act], chart[from], act);
    });
  },
);

describe('a directory', () => {
  it('knows nothing before it was read', () => {
    const { context } = directoryBench().directory.getSnapshot();
    const { sessions, agents, loaded, more, problem, query, found } = context;
    expect({ sessions, agents, loaded, more, problem, query, found }).toEqual({
      ...{ sessions: {}, agents: [], loaded: false, more: false },
      ...{ problem: null, query: '', found: null },
    });
  });

  it('has the agents that were read', async () => {
    const { asked, directory } = directoryBench();
    const agents = [{ id: 'a', name: 'A', description: '', available: true }];
    asked[0]?.answer({ agents });
    await settled();
    expect(directory.getSnapshot().context.agents).toEqual(agents);
  });

  it.each([
    ['with a code', Object.assign(new Error('No.'), { code: 'token.wrong' }), 'token.wrong', 'No.'],
    ['without a code', new Error('No.'), 'network', 'No.'],
    ['that is no error', 'no', 'network', 'no'],
  ])('says of a failure %s what it is', async (_, error, code, message) => {
    const { asked, directory } = directoryBench();
    asked[0]?.fail(error as Error);
    await settled();
    expect(directory.getSnapshot().context.problem).toEqual({ code, message });
  });

  it('says which of its parts is missing', async () => {
    const bare = createActor(directoryMachine).start();
    await settled();
    expect(bare.getSnapshot().context.problem?.message).toBe('the load actor was not provided');
    bare.stop();

    const load = fromPromise<Loaded>(async () => ({ sessions: [line('a', 1)], agents: [], more: true }));
    const clock = new TestClock();
    const directory = createActor(directoryMachine.provide({ actors: { load } }), { clock }).start();
    await settled();
    directory.send({ type: 'more' });
    await settled();
    expect(directory.getSnapshot().context.problem?.message).toBe('the page actor was not provided');
    directory.send({ type: 'search', query: 'foo' });
    clock.advance(200);
    await settled();
    expect(directory.getSnapshot().value).toMatchObject({ search: 'failed' });
    directory.stop();
  });
});
