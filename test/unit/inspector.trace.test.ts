import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mostEvents, Trace } from '../../src/inspector/trace.ts';
import { moved, rowsOf } from '../../src/inspector/tree.ts';
import type { InspectLine } from '../../src/wire/inspect.ts';

const sources = [{ id: 'gateway', label: 'Gateway' }];

function traced(lines: readonly InspectLine[], now = 1000): Trace {
  const trace = new Trace(() => now);
  for (const line of lines) trace.apply('gateway', line);
  return trace;
}

const began: InspectLine = { type: 'began', at: 1000 };
const root: InspectLine = {
  type: 'actor',
  id: 'o',
  machine: 'orchestrator',
  status: 'active',
  state: {},
  at: 1000,
};
const child = (n: number): InspectLine => ({
  ...{ type: 'actor', id: `c${n}`, parent: 'o', machine: 'conversation', session: `s${n}` },
  ...{ status: 'active', state: 'idle', at: 1000 },
});

/** Any lines, in any order, of any actors: also of some that were never told of. */
const line: fc.Arbitrary<InspectLine> = fc.oneof(
  fc.constant(began),
  fc.constant(root),
  fc.nat(60).map(child),
  fc.record({
    type: fc.constant('event' as const),
    id: fc.nat(60).map((n) => `c${n}`),
    event: fc.constant('e'),
    status: fc.constant('active' as const),
    at: fc.nat(5000),
    state: fc.constantFrom('idle', 'streaming'),
    taken: fc.boolean(),
  }),
  fc.nat(60).map((n): InspectLine => ({ type: 'stopped', id: `c${n}`, at: 1 })),
);

describe('the trace', () => {
  test('whatever it is told, it stays bounded: events of an actor, actors that are gone', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 600 }), (lines) => {
        const { actors } = traced(lines);
        expect(actors.filter((actor) => actor.gone).length).toBeLessThanOrEqual(40);
        for (const actor of actors) {
          expect(actor.events.length).toBe(Math.min(actor.seen, mostEvents));
          expect(actor.refused).toBeLessThanOrEqual(actor.seen);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('an event with a transition that keeps the state does not make it young again', () => {
    const event = { type: 'event', id: 'c1', event: 'text.added', status: 'active', taken: true } as const;
    const trace = traced([
      began,
      root,
      child(1),
      { ...event, state: 'streaming', at: 2000 },
      { ...event, state: 'streaming', at: 9000 },
    ]);
    expect(trace.actors[1]).toMatchObject({ state: 'streaming', since: 2000, exact: true });
  });

  test('a source that is left takes its actors with it, and no others', () => {
    const trace = traced([began, root, child(1)]);
    trace.apply('page-1', began);
    trace.apply('page-1', { ...root, id: 'o' } as InspectLine);
    trace.drop('page-1');
    expect(trace.actors.map((actor) => actor.key)).toEqual([
      'gateway/orchestrator',
      'gateway/orchestrator/conversation:s1',
    ]);
  });

  test('the same ids in two sources are two actors', () => {
    const trace = traced([began, root]);
    trace.apply('page-1', root);
    trace.apply('page-1', { type: 'event', id: 'o', event: 'open', status: 'active', at: 1 });
    expect(trace.get('gateway/orchestrator')?.seen).toBe(0);
    expect(trace.get('page-1/orchestrator')?.seen).toBe(1);
  });
});

describe('the tree', () => {
  const actors = traced([began, root, child(1), child(2)]).actors;

  test('what lies under a closed row is not shown, and the rest says where it stands', () => {
    expect(rowsOf(sources, actors, new Set(), 0).map((row) => [row.level, row.place, row.of])).toEqual([
      [1, 1, 1],
      [2, 1, 1],
      [3, 1, 2],
      [3, 2, 2],
    ]);
    const closed = rowsOf(sources, actors, new Set(['gateway/orchestrator']), 0);
    expect(closed.map((row) => row.key)).toEqual(['gateway', 'gateway/orchestrator']);
    expect(closed[1]).toMatchObject({ inner: true, open: false });
  });

  test('keys never lead out of it', () => {
    const rows = rowsOf(sources, actors, new Set(), 0);
    expect(moved(rows, rows[0]?.key, 'ArrowUp')).toEqual({});
    expect(moved(rows, rows.at(-1)?.key, 'ArrowDown')).toEqual({});
    expect(moved(rows, rows[0]?.key, 'Tab')).toBeUndefined();
    expect(moved([], undefined, 'Home')).toBeUndefined();
  });
});
