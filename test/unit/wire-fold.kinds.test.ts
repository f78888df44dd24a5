import { describe, expect, test } from 'vitest';
import { type Draft, factTypes } from '../../src/wire/facts.ts';
import { foldAll, isPart } from '../../src/wire/fold.ts';
import type { Part, Turn } from '../../src/wire/turn.ts';
import { asks, opened, Script, say, started, text, tool, toolDone } from '../support/facts.ts';

/** The turn `t` after these drafts; the first one has seq 2 and is said at 1,002. */
function turnAfter(...drafts: readonly Draft[]): Turn {
  const [turn, ...others] = foldAll(new Script().write(opened(), ...drafts));
  expect(others).toEqual([]);
  return turn as Turn;
}

const fresh: Turn = {
  id: 't',
  origin: 'user',
  message: say('m.t'),
  startedAt: 1_002,
  firstSeq: 2,
  seq: 2,
  parts: [],
  accepted: false,
  misfits: [],
};
const t = { turn: 't' } as const;
const entries = [{ content: 'one', priority: 'low', status: 'pending' }] as const;
const content = [{ type: 'content', content: { type: 'text', text: 'out' } }] as const;
const locations = [{ path: '/w/a.ts', line: 3 }] as const;
const { options } = asks('t', 'q');
const form = { fields: [] } as never;
const quiet: Part = {
  type: 'tool',
  id: 'c',
  title: 'Run',
  kind: 'other',
  status: 'in_progress',
  content: [],
  locations: [],
  output: '',
};
const open: Part = { type: 'permission', id: 'q', title: 'May I?', options, state: 'open' };

describe('I6: what each fact makes of its turn, and no more', () => {
  const starts: readonly [string, Draft, Partial<Turn>][] = [
    ['the user', started('t'), {}],
    ['a retry', { ...started('t'), retryOf: 's' }, { retryOf: 's' }],
    ['what the agent told of its own session', { ...started('t'), imported: true }, { imported: true }],
  ];
  test.each(starts)('a turn is started by %s', (_, draft, more) => {
    expect(turnAfter(draft)).toStrictEqual({ ...fresh, ...more });
  });

  test('a turn that the agent begins has no message', () => {
    const { message: _, ...rest } = fresh;
    expect(turnAfter({ type: 'turn.started', turn: 't', origin: 'agent', revision: 1 })).toStrictEqual({
      ...rest,
      origin: 'agent',
    });
  });

  const error = { code: 'x', message: 'No.' };
  const members: readonly [Draft, Partial<Turn>][] = [
    [{ type: 'turn.accepted', ...t }, { accepted: true }],
    [
      { type: 'turn.accepted', ...t, handle: 'h' },
      { accepted: true, handle: 'h' },
    ],
    [
      { type: 'turn.watching', ...t, mode: 'poll', reason: 'lost', since: 5 },
      { watching: { mode: 'poll', reason: 'lost', since: 5 } },
    ],
    [
      { type: 'turn.retrying', ...t, attempt: 2, reason: 'busy' },
      { retrying: { attempt: 2, reason: 'busy' } },
    ],
    [
      { type: 'turn.retrying', ...t, attempt: 2, reason: 'busy', next: 0 },
      { retrying: { attempt: 2, reason: 'busy', next: 0 } },
    ],
    [{ type: 'turn.stopping', ...t, stage: 'terminated' }, { stopping: 'terminated' }],
    [
      { type: 'turn.ended', ...t, outcome: 'finalized', stopReason: 'end_turn' },
      { outcome: 'finalized', stopReason: 'end_turn', endedAt: 1_003 },
    ],
    [
      { type: 'turn.ended', ...t, outcome: 'failed', stopReason: 'error', error },
      { outcome: 'failed', stopReason: 'error', error, endedAt: 1_003 },
    ],
    [{ type: 'usage.updated', ...t, usage: { totalTokens: 1 } }, { usage: { totalTokens: 1 } }],
    [{ type: 'job.progress', ...t, text: 'half' }, { progress: { text: 'half' } }],
    [
      { type: 'job.progress', ...t, text: 'half', done: 0, total: 0 },
      { progress: { text: 'half', done: 0, total: 0 } },
    ],
  ];
  test.each(members)('%j', (draft, more) => {
    expect(turnAfter(started('t'), draft)).toStrictEqual({ ...fresh, seq: 3, ...more });
  });

  const parts: readonly [Draft, Part][] = [
    [text('t', 0, 'a'), { type: 'text', id: 'p', text: 'a', revision: 0 }],
    [
      { type: 'thought.added', ...t, part: 'p', offset: 0, text: 'a' },
      { type: 'thought', id: 'p', text: 'a', revision: 0 },
    ],
    [
      { type: 'turn.steered', ...t, message: say('m2'), confirmed: true, revision: 2 },
      { type: 'steer', id: 'm2', message: say('m2'), confirmed: true },
    ],
    [tool('t', 'c'), quiet],
    [
      {
        ...tool('t', 'c'),
        kind: 'edit',
        status: 'pending',
        content,
        locations,
        rawInput: null,
        rawOutput: null,
      },
      { ...quiet, kind: 'edit', status: 'pending', content, locations, rawInput: null, rawOutput: null },
    ],
    [
      { type: 'plan.updated', ...t, entries },
      { type: 'plan', id: 'plan', entries },
    ],
    [asks('t', 'q'), open],
    [
      { ...asks('t', 'q'), toolCallId: 'c', form, url: '' },
      { ...open, toolCallId: 'c', form, url: '' },
    ],
    [
      { type: 'notice.added', ...t, notice: 'n', level: 'warning', code: 'x', text: 'Hm.' },
      { type: 'notice', id: 'n', level: 'warning', code: 'x', text: 'Hm.' },
    ],
    [
      { type: 'job.attached', ...t, job: 'j', request: { agent: 'a', cwd: '/w', message: say('m3') } },
      { type: 'job', id: 'j' },
    ],
  ];
  test.each(parts)('%j', (draft, part) => {
    expect(turnAfter(started('t'), draft)).toStrictEqual({ ...fresh, seq: 3, parts: [part] });
  });

  const changes: readonly [Draft, Draft, Part][] = [
    [tool('t', 'c'), toolDone('t', 'c'), { ...quiet, status: 'completed' }],
    [
      { ...tool('t', 'c'), status: 'pending' },
      {
        ...toolDone('t', 'c'),
        title: 'Ran',
        kind: 'edit',
        content,
        locations,
        rawInput: null,
        rawOutput: null,
        exitCode: null,
        reason: 'over',
      },
      {
        ...quiet,
        title: 'Ran',
        kind: 'edit',
        status: 'completed',
        content,
        locations,
        rawInput: null,
        rawOutput: null,
        exitCode: null,
        reason: 'over',
      },
    ],
    [tool('t', 'c'), { type: 'tool.updated', ...t, toolCallId: 'c' }, quiet],
    [
      tool('t', 'c'),
      { type: 'tool.updated', ...t, toolCallId: 'c', output: { offset: 0, text: 'x' } },
      { ...quiet, output: 'x' },
    ],
    [
      tool('t', 'c'),
      { type: 'tool.refused', ...t, toolCallId: 'c', reason: 'No.' },
      { ...quiet, status: 'refused', reason: 'No.' },
    ],
    [
      { type: 'plan.updated', ...t, entries },
      { type: 'plan.updated', ...t, entries: [] },
      { type: 'plan', id: 'plan', entries: [] },
    ],
    [
      asks('t', 'q'),
      { type: 'permission.answered', ...t, permission: 'q', option: 'yes' },
      { ...open, state: 'answered', option: 'yes' },
    ],
    [
      asks('t', 'q'),
      { type: 'permission.answered', ...t, permission: 'q', option: 'yes', content: { a: 1 } },
      { ...open, state: 'answered', option: 'yes', content: { a: 1 } },
    ],
    [
      asks('t', 'q'),
      { type: 'permission.withdrawn', ...t, permission: 'q', reason: 'late' },
      { ...open, state: 'withdrawn', reason: 'late' },
    ],
  ];
  test.each(changes)('%j and then %j', (first, second, part) => {
    expect(turnAfter(started('t'), first, second)).toStrictEqual({ ...fresh, seq: 4, parts: [part] });
  });
});

