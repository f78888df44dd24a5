import { describe, expect, test } from 'vitest';
import type { Kept } from '../../machines/orchestrator.machine.ts';
import type { Entry } from '../../machines/outbox.entries.ts';
import type { SessionContext } from '../../machines/session.ts';
import { ended, opened, Script, started } from '../support/facts.ts';
import {
  goesUnmissed,
  isFollowed,
  leavesNoGap,
  liveIsHeard,
  nothingForEver,
  oldestGoes,
} from './simulation/link.checks.ts';
import {
  factsEndSends,
  keepsOrder,
  keptGoesFirst,
  oneAtATime,
  oneEntryEach,
  refusedForAReason,
  type Sent,
  shownUntilRead,
  stopFollowsSend,
  takenBackBy,
} from './simulation/posts.checks.ts';

const common = { session: 's', state: 'waiting', attempts: 0, nextAt: null } as const;
const send = (id: string, at: number, more: Partial<Entry> = {}) =>
  ({ ...common, id, at, kind: 'send', body: { content: [], delivery: 'queue' }, ...more }) as Entry;
const stop = (id: string, body: object, more: Partial<Entry> = {}) =>
  ({ ...common, id, at: 9, kind: 'stop', body, ...more }) as Entry;
const sent = (more: Partial<Sent> = {}): Sent => ({
  times: 1,
  isOut: false,
  unheardAt: undefined,
  isRefused: false,
  ...more,
});
const view = (seq: number, epoch = 'e') => ({ seq, epoch, problem: null }) as SessionContext;

describe('the checks of what a page asks can fail', () => {
  test('I9: a wish that is there twice, or whose request is sent twice', () => {
    expect(oneEntryEach([send('a', 1), send('b', 2)])).toEqual([]);
    expect(oneEntryEach([send('a', 1), send('a', 1)])).toHaveLength(1);
    expect(oneAtATime(send('a', 1), sent(), 0, 0)).toEqual([]);
    expect(oneAtATime(send('a', 1), sent({ isOut: true }), 0, 0)).toHaveLength(1);
  });

  test('I9: a request that is sent again at once, and the gateway has not been heard since', () => {
    const unheard = sent({ unheardAt: 100, times: 2 });
    expect(oneAtATime(send('a', 1), unheard, 598, 50)).toHaveLength(1);
    expect(oneAtATime(send('a', 1), unheard, 600, 50)).toEqual([]);
    expect(oneAtATime(send('a', 1), unheard, 110, 105)).toEqual([]);
  });

  test('I3: a send that leaves before one that was asked earlier, here or on a page before', () => {
    const [first, second] = [send('a', 1), send('b', 2)];
    expect(keepsOrder([first, second], first)).toEqual([]);
    expect(keepsOrder([second, first], second)).toHaveLength(1);
    expect(keepsOrder([{ ...first, state: 'accepted' }, second], second)).toEqual([]);
    expect(keepsOrder([{ ...first, session: 'other' }, second], second)).toEqual([]);
    expect(keptGoesFirst(second, [first])).toHaveLength(1);
    expect(keptGoesFirst(second, [])).toEqual([]);
  });

  test('C42: a stop that leaves before the send that it names', () => {
    const wish = stop('x', { message: 'a' });
    expect(stopFollowsSend([send('a', 1, { state: 'sent' }), wish], wish)).toHaveLength(1);
    expect(stopFollowsSend([send('a', 1, { state: 'accepted' }), wish], wish)).toEqual([]);
    expect(stopFollowsSend([send('b', 1), wish], wish)).toEqual([]);
  });

  test('I4: a stop takes back what never left, once, and nothing else', () => {
    const all = [
      send('a', 1, { state: 'sent' }),
      send('b', 2),
      send('c', 3),
      send('d', 4, { session: 'other' }),
    ];
    const wish = stop('x', { turn: 't' });
    expect(takenBackBy(wish, all, (id) => id === 'c').map((one) => one.id)).toEqual(['b']);
    expect(takenBackBy(wish, [...all, stop('y', { turn: 't' })], () => false)).toEqual([]);
    expect(takenBackBy(stop('x', { job: 'j' }), all, () => false)).toEqual([]);
  });

  test('I4, I9, C42: what is given back without a reason', () => {
    const back = send('a', 1, { state: 'refused', code: 'outbox.stopped' });
    expect(refusedForAReason(back, undefined, false, [])).toEqual([]);
    expect(refusedForAReason(back, undefined, true, [])).toHaveLength(1);
    const refused = send('a', 1, { state: 'refused', code: 'network' });
    expect(refusedForAReason(refused, sent({ isRefused: true }), true, [])).toEqual([]);
    expect(refusedForAReason(refused, sent(), true, [])).toHaveLength(1);
    const late = stop('x', { turn: 't' }, { state: 'refused', code: 'turn.over' });
    const facts = new Script().write(
      opened(),
      started('t'),
      { type: 'turn.stopping', turn: 't', stage: 'asked' },
      ended('t', 'cancelled'),
    );
    expect(refusedForAReason(late, sent({ isRefused: true }), true, facts)).toEqual([]);
    expect(refusedForAReason(late, sent({ isRefused: true, times: 2 }), true, facts)).toHaveLength(1);
  });

  test('I13: what was accepted and is gone before it is read', () => {
    const gone = send('a', 1, { state: 'accepted', cursor: 'e.5' });
    expect(shownUntilRead(gone, view(4))).toHaveLength(1);
    expect(shownUntilRead(gone, view(5))).toEqual([]);
    expect(shownUntilRead(gone, view(4, 'other'))).toEqual([]);
    expect(shownUntilRead(gone, undefined)).toEqual([]);
  });

  test('I9: a send that is still there when a fact with its message has come', () => {
    const facts = new Script().write(opened(), { ...started('t'), message: { id: 'a', content: [] } });
    const { epoch, session } = facts[0] as (typeof facts)[0];
    const entries = [send('a', 1, { session })];
    expect(factsEndSends(facts, view(2, epoch), entries)).toHaveLength(1);
    expect(factsEndSends(facts, view(1, epoch), entries)).toEqual([]);
    expect(factsEndSends(facts, view(2, epoch), [])).toEqual([]);
  });
});

