/** Markdown as models write it: headings, prose, lists, a table, code. The same in each run. */
const blocks = [
  '## What happens to a message\n\n',
  'A message that is sent while the gateway is away is **kept** by the page, shown as _waiting_, and sent once when the gateway is back. See the [log](https://example.test/log) for what was written, and `queue.added` for where it went.\n\n',
  '1. It is written to the store of the browser.\n2. It is posted, with an id that the page has made.\n3. What comes back is the `cursor` behind which it is in the log.\n\n',
  '```ts\nfor (const fact of facts) {\n  if (fact.seq <= state.seq) continue;\n  state = fold(state, fact);\n}\n```\n\n',
  'Nothing is retried without its id, so nothing is done twice: *not* after a reload, *not* from two tabs, and not when the answer alone was lost on its way.\n\n',
  '| state | what it means |\n|---|---|\n| sent | it is on its way |\n| accepted | the log has it |\n| refused | it is given back |\n\n',
  '- a stop overtakes what waits\n- a queue is held until it is let go\n  - by the user\n  - and by nobody else\n\n',
  '> What is not in the log has not happened.\n\n',
];

/** `length` UTF-16 units of it. */
export function markdown(length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += blocks[i % blocks.length];
  return text.slice(0, length);
}

/** In `count` pieces of about the same length, as tokens come: some short, some long. */
export function pieces(text: string, count: number): readonly string[] {
  const ends = Array.from({ length: count }, (_, i) => {
    const even = ((i + 1) * text.length) / count;
    return i === count - 1
      ? text.length
      : Math.round(even + (((i * 7) % 5) - 2) * 0.2 * (text.length / count));
  });
  return ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end));
}

/** A short answer: the rows above the one that grows. */
export const answer = markdown(700);
