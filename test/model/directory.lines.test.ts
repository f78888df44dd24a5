import { expect, test } from 'vitest';
import { type Lines, merged, reloaded } from '../../machines/directory.lines.ts';
import type { SessionSummary } from '../../src/wire/snapshot.ts';

const line = (id: string, cursor: string, more: object = {}) => ({ id, cursor, ...more }) as SessionSummary;
const lines = (...all: readonly SessionSummary[]): Lines =>
  Object.fromEntries(all.map((each) => [each.id, each]));
const known = line('a', 'e.5', { title: 'A' });
const beside = line('b', 'e.1');

const cases: readonly [string, SessionSummary, boolean][] = [
  ['newer', line('a', 'e.6'), true],
  ['as old but says something else', line('a', 'e.5', { title: 'B' }), true],
  ['as old and says more', { ...known, unread: true } as never, true],
  ['as old and says less', line('a', 'e.5'), true],
  ['the same', { ...known }, false],
  ['older', line('a', 'e.4'), false],
  ['of another log', line('a', 'f.4'), true],
  ['without a place', line('a', 'nonsense'), true],
];

test.each(cases)('C30: what was said is taken if it is %s: it is not, otherwise', (_, said, taken) => {
  const after = merged(lines(known, beside), [said], []);
  expect(after).toEqual(lines(taken ? said : known, beside));
  expect(after.a === known).toBe(!taken);
});

test('C30: what was said is taken over what has no place', () => {
  const odd = line('a', 'nonsense');
  expect(merged(lines(odd), [known], []).a).toBe(known);
});

test('C30: a new line is added, one that was removed is gone', () => {
  expect(merged(lines(known), [beside], [])).toEqual(lines(known, beside));
  expect(merged(lines(known, beside), [], ['a'])).toEqual(lines(beside));
  expect(merged(lines(), [known], ['a'])).toEqual({});
});

test.each(cases)(
  'C30: an answer whose line is %s, beside a line that came in the meantime',
  (_, said, newer) => {
    const touched = reloaded(lines(known), [said], ['a'], []);
    // Said later, the line stays, unless its log had not come as far.
    expect(touched.a).toBe(said.cursor === 'e.6' ? said : known);
    const untouched = reloaded(lines(known), [said], [], []);
    expect(untouched.a).toBe(newer || said.cursor === 'e.4' ? said : known);
  },
);

test('C30: what an answer does not name is gone, unless it came in the meantime', () => {
  expect(reloaded(lines(known, beside), [known], [], [])).toEqual(lines(known));
  expect(reloaded(lines(known, beside), [known], ['b'], [])).toEqual(lines(known, beside));
  expect(reloaded(lines(known), [known, beside], [], ['b'])).toEqual(lines(known));
  expect(reloaded(lines(), [beside], ['a'], [])).toEqual(lines(beside));
});
