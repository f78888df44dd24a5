import { describe, expect, test } from 'vitest';
import { draftsOf, outlivesStop, type Pending } from '../../machines/outputs.ts';
import { sessionDrafts } from '../../machines/session.outputs.ts';
import type { Draft } from '../../src/wire/facts.ts';
import type { Output } from '../../src/wire/output.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { asks, ended, started, text, tool, toolDone } from '../support/facts.ts';
import { at } from '../support/lawful.ts';

const titled: Draft = { type: 'session.changed', title: 'Named' };
const t = { turn: 't' } as const;
const accepted: Draft = { type: 'turn.accepted', ...t };

/** What outputs become in the turn `t` after these drafts; the first draft has the seq 4. */
function written(before: readonly Draft[], ...outputs: readonly Pending[]) {
  const { value, context } = at(titled, started('t'), ...before);
  return draftsOf(
    { state: String(value), context },
    context.open?.ref.getSnapshot().context as Turn,
    outputs,
  );
}
function drafts(before: readonly Draft[], ...outputs: readonly Pending[]): readonly Draft[] {
  const { dropped, ...rest } = written(before, ...outputs);
  expect(dropped).toBe(0);
  return rest.drafts;
}
const says = (words: string, part?: string): Output => ({ type: 'text', text: words, ...(part && { part }) });
const thinks = (words: string, part?: string): Output =>
  ({ ...says(words, part), type: 'thought' }) as Output;
const starts = (toolCallId: string, title = 'Run'): Output => ({ type: 'tool.started', toolCallId, title });
const finishes = (toolCallId: string): Output => ({ type: 'tool.finished', toolCallId, status: 'completed' });
const thought = (offset: number, words: string, part: string): Draft => ({
  ...text('t', offset, words, part),
  type: 'thought.added',
});
const { options } = asks('t', 'q');
const question = (permission: string, more: object = {}): Output => ({
  type: 'permission.asked',
  permission,
  title: 'May I?',
  options,
  ...more,
});

describe('what one output becomes', () => {
  const alone: readonly [Pending, Draft][] = [
    [{ type: 'accepted' }, accepted],
    [
      { type: 'accepted', handle: '' },
      { ...accepted, handle: '' },
    ],
    [says('a'), text('t', 0, 'a', 'p4')],
    [thinks('a'), thought(0, 'a', 'p4')],
    [starts('c'), tool('t', 'c')],
    [
      { type: 'plan', entries: [] },
      { type: 'plan.updated', ...t, entries: [] },
    ],
    [question('q'), asks('t', 'q')],
    [
      question('q', { form: { properties: {} }, url: '' }),
      { ...asks('t', 'q'), form: { properties: {} }, url: '' },
    ],
    [
      { type: 'retrying', attempt: 1, reason: 'busy' },
      { type: 'turn.retrying', ...t, attempt: 1, reason: 'busy' },
    ],
    [
      { type: 'retrying', attempt: 1, reason: 'busy', next: 0 },
      { type: 'turn.retrying', ...t, attempt: 1, reason: 'busy', next: 0 },
    ],
    [
      { type: 'progress', progress: { text: 'half' } },
      { type: 'job.progress', ...t, text: 'half' },
    ],
    [
      { type: 'notice', level: 'info', code: 'x', text: 'Hm.' },
      { type: 'notice.added', ...t, notice: 'n4', level: 'info', code: 'x', text: 'Hm.' },
    ],
    [
      { type: 'usage', usage: { totalTokens: 1 } },
      { type: 'usage.updated', ...t, usage: { totalTokens: 1 } },
    ],
    [
      { type: 'usage', usage: { totalTokens: 1 }, turn: 's' },
      { type: 'usage.updated', turn: 's', usage: { totalTokens: 1 } },
    ],
    [
      { type: 'changed', model: 'M' },
      { type: 'session.changed', model: 'M' },
    ],
    [
      { type: 'watching', mode: 'silent', reason: 'quiet', since: 5 },
      { type: 'turn.watching', ...t, mode: 'silent', reason: 'quiet', since: 5 },
    ],
    [
      { type: 'stopping', stage: 'killed' },
      { type: 'turn.stopping', ...t, stage: 'killed' },
    ],
  ];
  test.each(alone)('%j', (output, draft) => {
    expect(drafts([], output)).toStrictEqual([draft]);
  });

  test.each([{ type: 'poll', reason: 'lost' } as const, { type: 'ended', stopReason: 'end_turn' } as const])(
    '%j is no row: the runner acts on it',
    (output) => {
      expect(drafts([], output)).toEqual([]);
    },
  );
});

