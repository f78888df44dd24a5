import { describe, expect, it } from 'vitest';
import { accepts, type SessionMachineSnapshot } from '../../machines/law.ts';
import { isGap, isLawful } from '../../machines/session.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { asks, ended, queued, say, started, text, tool, toolDone } from '../support/facts.ts';
import { at } from '../support/lawful.ts';

const next = (snapshot: SessionMachineSnapshot, draft: Draft, more: Partial<Fact> = {}) =>
  ({
    ...draft,
    v: 1,
    session: 's',
    epoch: 'e',
    seq: snapshot.context.seq + 1,
    at: 2_000,
    ...more,
  }) as Fact;
const takes = (snapshot: SessionMachineSnapshot, draft: Draft) => accepts(snapshot, next(snapshot, draft));
const job = (id: string): Draft => ({
  type: 'job.attached',
  job: id,
  request: { agent: 'a', cwd: '/w', message: say(id) },
});
const settled = (id: string): Draft => ({
  type: 'job.settled',
  job: id,
  outcome: 'finalized',
  stopReason: 'end_turn',
});
const stopping = (stage: 'asked' | 'terminated' | 'killed'): Draft => ({
  type: 'turn.stopping',
  turn: 't1',
  stage,
});
const held = (revision: number): Draft => ({ type: 'queue.held', reason: 'stopped', revision });
const steered = (id: string, revision: number): Draft => ({
  type: 'turn.steered',
  turn: 't1',
  message: say(id),
  confirmed: true,
  revision,
});

