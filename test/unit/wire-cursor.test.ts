import { expect, test } from 'vitest';
import { formatCursor, parseCursor } from '../../src/wire/cursor.ts';

test.each(['e.0', 'e.1', 'e.10', 'aZ09.999999999999999', `${'e'.repeat(64)}.1`])(
  'C21: %s is a place in a log, and written as it was read',
  (text) => {
    const cursor = parseCursor(text);
    const [epoch, seq] = text.split('.');
    expect(cursor).toStrictEqual({ epoch, seq: Number(seq) });
    expect(cursor && formatCursor(cursor)).toBe(text);
  },
);

test.each([
  '',
  'e',
  'e.',
  '.1',
  'e.01',
  'e.-1',
  'e.a',
  'e.1 ',
  ' e.1',
  'e_.1',
  'e:1',
  'e.1.1',
  'e.1000000000000000',
  `${'e'.repeat(65)}.1`,
])('C21: %j is none', (text) => {
  expect(parseCursor(text)).toBeUndefined();
});