describe('acceptance', () => {
  const accept: Output = { type: 'accepted' };
  const poll: Draft = { type: 'turn.watching', ...t, mode: 'poll', reason: 'lost', since: 5 };
  const silent: Draft = { ...poll, mode: 'silent' };

  const begun: readonly [string, readonly Draft[]][] = [
    ['it was said', [accepted]],
    ['a text', [text('t', 0, 'a')]],
    ['a thought', [thought(0, 'a', 'p')]],
    ['a tool', [tool('t', 'c')]],
    ['a plan', [{ type: 'plan.updated', ...t, entries: [] }]],
    ['a question', [asks('t', 'q')]],
    ['it is polled', [poll]],
  ];
  test.each(begun)('C2: is no news after %s, unless it brings a handle', (_, before) => {
    expect(drafts(before, accept)).toEqual([]);
    expect(drafts(before, { ...accept, handle: 'h' })).toStrictEqual([{ ...accepted, handle: 'h' }]);
  });

  test('C2: is no news once the stream that was lost is back, nor in a silence after that', () => {
    const back: Draft = { ...poll, mode: 'stream' };
    expect(drafts([poll, back], accept)).toEqual([]);
    expect(drafts([poll, back, silent], accept)).toEqual([]);
  });

  test('C2: is no news after what is written with it', () => {
    for (const output of [
      says('a'),
      { type: 'watching', mode: 'poll', reason: 'lost', since: 5 } as const,
      accept,
    ])
      expect(drafts([], output, accept)).toHaveLength(1);
  });

  test('C2: is news after a notice and a silence', () => {
    const notice: Draft = { type: 'notice.added', ...t, notice: 'n', level: 'info', code: 'x', text: '' };
    expect(drafts([notice], accept)).toStrictEqual([accepted]);
    expect(drafts([silent], accept)).toStrictEqual([accepted]);
    const quiet: Pending = { type: 'watching', mode: 'silent', reason: 'quiet', since: 5 };
    expect(drafts([], quiet, accept)).toHaveLength(2);
    const retrying: Output = { type: 'retrying', attempt: 1, reason: 'busy' };
    expect(drafts([], retrying, accept)).toHaveLength(2);
    expect(drafts([], { type: 'changed', mode: 'poll' }, accept)).toHaveLength(2);
  });

  test('C2: with a handle that is known is no news', () => {
    const named = { ...accepted, handle: 'h' };
    expect(drafts([named], { ...accept, handle: 'h' })).toEqual([]);
    expect(drafts([], { ...accept, handle: 'h' }, accept, { ...accept, handle: 'h' })).toHaveLength(1);
    expect(drafts([], { ...accept, handle: 'h' }, accept, { ...accept, handle: 'i' })).toHaveLength(2);
  });

  test('I11: a poll that is said again is no news; for another reason it is', () => {
    const polls = (reason: string): Pending => ({ type: 'watching', mode: 'poll', reason, since: 6 });
    expect(drafts([poll], polls('lost'))).toEqual([]);
    expect(drafts([poll], polls('gone'))).toHaveLength(1);
    expect(drafts([], polls('lost'), polls('lost'))).toHaveLength(1);
    expect(drafts([silent], { ...polls('lost'), mode: 'silent' } as Pending)).toHaveLength(1);
    expect(drafts([silent], polls('lost'))).toHaveLength(1);
  });
});

