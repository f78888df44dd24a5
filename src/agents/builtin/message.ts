import type { ContentBlock } from '../../wire/content.ts';

/** What the user wrote. */
export function textOf(content: readonly ContentBlock[]): string {
  return content
    .flatMap((block) => (block.type === 'text' ? [block.text] : []))
    .join('\n')
    .trim();
}

/** A short line that names a conversation by its first message. */
export function titleOf(text: string): string {
  const [line = ''] = text.split('\n').filter((candidate) => candidate.trim() !== '');
  const words = [...line.replace(/\s+/g, ' ').trim()];
  if (words.length === 0) return 'Untitled';
  return words.length <= 60 ? words.join('') : `${words.slice(0, 59).join('').trimEnd()}…`;
}
