import { describe, expect, test } from 'vitest';
import { transition } from 'xstate';
import type { ConversationSnapshot } from '../../machines/conversation.machine.ts';
import type { JobSnapshot } from '../../machines/job.machine.ts';
import { accepts, after, type SessionMachineSnapshot, unopened } from '../../machines/law.ts';
import type { SessionEvent } from '../../machines/session.setup.ts';
import { type Draft, factTypes } from '../../src/wire/facts.ts';
import { explore, factAt, type Kind, machineOf, proposals, stateOf } from '../support/explore.ts';

interface Ignored {
  readonly states: readonly string[];
  readonly events: readonly string[];
  readonly reason: string;
}

const running = ['dispatching', 'streaming', 'polling'];
const over = ['finalized', 'cancelled', 'failed'];
const parts = factTypes.filter((type) => /^(text|thought|part|tool|plan|permission)\./.test(type));
const closing = ['tool.finished', 'tool.refused', 'permission.withdrawn'];
const ofTurns = factTypes.filter((type) => type.startsWith('turn.') && type !== 'turn.started');
const queue = factTypes.filter((type) => type.startsWith('queue.'));

/** What a state leaves alone, and why: a pair of state and event that is neither taken nor here fails the test. */
const shared: readonly Ignored[] = [
  {
    states: ['idle', ...running, 'cancelling', ...over],
    events: ['session.opened'],
    reason: 'a session is opened once, by the first fact of its log',
  },
  {
    states: ['opening'],
    events: factTypes.filter((type) => type !== 'session.opened'),
    reason: 'C30: the snapshot is being read and will hold what came meanwhile; the tail follows it',
  },
  {
    states: ['idle', ...over],
    events: [...parts, ...ofTurns, 'job.progress'],
    reason: 'I2, C45, C51: no turn is open that it could belong to',
  },
  {
    states: [...running, 'cancelling'],
    events: ['turn.started'],
    reason: 'I3: one turn at a time, after the end of the one before is committed',
  },
  {
    states: ['dispatching'],
    events: ['tool.updated', ...closing, 'permission.answered'],
    reason: 'C49: nothing has started yet that could go on or end',
  },
  {
    states: ['cancelling'],
    events: [
      ...parts.filter((type) => !closing.includes(type)),
      'turn.accepted',
      'turn.watching',
      'turn.retrying',
      'turn.steered',
      'job.progress',
    ],
    reason: 'I4: after a stop only closings may follow',
  },
  {
    states: [...running, 'cancelling'],
    events: ['session.closed'],
    reason: 'a session that runs is stopped before it is closed',
  },
];

const byKind: Readonly<Record<Kind, readonly Ignored[]>> = {
  conversation: [{ states: ['closed'], events: factTypes, reason: 'final: the session is gone' }],
  job: [
    {
      states: [...over, 'closed'],
      events: factTypes,
      reason: 'C10, I1: final; an ended job takes nothing more',
    },
    { states: ['idle', ...running, 'cancelling'], events: queue, reason: 'a job has one turn and no queue' },
    {
      states: running,
      events: ['turn.steered'],
      reason: 'guidance is logged in a queue first; a job has none',
    },
    {
      states: ['idle'],
      events: ['session.closed'],
      reason: 'a job that never began is deleted with its log',
    },
  ],
};

/** Where facts lead, for those that leave their state. */
const ends = {
  finalized: ['ended finalized'],
  cancelled: ['ended cancelled'],
  failed: ['ended failed', 'ended interrupted'],
};
const runs = { cancelling: ['turn.stopping'], ...ends };
const afterStop = {
  closed: ['session.closed'],
  dispatching: ['started by user'],
  idle: ['queue.released'],
};
const starts = ['started by agent', 'started by user'];
const ofBoth = {
  opening: { idle: ['session.opened'] },
  dispatching: {
    ...runs,
    streaming: [
      'part.replaced',
      'permission.asked',
      'plan.updated',
      'text.added',
      'thought.added',
      'tool.started',
      'turn.accepted',
    ],
    polling: ['watching poll'],
  },
  streaming: { ...runs, polling: ['watching poll'] },
  polling: { ...runs, streaming: ['watching stream'] },
  cancelling: { cancelled: ['ended cancelled'] },
};
const ofJob = { ...ofBoth, idle: { dispatching: starts } };
const ofConversation = {
  ...ofBoth,
  idle: { dispatching: starts, closed: ['session.closed'] },
  finalized: { dispatching: starts, closed: ['session.closed'] },
  cancelled: afterStop,
  failed: afterStop,
};

