import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { fold, foldAll, openTurn } from '../../src/wire/fold.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { asks, ended, opened, Script, started, text, tool, toolDone } from '../support/facts.ts';

/** A piece of an answer; chunked differently it must read the same. */
type Piece =
  | { readonly kind: 'text'; readonly part: string; readonly text: string }
  | { readonly kind: 'thought'; readonly part: string; readonly text: string }
  | { readonly kind: 'replace'; readonly part: string; readonly text: string }
  | { readonly kind: 'tool'; readonly id: number }
  | { readonly kind: 'output'; readonly id: number; readonly text: string }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'plan'; readonly entry: string };

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const piece: fc.Arbitrary<Piece> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('text', 'thought'),
      part: fc.constantFrom('a', 'b'),
      text: words,
    }),
  },
  fc.record({ kind: fc.constant('replace'), part: fc.constantFrom('a', 'b'), text: words }),
  fc.record({ kind: fc.constant('tool'), id: fc.nat(3) }),
  fc.record({ kind: fc.constant('output'), id: fc.nat(3), text: words }),
  fc.record({ kind: fc.constant('done'), id: fc.nat(3) }),
  fc.record({ kind: fc.constant('plan'), entry: words }),
) as fc.Arbitrary<Piece>;

/** Writes pieces as a turn; `cut` says how many UTF-16 units the next chunk of text gets. */
function write(pieces: readonly Piece[], cut: () => number): Fact[] {
  const log = new Script();
  const lengths = new Map<string, number>();
  const outputs = new Map<number, number>();
  const ended = new Set<number>();
  log.write(opened(), started('t'));
  const chunks = (whole: string, each: (chunk: string) => void) => {
    for (let at = 0; at < whole.length; ) {
      const chunk = whole.slice(at, at + Math.max(1, cut()));
      each(chunk);
      at += chunk.length;
    }
  };
  for (const one of pieces) {
    if (one.kind === 'text' || one.kind === 'thought') {
      // Ids are unique over the kinds, as the runner makes them.
      const part = `${one.kind}.${one.part}`;
      chunks(one.text, (chunk) => {
        const offset = lengths.get(part) ?? 0;
        log.fact({
          type: one.kind === 'text' ? 'text.added' : 'thought.added',
          turn: 't',
          part,
          offset,
          text: chunk,
        });
        lengths.set(part, offset + chunk.length);
      });
    } else if (one.kind === 'replace') {
      const part = `text.${one.part}`;
      if (!lengths.has(part)) continue;
      log.fact({ type: 'part.replaced', turn: 't', part, text: one.text });
      lengths.set(part, one.text.length);
    } else if (one.kind === 'plan') {
      const entry = { content: one.entry, priority: 'low', status: 'pending' } as const;
      log.fact({ type: 'plan.updated', turn: 't', entries: [entry] });
    } else {
      const toolCallId = `c${one.id}`;
      if (!outputs.has(one.id)) {
        log.fact(tool('t', toolCallId));
        outputs.set(one.id, 0);
      }
      if (ended.has(one.id)) continue;
      if (one.kind === 'output') {
        chunks(one.text, (chunk) => {
          const offset = outputs.get(one.id) ?? 0;
          log.fact({ type: 'tool.updated', turn: 't', toolCallId, output: { offset, text: chunk } });
          outputs.set(one.id, offset + chunk.length);
        });
      }
      if (one.kind === 'done') {
        log.fact(toolDone('t', toolCallId));
        ended.add(one.id);
      }
    }
  }
  return log.facts;
}

/** What a person reads of a turn: everything but places in the log. */
function read(turn: Turn | undefined) {
  const { seq: _, ...rest } = turn as Turn;
  return rest;
}

function foldOne(facts: readonly Fact[]): Turn {
  return foldAll(facts)[0] as Turn;
}