describe('the checks of what a page hears can fail', () => {
  test('I13: a link that is live and hears nothing, or that tries for ever', () => {
    expect(liveIsHeard('live', 12_500, 5_000)).toEqual([]);
    expect(liveIsHeard('live', 12_501, 5_000)).toHaveLength(1);
    expect(liveIsHeard('stale', 20_000, 5_000)).toEqual([]);
    expect(nothingForEver('connecting', 10_001, 0, 5_000)).toHaveLength(1);
    expect(nothingForEver('stale', 12_501, 0, 5_000)).toHaveLength(1);
    expect(nothingForEver('reconnecting', 501, 0, 5_000)).toHaveLength(1);
    expect(nothingForEver('reconnecting', 1_000, 1, 5_000)).toEqual([]);
    expect(nothingForEver('live', 99_999, 0, 5_000)).toEqual([]);
  });

  test('I6, I8: facts that leave a gap, and those of a session that nobody follows', () => {
    const frame = { type: 'facts', session: 's', epoch: 'e', prev: 4, seq: 5, facts: [] } as const;
    expect(leavesNoGap(frame, view(4))).toEqual([]);
    expect(leavesNoGap(frame, view(3))).toHaveLength(1);
    expect(leavesNoGap(frame, view(3, 'other'))).toEqual([]);
    expect(isFollowed('facts', 's', true)).toEqual([]);
    expect(isFollowed('facts', 's', false)).toHaveLength(1);
  });

  test('I1, I3, C12: a session that is let go while it is needed, or before an older one', () => {
    const kept = (used: number, value: string, waiting = 0) => {
      const messages = Array.from({ length: waiting }, () => ({}));
      const context = { queue: { messages }, permissions: [], jobs: [], problem: null };
      const ref = { getSnapshot: () => ({ value, context }) };
      return { ref, kind: 'conversation', used, pinned: false } as unknown as Kept;
    };
    expect(goesUnmissed('s', kept(1, 'finalized'))).toEqual([]);
    expect(goesUnmissed('s', kept(1, 'streaming'))).toHaveLength(1);
    expect(goesUnmissed('s', kept(1, 'finalized', 1))).toHaveLength(1);
    expect(oldestGoes('s', kept(1, 'idle'), [kept(2, 'idle')])).toEqual([]);
    expect(oldestGoes('s', kept(2, 'idle'), [kept(1, 'idle')])).toHaveLength(1);
    expect(oldestGoes('s', kept(2, 'idle'), [kept(1, 'streaming')])).toEqual([]);
  });
});
