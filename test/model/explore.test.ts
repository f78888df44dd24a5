import { describe, expect, test } from 'vitest';
import { type Bounds, explore } from './explore.ts';

const small: Bounds = {
  kind: 'conversation',
  messages: 1,
  stops: 1,
  resumes: 1,
  retries: 0,
  faults: 1,
  outputs: 0,
  answers: 1,
  states: 50_000,
};

describe('every order of events within bounds', () => {
  test('keeps the invariants of a conversation and of its runner', () => {
    const found = explore(small);
    expect(found.broken).toEqual([]);
    expect(found.complete).toBe(true);
    expect(found.states).toBeGreaterThan(300);
    expect(found.transitions).toBeGreaterThan(found.states);
    const met = [...found.met].join();
    for (const state of ['cancelling', 'killed', 'fenced', 'blocked', 'ending']) expect(met).toContain(state);
  });

  test('keeps them when a turn is to be run again at a time, whatever comes before it', () => {
    const found = explore({ ...small, messages: 2, resumes: 0, stops: 0, answers: 0, retries: 1 });
    expect(found.broken).toEqual([]);
    expect(found.complete).toBe(true);
    expect([...found.met].join()).toContain('"retry":"due"');
  });

  test('keeps them for a job, whose agent loses its stream', () => {
    const found = explore({ ...small, kind: 'job', messages: 0, stops: 0, faults: 0, outputs: 1 });
    expect(found.broken).toEqual([]);
    expect(found.complete).toBe(true);
    expect([...found.met].join()).toContain('polling');
  });

  test('does not call itself complete when it was cut short', () => {
    const found = explore({ ...small, states: 100 });
    expect(found.states).toBe(100);
    expect(found.complete).toBe(false);
  });
});
