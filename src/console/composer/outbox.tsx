import { For, Show } from 'solid-js';
import { CircleAlert } from '../icons.ts';
import { Spinner } from '../parts/spinner.tsx';
import type { PendingSend, RefusedSend } from '../view.ts';

const deliveryWords = { queue: '', steer: ' as guidance', background: ' to the background' } as const;

/** What was sent and is not confirmed, and what came back. Nothing that a user wrote vanishes. */
export function OutboxOverlay(props: {
  pending: readonly PendingSend[];
  refused: readonly RefusedSend[];
  /** The link is down: what is pending goes out when it is back. */
  waiting: boolean;
  onEdit: (refused: RefusedSend) => void;
  onDiscard: (id: string) => void;
}) {
  return (
    <>
      <For each={props.pending}>
        {(send) => (
          <div class="outbox">
            <Spinner />
            <p class="outbox-text">{send.text}</p>
            <span class="outbox-state">
              {props.waiting ? 'Goes out when connected' : `Sending${deliveryWords[send.delivery]}…`}
            </span>
          </div>
        )}
      </For>
      <For each={props.refused}>
        {(refused) => (
          <div class="outbox" data-refused="" role="alert">
            <CircleAlert size={15} aria-hidden="true" />
            <div class="outbox-main">
              <p class="outbox-text">{refused.text}</p>
              <p class="outbox-reason">Not sent: {refused.reason}</p>
            </div>
            <Show when={refused.text !== ''}>
              <button type="button" class="button small" onClick={() => props.onEdit(refused)}>
                Edit
              </button>
            </Show>
            <button type="button" class="button small" onClick={() => props.onDiscard(refused.id)}>
              Discard
            </button>
          </div>
        )}
      </For>
    </>
  );
}
