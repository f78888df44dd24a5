import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { turnLogic, turnOf } from '../../machines/turn.logic.ts';
import type { Draft } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { Script, started, text, tool } from '../support/facts.ts';

const log = (...drafts: readonly Draft[]) => new Script().write(started('t'), ...drafts);
const folded = (...drafts: readonly Draft[]) => foldAll(log(...drafts))[0] as Turn;
const copy = (turn: Turn) => JSON.parse(JSON.stringify(turn)) as Turn;

test('I6: an open turn is the fold of its facts', () => {
  const [start, ...rest] = log(text('t', 0, 'a'), tool('t', 'c'));
  const actor = createActor(turnLogic, { input: foldAll([start as never])[0] as Turn }).start();
  for (const fact of rest) actor.send(fact);
  expect(turnOf(actor)).toEqual(folded(text('t', 0, 'a'), tool('t', 'c')));
});

test('I10: read again, it keeps the parts that say the same, and no others', () => {
  const before = folded(text('t', 0, 'a'), text('t', 0, 'b', 'q'), tool('t', 'c'), tool('t', 'd'));
  const actor = createActor(turnLogic, { input: before }).start();
  const loaded = copy(before);
  const changes: readonly [number, object][] = [
    [0, { text: 'other' }],
    [0, { revision: 1 }],
    [0, { id: 'x' }],
    [0, { type: 'thought' }],
    [2, { title: 'Other' }],
    [2, { type: 'plan' }],
  ];
  for (const [place, change] of changes) {
    const changed = {
      ...loaded,
      parts: loaded.parts.map((p, i) => (i === place ? { ...p, ...change } : p)),
    } as Turn;
    actor.send({ type: 'turn.loaded', turn: before });
    actor.send({ type: 'turn.loaded', turn: changed });
    const { parts } = turnOf(actor);
    expect(parts[place], JSON.stringify(change)).toBe(changed.parts[place]);
    expect(parts.filter((part, index) => part === before.parts[index])).toHaveLength(3);
  }
  actor.send({ type: 'turn.loaded', turn: before });
  const more = { ...copy(before), seq: 9, parts: [...copy(before).parts, { type: 'job', id: 'j' } as const] };
  actor.send({ type: 'turn.loaded', turn: more });
  expect(turnOf(actor)).toEqual(more);
  expect(
    turnOf(actor)
      .parts.slice(0, 4)
      .every((part, index) => part === before.parts[index]),
  ).toBe(true);
});
