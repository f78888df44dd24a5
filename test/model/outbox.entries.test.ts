import { describe, expect, it } from 'vitest';
import {
  type Ask,
  accepted,
  ask,
  deliver,
  type Entries,
  type Entry,
  failed,
  heard,
  type Problem,
  restored,
  type StopTarget,
  seen,
} from '../../machines/outbox.entries.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { ended, queued, say, started, text } from '../support/facts.ts';

/** What becomes of the entries, as plain functions: one rule at a time. */
const send = (id: string, at = 1, session = 's'): Ask => ({
  id,
  session,
  at,
  kind: 'send',
  body: { content: [{ type: 'text', text: id }], delivery: 'queue' },
});
const stop = (message: string): Ask => ({
  id: `stop-${message}`,
  session: 's',
  at: 9,
  kind: 'stop',
  body: { message },
});
const all = (...asks: readonly Ask[]): Entries => asks.reduce<Entries>(ask, []);
const states = (entries: Entries) => entries.map(({ id, state, attempts }) => [id, state, attempts]);

describe('the entries of the outbox', () => {
  it('hold a message once, however often it is asked, also while and after it is sent (I9)', () => {
    const once = all(send('m1'));
    expect(ask(once, send('m1'))).toBe(once);
    const sent = deliver(once);
    expect(ask(sent, send('m1'))).toBe(sent);
    expect(states(sent)).toEqual([['m1', 'sent', 1]]);
  });

  it('send one message of a session at a time, and those of other sessions beside it (I3)', () => {
    const sent = deliver(all(send('m1'), send('m2'), send('n1', 1, 'other')));
    expect(states(sent)).toEqual([
      ['m1', 'sent', 1],
      ['m2', 'waiting', 0],
      ['n1', 'sent', 1],
    ]);
  });

  it('take from what was kept only what they do not have: another page may have taken it over (I9)', () => {
    const mine = deliver(all(send('m1', 1)));
    const after = restored(mine, all(send('m1', 1), send('m0', 0)));
    expect(states(after)).toEqual([
      ['m0', 'waiting', 1],
      ['m1', 'sent', 1],
    ]);
    expect(restored(mine, all(send('m1', 1)))).toBe(mine);
  });

  it('count what was kept as sent once, so that a stop does not take back what may have arrived (I4, I9)', () => {
    const [fresh, kept] = [all(send('m1')), restored([], all(send('m1')))];
    expect(states(ask(fresh, stop('m1')))).toEqual([['m1', 'refused', 0]]);
    expect(states(ask(kept, stop('m1')))).toEqual([
      ['m1', 'waiting', 1],
      ['stop-m1', 'waiting', 0],
    ]);
  });
});

const stopOf = (body: StopTarget, session = 's'): Ask => ({
  id: `stop-${JSON.stringify(body)}-${session}`,
  session,
  at: 9,
  kind: 'stop',
  body,
});
const answer = (permission: string, option = 'yes', id = `answer-${permission}`): Ask => ({
  id,
  session: 's',
  at: 9,
  kind: 'answer',
  body: { permission, option },
});
const no: Problem = { status: 409, code: 'x', detail: 'No.' };
/** In so many milliseconds for each attempt. */
const later = (attempts: number) => attempts * 5;
const refuse = (entries: Entries, id: string) => failed(entries, id, no, later);
const ids = (entries: Entries) => entries.map(({ id }) => id);

