import fc from 'fast-check';
import { Lexer } from 'marked';
import { describe, expect, test, vi } from 'vitest';
import { MarkdownStream } from '../../src/console/markdown/stream.ts';

function shown(pieces: readonly string[]): string {
  const root = document.createElement('div');
  const stream = new MarkdownStream(root);
  let text = '';
  for (const piece of pieces) {
    text += piece;
    stream.update(text);
  }
  stream.finish(text);
  return root.innerHTML;
}

function inOneGo(text: string): string {
  const root = document.createElement('div');
  new MarkdownStream(root).finish(text);
  return root.innerHTML;
}

/** Lines whose meaning depends on what stands around them: what a reader that works block by block gets wrong. */
const line = fc.constantFrom(
  ...[
    '',
    '',
    '',
    'plain words',
    'more **bold** and `code`',
    '# heading',
    '===',
    '---',
    '***',
    '- item',
    '- ',
    '-',
    '+ plus',
  ],
  ...[
    '  continued',
    '    indented',
    '\tafter a tab',
    '1. one',
    '2) two',
    '10. ten',
    '   - nested',
    '> quoted',
    '>',
    'lazy',
  ],
  ...[
    '```ts',
    '```',
    '~~~',
    '````',
    '| a | b |',
    '|:--|--:|',
    '| 1 | 2<br>3 |',
    '[a]: https://a.example',
    '[b]: <https://b.example> "B"',
  ],
  ...[
    'see [a] and [b][a]',
    '[A][]',
    '<div>',
    '</div>',
    '<!-- open',
    '-->',
    '<script>alert(1)</script>',
    '- [ ] to do',
    '- [x] done',
  ],
  ...[
    '![picture](https://x.example/p.png)',
    'https://auto.example/x',
    '&amp; &lt; \\*',
    '*one _two*_',
    'hard break  ',
    '<b>bold</b> <kbd>K</kbd>',
  ],
);
const document_ = fc
  .tuple(fc.array(line, { maxLength: 14 }), fc.constantFrom('\n', '\n', '\n', '\r\n'), fc.boolean())
  .map(([lines, end, closed]) => lines.join(end) + (closed ? end : ''));

/** A text and where it is cut. */
const cut = document_.chain((text) =>
  fc.record({
    text: fc.constant(text),
    cuts: fc.uniqueArray(fc.integer({ min: 0, max: text.length }), { maxLength: 30 }),
  }),
);

function pieces(text: string, cuts: readonly number[]): string[] {
  const places = [0, ...[...cuts].sort((a, b) => a - b), text.length];
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}

describe('Markdown that arrives in pieces', () => {
  test('C9: any cutting ends in what one rendering of the whole shows', () => {
    fc.assert(
      fc.property(cut, ({ text, cuts }) => {
        expect(shown(pieces(text, cuts))).toBe(inOneGo(text));
      }),
      { numRuns: 3000 },
    );
  });

  test('C9: character by character ends in what one rendering of the whole shows', () => {
    fc.assert(
      fc.property(document_, (text) => {
        expect(shown([...text])).toBe(inOneGo(text));
      }),
      { numRuns: 300 },
    );
  });

  /** Lists that are long enough for their finished items to be left alone, and what may stand in them. */
  const item = fc.constantFrom(
    ...[
      '- one',
      '- two **bold**',
      '- [ ] to do',
      '- [x] done',
      '- see [a]',
      '- [a]: https://a.example',
      '-',
      '- ',
    ],
    ...[
      '  more',
      '  - nested',
      '',
      '',
      '  ```',
      '  code',
      'lazy',
      '* star',
      '1. one',
      '2. two',
      '2) two',
      '---',
    ],
  );
  const list = fc
    .tuple(
      fc.constantFrom('- item', '1. item', '- item\n', '* [x] item', '- see [a]'),
      fc.integer({ min: 8, max: 14 }),
      fc.array(item, { maxLength: 8 }),
      fc.integer({ min: 0, max: 12 }),
      document_,
    )
    .map(([first, many, odd, more, after]) =>
      [...Array<string>(many).fill(first), ...odd, ...Array<string>(more).fill(first), after].join('\n'),
    );

  test('C9: a long list ends in what one rendering of the whole shows, however it is cut', () => {
    fc.assert(
      fc.property(list, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (text, sizes) => {
        const cuts: number[] = [];
        for (let at = 0; at < text.length; cuts.push(at)) at += sizes.next().value ?? 1;
        expect(shown(pieces(text, cuts))).toBe(inOneGo(text));
      }),
      { numRuns: 600 },
    );
  });

  test('text that is whole when it is shown is read once', () => {
    const text =
      '# A title\n\nSome words, and [a link][here].\n\n- an item\n- another\n\n[here]: https://example.test\n';
    const read = vi.spyOn(Lexer.prototype, 'lex');
    const html = inOneGo(text);
    const sources = read.mock.calls.map(([source]) => source);
    read.mockRestore();
    expect(sources).toEqual([text]);
    expect(html).toContain('<a href="https://example.test/"');
  });

  test('C22: the finished items of a long list are read once, not at each write', () => {
    const words = '- an item with some **bold** words and `code` in it\n';
    const root = document.createElement('div');
    const stream = new MarkdownStream(root);
    for (let count = 1; count <= 100; count++) stream.update(words.repeat(count));
    const items = [...(root.querySelector('ul')?.children ?? [])];
    expect(items).toHaveLength(100);
    const read = vi.spyOn(Lexer.prototype, 'lex');
    for (let count = 101; count <= 200; count++) stream.update(words.repeat(count));
    const longest = Math.max(...read.mock.calls.map(([source]) => source.length));
    read.mockRestore();
    expect(longest).toBeLessThan(20 * words.length);
    expect([...(root.querySelector('ul')?.children ?? [])].slice(0, 100)).toEqual(items);
    stream.finish(words.repeat(200));
    expect(root.innerHTML).toBe(inOneGo(words.repeat(200)));
  });
});
