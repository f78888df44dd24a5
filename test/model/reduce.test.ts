import { describe, expect, test } from 'vitest';
import { reduce } from '../../machines/reduce.ts';
import type { SessionContext } from '../../machines/session.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { asks, ended, opened, queued, say, started, text, tool, toolDone } from '../support/facts.ts';
import { at } from '../support/lawful.ts';

/** What a fact changes: the one after `before`, with all that is said of it besides its place. */
function changed(before: SessionContext, draft: Draft): Partial<SessionContext> {
  const seq = before.seq + 1;
  const { seq: after, ...change } = reduce(before, {
    ...draft,
    v: 1,
    session: 's',
    epoch: 'e',
    seq,
    at: 7,
  } as Fact);
  expect(after).toBe(seq);
  return change;
}

const t = { turn: 't' } as const;
const idle = at().context;
const running = at(started('t', 1)).context;
const waiting = at(started('t', 1), queued('a', 2), queued('b', 3), queued('c', 4)).context;
const names = (change: Partial<SessionContext>) => change.queue?.messages.map((q) => q.message.id);

describe('I6: what a fact changes in the session, and nothing else', () => {
  test('it is opened with what is said of it', () => {
    const base = { kind: 'conversation', agent: 'a', cwd: '/w', epoch: 'e', createdAt: 7 };
    expect(changed(idle, opened())).toStrictEqual(base);
    const more = { model: '', mode: '', parent: 'p', mcpServers: [] };
    expect(changed(idle, { ...opened(), ...more, title: '', continues: '' })).toStrictEqual({
      ...base,
      ...more,
      title: '',
      titledByUser: true,
      continues: '',
      agentSession: '',
    });
  });

  test.each([
    [{ title: '' }, { title: '' }],
    [{ title: '', by: 'agent' }, { title: '' }],
    [
      { title: '', by: 'user' },
      { title: '', titledByUser: true },
    ],
    [{ by: 'user' }, {}],
    [{ model: '' }, { model: '' }],
    [{ mode: '' }, { mode: '' }],
    [{ models: [] }, { models: [] }],
    [{ modes: [] }, { modes: [] }],
    [{ commands: [] }, { commands: [] }],
    [{ options: [] }, { options: [] }],
    [{ agentSession: '' }, { agentSession: '' }],
  ] as const)('of a change only what it names: %j', (body, change) => {
    expect(changed(idle, { type: 'session.changed', ...body } as Draft)).toStrictEqual(change);
  });

  test('usage is gathered member by member', () => {
    const before = { ...idle, usage: { inputTokens: 1, outputTokens: 1 } };
    const change = changed(before, { type: 'usage.updated', usage: { outputTokens: 2 } });
    expect(change).toStrictEqual({ usage: { inputTokens: 1, outputTokens: 2 } });
  });

  test('a notice of the session is kept; one of a turn is in its row', () => {
    const notice = { type: 'notice.added', notice: 'n', level: 'info', code: 'x', text: 'Hm.' } as const;
    const kept = { id: 'n', seq: 3, level: 'info', code: 'x', text: 'Hm.' } as const;
    expect(changed(running, notice)).toStrictEqual({ notices: [kept] });
    expect(changed({ ...running, notices: [{ ...kept, seq: 2 }] }, notice)).toStrictEqual({
      notices: [{ ...kept, seq: 2 }, kept],
    });
    expect(changed(running, { ...notice, ...t })).toStrictEqual({});
  });

  test('D2: guidance goes before what waits, in its own order', () => {
    const [steered, second] = [queued('x', 5, 'steer'), queued('y', 6, 'steer')];
    expect(names(changed(waiting, queued('x', 5)))).toEqual(['a', 'b', 'c', 'x']);
    expect(names(changed(waiting, steered))).toEqual(['x', 'a', 'b', 'c']);
    const before = at(started('t', 1), queued('a', 2), queued('b', 3), queued('c', 4), steered).context;
    expect(names(changed(before, second))).toEqual(['x', 'y', 'a', 'b', 'c']);
    expect(changed(waiting, steered).queue).toMatchObject({
      revision: 5,
      held: false,
      messages: [{ message: say('x'), delivery: 'steer' }, {}, {}, {}],
    });
  });

  test('D2: a queued message is edited where it stands', () => {
    const edited = changed(waiting, { type: 'queue.edited', message: say('b', 'new'), revision: 5 });
    expect(edited.queue?.messages).toStrictEqual([
      { message: say('a'), delivery: 'queue' },
      { message: say('b', 'new'), delivery: 'queue' },
      { message: say('c'), delivery: 'queue' },
    ]);
    expect(edited.queue?.revision).toBe(5);
  });

  test.each([
    [0, ['b', 'a', 'c']],
    [1, ['a', 'b', 'c']],
    [2, ['a', 'c', 'b']],
  ])('D2: a message moved to %i stands there', (to, order) => {
    expect(names(changed(waiting, { type: 'queue.moved', message: 'b', to, revision: 5 }))).toEqual(order);
  });

  const leaves: readonly Draft[] = [
    { type: 'queue.removed', message: 'b', revision: 5 },
    { type: 'turn.started', turn: 'u', origin: 'user', message: say('b'), revision: 5 },
    { type: 'turn.steered', ...t, message: say('b'), confirmed: true, revision: 5 },
  ];
  test.each(leaves)('D2, I9: $type takes its message out of the queue', (draft) => {
    const change = changed(waiting, draft);
    expect(names(change)).toEqual(['a', 'c']);
    expect(change.queue?.revision).toBe(5);
  });

  test('a turn that the agent begins takes none', () => {
    expect(
      names(changed(waiting, { type: 'turn.started', turn: 'u', origin: 'agent', revision: 5 })),
    ).toEqual(['a', 'b', 'c']);
  });

  test('I3: a hold says why, and until when; it is let go whole', () => {
    const { messages } = waiting.queue;
    const held = changed(waiting, { type: 'queue.held', reason: 'stopped', revision: 5 });
    expect(held).toStrictEqual({ queue: { held: true, reason: 'stopped', revision: 5, messages } });
    const limited = { reason: 'limited', until: 0, retry: 't' } as const;
    const later = changed(waiting, { type: 'queue.held', ...limited, revision: 5 });
    expect(later).toStrictEqual({ queue: { held: true, ...limited, revision: 5, messages } });
    const before = { ...waiting, ...later } as SessionContext;
    expect(changed(before, { type: 'queue.released', revision: 6 })).toStrictEqual({
      queue: { held: false, revision: 6, messages },
    });
    expect(changed(before, { ...started('u', 6) })).toStrictEqual({
      queue: { held: true, reason: 'failed', revision: 6, messages },
    });
    expect(changed({ ...waiting, ...held } as SessionContext, started('u', 6))).toStrictEqual({
      queue: { held: true, reason: 'stopped', revision: 6, messages },
    });
  });

  const watched = (mode: 'stream' | 'poll' | 'silent'): Draft => ({
    type: 'turn.watching',
    ...t,
    mode,
    reason: 'r',
    since: 5,
  });
  const retrying: Draft = { type: 'turn.retrying', ...t, attempt: 2, reason: 'busy' };
  const ofTurn: readonly [Draft, object][] = [
    [{ type: 'turn.accepted', ...t, handle: '' }, { handle: '' }],
    [watched('poll'), { watching: 'poll', reason: 'r' }],
    [retrying, { retrying: 'busy' }],
    [{ type: 'turn.stopping', ...t, stage: 'killed' }, { stage: 'killed' }],
  ];
  test.each(ofTurn)('%j is known of the open turn', (draft, part) => {
    expect(changed(running, draft)).toStrictEqual({ open: { ...running.open, ...part } });
    expect(changed(idle, draft)).toStrictEqual({});
  });

  const silentFacts: readonly Draft[] = [
    { type: 'turn.accepted', ...t },
    { type: 'job.progress', ...t, text: 'half' },
    { type: 'session.closed' },
  ];
  test.each(silentFacts)('%j changes nothing of it', (draft) => {
    expect(changed(running, draft)).toStrictEqual({});
  });

  test('a turn that has ended is open no more', () => {
    expect(changed(running, ended('t'))).toStrictEqual({ open: null });
  });

  const outputs: readonly Draft[] = [
    text('t', 0, 'a'),
    { ...text('t', 0, 'a'), type: 'thought.added' },
    { type: 'part.replaced', ...t, part: 'p', text: 'a' },
    { type: 'plan.updated', ...t, entries: [] },
    { type: 'tool.updated', ...t, toolCallId: 'c' },
  ];
  test.each(outputs)('I13: $type ends a silence and a retry, not a poll, and is nothing else', (draft) => {
    expect(changed(running, draft)).toStrictEqual({});
    const open = running.open as NonNullable<SessionContext['open']>;
    const ends = (more: object) => changed({ ...running, open: { ...open, ...more } }, draft);
    expect(ends({ watching: 'silent', reason: 'r' })).toStrictEqual({ open });
    expect(ends({ retrying: 'busy' })).toStrictEqual({ open });
    const polled = { watching: 'poll', reason: 'r' };
    expect(ends(polled)).toStrictEqual({});
    expect(ends({ ...polled, retrying: 'busy' })).toStrictEqual({ open: { ...open, ...polled } });
    expect(ends({ watching: 'poll', retrying: 'busy' })).toStrictEqual({
      open: { ...open, watching: 'poll' },
    });
  });

  test('I12, C48: the tools that are open, and those that ever were', () => {
    const one = at(started('t', 1), tool('t', 'a'), tool('t', 'b'), retrying).context;
    const { retrying: _, ...open } = one.open as NonNullable<SessionContext['open']>;
    expect(changed(one, tool('t', 'c'))).toStrictEqual({
      open: { ...open, tools: ['a', 'b', 'c'], seen: ['a', 'b', 'c'] },
    });
    const refused: Draft = { type: 'tool.refused', ...t, toolCallId: 'a', reason: 'No.' };
    for (const draft of [toolDone('t', 'a'), refused])
      expect(changed(one, draft)).toStrictEqual({ open: { ...open, tools: ['b'] } });
    for (const draft of [tool('t', 'c'), toolDone('t', 'a')]) expect(changed(idle, draft)).toStrictEqual({});
  });

  test('C24: the questions that are open', () => {
    const { options } = asks('t', 'q');
    const open = { type: 'permission', turn: 't', title: 'May I?', options, state: 'open' } as const;
    expect(changed(running, asks('t', 'q'))).toStrictEqual({ permissions: [{ ...open, id: 'q' }] });
    const more = { toolCallId: 'c', form: { properties: {} }, url: '' };
    expect(changed(running, { ...asks('t', 'q'), ...more })).toStrictEqual({
      permissions: [{ ...open, ...more, id: 'q' }],
    });
    const before = at(started('t', 1), asks('t', 'q'), asks('t', 'r'), retrying).context;
    expect(changed(before, asks('t', 's')).permissions?.map(({ id }) => id)).toEqual(['q', 'r', 's']);
    expect(changed(before, asks('t', 's')).open).not.toHaveProperty('retrying');
    const answered: Draft = { type: 'permission.answered', ...t, permission: 'q', option: 'yes' };
    const withdrawn: Draft = { type: 'permission.withdrawn', ...t, permission: 'q', reason: 'Late.' };
    for (const draft of [answered, withdrawn])
      expect(changed(before, draft)).toStrictEqual({ permissions: [{ ...open, id: 'r' }] });
  });

  test('C10, I14: the jobs, and how they ended', () => {
    const request = { agent: 'a', cwd: '/w', message: say('m') };
    const attached = (job: string, more: object = {}): Draft => ({
      type: 'job.attached',
      job,
      request,
      ...more,
    });
    const known = { job: 'j', seq: 3, at: 7, request };
    expect(changed(running, attached('j'))).toStrictEqual({ jobs: [known] });
    expect(changed(running, attached('j', t))).toStrictEqual({ jobs: [{ ...known, ...t }] });
    const before = { ...running, jobs: [known, { ...known, job: 'k' }] };
    expect(changed(before, attached('l')).jobs).toHaveLength(3);
    const end = { outcome: 'failed', stopReason: 'error' } as const;
    const error = { code: 'x', message: 'No.' };
    expect(changed(before, { type: 'job.settled', job: 'j', ...end })).toStrictEqual({
      jobs: [
        { ...known, ...end },
        { ...known, job: 'k' },
      ],
    });
    expect(changed(before, { type: 'job.settled', job: 'k', ...end, error }).jobs).toStrictEqual([
      known,
      { ...known, job: 'k', ...end, error },
    ]);
  });
});
