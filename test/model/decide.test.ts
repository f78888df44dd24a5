import { describe, expect, test } from 'vitest';
import { atRest, type Command, type Decision, decide, decideRetry } from '../../machines/decide.ts';
import { judge, type SessionMachineSnapshot } from '../../machines/law.ts';
import type { Draft } from '../../src/wire/facts.ts';
import { asks, ended, queued, say, started, text, tool } from '../support/facts.ts';
import { at, jobAt } from '../support/lawful.ts';

type Said = Command extends infer C ? (C extends Command ? Omit<C, 'id'> : never) : never;

/** What is decided on a command; whatever it writes is lawful there. */
function decided(snapshot: SessionMachineSnapshot, said: Said): Decision {
  const decision = decide(standing(snapshot), { id: 'x', ...said } as Command);
  if ('drafts' in decision) expect(judge(snapshot, decision.drafts, 1).lawful).toBe(true);
  return decision;
}
function standing({ value, context }: SessionMachineSnapshot) {
  return { state: typeof value === 'string' ? value : 'opening', context };
}

/** A refusal in words, which are not looked at. */
function refusal(status: number, code: string, extra?: Record<string, unknown>) {
  return { refused: { status, code, detail: expect.stringMatching(/^[A-Z].+\.$/), ...(extra && { extra }) } };
}
const nothing = { drafts: [], answer: {} };

const titled: Draft = { type: 'session.changed', title: 'Named' };
const held = (revision: number): Draft => ({ type: 'queue.held', reason: 'stopped', revision });
const limited = (revision: number, retry: string): Draft => ({
  type: 'queue.held',
  reason: 'limited',
  until: 9_000,
  retry,
  revision,
});
const released = (revision: number): Draft => ({ type: 'queue.released', revision });
const closed: Draft = { type: 'session.closed' };
const attached = (id: string): Draft => ({
  type: 'job.attached',
  job: id,
  request: { agent: 'a', cwd: '/w', message: say(id) },
});
const settled = (id: string) =>
  ({ type: 'job.settled', job: id, outcome: 'finalized', stopReason: 'end_turn' }) as const;
const own: Draft = { type: 'turn.started', turn: 'own', origin: 'agent', revision: 1 };

const running = at(titled, started('t1', 1));
const over = at(titled, started('t1', 1), ended('t1'));
const failed = at(titled, started('t1', 1), ended('t1', 'failed'));
const waiting = at(titled, started('t1', 1), queued('a', 2), queued('b', 3));
const heldWaiting = at(titled, started('t1', 1), queued('a', 2), queued('b', 3), held(4), ended('t1'));
const jobRuns = jobAt(titled, started('t1', 1));
const jobOver = jobAt(titled, started('t1', 1), ended('t1'));

const send: Said = { type: 'send', message: say('m'), delivery: 'steer', digest: 'd' };
const kept = (answer: object) => ({ id: 'm', digest: 'd', answer });
const start = (turn: string, revision: number): Draft => ({
  type: 'turn.started',
  turn,
  message: say('m'),
  origin: 'user',
  revision,
});

test('a turn runs in no other states than these', () => {
  const states = ['opening', 'idle', 'dispatching', 'streaming', 'cancelling', 'finalized', 'cancelled'];
  expect([...states, 'failed', 'closed'].filter(atRest)).toEqual([
    'idle',
    'finalized',
    'cancelled',
    'failed',
  ]);
});