describe('text', () => {
  test('goes on with the last part, if that is its kind', () => {
    expect(drafts([text('t', 0, 'ab')], says('c'))).toStrictEqual([text('t', 2, 'c')]);
    expect(drafts([text('t', 0, 'ab')], thinks('c'))).toStrictEqual([thought(0, 'c', 'p5')]);
    expect(drafts([thought(0, 'ab', 'p')], thinks('c'))).toStrictEqual([thought(2, 'c', 'p')]);
    expect(drafts([text('t', 0, 'ab'), tool('t', 'c')], says('c'))).toStrictEqual([text('t', 0, 'c', 'p6')]);
  });

  const between: readonly [string, Pending][] = [
    ['a tool', starts('c')],
    ['a plan', { type: 'plan', entries: [] }],
    ['a question', question('q')],
    ['a notice', { type: 'notice', level: 'info', code: 'x', text: '' }],
    ['a thought', thinks('hm')],
  ];
  test.each(between)('begins a new part after %s', (_, output) => {
    expect(drafts([], says('a'), output, says('b')).at(-1)).toStrictEqual(text('t', 0, 'b', 'p6'));
  });

  test('usage and news of a tool are nothing between', () => {
    const usage: Output = { type: 'usage', usage: {} };
    expect(drafts([], says('ab'), usage, says('c')).at(-1)).toStrictEqual(text('t', 2, 'c', 'p4'));
    expect(drafts([tool('t', 'c')], says('ab'), finishes('c'), says('c')).at(-1)).toStrictEqual(
      text('t', 2, 'c', 'p5'),
    );
  });

  test('joins what is written at once into one fact, kind by kind and part by part', () => {
    expect(drafts([], says('a'), says('b'))).toStrictEqual([text('t', 0, 'ab', 'p4')]);
    expect(drafts([], says('a', 'x'), says('b', 'y'), says('c', 'x'))).toStrictEqual([
      text('t', 0, 'a', 'x'),
      text('t', 0, 'b', 'y'),
      text('t', 1, 'c', 'x'),
    ]);
    expect(drafts([], says('a', 'x'), thinks('b', 'y'))).toStrictEqual([
      text('t', 0, 'a', 'x'),
      thought(0, 'b', 'y'),
    ]);
  });

  test('a key that serves text and thought alike becomes two names', () => {
    expect(drafts([], says('a', 'x'), thinks('b', 'x'), says('c', 'x'), thinks('d', 'x'))).toStrictEqual([
      text('t', 0, 'a', 'x'),
      thought(0, 'b', 'thought.x'),
      text('t', 1, 'c', 'x'),
      thought(1, 'd', 'thought.x'),
    ]);
    expect(drafts([thought(0, 'a', 'x')], says('b', 'x'))).toStrictEqual([text('t', 0, 'b', 'text.x')]);
    const both = [text('t', 0, 'a', 'x'), thought(0, 'a', 'x')];
    expect(drafts(both, says('b', 'x'), thinks('c', 'x'))).toStrictEqual([
      text('t', 1, 'b', 'x'),
      thought(1, 'c', 'x'),
    ]);
  });

  test('one fact holds at most 4,096 units; what fits is joined', () => {
    const lengths = (...outputs: Output[]) =>
      drafts([], ...outputs).map((draft) =>
        draft.type === 'text.added' ? [draft.offset, draft.text.length] : [],
      );
    expect(lengths(says('x'.repeat(4_096)))).toEqual([[0, 4_096]]);
    expect(lengths(says('x'.repeat(4_097)))).toEqual([
      [0, 4_096],
      [4_096, 1],
    ]);
    expect(lengths(says('x'.repeat(4_000)), says('y'.repeat(96)))).toEqual([[0, 4_096]]);
    expect(lengths(says('x'.repeat(4_000)), says('y'.repeat(97)))).toEqual([
      [0, 4_000],
      [4_000, 97],
    ]);
    expect(lengths(says(''))).toEqual([]);
  });

  test.each([
    ['\ud7ff', 4_096],
    ['\ud800', 4_095],
    ['\udbff', 4_095],
    ['\udc00', 4_096],
  ])('is never cut between the halves of a pair: %j', (unit, length) => {
    const all = drafts([], says(`${'x'.repeat(4_095)}${unit}yz`));
    const offsets = all.map((draft) => (draft.type === 'text.added' ? draft.offset : -1));
    expect(offsets).toEqual([0, length]);
  });

  test('that ends with half of a pair is written all the same', () => {
    const whole = `${'x'.repeat(4_095)}\ud83d`;
    expect(drafts([], says(whole))).toStrictEqual([text('t', 0, whole, 'p4')]);
  });
});

