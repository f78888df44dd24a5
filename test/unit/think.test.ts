import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { begin, end, push, type ThinkOptions, type ThinkPiece } from '../../src/wire/think.ts';

function split(chunks: readonly string[], options?: ThinkOptions): ThinkPiece[] {
  const pieces: ThinkPiece[] = [];
  let state = begin(options);
  for (const chunk of chunks) {
    const step = push(state, chunk);
    state = step.state;
    pieces.push(...step.pieces);
  }
  return join([...pieces, ...end(state)]);
}

function join(pieces: readonly ThinkPiece[]): ThinkPiece[] {
  const joined: ThinkPiece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (piece.text === '') continue;
    if (last?.kind === piece.kind)
      joined[joined.length - 1] = { kind: piece.kind, text: last.text + piece.text };
    else joined.push(piece);
  }
  return joined;
}

const text = (value: string): ThinkPiece => ({ kind: 'text', text: value });
const thought = (value: string): ThinkPiece => ({ kind: 'thought', text: value });

const examples: [string, string, ThinkPiece[]][] = [
  ['no tag', 'a < b and c > d', [text('a < b and c > d')]],
  ['one block', '<think>why</think>so', [thought('why'), text('so')]],
  [
    'several blocks',
    'a<think>b</think>c<think>d</think>e',
    [text('a'), thought('b'), text('c'), thought('d'), text('e')],
  ],
  ['an empty block', '<think></think>so', [text('so')]],
  ['an unclosed block', 'a<think>b</thin', [text('a'), thought('b</thin')]],
  ['an unfinished opening tag at the end', 'a <thi', [text('a <thi')]],
  ['a tag that only begins like one', '<thin<think>b</think>', [text('<thin'), thought('b')]],
  ['a close without an opening', 'a</think>b', [text('a</think>b')]],
  ['an opening inside a thought', '<think>a<think>b</think>c', [thought('a<think>b'), text('c')]],
  ['inline code', 'use `<think>` here<think>x</think>', [text('use `<think>` here'), thought('x')]],
  ['inline code of two backticks', '``a ` <think>``<think>x', [text('``a ` <think>``'), thought('x')]],
  [
    'a stray backtick of an earlier paragraph',
    '5` long\n\n<think>x</think>y',
    [text('5` long\n\n'), thought('x'), text('y')],
  ],
  ['an escaped backtick', '\\`<think>x</think>', [text('\\`'), thought('x')]],
  ['an escaped tag', '\\<think>x', [text('\\<think>x')]],
  ['an escaped backslash', '\\\\<think>x', [text('\\\\'), thought('x')]],
  [
    'a backtick fence',
    '```xml\n<think>a</think>\n```\n<think>b',
    [text('```xml\n<think>a</think>\n```\n'), thought('b')],
  ],
  ['a tilde fence', '~~~\n```\n<think>\n~~~ \n<think>b', [text('~~~\n```\n<think>\n~~~ \n'), thought('b')]],
  [
    'a fence in a list',
    '1. a\n   ```\n   <think>\n   ```\n<think>b',
    [text('1. a\n   ```\n   <think>\n   ```\n'), thought('b')],
  ],
  [
    'a shorter run inside a fence',
    '````\n```\n<think>\n````\n<think>b',
    [text('````\n```\n<think>\n````\n'), thought('b')],
  ],
  ['three backticks closed on their line', '```a```<think>b', [text('```a```'), thought('b')]],
  ['a fence line with words after it', '```\n``` no\n<think>', [text('```\n``` no\n<think>')]],
  ['an unclosed fence', '```\n<think>a', [text('```\n<think>a')]],
  ['tildes in prose', 'a ~~~ b<think>c', [text('a ~~~ b'), thought('c')]],
  ['tildes in prose that are alone', 'a ~ b<think>c', [text('a ~ b'), thought('c')]],
  ['a tilde at the beginning of a line', '~a\n<think>b', [text('~a\n'), thought('b')]],
  ['tildes behind backticks', '``~~~``<think>b', [text('``~~~``'), thought('b')]],
  ['an escaped tilde before a backtick', '\\~`<think>`', [text('\\~`<think>`')]],
  ['inline code over a line', '`a\n<think>b`', [text('`a\n<think>b`')]],
  ['inline code that begins at the end of a line', '`\n<think>b`', [text('`\n<think>b`')]],
  ['inline code that is not closed, at the beginning', '`a\n\n<think>b', [text('`a\n\n'), thought('b')]],
  [
    'inline code over a line that is not quite empty',
    '`a\r\n \t\r\n<think>b',
    [text('`a\r\n \t\r\n'), thought('b')],
  ],
  ['a backslash in inline code', '`a\\`<think>b', [text('`a\\`'), thought('b')]],
  ['a backslash before a blank', '\\ <think>b', [text('\\ '), thought('b')]],
  ['a fence behind a tab', '\t```\n<think>', [text('\t```\n<think>')]],
  [
    'a fence in a quotation',
    '> ~~~\n> <think>\n> ~~~\n<think>b',
    [text('> ~~~\n> <think>\n> ~~~\n'), thought('b')],
  ],
  ['an empty line in a fence', '```\n\n<think>', [text('```\n\n<think>')]],
  ['a backtick behind a fence of tildes', '~~~ a`\n\n<think>', [text('~~~ a`\n\n<think>')]],
  ['a fence line that is inline code after all', '```a``b\n\n<think>c', [text('```a``b\n\n'), thought('c')]],
  ['a longer run that ends a fence', '```\n`````\n<think>b', [text('```\n`````\n'), thought('b')]],
  ['a run in a fence that is not first', '```\na ```\n<think>', [text('```\na ```\n<think>')]],
  [
    'an unbalanced fence in a thought',
    '<think>\n```\na</think>b<think>c',
    [thought('\n```\na'), text('b'), thought('c')],
  ],
];

