import { describe, expect, test } from 'vitest';
import {
  adopt,
  cursorOf,
  initialContext,
  isBehind,
  isGap,
  isKnown,
  isLawful,
  isNext,
  queueLine,
  reopen,
  type SessionContext,
  titleOf,
} from '../../machines/session.ts';
import { type Draft, type Fact, factTypes } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { asks, ended, opened, queued, Script, say, started, text, tool, toolDone } from '../support/facts.ts';
import { at } from '../support/lawful.ts';

const t = { turn: 't' } as const;
const u = { turn: 'u' } as const;
const idle = at().context;
const running = at(started('t', 1)).context;
const fact = ({ seq }: SessionContext, draft: Draft) =>
  ({ ...draft, v: 1, session: 's', epoch: 'e', seq: seq + 1, at: 7 }) as Fact;
/** What the law itself says, whatever the chart does. */
const lawful = (context: SessionContext, draft: Draft) => isLawful(context, fact(context, draft));

describe('the law of data', () => {
  const busy = at(started('t', 1), queued('a', 2), queued('b', 3), tool('t', 'c'), asks('t', 'q')).context;
  const held = (more: object = {}): Draft => ({
    type: 'queue.held',
    reason: 'limited',
    revision: 2,
    ...more,
  });
  const form = { properties: {} };
  const filling = at(started('t', 1), { ...asks('t', 'q'), form }).context;
  const answered = (more: object = {}): Draft => ({
    type: 'permission.answered',
    ...t,
    permission: 'q',
    option: 'yes',
    ...more,
  });
  const withdrawn = (permission: string, turn = 't'): Draft => ({
    type: 'permission.withdrawn',
    turn,
    permission,
    reason: '',
  });
  const over = at(started('t', 1), ended('t', 'failed')).context;
  const begun = (more: object): Draft => ({
    type: 'turn.started',
    turn: 'u',
    origin: 'agent',
    revision: 2,
    ...more,
  });

  const rules: readonly [string, SessionContext, readonly Draft[], readonly Draft[]][] = [
    ['a session is opened once', initialContext('s', 'conversation', null), [opened()], []],
    ['a session is opened once, and not again', idle, [], [opened()]],
    [
      'D2: only what is queued is changed or taken out',
      busy,
      [
        { type: 'queue.edited', message: say('a'), revision: 4 },
        { type: 'queue.moved', message: 'a', to: 1, revision: 4 },
        { type: 'queue.removed', message: 'b', revision: 4 },
      ],
      [
        { type: 'queue.edited', message: say('z'), revision: 4 },
        { type: 'queue.edited', message: say('a'), revision: 5 },
        { type: 'queue.moved', message: 'z', to: 1, revision: 4 },
        { type: 'queue.moved', message: 'a', to: 2, revision: 4 },
        { type: 'queue.moved', message: 'a', to: 1, revision: 5 },
        { type: 'queue.removed', message: 'z', revision: 4 },
        { type: 'queue.removed', message: 'b', revision: 5 },
      ],
    ],
    [
      'I1: only the last turn is run again later, with a time',
      over,
      [held(), held({ retry: 't', until: 0 })],
      [held({ revision: 3 }), held({ retry: 'x', until: 0 }), held({ retry: 't' })],
    ],
    [
      'I1: nothing is run again later while a turn runs',
      at(started('t', 1), ended('t'), started('u', 2)).context,
      [held({ revision: 3 })],
      [held({ revision: 3, retry: 't', until: 0 })],
    ],
    [
      'I1: nothing is run again before there was a turn',
      idle,
      [],
      [held({ revision: 1, retry: 't', until: 0 })],
    ],
    [
      'I1: what the agent began is not run again',
      at(begun({ ...t, revision: 1 }), ended('t')).context,
      [],
      [held({ retry: 't', until: 0 })],
    ],
    [
      'I3: a queue that is held is let go, in its revision',
      at(held({ revision: 1 })).context,
      [{ type: 'queue.released', revision: 2 }],
      [{ type: 'queue.released', revision: 3 }],
    ],
    ['I3: a queue that is not held is not', idle, [], [{ type: 'queue.released', revision: 1 }]],
    [
      'I1: a turn starts after the one before, under a name of its own',
      over,
      [started('u', 2), begun({}), { ...started('u', 2), retryOf: 't' }],
      [
        started('u', 3),
        started('t', 2),
        begun({ message: say('m') }),
        begun({ origin: 'user' }),
        { ...started('u', 2), retryOf: 'x' },
      ],
    ],
    ['I1: nothing is tried again before there was a turn', idle, [], [{ ...started('u', 1), retryOf: 't' }]],
    [
      'C24: each of two questions is answered or withdrawn',
      at(started('t', 1), asks('t', 'p'), asks('t', 'q')).context,
      [answered(), withdrawn('p'), withdrawn('q')],
      [answered({ permission: 'z' }), withdrawn('z')],
    ],
    ['I1: one turn at a time', running, [], [started('u', 2), begun({})]],
    [
      'A1: earlier turns are told before those that are not read',
      { ...idle, older: true },
      [started('t', 1)],
      [{ ...started('t', 1), imported: true }],
    ],
    [
      'I3: with a queue only its head starts, or what overtakes it while it is held',
      at(started('t', 1), queued('a', 2), queued('b', 3), ended('t')).context,
      [started('u', 4, say('a'))],
      [started('u', 4, say('b')), started('u', 4, say('z'))],
    ],
    [
      'I3: of a queue that is held nothing starts but what was asked for now',
      at(started('t', 1), queued('a', 2), queued('b', 3), ended('t'), held({ revision: 4 })).context,
      [started('u', 5, say('z'))],
      [started('u', 5, say('a')), started('u', 5, say('b'))],
    ],
    [
      'D2: guidance leaves the queue in its revision',
      busy,
      [{ type: 'turn.steered', ...t, message: say('a'), confirmed: true, revision: 4 }],
      [
        { type: 'turn.steered', ...t, message: say('a'), confirmed: true, revision: 5 },
        { type: 'turn.steered', ...t, message: say('z'), confirmed: true, revision: 4 },
        { type: 'turn.steered', ...u, message: say('a'), confirmed: true, revision: 4 },
      ],
    ],
    [
      'C48-50: tools are known by their call ids',
      busy,
      [tool('t', 'd'), toolDone('t', 'c'), { type: 'tool.refused', ...t, toolCallId: 'c', reason: '' }],
      [tool('u', 'd'), tool('t', 'c'), toolDone('u', 'c'), toolDone('t', 'd')],
    ],
    [
      'C24: a question is open once, of the open turn',
      busy,
      [asks('t', 'r'), withdrawn('q'), answered(), answered({ option: 'no' })],
      [
        asks('u', 'r'),
        asks('t', 'q'),
        withdrawn('r'),
        withdrawn('q', 'u'),
        answered(u),
        answered({ permission: 'r' }),
        answered({ option: 'z' }),
        answered({ content: {} }),
      ],
    ],
    [
      'C24: values come with the answer that allows, to a question that asks for them',
      filling,
      [answered({ content: {} }), answered(), answered({ option: 'no' })],
      [answered({ option: 'no', content: {} })],
    ],
    ['I12: a turn that is not open does not end', running, [ended('t')], [ended('u')]],
    [
      'I4: the ladder of a stop is that of the open turn',
      running,
      [{ type: 'turn.stopping', ...t, stage: 'asked' }],
      [
        { type: 'turn.stopping', ...u, stage: 'asked' },
        { type: 'turn.stopping', ...t, stage: 'killed' },
      ],
    ],
    [
      'a notice of a turn is one of the open turn',
      running,
      [
        { type: 'notice.added', notice: 'n', level: 'info', code: 'x', text: '' },
        { type: 'notice.added', ...t, notice: 'n', level: 'info', code: 'x', text: '' },
      ],
      [{ type: 'notice.added', ...u, notice: 'n', level: 'info', code: 'x', text: '' }],
    ],
    [
      'the session itself is changed, closed and counted at any time',
      running,
      [{ type: 'session.changed' }, { type: 'session.closed' }, { type: 'usage.updated', usage: {} }],
      [],
    ],
  ];
  test.each(rules)('%s', (_, context, yes, no) => {
    for (const draft of yes) expect(lawful(context, draft), JSON.stringify(draft)).toBe(true);
    for (const draft of no) expect(lawful(context, draft), JSON.stringify(draft)).toBe(false);
  });

  const ofTurn: readonly Draft[] = [
    { type: 'turn.accepted', ...t },
    { type: 'turn.watching', ...t, mode: 'poll', reason: '', since: 0 },
    { type: 'turn.retrying', ...t, attempt: 1, reason: '' },
    text('t', 0, 'a'),
    { ...text('t', 0, 'a'), type: 'thought.added' },
    { type: 'part.replaced', ...t, part: 'p', text: '' },
    { type: 'plan.updated', ...t, entries: [] },
    { type: 'job.progress', ...t, text: '' },
    ended('t'),
  ];
  test.each(ofTurn)('I2: $type is of the open turn alone', (draft) => {
    expect(lawful(running, draft)).toBe(true);
    expect(lawful(running, { ...draft, ...u })).toBe(false);
    expect(lawful(idle, draft)).toBe(false);
  });

  test('C51: a fact of a type that is not known is neither known nor lawful', () => {
    const strange = { ...fact(idle, opened()), type: 'toString' } as never;
    expect([isKnown(strange), isLawful(idle, strange)]).toEqual([false, false]);
    expect(isLawful(idle, { ...(strange as Fact), type: 'later' } as never)).toBe(false);
    expect(factTypes.every((type) => isKnown({ ...(strange as Fact), type }))).toBe(true);
  });
});

