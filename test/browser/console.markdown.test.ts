import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MarkdownStream } from '../../src/console/markdown/stream.ts';

function shown(pieces: readonly string[]): string {
  const root = document.createElement('div');
  const stream = new MarkdownStream(root);
  let text = '';
  for (const piece of pieces) {
    text += piece;
    stream.update(text);
  }
  stream.finish();
  return root.innerHTML;
}

const inOneGo = (text: string) => shown([text]);

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
});
