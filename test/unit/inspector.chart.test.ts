import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, createActor, createMachine, type InspectionEvent } from 'xstate';
import { conversationMachine } from '../../machines/conversation.machine.ts';
import { directoryMachine } from '../../machines/directory.machine.ts';
import { jobMachine } from '../../machines/job.machine.ts';
import { linkMachine } from '../../machines/link.machine.ts';
import { orchestratorMachine } from '../../machines/orchestrator.machine.ts';
import { outboxMachine } from '../../machines/outbox.machine.ts';
import { runnerMachine } from '../../machines/runner.machine.ts';
import { transitionId } from '../../machines/transition.id.ts';
import { chartFor } from '../../src/inspector/chart/charts.ts';
import { type Chart, type ChartState, chartOf, nextIn, wayText } from '../../src/inspector/chart/graph.ts';
import { aboutText, activeIds, eventText, leaves } from '../../src/inspector/names.ts';

const machines: Readonly<Record<string, AnyStateMachine>> = {
  conversation: conversationMachine,
  directory: directoryMachine,
  job: jobMachine,
  link: linkMachine,
  orchestrator: orchestratorMachine,
  outbox: outboxMachine,
  runner: runnerMachine,
};

function chart(machine: string): Chart {
  const found = chartFor(machine);
  if (!found) throw new Error(`no chart of ${machine}`);
  return found;
}

function statesOf(state: ChartState): readonly ChartState[] {
  return [state, ...state.children.flatMap(statesOf)];
}

/** `event > target` of all that leads out of a state. */
function out(of: Chart, source: string): string[] {
  const edges = of.edges.filter((edge) => edge.source === source);
  return edges.flatMap((edge) => edge.ways.map((way) => `${wayText(way)} > ${edge.target}`)).sort();
}

describe('the chart of a definition', () => {
  test.each(Object.keys(machines))('%s: each state and each transition of it is there once', (name) => {
    const drawn = chart(name);
    const nodes = machines[name]?.root;
    const walk = (node: typeof nodes): (typeof nodes)[] =>
      node ? [node, ...Object.values(node.states).flatMap((child) => walk(child as typeof nodes))] : [];
    const all = walk(nodes);
    expect(statesOf(drawn.root).map((state) => state.id)).toEqual(all.map((node) => node?.id));
    const expected = all.flatMap((node) =>
      [...(node?.transitions.values() ?? [])]
        .flat()
        .concat(node?.always ?? [])
        .map(transitionId),
    );
    const shown = [
      ...statesOf(drawn.root).flatMap((state) => state.stays),
      ...drawn.edges.flatMap((edge) => edge.ways),
    ].map((way) => way.id);
    expect(new Set(expected).size).toBe(expected.length);
    expect(shown.toSorted()).toEqual(expected.toSorted());
  });

  test('where each state begins is drawn, down to the innermost', () => {
    expect(chart('conversation').initial).toEqual(
      expect.arrayContaining([
        { state: 'session', child: 'session.opening' },
        { state: 'session.opening', child: 'session.opening.loading' },
      ]),
    );
    expect(chart('runner').initial).toEqual(
      expect.arrayContaining([
        { state: 'runner.pen', child: 'runner.pen.idle' },
        { state: 'runner.work', child: 'runner.work.resting' },
      ]),
    );
  });

  test('transitions without an event are drawn, and each says which one it is', () => {
    expect(out(chart('runner'), 'runner.pen.gathering')).toEqual([
      'after gather > runner.pen.deciding',
      'always [hasCommand] > runner.pen.idle',
      'always [hasUrgentOutput] > runner.pen.idle',
    ]);
  });

  test('all transitions between two states are one arrow', () => {
    for (const name of Object.keys(machines)) {
      const pairs = chart(name).edges.map((edge) => `${edge.source} ${edge.target}`);
      expect(new Set(pairs).size).toBe(pairs.length);
    }
  });

  test('an event that leads to many states is named at its state instead of drawn', () => {
    const loading = statesOf(chart('conversation').root).find((state) => state.name === 'loading');
    expect(loading?.fans.length).toBeGreaterThan(5);
    expect(new Set(loading?.fans.map((way) => way.event))).toEqual(new Set(['load is done']));
    const streaming = statesOf(chart('conversation').root).find((state) => state.name === 'streaming');
    expect(streaming?.fans).toEqual([]);
  });

  test('I4: what may come next while a stop runs is its end alone; the rest stays', () => {
    const next = nextIn(chart('conversation'), activeIds('session', 'cancelling'));
    const ends = next.out.filter(({ ways }) => ways.some((way) => way.event.startsWith('turn.')));
    expect(ends).toMatchObject([{ target: 'cancelled', ways: [{ event: 'turn.ended' }] }]);
    expect(next.stays.map((way) => way.event)).toContain('tool.finished');
    expect(next.stays.map((way) => way.event)).not.toContain('text.added');
  });

  test('what runs in a state is named: the actor that it waits for', () => {
    expect(nextIn(chart('runner'), activeIds('runner', { pen: 'writing', work: 'resting' })).waits).toEqual([
      'append',
    ]);
  });

  test('there is no chart of what is no machine', () => {
    expect(chartFor('append')).toBeUndefined();
    expect(chartFor('constructor')).toBeUndefined();
  });
});

describe('the name of a transition', () => {
  test('is the same in the actor that runs, with other actors provided, as in the chart', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: { on: { go: [{ guard: () => false, target: 'c' }, { target: 'b' }] } },
        b: { always: 'c' },
        c: {},
      },
    });
    const seen: string[] = [];
    const inspect = (event: InspectionEvent) => {
      if (event.type === '@xstate.microstep') seen.push(...event._transitions.map(transitionId));
    };
    createActor(machine.provide({}), { inspect }).start().send({ type: 'go' });
    const drawn = chartOf(machine);
    const ways = seen.map((id) => drawn.edges.find((edge) => edge.ways.some((way) => way.id === id)));
    expect(ways.map((edge) => edge?.id)).toEqual(['m.a > m.b', 'm.b > m.c']);
  });
});

describe('words', () => {
  test.each([
    ['xstate.after.backoff.session.opening.waiting', 'session.opening.waiting', 'after backoff'],
    ['xstate.after.2000.source.waiting', 'source.waiting', 'after 2000 ms'],
    ['xstate.done.actor.load', '', 'load is done'],
    ['xstate.error.actor.append', '', 'append fails'],
    ['', '', 'always'],
    ['*', '', 'anything else'],
    ['turn.ended', '', 'turn.ended'],
  ])('%s is said so that it can be read', (type, source, text) => {
    expect(eventText(type, source)).toBe(text);
  });

  test('a state with regions is said by its innermost states', () => {
    expect(leaves({ pen: 'idle', work: { engaged: { polling: 'asking' } } })).toEqual([
      'pen.idle',
      'work.engaged.polling.asking',
    ]);
    expect(leaves({})).toEqual([]);
    expect(activeIds('r', { a: { b: 'c' } })).toEqual(new Set(['r', 'r.a', 'r.a.b', 'r.a.b.c']));
  });

  test('what an event carries is said in a few words', () => {
    expect(aboutText({ type: 'fact', fact: { type: 'text.added', seq: 1 } })).toBe('text.added');
    expect(aboutText({ outputs: [{ type: 'text' }, { type: 'text' }, { type: 'end' }] })).toBe(
      '2 × text, end',
    );
    expect(aboutText({ type: 'turn.ended', outcome: 'failed', session: 's', seq: 4 })).toBe('failed');
    expect(aboutText(undefined)).toBe('');
  });
});