describe('I6: the place of a fact', () => {
  const next = fact(running, text('t', 0, 'a'));

  test('is the very next one of this log, or the first of any', () => {
    expect(isNext(running, next)).toBe(true);
    for (const wrong of [{ session: 'x' }, { epoch: 'f' }, { seq: next.seq + 1 }, { seq: next.seq - 1 }])
      expect(isNext(running, { ...next, ...wrong })).toBe(false);
    expect(isNext(initialContext('s', 'job', null), { ...next, seq: 1, epoch: 'f' })).toBe(true);
  });

  test('shows a gap where one is missing, or the log is another', () => {
    expect(isGap(running, next)).toBe(false);
    expect(isGap(running, { ...next, seq: 1 })).toBe(false);
    expect(isGap(running, { ...next, seq: next.seq + 1 })).toBe(true);
    expect(isGap(running, { ...next, epoch: 'f' })).toBe(true);
    expect(isGap(running, { ...next, epoch: 'f', session: 'x' })).toBe(false);
  });

  test('is written as a cursor', () => {
    expect(cursorOf(running)).toBe('e.2');
  });
});

test('what a list of sessions says of a queue', () => {
  const { messages } = at(started('t', 1), queued('a', 2)).context.queue;
  const line = { queued: 1, held: true };
  const queue = { held: true, revision: 2, messages };
  expect(queueLine(queue)).toStrictEqual(line);
  expect(queueLine({ ...queue, retry: 't' })).toStrictEqual(line);
  expect(queueLine({ ...queue, until: 0 })).toStrictEqual(line);
  expect(queueLine({ ...queue, retry: 't', until: 0 })).toStrictEqual({ ...line, retryAt: 0 });
});