describe('the fold', () => {
  test('I6: whatever the agent says ends a retry, also a plan that is changed', () => {
    const log = new Script();
    const entries = [{ content: 'one', priority: 'low', status: 'pending' }] as const;
    log.fact(started('t'));
    log.fact({ type: 'plan.updated', turn: 't', entries });
    log.fact({ type: 'turn.retrying', turn: 't', attempt: 1, reason: 'The model was busy.' });
    expect(foldOne(log.facts).retrying?.reason).toBe('The model was busy.');
    log.fact({ type: 'plan.updated', turn: 't', entries });
    expect(foldOne(log.facts).retrying).toBe(undefined);
  });

  test('C9: any chunking of the same answer gives the same turn', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.infiniteStream(fc.nat(6)), (pieces, cuts) => {
        const whole = foldOne(write(pieces, () => Number.MAX_SAFE_INTEGER));
        const chunked = foldOne(write(pieces, () => cuts.next().value ?? 1));
        expect(chunked.misfits).toEqual([]);
        expect(read(chunked)).toEqual(read(whole));
      }),
    );
  });

  test('C9: at each step the text is the concatenation of what came', () => {
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 30 }), (chunks) => {
        const log = new Script();
        let turn = openTurn(log.fact(started('t')) as never);
        let whole = '';
        for (const chunk of chunks) {
          turn = fold(turn, log.fact(text('t', whole.length, chunk)));
          whole += chunk;
          expect(turn.parts).toEqual([{ type: 'text', id: 'p', text: whole, revision: 0 }]);
        }
      }),
    );
  });

  test('C21, I6: any duplication of facts already seen changes nothing, not even identity', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.infiniteStream(fc.nat()), (pieces, picks) => {
        const facts = write(pieces, () => 3);
        let turn = openTurn(facts[1] as never);
        for (const [index, fact] of facts.entries()) {
          turn = fold(turn, fact);
          const again = facts[(picks.next().value ?? 0) % (index + 1)] as Fact;
          expect(fold(turn, again)).toBe(turn);
        }
        expect(turn).toEqual(foldOne(facts));
      }),
    );
  });

  test('C21, I6: any prefix replayed over a turn changes nothing; snapshot and tail give the same turn', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.nat(), fc.nat(), (pieces, a, b) => {
        const facts = write(pieces, () => 3);
        const whole = foldOne(facts);
        expect(foldAll(facts.slice(0, a % (facts.length + 1)), [whole])[0]).toBe(whole);
        const at = 2 + (b % (facts.length - 1));
        const snapshot = JSON.parse(JSON.stringify(foldAll(facts.slice(0, at)))) as readonly Turn[];
        // The tail may begin before the snapshot's end.
        expect(foldAll(facts.slice(a % at), snapshot)[0]).toEqual(whole);
      }),
    );
  });

  test('I10: a fact gives a new identity to the part that it changes, and to no other', () => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 20 }), (pieces) => {
        const facts = write(pieces, () => 4);
        let turn = openTurn(facts[1] as never);
        for (const fact of facts.slice(2)) {
          const before = turn;
          turn = fold(turn, fact);
          const changed = before.parts.filter((part, index) => turn.parts[index] !== part);
          expect(turn.parts.length - before.parts.length + changed.length).toBe(1);
        }
      }),
    );
  });

  const wrong: readonly { name: string; draft: Draft }[] = [
    { name: 'text behind its place', draft: text('t', 1, 'x') },
    { name: 'text ahead of its place', draft: text('t', 9, 'x') },
    { name: 'text in the middle of a part that is not there', draft: text('t', 4, 'x', 'new') },
    {
      name: 'a replacement of a part that is not there',
      draft: { type: 'part.replaced', turn: 't', part: 'new', text: 'x' },
    },
    { name: 'a tool that starts twice', draft: tool('t', 'c') },
    { name: 'the end of a tool that did not start', draft: toolDone('t', 'other') },
    {
      name: 'news of a tool that has ended',
      draft: { type: 'tool.updated', turn: 't', toolCallId: 'over', title: 'x' },
    },
    { name: 'a tool that ends twice', draft: toolDone('t', 'over') },
    {
      name: 'tool output ahead of its place',
      draft: { type: 'tool.updated', turn: 't', toolCallId: 'c', output: { offset: 3, text: 'x' } },
    },
    { name: 'a permission asked twice', draft: asks('t', 'q') },
    {
      name: 'an answer to a permission that was never asked',
      draft: { type: 'permission.answered', turn: 't', permission: 'z', option: 'yes' },
    },
  ];
  test.each(wrong)('C51: $name is reported and changes nothing else', ({ draft }) => {
    const log = new Script();
    const facts = log.write(opened(), started('t'), text('t', 0, 'abc'), tool('t', 'c'), tool('t', 'over'));
    facts.push(...log.write(toolDone('t', 'over'), asks('t', 'q')));
    const before = foldOne(facts);
    const after = fold(before, log.fact(draft));
    expect(after.misfits).toEqual([{ seq: log.seq, reason: expect.stringMatching(/./) }]);
    expect(after.parts).toBe(before.parts);
    expect({ ...after, seq: 0, misfits: [] }).toEqual({ ...before, seq: 0 });
  });

  test('I2, C45: nothing that names an ended turn changes its row', () => {
    const log = new Script();
    const over = foldOne(log.write(opened(), started('t'), text('t', 0, 'abc'), ended('t')));
    const late: Draft[] = [
      text('t', 3, 'd'),
      tool('t', 'c'),
      ended('t', 'failed'),
      { type: 'turn.stopping', turn: 't', stage: 'asked' },
      { type: 'turn.watching', turn: 't', mode: 'poll', reason: 'late', since: 0 },
      { type: 'usage.updated', turn: 't', usage: { totalTokens: 1 } },
    ];
    for (const draft of late) expect(fold(over, log.fact(draft))).toBe(over);
  });

  test('I8: a fact of another turn or of none changes nothing', () => {
    const log = new Script();
    const turn = foldOne(log.write(opened(), started('t'), text('t', 0, 'abc')));
    for (const draft of [text('u', 3, 'x'), opened(), { type: 'queue.released', revision: 3 } as const]) {
      expect(fold(turn, log.fact(draft))).toBe(turn);
    }
  });

  test('C41: each kind of end keeps the text that came', () => {
    for (const outcome of ['finalized', 'cancelled', 'failed', 'interrupted'] as const) {
      const turn = foldOne(
        new Script().write(opened(), started('t'), text('t', 0, 'half an ans'), ended('t', outcome)),
      );
      expect(turn.outcome).toBe(outcome);
      expect(turn.parts).toMatchObject([{ text: 'half an ans' }]);
    }
  });

  test('I13: a silence and a retry are shown until the agent speaks again', () => {
    const log = new Script();
    let turn = foldOne(
      log.write(
        opened(),
        started('t'),
        { type: 'turn.watching', turn: 't', mode: 'silent', reason: 'quiet', since: 5 },
        { type: 'turn.retrying', turn: 't', attempt: 2, reason: 'busy' },
      ),
    );
    expect(turn).toMatchObject({ watching: { mode: 'silent', since: 5 }, retrying: { attempt: 2 } });
    turn = fold(turn, log.fact(text('t', 0, 'here')));
    expect(turn.watching).toBeUndefined();
    expect(turn.retrying).toBeUndefined();
  });

  test('text replaced by part.replaced is gone, and a reader that only appends can tell', () => {
    const log = new Script();
    const facts = log.write(opened(), started('t'), text('t', 0, 'wrong'));
    facts.push(
      log.fact({ type: 'part.replaced', turn: 't', part: 'p', text: 'right' }),
      log.fact(text('t', 5, '!')),
    );
    expect(foldOne(facts).parts).toEqual([{ type: 'text', id: 'p', text: 'right!', revision: 1 }]);
  });
});