describe('text that is taken back', () => {
  const replaces = (kind: 'text' | 'thought', words: string, more: object = {}): Output => ({
    type: 'replace',
    kind,
    text: words,
    ...more,
  });
  const replaced = (part: string, words: string, more: object = {}): Draft => ({
    type: 'part.replaced',
    ...t,
    part,
    text: words,
    ...more,
  });

  test('is that of the last part of its kind, or of the one that is named', () => {
    const before = [text('t', 0, 'a', 'x'), text('t', 0, 'b', 'y'), thought(0, 'c', 'z')];
    expect(drafts(before, replaces('text', 'new'))).toStrictEqual([replaced('y', 'new')]);
    expect(drafts(before, replaces('thought', 'new'))).toStrictEqual([replaced('z', 'new')]);
    expect(drafts(before, replaces('text', 'new', { part: 'x', reason: '' }))).toStrictEqual([
      replaced('x', 'new', { reason: '' }),
    ]);
    expect(
      drafts([], says('a', 'x'), thinks('b', 'x'), replaces('thought', 'new', { part: 'x' })).at(-1),
    ).toEqual(replaced('thought.x', 'new'));
  });

  test('I6: what follows on it begins at its new end', () => {
    expect(drafts([text('t', 0, 'long')], replaces('text', 'ab'), says('c'))).toStrictEqual([
      replaced('p', 'ab'),
      text('t', 2, 'c'),
    ]);
    const behind = [text('t', 0, 'long'), thought(0, 'hm', 'q')];
    expect(drafts(behind, replaces('text', 'ab'), says('c')).at(-1)).toStrictEqual(text('t', 2, 'c'));
  });

  test('is text like any other where there is none to take back', () => {
    expect(drafts([], replaces('text', 'new'))).toStrictEqual([text('t', 0, 'new', 'p4')]);
    expect(drafts([thought(0, 'a', 'x')], replaces('text', 'new', { part: 'y' }))).toStrictEqual([
      text('t', 0, 'new', 'y'),
    ]);
  });
});

