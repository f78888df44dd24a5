import { Show } from 'solid-js';

/** Why what was asked in a dialog was not done; nothing while there is no reason. */
export function DialogError(props: { reason: string | null | undefined }) {
  return (
    <Show when={props.reason}>
      {(reason) => (
        <p class="dialog-error" role="alert">
          {reason()}
        </p>
      )}
    </Show>
  );
}