describe('send', () => {
  const starts: readonly [string, SessionMachineSnapshot, readonly Draft[], string][] = [
    ['at rest', over, [start('t5', 2)], 't5'],
    ['in a session without a title, which it gets from it (C33)', at(), [], 't3'],
    ['over a hold of nothing', at(titled, held(1)), [released(2), start('t5', 3)], 't5'],
    ['by the user before a queue that is held (I3)', heldWaiting, [start('t8', 5)], 't8'],
  ];
  test.each(starts)('I1: starts a turn %s', (_, before, drafts, turn) => {
    const answer = { outcome: 'started', turn };
    const first: Draft = { type: 'session.changed', title: 'm' };
    const whole = drafts.length > 0 ? drafts : [first, start(turn, 1)];
    expect(decided(before, send)).toStrictEqual({ drafts: whole, answer, message: kept(answer) });
  });

  test('C33: the title of a message without text is a word of its own', () => {
    const message = { id: 'm', content: [] };
    expect(decided(at(), { ...send, message } as Said)).toMatchObject({
      drafts: [{ type: 'session.changed', title: 'Conversation' }, { type: 'turn.started' }],
    });
  });

  test.each([
    ['a turn that runs', running, 2],
    ['others that wait', waiting, 4],
    ['a queue that is about to go on', at(titled, queued('a', 1)), 2],
  ] as const)('I3: queues the message behind %s', (_, before, revision) => {
    const answer = { outcome: 'queued' };
    const drafts = [{ type: 'queue.added', message: say('m'), delivery: 'steer', revision }];
    expect(decided(before, send)).toStrictEqual({ drafts, answer, message: kept(answer) });
  });
});

test.each([
  ['with a title', over, [], 's.j5'],
  ['without one', at(), [{ type: 'session.changed', title: 'm' }], 's.j3'],
] as const)(
  'C10: background in a conversation %s attaches a job that is named by its place',
  (_, before, named, job) => {
    const request = { agent: 'b', cwd: '/v' };
    const answer = { outcome: 'job', job };
    expect(decided(before, { type: 'background', message: say('m'), digest: 'd', request })).toStrictEqual({
      drafts: [...named, { type: 'job.attached', job, request: { ...request, message: say('m') } }],
      answer,
      message: kept(answer),
    });
  },
);

describe('stop', () => {
  const stopping: Draft = { type: 'turn.stopping', turn: 't1', stage: 'asked' };

  test.each([
    ['turn', { turn: 't1' }],
    ['message', { message: 'm.t1' }],
  ])('C42, I4: is asked by the name of its %s, and holds the queue', (_, named) => {
    expect(decided(running, { type: 'stop', ...named })).toStrictEqual({
      drafts: [stopping, held(2)],
      answer: { state: 'cancelling', turn: 't1' },
    });
  });

  test('I12: withdraws the questions that are open', () => {
    const asking = at(titled, started('t1', 1), tool('t1', 'c'), asks('t1', 'q'));
    expect(decided(asking, { type: 'stop', turn: 't1' })).toStrictEqual({
      drafts: [
        stopping,
        {
          type: 'permission.withdrawn',
          turn: 't1',
          permission: 'q',
          reason: expect.stringMatching(/^[A-Z].+\.$/),
        },
        held(2),
      ],
      answer: { state: 'cancelling', turn: 't1' },
    });
  });

  test('C42: a second one tells the agent nothing', () => {
    const stopped = at(titled, started('t1', 1), stopping);
    const answer = { state: 'cancelling', turn: 't1' };
    expect(decided(stopped, { type: 'stop', turn: 't1' })).toStrictEqual({ drafts: [held(2)], answer });
    const quiet = at(titled, started('t1', 1), stopping, held(2));
    expect(decided(quiet, { type: 'stop', turn: 't1' })).toStrictEqual({ drafts: [], answer });
  });

  test('I4: of a message that waits holds the queue and stops nothing', () => {
    const answer = { state: 'dispatching', turn: 't1' };
    expect(decided(waiting, { type: 'stop', message: 'b' })).toStrictEqual({ drafts: [held(4)], answer });
    const still = { state: 'finalized' };
    expect(decided(heldWaiting, { type: 'stop', message: 'b' })).toStrictEqual({ drafts: [], answer: still });
  });

  test.each([
    ['turn', { turn: 't1' }],
    ['message', { message: 'm.t1' }],
  ])('I4: that comes too late for its %s holds the queue all the same', (_, named) => {
    const next = at(titled, started('t1', 1), ended('t1'), started('t2', 2));
    const answer = { state: 'dispatching', turn: 't2' };
    const queue = { revision: 2, held: true, messages: [] };
    const said = { drafts: [held(3)], answer, ...refusal(409, 'turn.over', { ...answer, queue }) };
    expect(decided(next, { type: 'stop', ...named })).toStrictEqual({
      ...said,
      refused: { ...said.refused, detail: expect.stringContaining('t2') },
    });
    const rest = { state: 'finalized' };
    expect(decided(over, { type: 'stop', ...named })).toStrictEqual({
      drafts: [held(2)],
      answer: rest,
      ...refusal(409, 'turn.over', { ...rest, queue: { revision: 1, held: true, messages: [] } }),
    });
  });

  test.each([{ turn: 'other' }, { message: 'other' }])('%j is not known, and nothing is held', (named) => {
    const unknown = refusal(404, 'turn.unknown', { state: 'dispatching', turn: 't1' });
    expect(decided(running, { type: 'stop', ...named })).toStrictEqual(unknown);
    expect(decided(over, { type: 'stop', ...named })).toStrictEqual(
      refusal(404, 'turn.unknown', { state: 'finalized' }),
    );
  });

  test('I4: names nothing of a turn that the agent began, unless it says so', () => {
    const begun = at(titled, own);
    const here = { state: standing(begun).state, turn: 'own' };
    expect(decided(begun, { type: 'stop', turn: 'other' })).toStrictEqual(refusal(404, 'turn.unknown', here));
    expect(decided(begun, { type: 'stop', message: 'm' })).toStrictEqual(refusal(404, 'turn.unknown', here));
    const gone = at(titled, own, ended('own'));
    const rest = refusal(404, 'turn.unknown', { state: 'finalized' });
    expect(decided(gone, { type: 'stop', turn: 'other' })).toStrictEqual(rest);
    expect(decided(gone, { type: 'stop', message: 'm' })).toStrictEqual(rest);
  });

  test('I4: takes back what was to be tried again at its time', () => {
    const later = at(titled, started('t1', 1), ended('t1', 'failed'), limited(2, 't1'));
    expect(decided(later, { type: 'stop', turn: 't1' })).toMatchObject({ drafts: [held(3)] });
  });

  test('of a job holds no queue: it has none', () => {
    expect(decided(jobRuns, { type: 'stop', turn: 't1' })).toMatchObject({ drafts: [stopping] });
  });
});

