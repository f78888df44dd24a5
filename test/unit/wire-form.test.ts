import { describe, expect, it } from 'vitest';
import { type Form, type FormField, form, webAddress } from '../../src/wire/form.schema.ts';
import { choicesOf, formProblems, initialContent, saidValue } from '../../src/wire/form.ts';

const one = (field: FormField, ...required: string[]): Form => ({ properties: { a: field }, required });
const wrong = (field: FormField, value: unknown) => formProblems(one(field), { a: value } as never).a;

describe('the answer to a form', () => {
  const fitting: [string, FormField, unknown][] = [
    ['text', { type: 'string' }, ''],
    ['text by its characters, not its code units', { type: 'string', maxLength: 2 }, '🙂🙂'],
    ['a mail address', { type: 'string', format: 'email' }, 'a@b.example'],
    ['a web address', { type: 'string', format: 'uri' }, 'https://example.org/a?b'],
    ['a day', { type: 'string', format: 'date' }, '2024-02-29'],
    ['a time', { type: 'string', format: 'date-time' }, '2024-02-29T12:00:00.5+02:00'],
    ['a pattern', { type: 'string', pattern: '^[a-z]+$' }, 'abc'],
    ['one of a list', { type: 'string', enum: ['x', 'y'] }, 'y'],
    ['one of a list with titles', { type: 'string', oneOf: [{ const: 'x', title: 'X' }] }, 'x'],
    ['a number at its bound', { type: 'number', minimum: 0.5, maximum: 0.5 }, 0.5],
    ['a whole number', { type: 'integer' }, -3],
    ['no', { type: 'boolean' }, false],
    ['some of a list', { type: 'array', items: { enum: ['x', 'y'] }, minItems: 1 }, ['y']],
    ['none of a list', { type: 'array', items: { anyOf: [] } }, []],
  ];
  it.each(fitting)('fits: %s', (_, field, value) => {
    expect(wrong(field, value)).toBeUndefined();
  });

  const unfit: [string, FormField, unknown][] = [
    ['a number for text', { type: 'string' }, 1],
    ['too short', { type: 'string', minLength: 1 }, ''],
    ['too long', { type: 'string', maxLength: 1 }, 'ab'],
    ['no mail address', { type: 'string', format: 'email' }, 'a@'],
    ['no address', { type: 'string', format: 'uri' }, 'example.org'],
    ['a day that is not', { type: 'string', format: 'date' }, '2023-02-29'],
    ['a day for a time', { type: 'string', format: 'date-time' }, '2023-02-28'],
    ['another pattern', { type: 'string', pattern: '^[a-z]+$' }, 'A'],
    ['not in the list', { type: 'string', enum: ['x'] }, 'X'],
    ['below', { type: 'number', minimum: 1 }, 0.9],
    ['above', { type: 'integer', maximum: 1 }, 2],
    ['a part of a number', { type: 'integer' }, 1.5],
    ['no number', { type: 'number' }, Number.NaN],
    ['text for a number', { type: 'number' }, '1'],
    ['text for yes', { type: 'boolean' }, 'true'],
    ['one for a list', { type: 'array', items: { enum: ['x'] } }, 'x'],
    ['strange in a list', { type: 'array', items: { enum: ['x'] } }, ['z']],
    ['twice in a list', { type: 'array', items: { enum: ['x'] } }, ['x', 'x']],
    ['too few', { type: 'array', items: { enum: ['x'] }, minItems: 1 }, []],
    ['too many', { type: 'array', items: { enum: ['x', 'y'] }, maxItems: 1 }, ['x', 'y']],
  ];
  it.each(unfit)('does not fit: %s', (_, field, value) => {
    expect(wrong(field, value)).toMatch(/\w.*\.$/);
  });

  it('needs what is required, may leave out the rest, and brings nothing else', () => {
    const asked = { properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a'] } as const;
    expect(Object.keys(formProblems(asked, {}))).toEqual(['a']);
    expect(formProblems(asked, { a: '' })).toEqual({});
    expect(Object.keys(formProblems(asked, { a: '', toString: 'x' }))).toEqual(['toString']);
    expect(Object.keys(formProblems({ properties: {}, required: ['a'] }, {}))).toEqual([]);
  });

  it('is not kept waiting by a pattern that takes for ever, nor refused by one that is none', () => {
    for (const pattern of ['^(a+)+$', '^(a|a)*$', '(', '(a*)\\1', '^a*a*a*a*a*$']) {
      expect(wrong({ type: 'string', pattern }, `${'a'.repeat(150)}!`), pattern).toBeUndefined();
    }
  });

  it('begins with what the agent proposes, and is read as the list says it', () => {
    const asked = {
      properties: {
        a: { type: 'string', oneOf: [{ const: 'x', title: 'An X' }], default: 'x' },
        b: { type: 'boolean', default: false },
        c: { type: 'integer' },
        d: { type: 'array', items: { enum: ['p', 'q'] } },
      },
    } as const;
    expect(initialContent(asked)).toEqual({ a: 'x', b: false });
    expect(saidValue(asked.properties.a, 'x')).toBe('An X');
    expect(saidValue(asked.properties.b, false)).toBe('No');
    expect(saidValue(asked.properties.d, ['p', 'q'])).toBe('p, q');
    expect(saidValue(undefined, 3)).toBe('3');
    expect(choicesOf(asked.properties.c)).toBeUndefined();
  });
});

describe('a form of the protocol', () => {
  it('is taken with its titles, bounds and defaults, and without what it may not hold', () => {
    const given = {
      properties: { a: { type: 'string', title: 'A', default: 'x', strange: 1 } },
      type: 'object',
    };
    expect(form.parse(given)).toEqual({ properties: { a: { type: 'string', title: 'A', default: 'x' } } });
    expect(form.safeParse({ properties: { a: { type: 'object' } } }).success).toBe(false);
  });

  it('links to the web only', () => {
    for (const address of ['http://a', 'HTTPS://a.example/b?c']) {
      expect(webAddress.safeParse(address).success, address).toBe(true);
    }
    for (const address of ['javascript:alert(1)', 'data:text/html,x', '/a', 'https://a b', 'file:///etc']) {
      expect(webAddress.safeParse(address).success, address).toBe(false);
    }
  });
});
