import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { accepts, after, judge, type SessionMachineSnapshot, unopened } from '../../machines/law.ts';
import { turnOf } from '../../machines/turn.logic.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import { explore, factAt, type Kind, proposals, stateOf } from '../support/explore.ts';
import { ended, opened, started, text, tool } from '../support/facts.ts';
import { violations } from '../support/invariants.ts';
import { SessionsWorld } from '../support/sessions-world.ts';

/** A careless writer: at each step one of everything that could be proposed, written if the law lets it through. */
function walk(kind: Kind, picks: readonly number[]): { facts: Fact[]; last: SessionMachineSnapshot } {
  let last = unopened('s', kind);
  const facts: Fact[] = [];
  const take = (draft: Draft) => {
    const fact = { ...factAt(last.context, draft), epoch: 'e' };
    if (!accepts(last, fact)) return;
    facts.push(fact);
    last = after(last, fact);
  };
  take(opened(kind));
  for (const pick of picks) {
    const drafts = proposals(last.context, kind);
    take(drafts[pick % drafts.length] as Draft);
  }
  return { facts, last };
}

const picks = fc.array(fc.nat(1_000), { minLength: 20, maxLength: 150 });

describe.each<Kind>(['conversation', 'job'])('the law of a %s', (kind) => {
  test('I1, I2, I3, I4, I12: whatever is proposed, what it lets through keeps the invariants', () => {
    fc.assert(
      fc.property(picks, (chosen) => {
        const { facts, last } = walk(kind, chosen);
        // The writer sees to two things itself, see the tests of the runner and of the gateway: it holds the queue in the
        // append of a stop's or a failure's end, and it knows every message id that was ever sent.
        const writers = /was not held after a|\(I9\)/;
        const found = violations(facts, last.context.open ? [last.context.open.id] : []);
        expect(found.filter((violation) => !writers.test(violation))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('I6: an actor that is fed the facts stands where the law says, with the rows of the log', () => {
    fc.assert(
      fc.property(picks, (chosen) => {
        const { facts, last } = walk(kind, chosen);
        const world = new SessionsWorld();
        world.open('s', kind);
        world.feed(...facts);
        const live = world.ref('s').getSnapshot();
        expect(live.value).toEqual(last.value);
        const { open, turns: _, owner: __, ...context } = live.context;
        const { open: lawful, turns: ___, owner: ____, ...expected } = last.context;
        expect(context).toEqual(expected);
        expect(open && { ...open, ref: 0 }).toEqual(lawful && { ...lawful, ref: 0 });
        expect(world.turns('s')).toEqual(foldAll(facts));
        expect(world.context.ignored).toEqual({});
      }),
      { numRuns: 80 },
    );
  });

  test('to judge does nothing: the state that was asked about is as before, and no actor was told', () => {
    const world = new SessionsWorld();
    const log = world.begin('s', kind);
    world.feed(...log.write(started('t'), text('t', 0, 'live'), tool('t', 'c')));
    const ref = world.ref('s');
    const before = ref.getSnapshot();
    const row = before.context.open && turnOf(before.context.open.ref);
    const children = Object.keys(before.children);
    const verdict = judge(
      before,
      [text('t', 4, ' more'), { type: 'tool.refused', turn: 't', toolCallId: 'c', reason: 'no' }, ended('t')],
      9,
    );
    expect(verdict).toMatchObject({ lawful: true, next: { value: 'finalized' } });
    expect(ref.getSnapshot()).toBe(before);
    expect(before.context.open && turnOf(before.context.open.ref)).toBe(row);
    expect(Object.keys(before.children)).toEqual(children);
    world.feed(log.fact(text('t', 4, '!')));
    expect(world.text('s')).toBe('live!');
  });

  test('a run of drafts is written whole or not at all', () => {
    const world = new SessionsWorld();
    world.begin('s', kind);
    const snapshot = world.ref('s').getSnapshot();
    const verdict = judge(snapshot, [started('t'), ended('t'), text('t', 0, 'late')], 9);
    expect(verdict).toMatchObject({ lawful: false, index: 2, refused: { type: 'text.added' } });
    expect(verdict.next).toBe(snapshot);
  });

  test('C42, I4: a stop is taken in every running state; then all but closings change nothing', {
    timeout: 120_000,
  }, () => {
    const { states } = explore(kind);
    const closing =
      /^(tool\.(finished|refused)|permission\.withdrawn|turn\.(stopping|ended)|session\.|usage\.|notice\.|job\.(att|set)|queue\.)/;
    const wrong: string[] = [];
    let stops = 0;
    // Jobs and what the queue holds have no say in this; without them there is a tenth to look at.
    const running = states.filter(({ context: { open, jobs, queue } }) => {
      return open && !open.stage && jobs.length === 0 && queue.messages.length < 2 && !queue.held;
    });
    for (const snapshot of running) {
      const turn = snapshot.context.open?.id ?? '';
      const stop = factAt(snapshot.context, { type: 'turn.stopping', turn, stage: 'asked' });
      if (!accepts(snapshot, stop)) wrong.push(`no stop in ${stateOf(snapshot)}`);
      const stopped = after(snapshot, stop);
      if (stateOf(stopped) !== 'cancelling') wrong.push(`a stop leads to ${stateOf(stopped)}`);
      for (const draft of proposals(stopped.context, kind)) {
        if (!accepts(stopped, factAt(stopped.context, draft))) continue;
        const welcome =
          draft.type === 'turn.ended' ? draft.outcome === 'cancelled' : closing.test(draft.type);
        if (!welcome) wrong.push(`${draft.type} after a stop`);
      }
      stops += 1;
    }
    expect(wrong).toEqual([]);
    expect(stops).toBeGreaterThan(20);
  });

  test('C23, C45: every kind of end leaves no timer, no turn actor and no later write', () => {
    for (const outcome of ['finalized', 'cancelled', 'failed', 'interrupted'] as const) {
      const world = new SessionsWorld();
      const log = world.begin('s', kind);
      world.feed(...log.write(started('t'), text('t', 0, 'kept'), ended('t', outcome)));
      const after = world.ref('s').getSnapshot();
      expect(world.state('s')).toBe(outcome === 'interrupted' ? 'failed' : outcome);
      expect(after.context.open).toBeNull();
      expect(Object.keys(after.children)).toEqual([]);
      expect(world.clock.pending).toBe(0);
      const late = [
        text('t', 4, 'x'),
        ended('t'),
        { type: 'turn.watching', turn: 't', mode: 'poll', reason: 'r', since: 0 },
      ];
      for (const draft of late as Draft[]) world.feed(factAt({ ...after.context, epoch: 'e' }, draft));
      world.clock.advance(600_000);
      expect(world.ref('s').getSnapshot()).toBe(after);
      expect(world.text('s')).toBe('kept');
    }
  });
});

describe('what a token costs', () => {
  test('C11, I10, I11: text and polls change neither the list of rows nor a finished row', () => {
    const world = new SessionsWorld();
    const log = world.begin('s');
    world.feed(
      ...log.write(started('t'), text('t', 0, 'first'), ended('t'), started('u', 2), text('u', 0, 'x')),
    );
    const { turns, queue, permissions, jobs, open } = world.ref('s').getSnapshot().context;
    for (let i = 1; i <= 100; i++) {
      world.feed(log.fact(text('u', i, 'x')));
      const now = world.ref('s').getSnapshot().context;
      expect(now.turns).toBe(turns);
      expect(now.open).toBe(open);
      expect([now.queue === queue, now.permissions === permissions, now.jobs === jobs]).toEqual([
        true,
        true,
        true,
      ]);
    }
    const parts = world.turns('s')[1]?.parts;
    for (let i = 0; i < 100; i++) {
      world.feed(log.fact({ type: 'turn.watching', turn: 'u', mode: 'poll', reason: `poll ${i}`, since: i }));
      expect(world.state('s')).toBe('polling');
      expect(world.turns('s')[1]?.parts).toBe(parts);
      expect(world.ref('s').getSnapshot().context.turns).toBe(turns);
    }
  });
});

describe('C38: a turn that becomes a job', () => {
  test('keeps its text in the conversation; what follows goes to the job and to nothing else', () => {
    const world = new SessionsWorld();
    const chat = world.begin('chat');
    const request = {
      agent: 'a',
      cwd: '/w',
      message: { id: 'm', content: [{ type: 'text', text: 'm' }] },
    } as const;
    world.feed(...chat.write(started('t'), text('t', 0, 'I will do this in the background.')));
    world.feed(chat.fact({ type: 'job.attached', job: 'chat.j4', turn: 't', request }));
    world.feed(chat.fact({ type: 'turn.ended', turn: 't', outcome: 'finalized', stopReason: 'job' }));
    const job = world.begin('chat.j4', 'job');
    world.feed(...job.write(started('t2'), text('t2', 0, 'the work')));
    // A straggler of the old turn.
    const straggler = factAt(world.ref('chat').getSnapshot().context, text('t', 33, 'twice'));
    world.feed(straggler);
    expect(world.text('chat')).toBe('I will do this in the background.');
    expect(world.text('chat.j4')).toBe('the work');
    expect(world.turns('chat')[0]).toMatchObject({
      stopReason: 'job',
      parts: [{ type: 'text' }, { type: 'job', id: 'chat.j4' }],
    });
    world.feed(
      job.fact(ended('t2')),
      chat.fact({ type: 'job.settled', job: 'chat.j4', outcome: 'finalized', stopReason: 'end_turn' }),
    );
    expect(world.ref('chat').getSnapshot().context.jobs).toMatchObject([
      { job: 'chat.j4', outcome: 'finalized' },
    ]);
    expect(world.state('chat')).toBe('finalized');
  });

  test('C10, I1: a job settles once in its parent', () => {
    const world = new SessionsWorld();
    const chat = world.begin('chat');
    const request = {
      agent: 'a',
      cwd: '/w',
      message: { id: 'm', content: [{ type: 'text', text: 'm' }] },
    } as const;
    const settled = { type: 'job.settled', job: 'j', outcome: 'failed', stopReason: 'lost' } as const;
    world.feed(chat.fact({ type: 'job.attached', job: 'j', request }), chat.fact(settled));
    expect(
      world.writes('chat', () => world.feed(factAt(world.ref('chat').getSnapshot().context, settled))),
    ).toBe(0);
  });
});

test('an actor that stands alone, without an orchestrator, follows its facts as well', () => {
  const world = new SessionsWorld();
  const log = world.begin('s');
  log.write(started('t'), text('t', 0, 'alone'), ended('t'));
  const alone = createActor(
    unopened('s', 'conversation').machine as never,
    { input: { session: 's' }, clock: world.clock } as never,
  );
  alone.start();
  for (const fact of log.facts) alone.send(fact as never);
  expect(alone.getSnapshot()).toMatchObject({
    value: 'finalized',
    context: { turns: [{ parts: [{ text: 'alone' }] }] },
  });
  alone.stop();
});
