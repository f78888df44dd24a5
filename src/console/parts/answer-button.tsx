import { Show } from 'solid-js';
import type { PermissionOption } from '../../wire/content.ts';
import { Spinner } from './spinner.tsx';

/** One answer to a question. `answering`: the answer that was given and is not confirmed yet. */
export function AnswerButton(props: {
  option: PermissionOption;
  answering: string | undefined;
  tone: 'primary' | 'plain';
  submits?: boolean;
  onChoose: () => void;
}) {
  return (
    <button
      type={props.submits ? 'submit' : 'button'}
      class={`button ${props.tone}`}
      disabled={props.answering !== undefined}
      onClick={() => !props.submits && props.onChoose()}
    >
      <Show when={props.answering === props.option.optionId}>
        <Spinner />
      </Show>
      {props.option.name}
    </button>
  );
}