test('a session of which nothing is known yet', () => {
  const owner = { send: () => {} };
  expect(initialContext('s', 'job', owner)).toStrictEqual({
    id: 's',
    kind: 'job',
    agent: '',
    cwd: '',
    createdAt: 0,
    epoch: '',
    seq: 0,
    turns: [],
    older: false,
    open: null,
    queue: { held: false, revision: 0, messages: [] },
    permissions: [],
    jobs: [],
    notices: [],
    usage: {},
    problem: null,
    attempt: 0,
    owner,
  });
});

describe('an open turn that is read from a snapshot', () => {
  const ref = {} as never;
  const turnOf = (...drafts: readonly Draft[]) =>
    foldAll(new Script().write(opened(), started('t'), ...drafts))[0] as Turn;

  test('I12, C48: knows its tools; nothing is known that was not said', () => {
    const turn = turnOf(tool('t', 'c'), text('t', 0, 'a'), tool('t', 'd'), toolDone('t', 'c'));
    expect(reopen(turn, ref)).toStrictEqual({ id: 't', firstSeq: 2, ref, tools: ['d'], seen: ['c', 'd'] });
  });

  test('I5, I13: knows how it is watched, retried, stopped, and its handle', () => {
    const turn = turnOf(
      { type: 'turn.accepted', ...t, handle: 'h' },
      { type: 'turn.watching', ...t, mode: 'poll', reason: 'lost', since: 5 },
      { type: 'turn.retrying', ...t, attempt: 1, reason: 'busy' },
      { type: 'turn.stopping', ...t, stage: 'killed' },
    );
    expect(reopen(turn, ref)).toStrictEqual({
      id: 't',
      firstSeq: 2,
      ref,
      tools: [],
      seen: [],
      watching: 'poll',
      reason: 'lost',
      retrying: 'busy',
      stage: 'killed',
      handle: 'h',
    });
  });
});