describe('C48-50, A6: tools', () => {
  const updates = (toolCallId: string, more: object = {}): Output => ({
    type: 'tool.updated',
    toolCallId,
    ...more,
  });
  const updated = (more: object = {}): Draft => ({ type: 'tool.updated', ...t, toolCallId: 'c', ...more });
  const refuses: Output = { type: 'tool.refused', toolCallId: 'c', reason: 'No.' };
  const refused: Draft = { type: 'tool.refused', ...t, toolCallId: 'c', reason: 'No.' };

  test.each([
    ['its end', finishes('c'), toolDone('t', 'c'), 'Tool'],
    ['its refusal', refuses, refused, 'Tool'],
    ['news of it', updates('c', { title: 'Read' }), updated({ title: 'Read' }), 'Read'],
  ] as const)('a call that was never announced gets its card before %s', (_, output, draft, title) => {
    expect(drafts([], output)).toStrictEqual([tool('t', 'c', title), draft]);
    expect(drafts([tool('t', 'c')], output)).toStrictEqual([draft]);
  });

  test('its kind is that of the news', () => {
    expect(drafts([], { ...finishes('c'), title: 'Ran', kind: 'edit' } as Output)).toStrictEqual([
      { ...tool('t', 'c', 'Ran'), kind: 'edit' },
      { ...toolDone('t', 'c'), title: 'Ran', kind: 'edit' },
    ]);
    expect(drafts([], updates('c', { kind: 'edit' }))[0]).toStrictEqual({
      ...tool('t', 'c', 'Tool'),
      kind: 'edit',
    });
  });

  test('a second start is news of the first, as long as that runs', () => {
    expect(drafts([tool('t', 'c')], starts('c', 'Again'))).toStrictEqual([updated({ title: 'Again' })]);
    expect(drafts([], starts('c'), starts('c', 'Again')).at(-1)).toStrictEqual(updated({ title: 'Again' }));
  });

  test.each([
    ['finished', toolDone('t', 'c'), finishes('c')],
    ['refused', refused, refuses],
  ] as const)('nothing is written of a call that was %s', (_, end, output) => {
    const late = [finishes('c'), refuses, updates('c'), starts('c')];
    expect(written([tool('t', 'c'), end], ...late)).toEqual({ drafts: [], dropped: 4 });
    expect(written([tool('t', 'c')], output, ...late)).toMatchObject({ drafts: [end], dropped: 4 });
  });

  test('live output is appended at its place', () => {
    const before = [tool('t', 'c'), updated({ output: { offset: 0, text: 'ab' } })];
    expect(
      drafts(before, updates('c', { output: 'cd' }), updates('c', { output: 'e' }), updates('c')),
    ).toStrictEqual([
      updated({ output: { offset: 2, text: 'cd' } }),
      updated({ output: { offset: 4, text: 'e' } }),
      updated(),
    ]);
    expect(drafts([], starts('c'), updates('c', { output: '' }))[1]).toStrictEqual(
      updated({ output: { offset: 0, text: '' } }),
    );
  });
});

describe('questions', () => {
  test('A6: one for a call that was never announced makes its card, with its words', () => {
    expect(drafts([], question('q', { toolCallId: 'c' }))).toStrictEqual([
      tool('t', 'c', 'May I?'),
      { ...asks('t', 'q'), toolCallId: 'c' },
    ]);
    expect(drafts([tool('t', 'c')], question('q', { toolCallId: 'c' }))).toStrictEqual([
      { ...asks('t', 'q'), toolCallId: 'c' },
    ]);
  });

  test('C49: one for a call that has ended stands alone', () => {
    const { drafts: all } = written([tool('t', 'c'), toolDone('t', 'c')], question('q', { toolCallId: 'c' }));
    expect(all).toStrictEqual([asks('t', 'q')]);
  });

  test('C24: asked twice it is one, also after it was settled', () => {
    expect(written([], question('q'), question('q'))).toEqual({ drafts: [asks('t', 'q')], dropped: 1 });
    const given: Draft = { type: 'permission.answered', ...t, permission: 'q', option: 'yes' };
    expect(written([asks('t', 'q'), given], question('q'))).toEqual({ drafts: [], dropped: 1 });
    expect(drafts([tool('t', 'q')], question('q'))).toHaveLength(1);
  });

  test('C24: withdrawn it is closed once', () => {
    const withdraw: Output = { type: 'permission.withdrawn', permission: 'q', reason: 'Late.' };
    const withdrawn: Draft = { ...t, ...withdraw };
    expect(written([asks('t', 'q')], withdraw, withdraw)).toEqual({ drafts: [withdrawn], dropped: 1 });
    expect(written([], question('q'), withdraw)).toEqual({ drafts: [asks('t', 'q'), withdrawn], dropped: 0 });
    expect(written([], withdraw)).toEqual({ drafts: [], dropped: 1 });
  });
});

