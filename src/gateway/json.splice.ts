/**
 * Changes of one list in a JSON file that a person keeps: what is not changed stays as it was written, character for
 * character. The text is valid JSON, and an object.
 */

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Member extends Span {
  /** Of an object's member. */
  readonly key?: string;
  /** Where the value starts: after the key. */
  readonly value: number;
}

/** The text with one more item at the end of the list `key`, which is made when it is not there. */
export function withItem(text: string, key: string, item: unknown): string {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
  const members = inside(text, text.indexOf('{'));
  const list = members.find((member) => member.key === key);
  if (!list) {
    const value = indented(JSON.stringify([item], null, indent), indent);
    return inserted(text, text.lastIndexOf('}'), members, `${JSON.stringify(key)}: ${value}`, indent, '');
  }
  const items = inside(text, list.value);
  const value = indented(JSON.stringify(item, null, indent), indent + indent);
  return inserted(text, list.end - 1, items, value, indent + indent, indent);
}

/** The text without the item of this index of the list `key`; an index that is not there changes nothing. */
export function withoutItem(text: string, key: string, index: number): string {
  const list = inside(text, text.indexOf('{')).find((member) => member.key === key);
  const items = list ? inside(text, list.value) : [];
  const item = items[index];
  if (!list || !item) return text;
  const [before, after] = [items[index - 1], items[index + 1]];
  if (after) return text.slice(0, item.start) + text.slice(after.start);
  if (before) return text.slice(0, before.end) + text.slice(item.end);
  return `${text.slice(0, list.value)}[]${text.slice(list.end)}`;
}

function inserted(
  text: string,
  close: number,
  items: readonly Member[],
  value: string,
  indent: string,
  outer: string,
): string {
  const last = items.at(-1);
  const head = last ? `${text.slice(0, last.end)},` : text.slice(0, close).trimEnd();
  return `${head}\n${indent}${value}\n${outer}${text.slice(close)}`;
}

const indented = (text: string, indent: string) => text.replaceAll('\n', `\n${indent}`);

/** What the object or list that opens at `open` holds. Strings are passed over, so that what they say is no structure. */
function inside(text: string, open: number): Member[] {
  const found: Member[] = [];
  const isObject = text[open] === '{';
  let at = space(text, open + 1);
  while (at < text.length && text[at] !== '}' && text[at] !== ']') {
    const start = at;
    const named = isObject ? skip(text, at) : at;
    const value = isObject ? space(text, space(text, named) + 1) : at;
    const end = skip(text, value);
    found.push({
      start,
      value,
      end,
      ...(isObject && { key: JSON.parse(text.slice(start, named)) as string }),
    });
    at = space(text, end);
    if (text[at] === ',') at = space(text, at + 1);
  }
  return found;
}

function space(text: string, at: number): number {
  let next = at;
  while (/\s/.test(text[next] ?? '')) next += 1;
  return next;
}

/** Past the value that starts here. */
function skip(text: string, at: number): number {
  let depth = 0;
  for (let next = at; next < text.length; next += 1) {
    const char = text[next];
    if (char === '"') {
      for (next += 1; text[next] !== '"' && next < text.length; next += 1) if (text[next] === '\\') next += 1;
      if (depth === 0) return next + 1;
    } else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') {
      // The end of what holds a number or a word.
      if (depth === 0) return next;
      depth -= 1;
      if (depth === 0) return next + 1;
    } else if (depth === 0 && (char === ',' || /\s/.test(char ?? ''))) return next;
  }
  return text.length;
}
