import { describe, expect, it } from 'vitest';
import { change, type Wishes } from '../../machines/changes.ts';
import type { SessionContext } from '../../machines/session.ts';
import type { SessionOption } from '../../src/wire/options.ts';

const depth: SessionOption = {
  type: 'select',
  id: 'depth',
  name: 'Depth',
  value: 'low',
  choices: [
    { id: 'low', name: 'Low' },
    { id: 'high', name: 'High' },
  ],
};
const fast: SessionOption = { type: 'boolean', id: 'fast', name: 'Fast', value: false };

const changed = (wishes: Wishes, options?: readonly SessionOption[]) =>
  change({ ...(options && { options }) } as SessionContext, wishes);
const asked = (options: Wishes['options'] & object, offered?: readonly SessionOption[]) =>
  changed({ options }, offered);

describe('a change of a session', () => {
  const writes: readonly (readonly [string, Wishes, object])[] = [
    ['a title is the user’s', { title: 'T' }, { title: 'T', by: 'user' }],
    ['a model', { model: 'm' }, { model: 'm' }],
    ['a mode', { mode: 'm' }, { mode: 'm' }],
    [
      'one option leaves the others',
      { options: { fast: true } },
      { options: [depth, { ...fast, value: true }] },
    ],
    ['a choice', { options: { depth: 'high' } }, { options: [{ ...depth, value: 'high' }, fast] }],
    [
      'all at once',
      { title: 'T', model: 'm', mode: 'n', options: { fast: true, depth: 'high' } },
      {
        ...{ title: 'T', by: 'user', model: 'm', mode: 'n' },
        options: [
          { ...depth, value: 'high' },
          { ...fast, value: true },
        ],
      },
    ],
    ['no options at all', { options: {} }, { options: [depth, fast] }],
  ];
  it.each(writes)('is one fact: %s', (_, wishes, written) => {
    expect(changed(wishes, [depth, fast])).toStrictEqual({
      drafts: [{ type: 'session.changed', ...written }],
      answer: {},
    });
  });

  it('of a session without options writes none', () => {
    expect(asked({})).toStrictEqual({ drafts: [{ type: 'session.changed', options: [] }], answer: {} });
    expect(changed({ title: 'T' })).toStrictEqual({
      drafts: [{ type: 'session.changed', title: 'T', by: 'user' }],
      answer: {},
    });
  });

  const refused: readonly (readonly [string, ReturnType<typeof change>, string, string])[] = [
    [
      'an option that is not offered',
      asked({ fast: true, deep: true }, [depth, fast]),
      'option.unknown',
      'The agent offers no option deep; it offers depth, fast.',
    ],
    [
      'an option where none is offered',
      asked({ fast: true }),
      'option.unknown',
      'The agent offers no options now, and so no fast.',
    ],
    [
      'a value that is not offered',
      asked({ depth: 'abyss' }, [depth, fast]),
      'option.value',
      'Depth is one of: low, high.',
    ],
    [
      'a text for yes or no',
      asked({ fast: 'true' }, [depth, fast]),
      'option.value',
      'Fast is true or false.',
    ],
    ['yes for a choice', asked({ depth: true }, [depth]), 'option.value', 'Depth is one of: low, high.'],
    [
      'a name that every object has',
      asked({ toString: true } as never, [depth]),
      'option.unknown',
      'The agent offers no option toString; it offers depth.',
    ],
  ];
  it.each(refused)('is refused whole, with %s', (_, decision, code, detail) => {
    expect(decision).toMatchObject({ refused: { status: 400, code, detail } });
    expect(decision).not.toHaveProperty('drafts');
  });

  it('does not take a value of an option from what every object has', () => {
    const odd: SessionOption = { ...fast, id: 'constructor' };
    expect(asked({ fast: true }, [odd, fast])).toMatchObject({
      drafts: [{ options: [odd, { ...fast, value: true }] }],
    });
  });
});
