import type { Word } from '../lib/words.ts';

/** A state as a coloured dot and its word: colour alone says nothing to many. */
export function Dot(props: { word: Word; bare?: boolean }) {
  return (
    <span class="state" data-mood={props.word.mood}>
      <span class="state-dot" aria-hidden="true" />
      <span classList={{ 'visually-hidden': props.bare }}>{props.word.text}</span>
    </span>
  );
}