describe('think splitter', () => {
  test.each(examples)('C44: %s', (_name, whole, pieces) => {
    expect(split([whole])).toEqual(pieces);
    expect(split([...whole])).toEqual(pieces);
  });

  test('C44: text that begins inside a thought, for templates that write the opening tag themselves', () => {
    expect(split(['why</thi', 'nk>so'], { open: true })).toEqual([thought('why'), text('so')]);
  });

  test('C44: another tag name can be set', () => {
    expect(split(['<reason', 'ing>a</reasoning>b<think>'], { tag: 'reasoning' })).toEqual([
      thought('a'),
      text('b<think>'),
    ]);
  });

  test('C44: nothing is no piece, and text around an empty thought is one', () => {
    expect(push(begin(), '').pieces).toEqual([]);
    expect(end(begin())).toEqual([]);
    expect(push(begin(), '<think>a').pieces).toEqual([thought('a')]);
    expect(push(begin(), 'a<think></think>b').pieces).toEqual([text('ab')]);
  });

  test('C44: text is held back only while it may still become a tag', () => {
    const first = push(begin(), 'a <thi');
    expect(first.pieces).toEqual([text('a ')]);
    const second = push(first.state, 's');
    expect(second.pieces).toEqual([text('<this')]);
    expect(second.state.held).toBe('');
  });

  test('C44: a push does not change the state it was given', () => {
    const state = push(begin(), 'a ``<').state;
    const before = structuredClone(state);
    push(state, '`b``<think>');
    expect(state).toEqual(before);
  });

  // Words in which the alphabet of the rules is dense, so that cuts fall inside tags, runs and fences.
  const word = fc.constantFrom(
    '<think>',
    '</think>',
    '<',
    '>',
    '/',
    'think',
    '`',
    '``',
    '```',
    '~~~',
    '~',
    '\\',
    '\n',
    '\n\n',
    ' ',
    'x',
    '😀',
    '```js\n',
    '\n```\n',
    '<thi',
    '</',
  );
  const soup = fc.array(word, { maxLength: 24 }).map((words) => words.join(''));

  test('C44: every split point of any text gives the pieces of the whole text', () => {
    fc.assert(
      fc.property(soup, fc.boolean(), (whole, open) => {
        const pieces = split([whole], { open });
        expect(split([...whole.split('')], { open })).toEqual(pieces);
        for (let at = 1; at < whole.length; at += 1) {
          expect(split([whole.slice(0, at), whole.slice(at)], { open })).toEqual(pieces);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('C44: no character is lost but the tags', () => {
    fc.assert(
      fc.property(soup, (whole) => {
        let rebuilt = '';
        let state = begin();
        for (const char of whole.split('')) {
          const step = push(state, char);
          rebuilt += step.pieces.map((piece) => piece.text).join('');
          if (step.state.mode !== state.mode) rebuilt += state.mode === 'text' ? '<think>' : '</think>';
          state = step.state;
        }
        expect(
          rebuilt +
            end(state)
              .map((piece) => piece.text)
              .join(''),
        ).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });

  test('C44: texts built of prose, code and 0..n blocks come apart as they were built, however they are cut', () => {
    const prose = fc.constantFrom(
      'a',
      'b < c',
      '5 > 4',
      ' & ',
      'x\ny',
      'é😀',
      '<b>',
      '< think>',
      '\\<think>',
    );
    const code = fc.constantFrom(
      ' `<think>` ',
      ' `` ` <think> `` ',
      '\n```\n<think>n</think>\n```\n',
      '\n~~~html\n</think><think>\n~~~\n',
    );
    const block = fc.constantFrom('why', 'a\nb', '`', '```\n', '<', '<think>', '', '</thin');
    const piece = fc.oneof(
      prose.map((value) => ({ source: value, pieces: [text(value)] })),
      code.map((value) => ({ source: value, pieces: [text(value)] })),
      block.map((value) => ({ source: `<think>${value}</think>`, pieces: [thought(value)] })),
    );
    const unclosed = fc.option(fc.constantFrom('more', '`a', '</thi'), { nil: undefined });
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        unclosed,
        fc.infiniteStream(fc.nat(6)),
        (built, tail, sizes) => {
          const end = tail === undefined ? [] : [{ source: `<think>${tail}`, pieces: [thought(tail)] }];
          const all = [...built, ...end];
          const source = all.map((one) => one.source).join('');
          const chunks: string[] = [];
          for (let at = 0; at < source.length; ) {
            const size = 1 + (sizes.next().value as number);
            chunks.push(source.slice(at, at + size));
            at += size;
          }
          expect(split(chunks)).toEqual(join(all.flatMap((one) => one.pieces)));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