describe('a wish that is there already', () => {
  const pairs: readonly [string, Ask, Ask, boolean][] = [
    ['an answer to the same question', answer('q'), answer('q', 'no', 'other'), true],
    ['an answer to another question', answer('q'), answer('r'), false],
    ['a stop of the same turn', stopOf({ turn: 't' }), { ...stopOf({ turn: 't' }), id: 'other' }, true],
    ['a stop of the same message', stop('m1'), { ...stop('m1'), id: 'other' }, true],
    ['a stop of the same job', stopOf({ job: 'j' }), { ...stopOf({ job: 'j' }), id: 'other' }, true],
    ['a stop of another turn', stopOf({ turn: 't' }), stopOf({ turn: 'u' }), false],
    [
      'a stop of a message that has the name of a turn',
      stopOf({ turn: 't' }),
      stopOf({ message: 't' }),
      false,
    ],
    ['a stop of a job that has the name of a turn', stopOf({ turn: 't' }), stopOf({ job: 't' }), false],
    ['a stop of a job that has the name of a message', stopOf({ message: 't' }), stopOf({ job: 't' }), false],
    ['a stop of another job', stopOf({ job: 't' }), stopOf({ job: 'u' }), false],
    ['a stop in another session', stopOf({ turn: 't' }), stopOf({ turn: 't' }, 'other'), false],
    ['an answer beside a stop', stopOf({ turn: 't' }), answer('t'), false],
    ['a stop beside an answer', answer('t'), stopOf({ turn: 't' }), false],
    ['another message', send('m1'), send('m2'), false],
  ];
  it.each(pairs)('is told from %s', (_, first, second, same) => {
    const before = all(first);
    const after = ask(before, second);
    expect(same ? after === before : after.length === 2).toBe(true);
  });

  it('takes the place of one that was refused; a refused message stays beside the new one', () => {
    expect(ids(ask(refuse(deliver(all(answer('q'))), 'answer-q'), answer('q', 'no', 'again')))).toEqual([
      'again',
    ]);
    expect(ids(ask(refuse(deliver(all(send('m1'))), 'm1'), send('m2')))).toEqual(['m1', 'm2']);
    const refused = refuse(deliver(all(answer('q'))), 'answer-q');
    expect(ask(refused, answer('q'))).toBe(refused);
  });

  it('is new as it was asked, and not yet sent', () => {
    expect(all(send('m1'))).toStrictEqual([{ ...send('m1'), state: 'waiting', attempts: 0, nextAt: null }]);
  });
});

describe('I4: a stop takes back what never left', () => {
  const background: Ask = { ...send('m1'), body: { content: [], delivery: 'background' } } as Ask;

  it('with a reason, and needs no request if it was for that', () => {
    const taken = ask(all(send('m1')), stop('m1'));
    expect(taken).toMatchObject([
      { id: 'm1', state: 'refused', code: 'outbox.stopped', reason: expect.stringMatching(/./) },
    ]);
    expect(taken).toHaveLength(1);
    expect(ids(ask(all(send('m1')), stop('m2')))).toEqual(['m1', 'stop-m2']);
    expect(states(ask(all(send('m1')), stopOf({ turn: 't' })))[0]).toEqual(['m1', 'refused', 0]);
  });

  const stays: readonly [string, Entries, Ask][] = [
    ['a message that was sent', deliver(all(send('m1'))), stop('m1')],
    [
      'a message that waits to be sent again',
      failed(deliver(all(send('m1'))), 'm1', undefined, later),
      stop('m1'),
    ],
    ['a message of another session', all(send('m1', 1, 'other')), stop('m2')],
    ['a message that becomes a job', all(background), stop('m2')],
    ['an answer', all(answer('q')), stop('m2')],
    ['a message, if a job is stopped', all(send('m1')), stopOf({ job: 'j' })],
  ];
  it.each(stays)('and not %s', (_, before, wish) => {
    const after = ask(before, wish);
    expect(after[0]).toBe(before[0]);
    expect(after).toHaveLength(2);
  });
});

describe('what may go', () => {
  it('is all that waits for nothing; nothing is nothing new', () => {
    const wishes = all(send('m1'), stopOf({ turn: 't' }), answer('q'), stopOf({ job: 'j' }));
    expect(deliver(wishes).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['refused', 0],
      ['sent', 1],
      ['sent', 1],
      ['sent', 1],
    ]);
    const sent = deliver(wishes);
    expect(deliver(sent)).toBe(sent);
  });

  it('C42: a stop waits for the answer to its message, and for no other', () => {
    const sent = deliver(all(send('m1'), send('m2')));
    const after = deliver(ask(ask(sent, stop('m1')), stopOf({ message: 'm9' })));
    expect(after.map(({ state }) => state)).toEqual(['sent', 'refused', 'waiting', 'sent']);
    expect(deliver(accepted(after, 'm1', 'e.3')).map(({ state }) => state)).toEqual([
      'accepted',
      'refused',
      'sent',
      'sent',
    ]);
  });

  it('is a message too, whatever else of its session is out', () => {
    expect(deliver(all(answer('q'), send('m1'))).map(({ state }) => state)).toEqual(['sent', 'sent']);
  });

  it('I3: the next message goes when the one before it is answered, and not before its time', () => {
    const one = deliver(all(send('m1'), send('m2')));
    const again = failed(one, 'm1', { status: 503, code: '', detail: '' }, later);
    expect(again[0]).toStrictEqual({ ...one[0], state: 'waiting', nextAt: 5 });
    expect(deliver(again)).toBe(again);
    expect(deliver(accepted(one, 'm1', undefined)).map(({ state }) => state)).toEqual(['accepted', 'sent']);
    expect(deliver(refuse(one, 'm1')).map(({ state }) => state)).toEqual(['refused', 'sent']);
  });
});

