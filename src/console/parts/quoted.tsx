import { Index } from 'solid-js';

/** A sentence that names commands and files between backticks. */
export function Quoted(props: { text: string }) {
  return (
    <Index each={props.text.split('`')}>
      {(piece, index) => (index % 2 === 1 ? <code class="quoted">{piece()}</code> : <span>{piece()}</span>)}
    </Index>
  );
}
