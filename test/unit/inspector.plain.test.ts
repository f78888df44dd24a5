import { describe, expect, test } from 'vitest';
import { plain } from '../../machines/inspection.plain.ts';

const x = (length: number) => 'x'.repeat(length);
const list = (length: number) => Array.from({ length }, (_, i) => i);
const bare = Object.assign(Object.create(null), { a: 1 });
const object = (size: number) => Object.fromEntries(list(size).map((i) => [`k${i}`, i]));

describe('plain data of an event', () => {
  const cases: readonly (readonly [string, unknown, unknown])[] = [
    ['a text', 'x', 'x'],
    ['a long text', x(500), x(500)],
    ['a text that is too long', x(501), `${x(500)}…`],
    ['a number', 1, 1],
    ['yes', true, true],
    ['nothing', null, null],
    ['what is not there', undefined, undefined],
    ['a very large number', 5n, '5n'],
    ['a function', () => {}, undefined],
    ['a symbol', Symbol('x'), undefined],
    ['an error', new TypeError('no'), 'TypeError: no'],
    ['an error that says much', new Error(x(501)), `Error: ${x(500)}…`],
    ['a list', [1, 'a', null], [1, 'a', null]],
    ['a list with gaps', [undefined, () => {}, 2], [null, null, 2]],
    ['a long list', list(50), list(50)],
    ['a list that is too long', list(51), [...list(50), '… 1 more']],
    ['a handle', new Map(), undefined],
    ['an object', { a: 1, b: { c: 'd' } }, { a: 1, b: { c: 'd' } }],
    ['an object without a prototype', bare, { a: 1 }],
    ['an object with what is no data', { a: 1, b() {}, c: undefined, d: new Map() }, { a: 1 }],
    ['an object with too many fields', object(51), object(50)],
    ['a deep object', { a: { b: { c: { d: { e: {} } } } } }, { a: { b: { c: { d: { e: '…' } } } } }],
    ['a deep list', [[[[[[1]]]]]], [[[[['…']]]]]],
    ['a deep text', { a: { b: { c: { d: { e: 'x' } } } } }, { a: { b: { c: { d: { e: 'x' } } } } }],
  ];
  test.each(cases)('%s', (_, value, expected) => {
    expect(plain(value)).toStrictEqual(expected);
  });

  test('however wide the tree, what is sent stays small', () => {
    const wide = (depth: number): unknown =>
      depth === 0 ? 'leaf' : Array.from({ length: 40 }, () => wide(depth - 1));
    expect(JSON.stringify(plain(wide(3))).length).toBeLessThan(20_000);
  });

  test('of three hundred values all are sent, but for what holds more', () => {
    // One, and five times one with fifty in it, and one with so many: the next is the last.
    const before = [...Array.from({ length: 5 }, () => list(50)), list(41)];
    expect(plain([...before, [], []])).toStrictEqual([...before, [], '…']);
  });
});