describe.each<Kind>(['conversation', 'job'])('the chart of a %s', (kind) => {
  const { states, taken } = explore(kind);
  const charted = Object.keys(machineOf(kind).config.states ?? {});

  test('every state is reached by facts alone, or by reading a snapshot', () => {
    const reached = new Set(states.map(stateOf));
    // A job is closed only where its snapshot says that there is none.
    expect(charted.filter((state) => !reached.has(state))).toEqual(kind === 'job' ? ['closed'] : []);
    const read = charted
      .filter((state) => state !== 'opening')
      .map((state) => stateOf(load(unopened('s', kind), state)));
    expect(read).toEqual(charted.filter((state) => state !== 'opening'));
  });

  const ignored = [...shared, ...byKind[kind]];
  test.each(charted)('%s takes or deliberately ignores every fact', (state) => {
    const left = new Set(ignored.filter((i) => i.states.includes(state)).flatMap((i) => i.events));
    const takes = taken.get(state) ?? new Set();
    expect({
      unexplained: factTypes.filter((type) => !takes.has(type) && !left.has(type)),
      takenAlthoughIgnored: factTypes.filter((type) => takes.has(type) && left.has(type)),
    }).toEqual({ unexplained: [], takenAlthoughIgnored: [] });
  });

  test('each fact leads where it should', () => {
    const found: Record<string, Record<string, string[]>> = {};
    for (const snapshot of states) {
      for (const draft of proposals(snapshot.context, kind)) {
        const fact = factAt(snapshot.context, draft);
        if (!accepts(snapshot, fact)) continue;
        const next = after(snapshot, fact);
        // Whatever is taken is counted: the one after it is the next.
        expect(next.context.seq).toBe(fact.seq);
        const [from, to] = [stateOf(snapshot), stateOf(next)];
        if (from === to) continue;
        found[from] ??= {};
        found[from][to] = [...new Set([...(found[from][to] ?? []), wordOf(draft)])].sort();
      }
    }
    expect(found).toEqual(kind === 'job' ? ofJob : ofConversation);
  });

  test('C45, C51: a fact that is not taken leaves state and context as they were', {
    timeout: 120_000,
  }, () => {
    const moved: string[] = [];
    for (const snapshot of states) {
      for (const draft of proposals(snapshot.context, kind)) {
        const fact = factAt(snapshot.context, draft);
        if (accepts(snapshot, fact)) continue;
        const next = after(snapshot, fact);
        const same = next.value === snapshot.value && next.context === snapshot.context;
        if (!same) moved.push(`${JSON.stringify(snapshot.value)} by ${JSON.stringify(draft)}`);
      }
    }
    expect(moved).toEqual([]);
  });

  test('every state that is not final reads its snapshot again when facts are missing, and when it is told to', () => {
    for (const state of charted.filter((name) => name !== 'opening')) {
      const snapshot = states.find((s) => stateOf(s) === state);
      if (snapshot?.status !== 'active') continue;
      const fact = factAt(snapshot.context, { type: 'session.changed', title: 'T' });
      expect(stateOf(after(snapshot, { ...fact, seq: fact.seq + 1 }))).toBe('opening');
      expect(stateOf(after(snapshot, { ...fact, epoch: 'other' }))).toBe('opening');
      expect(stateOf(step(snapshot, { type: 'resync', reason: 'gap' }))).toBe('opening');
      // What came before, and what is of another session, is no gap.
      expect(after(snapshot, { ...fact, seq: fact.seq - 1 }).value).toBe(snapshot.value);
      expect(after(snapshot, { ...fact, session: 'other', seq: fact.seq + 5 }).value).toBe(snapshot.value);
    }
  });

  test('a fact of a newer version is skipped in its place, in every state', () => {
    for (const snapshot of states) {
      const { context } = snapshot;
      const strange = { ...factAt(context, { type: 'session.closed' }), type: 'mood.changed' } as never;
      expect(accepts(snapshot, strange)).toBe(false);
      const next = after(snapshot, strange);
      expect(next.value).toEqual(snapshot.value);
      const skipped = snapshot.status === 'active' && stateOf(snapshot) !== 'opening';
      expect(next.context).toEqual(skipped ? { ...context, seq: context.seq + 1 } : context);
    }
  });

  test('opening waits after a failed read and reads again; a session that does not exist is closed', () => {
    const loading = unopened('s', kind);
    expect(loading.value).toEqual({ opening: 'loading' });
    const waiting = step(loading, { type: 'xstate.error.actor.load', error: new Error('down') });
    expect(waiting.value).toEqual({ opening: 'waiting' });
    expect(waiting.context.problem).toEqual({ code: 'load.failed', message: 'down' });
    expect(step(waiting, { type: 'resync', reason: 'retry' }).value).toEqual({ opening: 'loading' });
    const again = step(waiting, { type: 'xstate.after.backoff.session.opening.waiting' } as never);
    expect(again.value).toEqual({ opening: 'loading' });
    const unknown = Object.assign(new Error('gone'), { code: 'session.unknown' });
    let last = loading;
    // A job is announced before it has a log.
    for (let i = 0; kind === 'job' && i < 8; i++) {
      last = step(last, { type: 'xstate.error.actor.load', error: unknown });
      expect(last.value).toEqual({ opening: 'waiting' });
      last = step(last, { type: 'resync', reason: 'retry' });
    }
    expect(step(last, { type: 'xstate.error.actor.load', error: unknown })).toMatchObject({
      value: 'closed',
      status: 'done',
      context: { problem: { code: 'session.unknown' } },
    });
  });
});

/** A fact, with what decides where it leads. */
function wordOf(draft: Draft): string {
  if (draft.type === 'turn.ended') return `ended ${draft.outcome}`;
  if (draft.type === 'turn.watching') return `watching ${draft.mode}`;
  if (draft.type === 'turn.started') return `started by ${draft.origin}`;
  return draft.type;
}

function step(snapshot: SessionMachineSnapshot, event: SessionEvent): SessionMachineSnapshot {
  return snapshot.machine.id && snapshot.context.kind === 'job'
    ? transition(machineOf('job') as never, snapshot as JobSnapshot as never, event as never)[0]
    : transition(
        machineOf('conversation') as never,
        snapshot as ConversationSnapshot as never,
        event as never,
      )[0];
}

function load(snapshot: SessionMachineSnapshot, state: string): SessionMachineSnapshot {
  const { id, kind, agent, cwd, queue, permissions, jobs, notices, usage } = snapshot.context;
  return step(snapshot, {
    type: 'xstate.done.actor.load',
    output: {
      ...{ id, kind, agent, cwd, queue, permissions, jobs, notices, usage },
      ...{ createdAt: 0, updatedAt: 0, cursor: 'e.7', turns: [], older: false },
      state: state as never,
    },
  });
}