test('I3: resume lets a held queue go, and says so of one that is not held', () => {
  expect(decided(heldWaiting, { type: 'resume' })).toStrictEqual({ drafts: [released(5)], answer: {} });
  expect(decided(waiting, { type: 'resume' })).toStrictEqual({
    drafts: [],
    answer: { queue: waiting.context.queue },
  });
});

describe('retry', () => {
  const retried = (turn: string, revision: number): Draft => ({
    type: 'turn.started',
    turn,
    message: { ...say('m.t1'), id: `m.t1~${turn}` },
    origin: 'user',
    retryOf: 't1',
    revision,
  });

  test('I1, I3: is a turn of its own, under a name of its own', () => {
    expect(decided(over, { type: 'retry', turn: 't1' })).toStrictEqual({
      drafts: [retried('t5', 2)],
      answer: { turn: 't5' },
    });
  });

  test('I3: lets go a hold of nothing, and leaves one of messages', () => {
    const empty = at(titled, started('t1', 1), ended('t1', 'failed'), held(2));
    const drafts = [released(3), retried('t7', 4)];
    expect(decided(empty, { type: 'retry', turn: 't1' })).toStrictEqual({ drafts, answer: { turn: 't7' } });
    expect(decided(heldWaiting, { type: 'retry', turn: 't1' })).toStrictEqual({
      drafts: [retried('t8', 5)],
      answer: { turn: 't8' },
    });
  });

  test('a long name is cut, so that it stays a name', () => {
    const long = at(titled, started('t1', 1, say('m'.repeat(200))), ended('t1'));
    const decision = decided(long, { type: 'retry', turn: 't1' });
    expect(decision).toMatchObject({ drafts: [{ message: { id: `${'m'.repeat(180)}~t5` } }] });
  });

  test.each([
    ['while a turn runs', running, 't1', 'turn.running', { state: 'dispatching', turn: 't1' }],
    ['of nothing', at(), 't1', 'turn.not_last', { state: 'idle', last: undefined }],
    ['of an earlier turn', over, 't0', 'turn.not_last', { state: 'finalized', last: 't1' }],
    [
      'of a turn that the agent began',
      at(titled, own, ended('own')),
      'own',
      'turn.not_last',
      { state: 'finalized', last: 'own' },
    ],
    [
      'of one whose queue goes on',
      at(titled, started('t1', 1), queued('a', 2), ended('t1')),
      't1',
      'queue.waiting',
      { state: 'finalized' },
    ],
  ] as const)('I1: is refused %s', (_, before, turn, code, extra) => {
    expect(decided(before, { type: 'retry', turn })).toStrictEqual(refusal(409, code, extra));
  });

  test('is kept for its time, and taken back', () => {
    expect(decided(failed, { type: 'retry', turn: 't1', at: 9_000 })).toStrictEqual({
      drafts: [limited(2, 't1')],
      answer: { until: 9_000 },
    });
    const later = at(titled, started('t1', 1), ended('t1', 'failed'), limited(2, 't1'));
    const back = { type: 'queue.held', reason: 'failed', revision: 3 };
    expect(decided(later, { type: 'retry', turn: 't1', at: null })).toStrictEqual({
      drafts: [back],
      answer: {},
    });
    expect(decided(later, { type: 'retry', turn: 't0', at: null })).toStrictEqual(nothing);
    expect(decided(failed, { type: 'retry', turn: 't1', at: null })).toStrictEqual(nothing);
  });

  test('I3: at its time it goes before those that wait, and they follow', () => {
    const later = at(titled, started('t1', 1), ended('t1', 'failed'), limited(2, 't1'));
    expect(decideRetry(standing(later))).toStrictEqual([released(3), retried('t7', 4)]);
    const wait = at(titled, started('t1', 1), queued('a', 2), ended('t1', 'failed'), limited(3, 't1'));
    expect(decideRetry(standing(wait))).toStrictEqual([retried('t7', 4), released(5)]);
    expect(judge(wait, decideRetry(standing(wait)), 1).lawful).toBe(true);
  });

  test('I1: at its time it does nothing if it is not wanted any more, or another turn came', () => {
    const later = at(titled, started('t1', 1), ended('t1', 'failed'), limited(2, 't1'));
    const { state, context } = standing(later);
    expect(decideRetry({ state: 'streaming', context })).toEqual([]);
    expect(decideRetry(standing(failed))).toEqual([]);
    expect(decideRetry(standing(at()))).toEqual([]);
    const retry = (turn: string) => ({ ...context, queue: { ...context.queue, retry: turn } });
    expect(decideRetry({ state, context: retry('t0') })).toEqual([]);
    expect(decideRetry({ state, context: { ...retry('t1'), turns: [] } })).toEqual([]);
    const begun = at(titled, own, ended('own')).context;
    expect(decideRetry({ state, context: { ...begun, queue: retry('own').queue } })).toEqual([]);
  });
});