describe('an answer of the gateway', () => {
  const sent = deliver(all(send('m1'), answer('q')));

  it('that it is taken ends the attempts; where to look for it is kept', () => {
    expect(accepted(sent, 'm1', 'e.3')).toStrictEqual([
      { ...sent[0], state: 'accepted', nextAt: null, cursor: 'e.3' },
      sent[1],
    ]);
    expect(accepted(sent, 'm1', undefined)[0]).toStrictEqual({ ...sent[0], state: 'accepted', nextAt: null });
  });

  it.each([undefined, 502, 503, 504])('%s is no answer: it is asked again', (status) => {
    expect(failed(sent, 'm1', status === undefined ? undefined : { ...no, status }, later)).toStrictEqual([
      { ...sent[0], state: 'waiting', nextAt: 5 },
      sent[1],
    ]);
  });

  it.each([400, 404, 409, 500])('%s goes back to the user, with a reason', (status) => {
    const refused = { ...sent[0], state: 'refused', nextAt: null, code: 'x', reason: 'No.' };
    expect(failed(sent, 'm1', { ...no, status }, later)).toStrictEqual([refused, sent[1]]);
    expect(failed(sent, 'other', no, later)).toBe(sent);
  });

  it('C42: that a message is refused ends the stop of it, and no other', () => {
    const stops = [stop('m1'), stopOf({ message: 'm9' }), stopOf({ turn: 'm1' })];
    const entries = stops.reduce<Entries>(ask, sent);
    expect(ids(refuse(entries, 'm1'))).toEqual(['m1', 'answer-q', ...stops.slice(1).map(({ id }) => id)]);
    expect(refuse(entries, 'm1').length).toBe(entries.length - 1);
  });

  it('C42: that the turn is over is what a stop asked for, if an attempt before may have arrived', () => {
    const over = { ...no, code: 'turn.over' };
    const once = deliver(all(stopOf({ turn: 't' })));
    const { id } = once[0] as Entry;
    expect(failed(once, id, over, later)).toMatchObject([{ state: 'refused' }]);
    const twice = [{ ...once[0], attempts: 2 }] as Entries;
    expect(failed(twice, id, over, later)).toEqual([]);
    expect(failed(twice, id, no, later)).toMatchObject([{ state: 'refused' }]);
  });

  it('C24: that the question was answered so is what was asked for', () => {
    expect(ids(failed(sent, 'answer-q', { ...no, answered: 'yes' }, later))).toEqual(['m1']);
    expect(failed(sent, 'answer-q', { ...no, answered: 'no' }, later)[1]).toMatchObject({ state: 'refused' });
    const twice = [{ ...sent[0], attempts: 2 }] as Entries;
    expect(failed(twice, 'm1', { ...no, code: 'turn.over' }, later)).toMatchObject([{ state: 'refused' }]);
  });
});