describe('what is said of the session', () => {
  const session = (outputs: readonly Pending[], ...before: readonly Draft[]) =>
    sessionDrafts(at(...before).context, outputs);
  const usage = { totalTokens: 1 };
  const over = [started('t'), ended('t'), started('u', 2), ended('u')];

  test('A4: late usage counts for the last turn, or for the one that is named', () => {
    expect(session([{ type: 'usage', usage }], ...over)).toStrictEqual([
      { type: 'usage.updated', turn: 'u', usage },
    ]);
    expect(session([{ type: 'usage', usage, turn: 't' }], ...over)).toStrictEqual([
      { type: 'usage.updated', turn: 't', usage },
    ]);
    expect(session([{ type: 'usage', usage }], started('t'), ended('t'))).toMatchObject([{ turn: 't' }]);
    expect(session([{ type: 'usage', usage }])).toStrictEqual([{ type: 'usage.updated', usage }]);
  });

  test('I2: without a turn nothing else is written', () => {
    const all = [says('a'), starts('c'), { type: 'changed', model: 'M' } as const];
    expect(session(all, ...over)).toStrictEqual([{ type: 'session.changed', model: 'M' }]);
  });

  test('C33: a title of the agent is taken, unless the user gave one', () => {
    const names: Output = { type: 'changed', title: 'A' };
    const taken = [{ type: 'session.changed', title: 'A', by: 'agent' }];
    expect(session([names], titled)).toStrictEqual(taken);
    expect(session([names], { ...titled, by: 'user' } as Draft)).toStrictEqual([]);
    expect(session([{ type: 'changed' }])).toStrictEqual([]);
  });
});

describe('I4: after a stop', () => {
  const stop = (stage: 'asked' | 'terminated' | 'killed'): Draft => ({ type: 'turn.stopping', ...t, stage });

  test('only what is open is closed, and news of the session are taken', () => {
    const before = [tool('t', 'c'), tool('t', 'd'), asks('t', 'q'), stop('asked')];
    const refuses: Output = { type: 'tool.refused', toolCallId: 'd', reason: 'No.' };
    expect(
      written(before, says('a'), question('r'), starts('e'), finishes('e'), finishes('c'), refuses, {
        type: 'notice',
        level: 'info',
        code: 'x',
        text: '',
      }),
    ).toEqual({ drafts: [toolDone('t', 'c'), { ...t, ...refuses }], dropped: 5 });
    expect(drafts(before, { type: 'usage', usage: {} }, { type: 'changed', model: 'M' })).toHaveLength(2);
    expect(written(before, { type: 'tool.updated', toolCallId: 'c' })).toEqual({ drafts: [], dropped: 1 });
  });

  test('its ladder is written once, and never down', () => {
    const climb: readonly Pending[] = [
      { type: 'stopping', stage: 'terminated' },
      { type: 'stopping', stage: 'terminated' },
      { type: 'stopping', stage: 'killed' },
      { type: 'stopping', stage: 'terminated' },
    ];
    expect(drafts([stop('asked')], ...climb)).toStrictEqual([stop('terminated'), stop('killed')]);
    expect(drafts([stop('asked'), stop('terminated')], ...climb)).toStrictEqual([stop('killed')]);
    expect(drafts([], ...climb)).toStrictEqual([stop('terminated'), stop('killed')]);
  });

  test('what was said before it and outlives it', () => {
    const all = [says('a'), starts('c'), { type: 'usage', usage: {} }, { type: 'changed' }, finishes('c')];
    const kinds = ([...all, { type: 'tool.refused', toolCallId: 'c', reason: '' }] as Pending[]).filter(
      outlivesStop,
    );
    expect(kinds.map(({ type }) => type)).toEqual(['usage', 'changed', 'tool.finished', 'tool.refused']);
  });
});