describe('a change of the queue', () => {
  const content = [{ type: 'text', text: 'new' }] as const;
  const edit = (revision: number, message = 'a'): Said =>
    ({ type: 'editQueue', edit: { revision, edit: { message, content } } }) as never;
  const move = (to: number, message = 'a'): Said =>
    ({ type: 'editQueue', edit: { revision: 3, move: { message, to } } }) as never;
  const remove = (message = 'a'): Said =>
    ({ type: 'editQueue', edit: { revision: 3, remove: { message } } }) as never;
  const { queue } = waiting.context;

  test('D2: is refused on another revision than the one that was seen', () => {
    for (const revision of [2, 4])
      expect(decided(waiting, edit(revision))).toStrictEqual(refusal(409, 'queue.stale', { queue }));
  });

  test('D2: is refused for a message that is gone', () => {
    for (const said of [edit(3, 'z'), move(0, 'z'), remove('z')])
      expect(decided(waiting, said)).toStrictEqual(refusal(409, 'queue.gone', { queue }));
  });

  test('I3: of its words holds it until it is resumed', () => {
    const edited = { type: 'queue.edited', message: { id: 'a', content } };
    const hold = { type: 'queue.held', reason: 'edited' };
    expect(decided(waiting, edit(3))).toStrictEqual({
      drafts: [
        { ...edited, revision: 4 },
        { ...hold, revision: 5 },
      ],
      answer: {},
    });
    expect(decided(heldWaiting, edit(4))).toStrictEqual({
      drafts: [{ ...edited, revision: 5 }],
      answer: {},
    });
    const later = at(titled, started('t1', 1), queued('a', 2), ended('t1', 'failed'), limited(3, 't1'));
    expect(decided(later, edit(3))).toStrictEqual({
      drafts: [
        { ...edited, revision: 4 },
        { ...hold, revision: 5 },
      ],
      answer: {},
    });
  });

  test('of its order stays inside of it', () => {
    const moved = { type: 'queue.moved', message: 'a', to: 1, revision: 4 };
    expect(decided(waiting, move(1))).toStrictEqual({ drafts: [moved], answer: {} });
    expect(decided(waiting, move(2))).toStrictEqual({
      refused: { ...refusal(409, 'queue.no_place', { queue }).refused, detail: 'The queue has 2 places.' },
    });
  });

  test('takes a message out', () => {
    const removed = { type: 'queue.removed', message: 'a', revision: 4 };
    expect(decided(waiting, remove())).toStrictEqual({ drafts: [removed], answer: {} });
  });
});

