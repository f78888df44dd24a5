import { describe, expect, test } from 'vitest';
import { optionValue, sessionOption } from '../../src/wire/options.ts';

const boolean = { type: 'boolean', id: 'b', name: 'B', value: true };
const select = { type: 'select', id: 's', name: 'S', value: 'x', choices: [{ id: 'x', name: 'X' }] };
const id = (length: number) => ({ ...boolean, id: 'x'.repeat(length) });

describe('an option of a session', () => {
  const taken: readonly (readonly [string, object])[] = [
    ['yes or no', boolean],
    ['one of a list', select],
    ['one of an empty list', { ...select, choices: [] }],
    ['with words about it', { ...boolean, description: 'D', category: 'c' }],
    ['with groups', { ...select, choices: [{ id: 'x', name: 'X', group: 'g' }] }],
    ['with the shortest name', id(1)],
    ['with the longest name', id(200)],
  ];
  test.each(taken)('is taken as it is: %s', (_, option) => {
    expect(sessionOption.parse(option)).toEqual(option);
  });

  const refused: readonly (readonly [string, object])[] = [
    ['of another type', { ...boolean, type: 'number' }],
    ['without a name for programs', id(0)],
    ['with too long a name', id(201)],
    ['without a name for people', { ...boolean, name: undefined }],
    ['with a description that is no text', { ...boolean, description: 1 }],
    ['with a category that is no text', { ...boolean, category: 1 }],
    ['without a value', { ...boolean, value: undefined }],
    ['with a text for yes or no', { ...boolean, value: 'true' }],
    ['with yes for one of a list', { ...select, value: true }],
    ['without a list', { ...select, choices: undefined }],
    ['with a choice that is none', { ...select, choices: ['x'] }],
    ['with a group that is no text', { ...select, choices: [{ id: 'x', name: 'X', group: 1 }] }],
  ];
  test.each(refused)('is refused %s', (_, option) => {
    expect(sessionOption.safeParse(option).success).toBe(false);
  });
});

test('a value is yes, no, or a text that is not too long', () => {
  for (const value of [true, false, '', 'x'.repeat(1000)]) expect(optionValue.parse(value)).toBe(value);
  for (const value of [1, null, 'x'.repeat(1001), ['x']]) {
    expect(optionValue.safeParse(value).success).toBe(false);
  }
});