describe('what the law refuses, one thing wrong at a time', () => {
  const running = at(started('t1', 1));

  it('I6, I8: a fact that is not the very next one of this log', () => {
    const right = next(running, text('t1', 0, 'a'));
    expect(isLawful(running.context, right)).toBe(true);
    for (const wrong of [
      { seq: right.seq + 1 },
      { seq: right.seq - 1 },
      { epoch: 'f' },
      { session: 'other' },
    ])
      expect(isLawful(running.context, { ...right, ...wrong } as Fact), JSON.stringify(wrong)).toBe(false);
    expect(isGap(running.context, { ...right, epoch: 'f', seq: 1 } as Fact)).toBe(true);
    expect(isGap(running.context, { ...right, session: 'other', seq: 99 } as Fact)).toBe(false);
  });

  it('I6: a fact after one that is missing, although the machine has a way for it: to read again', () => {
    const right = next(running, text('t1', 0, 'a'));
    for (const wrong of [{ seq: right.seq + 1 }, { epoch: 'f' }, { session: 'other' }]) {
      const fact = { ...right, ...wrong } as Fact;
      expect([accepts(running, right), accepts(running, fact)], JSON.stringify(wrong)).toEqual([true, false]);
    }
  });

  it('I9: a message that is in the queue already', () => {
    const waiting = at(started('t1', 1), queued('m1', 2));
    expect(takes(waiting, queued('m2', 3))).toBe(true);
    expect(takes(waiting, queued('m1', 3))).toBe(false);
  });

  it('D2: a queue that does not go on by one revision', () => {
    expect([1, 2, 3].map((revision) => takes(running, queued('m1', revision)))).toEqual([false, true, false]);
  });

  it('I3: a start out of turn', () => {
    const two = [queued('m1', 1), queued('m2', 2)];
    const fromQueue = (id: string) => started('t9', 3, say(id));
    expect(['m1', 'm2', 'other'].map((id) => takes(at(...two), fromQueue(id)))).toEqual([true, false, false]);
    const still = at(...two, held(3));
    expect(['m1', 'm2', 'other'].map((id) => takes(still, started('t9', 4, say(id))))).toEqual([
      false,
      false,
      true,
    ]);
    expect(takes(running, started('t9', 2))).toBe(false);
  });

  it("I3: anything but the user's own start after a stop or a failure", () => {
    for (const outcome of ['cancelled', 'failed', 'interrupted'] as const) {
      const over = at(started('t1', 1), queued('m1', 2), ended('t1', outcome));
      expect(takes(over, started('t9', 3, say('m1'))), outcome).toBe(false);
      expect(takes(over, { type: 'turn.started', turn: 't9', origin: 'agent', revision: 3 }), outcome).toBe(
        false,
      );
    }
    const still = at(started('t1', 1), queued('m1', 2), ended('t1', 'failed'), held(3));
    expect(['m1', 'mine'].map((id) => takes(still, started('t9', 4, say(id))))).toEqual([false, true]);
    const good = at(started('t1', 1), queued('m1', 2), ended('t1'));
    expect(takes(good, started('t9', 3, say('m1')))).toBe(true);
  });

  it('A1, A8: a turn of an earlier session of the agent’s, once there is one of ours', () => {
    const imported = (turn: string, revision: number): Draft => ({
      ...started(turn, revision),
      imported: true,
    });
    const fresh = at(imported('t1', 1), ended('t1'));
    expect(takes(fresh, imported('t2', 2))).toBe(true);
    const ours = at(imported('t1', 1), ended('t1'), started('t2', 2), ended('t2'));
    expect(takes(ours, started('t3', 3))).toBe(true);
    expect(takes(ours, imported('t3', 3))).toBe(false);
  });

  it('I1: another try of a turn that is not the last', () => {
    const over = at(started('t1', 1), ended('t1', 'failed'), started('t2', 2), ended('t2', 'failed'));
    const retry = (of: string) => ({ ...started('t9', 3), retryOf: of });
    expect(['t2', 't1'].map((of) => takes(over, retry(of)))).toEqual([true, false]);
  });

  it('I4: a stop that goes down its ladder, or begins in the middle', () => {
    expect(
      (['asked', 'terminated', 'killed'] as const).map((stage) => takes(running, stopping(stage))),
    ).toEqual([true, false, false]);
    const asked = at(started('t1', 1), stopping('asked'), stopping('terminated'));
    expect(
      (['asked', 'terminated', 'killed'] as const).map((stage) => takes(asked, stopping(stage))),
    ).toEqual([false, false, true]);
  });

  it('I4: anything but closings of a turn that stops, and any end but its own', () => {
    const stops = at(started('t1', 1), tool('t1', 'c1'), stopping('asked'));
    expect(takes(stops, text('t1', 0, 'a'))).toBe(false);
    expect(
      takes(stops, { type: 'notice.added', turn: 't1', notice: 'n', level: 'info', code: 'c', text: 'x' }),
    ).toBe(false);
    expect(takes(stops, { type: 'notice.added', notice: 'n', level: 'info', code: 'c', text: 'x' })).toBe(
      true,
    );
    const closed = at(started('t1', 1), tool('t1', 'c1'), stopping('asked'), toolDone('t1', 'c1'));
    expect(
      (['finalized', 'failed', 'cancelled'] as const).map((how) => takes(closed, ended('t1', how))),
    ).toEqual([false, false, true]);
  });

  it('I12: an end with a tool or a question open', () => {
    expect(takes(at(started('t1', 1), tool('t1', 'c1')), ended('t1'))).toBe(false);
    expect(takes(at(started('t1', 1), asks('t1', 'p1')), ended('t1'))).toBe(false);
    expect(takes(running, ended('t1'))).toBe(true);
  });

  it('I12: an end of whatever kind with a tool or a question open, also after a stop', () => {
    for (const open of [tool('t1', 'c1'), asks('t1', 'p1')])
      for (const stop of [[], [stopping('asked')]])
        for (const how of ['finalized', 'cancelled', 'failed', 'interrupted'] as const)
          expect(takes(at(started('t1', 1), open, ...stop), ended('t1', how)), how).toBe(false);
    expect(takes(at(started('t1', 1), stopping('asked')), ended('t1', 'cancelled'))).toBe(true);
  });

  it('I2: an end, a handle or a loss of the stream of another turn', () => {
    const watching = (turn: string, mode: 'stream' | 'poll' | 'silent'): Draft => ({
      type: 'turn.watching',
      turn,
      mode,
      reason: 'r',
      since: 0,
    });
    const states = [
      running,
      at(started('t1', 1), text('t1', 0, 'a')),
      at(started('t1', 1), watching('t1', 'poll')),
    ];
    for (const state of states) {
      for (const mode of ['stream', 'poll', 'silent'] as const)
        expect([takes(state, watching('t1', mode)), takes(state, watching('t2', mode))]).toEqual([
          true,
          false,
        ]);
      for (const how of ['finalized', 'cancelled', 'failed', 'interrupted'] as const)
        expect([takes(state, ended('t1', how)), takes(state, ended('t2', how))]).toEqual([true, false]);
      expect(takes(state, { type: 'turn.accepted', turn: 't2', handle: 'h' })).toBe(false);
    }
  });

  it('C49: a turn that has begun to answer is accepted, unless that brings a handle that is new', () => {
    const accepted = (handle?: string): Draft => ({
      type: 'turn.accepted',
      turn: 't1',
      ...(handle !== undefined && { handle }),
    });
    const answers = at(started('t1', 1), text('t1', 0, 'a'));
    expect([undefined, 'h'].map((handle) => takes(answers, accepted(handle)))).toEqual([false, true]);
    const named = at(started('t1', 1), accepted('h'), text('t1', 0, 'a'));
    expect([undefined, 'h', 'k'].map((handle) => takes(named, accepted(handle)))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('D2: a start after a failure that does not go on by one revision', () => {
    const over = at(started('t1', 1), ended('t1', 'failed'));
    expect([1, 2, 3].map((revision) => takes(over, started('t2', revision)))).toEqual([false, true, false]);
  });

  it('C48: a call id that is used again, also after its end', () => {
    expect(takes(at(started('t1', 1), tool('t1', 'c1')), tool('t1', 'c1'))).toBe(false);
    expect(takes(at(started('t1', 1), tool('t1', 'c1'), toolDone('t1', 'c1')), tool('t1', 'c1'))).toBe(false);
    expect(takes(at(started('t1', 1), tool('t1', 'c1')), tool('t1', 'c2'))).toBe(true);
  });

  it('C10, I14: a job that is attached or settled twice', () => {
    expect(takes(at(job('j1')), job('j1'))).toBe(false);
    expect(takes(at(job('j1')), settled('j1'))).toBe(true);
    expect(takes(at(job('j1'), settled('j1')), settled('j1'))).toBe(false);
    expect(takes(at(job('j1')), settled('j2'))).toBe(false);
  });

  it('D2: guidance that is not in the queue', () => {
    const waiting = at(started('t1', 1), queued('m1', 2, 'steer'));
    expect(['m1', 'm2'].map((id) => takes(waiting, steered(id, 3)))).toEqual([true, false]);
  });
});

describe('the queue, fact by fact', () => {
  const order = (...drafts: readonly Draft[]) =>
    at(...drafts).context.queue.messages.map((q) => q.message.id);

  it('D2: guidance stands before the queue, in the order in which it came', () => {
    const facts = [queued('m1', 2), queued('s1', 3, 'steer'), queued('s2', 4, 'steer'), queued('m2', 5)];
    expect(order(started('t1', 1), ...facts)).toEqual(['s1', 's2', 'm1', 'm2']);
  });

  it('I9: a message leaves it when its turn starts', () => {
    expect(order(queued('m1', 1), queued('m2', 2), started('t9', 3, say('m1')))).toEqual(['m2']);
  });

  it('I3: resume lets it go from where it was held', () => {
    const over = [started('t1', 1), queued('m1', 2), ended('t1', 'cancelled'), held(3)];
    const freed = at(...over, { type: 'queue.released', revision: 4 });
    expect([freed.value, takes(freed, started('t9', 5, say('m1')))]).toEqual(['idle', true]);
  });
});
