import { describe, expect, it } from 'vitest';
import { type Form, type FormField, form, formContent, webAddress } from '../../src/wire/form.schema.ts';
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
    ['text at its bounds', { type: 'string', minLength: 2, maxLength: 2 }, 'ab'],
    ['a whole second', { type: 'string', format: 'date-time' }, '2024-02-29T12:00:00Z'],
    ['a part of a second', { type: 'string', format: 'date-time' }, '2024-02-29T12:00:00.125Z'],
    ['a pattern of characters, not of code units', { type: 'string', pattern: '^.$' }, '🙂'],
    ['a pattern, by its characters', { type: 'string', pattern: '^\\p{Lu}$' }, 'Ä'],
    ['a pattern', { type: 'string', pattern: '^[a-z]+$' }, 'abc'],
    ['one of a list', { type: 'string', enum: ['x', 'y'] }, 'y'],
    ['one of a list with titles', { type: 'string', oneOf: [{ const: 'x', title: 'X' }] }, 'x'],
    ['a number at its bound', { type: 'number', minimum: 0.5, maximum: 0.5 }, 0.5],
    ['a whole number', { type: 'integer' }, -3],
    ['no', { type: 'boolean' }, false],
    ['some of a list', { type: 'array', items: { enum: ['x', 'y'] }, minItems: 1 }, ['y']],
    ['as many of a list as may be', { type: 'array', items: { enum: ['x', 'y'] }, maxItems: 2 }, ['y', 'x']],
    ['none of a list', { type: 'array', items: { anyOf: [] } }, []],
  ];
  it.each(fitting)('fits: %s', (_, field, value) => {
    expect(wrong(field, value)).toBeUndefined();
  });

  const list = 'Choose from the list, each once.';
  const mail = 'Give an e-mail address.';
  const address = 'Give a whole address, such as https://example.org.';
  const day = 'Give a date, as 2025-12-31.';
  const time = 'Give a date and a time, as 2025-12-31T18:00:00Z.';
  const at = { type: 'string', format: 'date-time' } as const;
  const two = { enum: ['x', 'y'] };
  const unfit: [string, FormField, unknown, string][] = [
    ['a number for text', { type: 'string' }, 1, 'Give text.'],
    ['too short', { type: 'string', minLength: 1 }, '', 'At least 1 character.'],
    ['much too short', { type: 'string', minLength: 3 }, 'ab', 'At least 3 characters.'],
    ['too long', { type: 'string', maxLength: 1 }, 'ab', 'At most 1 character.'],
    ['no mail address', { type: 'string', format: 'email' }, 'a@', mail],
    ['no address', { type: 'string', format: 'uri' }, 'example.org', address],
    ['a day that is not', { type: 'string', format: 'date' }, '2023-02-29', day],
    ['a month for a day', { type: 'string', format: 'date' }, '2023-02', day],
    ['a time for a day', { type: 'string', format: 'date' }, '2023-02-28T00:00:00Z', day],
    ['nothing for a day', { type: 'string', format: 'date' }, '', day],
    ['a day for a time', at, '2023-02-28', time],
    ['a time of a day that is not', at, '2023-02-29T12:00:00Z', time],
    ['an hour that is not', at, '2023-02-28T25:00:00Z', time],
    ['a time with more before it', at, '+002023-02-28T12:00:00Z', time],
    ['a time with more behind it', at, '2023-02-28T12:00:00Z (noon)', time],
    ['another pattern', { type: 'string', pattern: '^[a-z]+$' }, 'A', 'It must match ^[a-z]+$.'],
    ['not in the list', { type: 'string', enum: ['x'] }, 'X', 'Choose one of the list.'],
    ['below', { type: 'number', minimum: 1 }, 0.9, 'At least 1.'],
    ['above', { type: 'integer', maximum: 1 }, 2, 'At most 1.'],
    ['a part of a number', { type: 'integer' }, 1.5, 'Give a whole number.'],
    ['no number', { type: 'number' }, Number.NaN, 'Give a number.'],
    ['text for a number', { type: 'number' }, '1', 'Give a number.'],
    ['text for yes', { type: 'boolean' }, 'true', 'Give true or false.'],
    ['one for a list', { type: 'array', items: { enum: ['x'] } }, 'x', 'Give a list.'],
    ['strange in a list', { type: 'array', items: { enum: ['x'] } }, ['z'], list],
    ['twice in a list', { type: 'array', items: { enum: ['x'] } }, ['x', 'x'], list],
    ['too few', { type: 'array', items: { enum: ['x'] }, minItems: 1 }, [], 'Choose at least 1.'],
    ['too many', { type: 'array', items: two, maxItems: 1 }, ['x', 'y'], 'Choose at most 1.'],
  ];
  it.each(unfit)('does not fit: %s', (_, field, value, sentence) => {
    expect(wrong(field, value)).toBe(sentence);
  });

  it('needs what is required, may leave out the rest, and brings nothing else', () => {
    const asked = { properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a'] } as const;
    expect(formProblems(asked, {})).toEqual({ a: 'This is needed.' });
    expect(formProblems(asked, { a: '' })).toStrictEqual({});
    expect(formProblems(asked, { a: '', toString: 'x' })).toEqual({
      toString: 'The form has no such field.',
    });
    expect(formProblems({ properties: {}, required: ['a'] }, {})).toEqual({});
    expect(formProblems({ properties: { a: { type: 'string' } } }, {})).toEqual({});
  });

  it('is not kept waiting by a pattern that takes for ever, nor refused by one that is none', () => {
    for (const pattern of ['^(a+)+$', '^(a|a)*$', '(', '(a*)\\1', '^a*a*a*a*a*$']) {
      expect(wrong({ type: 'string', pattern }, `${'a'.repeat(150)}!`), pattern).toBeUndefined();
    }
  });

  it('is held to a pattern that is checked in no time', () => {
    const patterns = ['^(ab)+$', '^\\d$', '^(?:a)$', '^a*b*c*$', `^${'a'.repeat(198)}$`];
    for (const pattern of patterns) {
      expect(wrong({ type: 'string', pattern }, 'x'), pattern).toBe(`It must match ${pattern}.`);
    }
    expect(wrong({ type: 'string', pattern: '^a$' }, 'x'.repeat(200))).toBe('It must match ^a$.');
    expect(wrong({ type: 'string', pattern: '^a$' }, 'x'.repeat(201))).toBeUndefined();
    expect(wrong({ type: 'string', pattern: `^${'a'.repeat(199)}$` }, 'x')).toBeUndefined();
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
    expect(initialContent(asked)).toStrictEqual({ a: 'x', b: false });
    expect(saidValue(asked.properties.a, 'x')).toBe('An X');
    expect(saidValue(asked.properties.b, false)).toBe('No');
    expect(saidValue(asked.properties.b, true)).toBe('Yes');
    expect(saidValue(asked.properties.d, ['p', 'q'])).toBe('p, q');
    expect(saidValue(undefined, 3)).toBe('3');
    const titled = [{ const: 'p', title: 'A P' }];
    expect(choicesOf({ type: 'array', items: { anyOf: titled } })).toEqual(titled);
    expect(choicesOf(asked.properties.d)).toEqual([
      { const: 'p', title: 'p' },
      { const: 'q', title: 'q' },
    ]);
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

  const about = { title: 'T', description: 'D' };
  const choice = { const: 'x', ...about };
  const fields: readonly object[] = [
    { type: 'string', ...about, default: 'x', minLength: 0, maxLength: 9, pattern: 'x' },
    ...['email', 'uri', 'date', 'date-time'].map((format) => ({ type: 'string', format })),
    { type: 'string', enum: ['x'] },
    { type: 'string', oneOf: [choice, { const: 'y', title: 'Y' }] },
    ...['number', 'integer'].map((type) => ({ type, ...about, default: 1, minimum: 0, maximum: 2 })),
    { type: 'boolean', ...about, default: true },
    { type: 'array', ...about, default: ['x'], minItems: 0, maxItems: 1, items: { enum: ['x'] } },
    { type: 'array', items: { anyOf: [choice] } },
  ];
  it.each(fields.map((field) => [JSON.stringify(field), field] as const))('has a field %s', (_, field) => {
    const asked = { ...about, properties: { a: field }, required: ['a'] };
    expect(form.parse(asked)).toEqual(asked);
  });

  const none: readonly object[] = [
    { type: 'string', minLength: -1 },
    { type: 'string', maxLength: 0.5 },
    { type: 'string', format: 'ipv4' },
    { type: 'string', enum: [1] },
    { type: 'string', oneOf: [{ const: 'x' }] },
    { type: 'number', default: 'x' },
    { type: 'array' },
    { type: 'array', items: {} },
    { type: 'array', items: { enum: [1] } },
    { type: 'array', items: { anyOf: [{}] } },
  ];
  it.each(none.map((field) => [JSON.stringify(field), field] as const))('has no field %s', (_, field) => {
    expect(form.safeParse({ properties: { a: field } }).success).toBe(false);
  });

  it('is answered with texts, numbers, yes or no, and lists of texts', () => {
    const content = { a: 'x', b: 1, c: false, d: ['x'] };
    expect(formContent.parse(content)).toEqual(content);
    for (const value of [null, {}, [1]]) expect(formContent.safeParse({ a: value }).success).toBe(false);
  });

  it('links to the web only', () => {
    for (const address of ['http://a', 'HTTPS://a.example/b?c']) {
      expect(webAddress.safeParse(address).success, address).toBe(true);
    }
    for (const address of [
      'javascript:alert(1)',
      'data:text/html,x',
      '/a',
      'https://a b',
      'file:///etc',
      'javascript:http://a',
    ]) {
      expect(webAddress.safeParse(address).success, address).toBe(false);
    }
  });
});