test.each([
  [{ title: 'T' }, { title: 'T', by: 'user' }],
  [{ model: 'M' }, { model: 'M' }],
  [{ mode: 'O' }, { mode: 'O' }],
])('%j is changed, and nothing else', (change, draft) => {
  expect(decided(over, { type: 'change', ...change })).toStrictEqual({
    drafts: [{ type: 'session.changed', ...draft }],
    answer: {},
  });
});

test('C10: the end of a job is written once, for a job that is ours', () => {
  const before = at(titled, attached('j1'), attached('j2'), settled('j1'));
  const settle = (id: string): Said => ({ type: 'settleJob', draft: settled(id) });
  expect(decided(before, settle('j2'))).toStrictEqual({ drafts: [settled('j2')], answer: {} });
  expect(decided(before, settle('j1'))).toStrictEqual(nothing);
  expect(decided(before, settle('j3'))).toStrictEqual(nothing);
});

describe('what is over or cannot be', () => {
  const settle: Said = { type: 'settleJob', draft: settled('j') };
  const retry: Said = { type: 'retry', turn: 't1' };

  test('a conversation is closed at rest, and not while a turn runs', () => {
    expect(decided(over, { type: 'close' })).toStrictEqual({ drafts: [closed], answer: {} });
    expect(decided(running, { type: 'close' })).toStrictEqual(refusal(409, 'session.busy', { turn: 't1' }));
    const { context } = at();
    expect(decide({ state: 'opening', context }, { id: 'x', type: 'close' })).toStrictEqual(
      refusal(409, 'session.busy', { turn: undefined }),
    );
  });

  test('a closed conversation takes nothing; closing it again and ends of jobs are no errors', () => {
    const after = at(titled, started('t1', 1), ended('t1'), closed);
    expect(decided(after, { type: 'close' })).toStrictEqual(nothing);
    expect(decided(after, settle)).toStrictEqual(nothing);
    for (const said of [send, retry, { type: 'stop', turn: 't1' } as const])
      expect(decided(after, said)).toStrictEqual(refusal(409, 'session.closed'));
  });

  test('C10: a job that is over takes nothing but what asks for nothing', () => {
    expect(decided(jobOver, { type: 'close' })).toStrictEqual(nothing);
    expect(decided(jobOver, settle)).toStrictEqual(nothing);
    for (const said of [send, retry]) expect(decided(jobOver, said)).toStrictEqual(refusal(409, 'job.over'));
    expect(decided(jobOver, { type: 'stop', turn: 't1' })).toMatchObject({ refused: { code: 'turn.over' } });
    expect(decided(jobOver, { type: 'answer', permission: 'q', option: 'yes' })).toMatchObject({
      refused: { code: 'permission.unknown' },
    });
  });

  test('a job takes one message', () => {
    expect(decided(jobAt(titled), send)).toMatchObject({ answer: { outcome: 'started' } });
    expect(decided(jobRuns, send)).toStrictEqual(refusal(409, 'job.busy'));
  });

  test('a job that never began has nothing to close; one that runs is stopped first', () => {
    expect(decided(jobAt(), { type: 'close' })).toStrictEqual(nothing);
    expect(decided(jobRuns, { type: 'close' })).toStrictEqual(refusal(409, 'session.busy', { turn: 't1' }));
    expect(decided(jobAt(), { type: 'change', model: 'M' })).toMatchObject({ drafts: [{ model: 'M' }] });
  });
});

