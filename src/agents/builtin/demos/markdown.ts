import { type CommandSpec, phrase } from '../grammar.ts';
import { say } from '../play.ts';

const document = `# A tour of Markdown

This text arrives in small pieces, as a model's answer would. Nothing on this page should jump while it does:
finished blocks stay where they are, and only the *last* one grows. It has **bold**, *italic*, ~~struck~~ and
\`inline code\`, and a line that breaks
in the middle of a paragraph.

## Lists

1. First, something short.
2. Then something with parts:
   - a part with \`code\`,
   - a part with a [link to CommonMark](https://commonmark.org "The specification"),
   - a part
     that goes on in a second line.
3. And the last one.

- [x] a task that is done
- [ ] a task that is open

## A table

| State        | What it means                          | Leads to    |
| :----------- | :------------------------------------- | ----------: |
| \`dispatching\` | the message is on its way              | \`streaming\` |
| \`streaming\` | the answer is arriving                 | \`finalized\` |
| \`polling\`   | the stream is lost, the work goes on   | \`finalized\` |
| \`cancelled\` | you stopped it, the queue waits        |           — |

## Code

\`\`\`ts
/** Adjacent text of one part is joined; everything else is an order barrier. */
export function join(deltas: readonly string[]): string {
  let text = '';
  for (const delta of deltas) text += delta;
  return text; // a < b && b > c, "quotes" and <tags> are text here
}
\`\`\`

\`\`\`diff
- one global "current" stream for the whole page
+ one state machine for each conversation and each job
\`\`\`

\`\`\`sh
curl -s -H "Authorization: Bearer $TOKEN" http://127.0.0.1:4747/api/health
\`\`\`

## Quotes and rules

> A quote of two paragraphs.
>
> > With a quote inside,
> > and a list after it:
>
> - one
> - two

---

### Other scripts

English, Deutsch mit Umlauten: äöüß, français, Ελληνικά, Русский, 日本語, 한국어, العربية, עברית, हिन्दी, and emoji that
take several code points: 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇪🇺.

Text that must stay text: \`<script>alert('no')</script>\`, <b>not bold</b>, 5 < 6 & 7 > 3, a_word_with_underscores,
2 * 3 * 4, and an autolink: https://example.org/path?query=1#part.

That was the end of the tour.
`;

export const markdownDemos: readonly CommandSpec[] = [
  {
    name: 'markdown',
    example: 'show markdown',
    description: 'streams a long text with headings, lists, a table, code, quotes and links',
    group: 'show',
    patterns: [phrase('(?:show(?: me)? )?(?:some |a |the )?(?:long )?markdown(?: demo| tour)?')],
    play: (scene) => say(scene, document, { chunks: 400 }),
  },
];