describe('a committed fact ends what it proves', () => {
  const fact = (draft: Draft, session = 's') =>
    ({ ...draft, v: 1, session, epoch: 'e', seq: 5, at: 1 }) as Fact;
  const request = { agent: 'a', cwd: '/w', message: say('m1') };
  const proofs: readonly Draft[] = [
    queued('m1', 1),
    { type: 'queue.edited', message: say('m1'), revision: 1 },
    started('t', 1, say('m1')),
    { type: 'turn.steered', turn: 't', message: say('m1'), confirmed: true, revision: 1 },
    { type: 'queue.removed', message: 'm1', revision: 1 },
    { type: 'job.attached', job: 'j', request },
  ];
  it.each(proofs)('I9: $type that a message is there', (draft) => {
    const before = all(send('m1'), send('m2'));
    expect(ids(heard(before, fact(draft)))).toEqual(['m2']);
    expect(heard(before, fact(draft, 'other'))).toBe(before);
    const beside = all(send('m1', 1, 'other'), send('m2'));
    expect(heard(beside, fact(draft))).toBe(beside);
  });

  it('and nothing else does', () => {
    const before = all(send('m1'), stopOf({ turn: 't' }), answer('q'));
    for (const draft of [text('t', 0, 'a'), started('t', 1), { type: 'turn.accepted', turn: 't' } as const])
      expect(heard(before, fact(draft))).toBe(before);
    const begun = fact({ type: 'turn.started', turn: 't', origin: 'agent', revision: 1 });
    expect(heard(before, begun)).toBe(before);
  });

  const stopping: Draft = { type: 'turn.stopping', turn: 't', stage: 'asked' };
  it.each([stopping, ended('t')])(
    'C42: $type that a turn, or the job of the session, is stopped',
    (draft) => {
      const wishes = all(stopOf({ turn: 't' }), stopOf({ turn: 'u' }), stopOf({ job: 's' }), stop('m1'));
      expect(ids(heard(wishes, fact(draft)))).toEqual(ids([wishes[1], wishes[3]] as Entries));
    },
  );

  it('C42: the start of a message says which turn a stop of it means', () => {
    const sent = deliver(all(send('m1'), stopOf({ turn: 'x' }), answer('q')));
    const wishes = [...sent, ...all(stop('m1'), stop('m9'))];
    const learnt = heard(wishes, fact(started('t', 1, say('m1'))));
    expect(learnt.map(({ turn }) => turn)).toEqual([undefined, undefined, 't', undefined]);
    expect(ids(heard(learnt, fact(ended('t'))))).not.toContain('stop-m1');
    expect(ids(heard(learnt, fact(ended('u'))))).toContain('stop-m1');
    const two = all(stop('m1'), stop('m9'));
    expect(heard(two, fact(started('t', 1, say('m1'))))).toStrictEqual([{ ...two[0], turn: 't' }, two[1]]);
    const other = all(stop('m1'));
    expect(heard(other, fact(queued('m1', 1)))).toBe(other);
  });

  it('C24: a question is settled, by whomever', () => {
    const wishes = all(answer('q'), answer('r'));
    const answered: Draft = { type: 'permission.answered', turn: 't', permission: 'q', option: 'no' };
    const withdrawn: Draft = { type: 'permission.withdrawn', turn: 't', permission: 'q', reason: '' };
    const asked: Draft = { type: 'permission.asked', turn: 't', permission: 'q', title: '', options: [] };
    for (const draft of [answered, withdrawn]) expect(ids(heard(wishes, fact(draft)))).toEqual(['answer-r']);
    expect(heard(wishes, fact(asked))).toBe(wishes);
  });
});

describe('what has been read of the log', () => {
  const taken = (cursor: string | undefined) => accepted(deliver(all(send('m1'))), 'm1', cursor);

  it.each([
    ['e.4', 'e.5', 1],
    ['e.5', 'e.5', 0],
    ['e.6', 'e.5', 0],
    ['f.4', 'e.5', 0],
    [undefined, 'e.5', 0],
    ['e.4', undefined, 0],
    ['e.4', 'nonsense', 0],
    ['nonsense', 'e.5', 0],
  ])('up to %s, of an answer at %s, leaves %i entries', (read, cursor, left) => {
    expect(seen(taken(cursor), 's', read, [])).toHaveLength(left);
  });

  it('I9: what is in it is done, in whatever state; other entries stay', () => {
    const wishes = [...all(send('m1'), send('m2'), send('n1', 1, 'other'), answer('q'), stop('m7'))];
    const before = restored([], wishes);
    expect(ids(seen(before, 's', undefined, ['m1', 'n1', 'answer-q']))).toEqual(
      ids(before).filter((id) => id !== 'm1'),
    );
    expect(seen(before, 's', 'e.9', [])).toBe(before);
    const elsewhere = taken('e.1');
    expect(seen(elsewhere, 'other', 'e.9', ['m1'])).toBe(elsewhere);
  });
});

describe('what was kept over a reload', () => {
  it('waits anew; what was taken is read in the log, what was refused stays so', () => {
    const sent = deliver(all(send('m1', 3), send('m2', 2, 'other')));
    const kept: Entries = [
      ...accepted(sent, 'm1', 'e.1'),
      ...refuse(deliver(all(send('m3', 1))), 'm3'),
      { ...(all(send('m4', 4))[0] as Entry), attempts: 3, nextAt: 7 },
    ];
    const [third, fourth] = [kept[2], kept[3]];
    expect(restored([], kept)).toStrictEqual([
      third,
      { ...kept[1], state: 'waiting', nextAt: null, attempts: 1 },
      { ...fourth, nextAt: null },
    ]);
  });
});