describe('an answer to a question', () => {
  const asking = at(titled, started('t1', 1), asks('t1', 'q'));
  const yes: Said = { type: 'answer', permission: 'q', option: 'yes' };
  const form = {
    properties: { name: { type: 'string' } },
    required: ['name'],
  } as const;
  const filling = at(titled, started('t1', 1), { ...asks('t1', 'q'), form });
  const answered = { type: 'permission.answered', turn: 't1', permission: 'q', option: 'yes' } as const;

  test('C24: is written as it was given', () => {
    expect(decided(asking, yes)).toStrictEqual({ drafts: [answered], answer: {} });
    const content = { name: 'n' };
    expect(decided(filling, { ...yes, content } as Said)).toStrictEqual({
      drafts: [{ ...answered, content }],
      answer: {},
    });
    expect(decided(filling, { ...yes, option: 'no' } as Said)).toStrictEqual({
      drafts: [{ ...answered, option: 'no' }],
      answer: {},
    });
  });

  test('C24: is one of its options, with values that were asked for', () => {
    expect(decided(asking, { ...yes, option: 'maybe' } as Said)).toStrictEqual({
      refused: { status: 400, code: 'permission.no_option', detail: 'Choose one of: yes, no.' },
    });
    const content = { name: 'n' };
    expect(decided(asking, { ...yes, content } as Said)).toStrictEqual(refusal(400, 'permission.no_form'));
    expect(decided(filling, { ...yes, option: 'no', content } as Said)).toStrictEqual(
      refusal(400, 'permission.no_form'),
    );
    expect(decided(filling, yes)).toStrictEqual({
      refused: {
        status: 400,
        code: 'permission.wrong_content',
        detail: expect.stringMatching(/^name: .+/),
        extra: { fields: { name: expect.stringMatching(/./) } },
      },
    });
  });

  const given: Draft = answered;
  const gone: Draft = { type: 'permission.withdrawn', turn: 't1', permission: 'q', reason: 'Late.' };
  test.each([
    ['given', given, 'Already answered: yes.', { answered: 'yes' }],
    ['withdrawn', gone, 'Withdrawn: Late.', { withdrawn: 'Late.' }],
  ] as const)('C24: the first one wins: it was %s', (_, first, detail, extra) => {
    const settledQ = [titled, started('t1', 1), text('t1', 0, 'a'), asks('t1', 'q'), first];
    const refused = { status: 409, code: 'permission.settled', detail, extra };
    expect(decided(at(...settledQ), yes)).toStrictEqual({ refused });
    expect(decided(at(...settledQ, ended('t1'), started('t2', 2)), yes)).toStrictEqual({ refused });
  });

  test('C24: each value that does not fit is named', () => {
    const two = {
      properties: { ...form.properties, age: { type: 'number' } },
      required: ['name', 'age'],
    } as const;
    const before = at(titled, started('t1', 1), { ...asks('t1', 'q'), form: two });
    expect(decided(before, yes)).toMatchObject({
      refused: { detail: expect.stringMatching(/^name: .+\. age: .+\.$/) },
    });
  });

  test('C24: a tool that has the name of a question is no question', () => {
    const before = at(titled, started('t1', 1), tool('t1', 'q'), asks('t1', 'q'), given);
    expect(decided(before, yes)).toMatchObject({ refused: { code: 'permission.settled' } });
  });

  test('is refused for what was never asked, also where a tool has that name', () => {
    const named = at(titled, started('t1', 1), tool('t1', 'q'));
    for (const before of [named, over])
      expect(decided(before, yes)).toStrictEqual(refusal(404, 'permission.unknown'));
    expect(decided(asking, { ...yes, permission: 'z' } as Said)).toStrictEqual(
      refusal(404, 'permission.unknown'),
    );
  });
});