test('I6: usage of a turn is gathered member by member', () => {
  const turn = turnAfter(
    started('t'),
    { type: 'usage.updated', ...t, usage: { inputTokens: 1, outputTokens: 1 } },
    { type: 'usage.updated', ...t, usage: { outputTokens: 2 } },
  );
  expect(turn.usage).toEqual({ inputTokens: 1, outputTokens: 2 });
});

test('I6: parts of different kinds that have one name are told apart', () => {
  const turn = turnAfter(
    started('t'),
    tool('t', 'plan'),
    { type: 'plan.updated', ...t, entries },
    text('t', 0, 'a', 'plan'),
    toolDone('t', 'plan'),
    { type: 'plan.updated', ...t, entries: [] },
  );
  expect(turn.misfits).toEqual([]);
  expect(turn.parts).toMatchObject([
    { type: 'tool', status: 'completed' },
    { type: 'plan', entries: [] },
    { type: 'text', text: 'a' },
  ]);
});

test('I13: output ends a silence and a retry, not a poll; the end of the turn ends all', () => {
  const silent: Draft = { type: 'turn.watching', ...t, mode: 'silent', reason: 'quiet', since: 5 };
  const polled: Draft = { ...silent, mode: 'poll' };
  const retrying: Draft = { type: 'turn.retrying', ...t, attempt: 2, reason: 'busy' };
  const said = turnAfter(started('t'), silent, retrying, text('t', 0, 'a'));
  expect('watching' in said || 'retrying' in said).toBe(false);
  const gone = turnAfter(started('t'), polled, retrying, text('t', 0, 'a'));
  expect(gone.watching).toEqual({ mode: 'poll', reason: 'quiet', since: 5 });
  expect('retrying' in gone).toBe(false);
  const over = turnAfter(started('t'), polled, retrying, {
    type: 'turn.ended',
    ...t,
    outcome: 'finalized',
    stopReason: 'end_turn',
  });
  expect('watching' in over || 'retrying' in over).toBe(false);
});

test('I6: facts of a turn whose start is not among them make no turn', () => {
  const script = new Script();
  expect(foldAll(script.write(text('u', 0, 'a'), { type: 'usage.updated', ...t, usage: {} }))).toEqual([]);
});

test('the facts that are a piece of an answer', () => {
  expect(factTypes.filter((type) => isPart({ type }))).toEqual([
    'text.added',
    'thought.added',
    'part.replaced',
    'tool.started',
    'tool.updated',
    'tool.finished',
    'tool.refused',
    'plan.updated',
    'permission.asked',
    'permission.answered',
    'permission.withdrawn',
  ]);
});
