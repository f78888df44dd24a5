import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCursor, parseCursor } from '../../src/wire/cursor.ts';
import {
  checkDraft,
  type Draft,
  type Fact,
  factSchemas,
  factTypes,
  parseFact,
} from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import { opened, Script, started, text } from '../support/facts.ts';

const envelope = { v: 1, session: 's', epoch: 'e', seq: 3, at: 5 } as const;
const sound = { ...envelope, ...text('t', 0, 'x') };

describe('facts', () => {
  test('C12: a fact without a session is refused at run time', () => {
    const { session: _, ...unscoped } = sound;
    expect(parseFact(sound)).toMatchObject({ kind: 'known' });
    for (const session of [undefined, '', 7, null]) {
      expect(parseFact({ ...unscoped, session })).toMatchObject({
        kind: 'refused',
        reason: expect.stringContaining('session'),
      });
    }
  });

  test('C12: a fact without a session, and text without a turn, do not type-check', () => {
    const { session: _, ...unscoped } = sound;
    // @ts-expect-error a fact names its session
    const fact: Fact = unscoped;
    // @ts-expect-error text names its turn
    const draft: Draft = { type: 'text.added', part: 'p', offset: 0, text: 'x' };
    expect(parseFact(fact).kind).toBe('refused');
    expect(() => checkDraft(draft)).toThrow(/turn/);
  });

  test('facts of an unknown type are kept whole, and skipped by the fold', () => {
    const log = new Script();
    const before = log.write(opened(), started('t'), text('t', 0, 'a'));
    const strange = { ...envelope, type: 'mood.changed', turn: 't', mood: { level: 4 } };
    expect(parseFact(strange)).toEqual({ kind: 'unknown', fact: strange });
    log.seq += 1;
    const after = log.write(text('t', 1, 'b'));
    const without = foldAll([...before, ...after]);
    expect(foldAll([...before, { ...strange, seq: 4 } as never as Fact, ...after])).toMatchObject([
      { parts: without[0]?.parts, misfits: [] },
    ]);
  });

  test.each(['v', 'epoch', 'seq', 'at', 'type'] as const)('a fact with an unsound %s is refused', (field) => {
    for (const value of [undefined, null, -1, '', {}]) {
      expect(parseFact({ ...sound, [field]: value })).toMatchObject({ kind: 'refused' });
    }
  });

  test('no input makes the reader of facts throw, and what it calls known is of its schema', () => {
    const near = fc.record(
      {
        v: fc.constantFrom(1, 2),
        session: fc.string(),
        epoch: fc.string(),
        seq: fc.integer(),
        at: fc.integer(),
        type: fc.constantFrom(...factTypes, 'other'),
        turn: fc.anything(),
        text: fc.anything(),
        offset: fc.anything(),
        part: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), near), (input) => {
        const parsed = parseFact(input);
        if (parsed.kind === 'known') factSchemas[parsed.fact.type].parse(parsed.fact);
      }),
    );
  });

  test('a draft of a type that is not known is refused before it reaches the log', () => {
    expect(() => checkDraft({ type: 'mood.changed' } as never)).toThrow('unknown fact type');
  });
});

describe('cursors', () => {
  test('what is formatted is read back', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9]{1,64}$/),
        fc.integer({ min: 0, max: 999_999_999_999_999 }),
        (epoch, seq) => {
          expect(parseCursor(formatCursor({ epoch, seq }))).toEqual({ epoch, seq });
        },
      ),
    );
  });

  test.each(['', '.', 'e', 'e.', '.1', 'e.01', 'e.-1', 'e.1.2', 'e 1', 'e.1e3', 'é.1'])(
    '%j is no cursor',
    (input) => {
      expect(parseCursor(input)).toBeUndefined();
    },
  );
});