describe('a snapshot that is read again', () => {
  const turn = (id: string, firstSeq: number, more: object = {}): Turn =>
    ({ id, firstSeq, seq: firstSeq + 1, parts: [], outcome: 'finalized', ...more }) as never;
  const [a, b, c] = [turn('a', 2), turn('b', 4), turn('c', 6)];
  const context: SessionContext = {
    ...idle,
    seq: 9,
    turns: [a, b, c],
    problem: { code: 'x', message: 'No.' },
    attempt: 3,
  };
  const snapshot = (turns: readonly Turn[], more: object = {}): SessionSnapshot =>
    ({
      id: 's',
      cursor: 'e.12',
      state: 'finalized',
      updatedAt: 1,
      reason: 'x',
      createdAt: 5,
      turns,
      older: true,
      title: 'New',
      ...more,
    }) as never;

  test('is taken with its place, and what went wrong is over', () => {
    expect(adopt(context, snapshot([]))).toStrictEqual({
      id: 's',
      title: 'New',
      createdAt: 5,
      epoch: 'e',
      seq: 12,
      turns: [],
      older: true,
      problem: null,
      attempt: 0,
    });
    expect(adopt(context, snapshot([], { cursor: 'nonsense' }))).toMatchObject({ epoch: '', seq: 0 });
  });

  test('I10: finished rows stay the same, and those that changed are new', () => {
    const copies = [b, c].map((each) => ({ ...each }));
    const changed = { ...c, seq: 8 };
    expect(adopt(context, snapshot(copies)).turns.map((each) => [a, b, c].indexOf(each))).toEqual([0, 1, 2]);
    const { turns } = adopt(context, snapshot([{ ...b }, changed]));
    expect([turns[1] === b, turns[2] === changed]).toEqual([true, true]);
    const { outcome: _, ...open } = turn('d', 8);
    expect(adopt(context, snapshot([{ ...c }, open as Turn])).turns).toEqual([a, b, c]);
  });

  test('C30: older rows that were loaded stay, if the new ones reach them', () => {
    const before = { ...context, older: false };
    expect(adopt(before, snapshot([b, c]))).toMatchObject({ turns: [a, b, c], older: false });
    const far = turn('z', 8);
    expect(adopt(before, snapshot([far]))).toMatchObject({ turns: [far], older: true });
    expect(adopt(before, snapshot([a, b]))).toMatchObject({ turns: [a, b], older: true });
  });

  test('I6: nothing of another log stays', () => {
    const other = adopt({ ...context, older: false }, snapshot([{ ...b }, { ...c }], { cursor: 'f.12' }));
    expect(other).toMatchObject({ turns: [b, c], older: true, epoch: 'f' });
    expect(other.turns.includes(b)).toBe(false);
  });

  test('I6: what it does not say any more is not known any more', () => {
    const said = {
      parent: 'p',
      titledByUser: true,
      model: 'm',
      mode: 'o',
      models: [],
      modes: [],
      options: [],
      commands: [],
      agentSession: 'x',
      continues: 'x',
      mcpServers: [],
    };
    const gone = adopt(
      { ...context, ...said, title: 'Old' } as SessionContext,
      snapshot([], { title: undefined }),
    );
    for (const key of [...Object.keys(said), 'title'])
      expect([key, key in gone, gone[key as keyof typeof gone]]).toEqual([key, true, undefined]);
    const kept = adopt({ ...context, ...said } as SessionContext, snapshot([], { model: 'n' }));
    expect(kept).toMatchObject({ title: 'New', model: 'n' });
  });

  test('I10: is not believed if it is older than what is shown of the same log', () => {
    const behind = (cursor: string) => isBehind(context, snapshot([], { cursor }));
    expect(['e.8', 'e.9', 'e.10', 'f.8', 'nonsense'].map(behind)).toEqual([true, false, false, false, false]);
  });
});

describe('C33: a title', () => {
  const title = (words: string) => titleOf(say('m', words), 'None');

  test('is the first line with words of a message', () => {
    expect([
      title('  one \n two'),
      title('\n\ntwo\nthree'),
      title(' \n'),
      titleOf(undefined, 'None'),
    ]).toEqual(['one', 'two', 'None', 'None']);
    const image = { type: 'image', data: '', mimeType: 'image/png' } as never;
    const message = {
      id: 'm',
      content: [image, { type: 'text', text: 'one' }, { type: 'text', text: 'two' }],
    };
    expect(titleOf(message as never, 'None')).toBe('one');
  });

  test('is at most 80 characters, none of them cut', () => {
    expect(title('x'.repeat(80))).toBe('x'.repeat(80));
    expect(title('x'.repeat(81))).toBe(`${'x'.repeat(79)}…`);
    expect(title('😀'.repeat(81))).toBe(`${'😀'.repeat(79)}…`);
  });
});
