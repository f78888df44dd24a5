import { For, Show } from 'solid-js';
import { CircleAlert } from '../icons.ts';
import { Spinner } from '../parts/spinner.tsx';
import type { PendingSend, RefusedAsk } from '../view.ts';

const refusedWords = { send: 'Not sent', stop: 'Not stopped', answer: 'Not answered' } as const;
const deliveryWords = { queue: '', steer: ' as guidance', background: ' to the background' } as const;

/** What was sent and is not confirmed, and what came back. Nothing that a user wrote vanishes. */
export function OutboxOverlay(props: {
  pending: readonly PendingSend[];
  refused: readonly RefusedAsk[];
  /** The link is down: what is pending goes out when it is back. */
  waiting: boolean;
  /** Absent where nothing can be sent any more. */
  onEdit?: ((refused: RefusedAsk) => void) | undefined;
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
            <CircleAlert size={15} />
            <div class="outbox-main">
              <Show when={refused.text !== ''}>
                <p class="outbox-text">{refused.text}</p>
              </Show>
              <p class="outbox-reason">
                {refusedWords[refused.kind]}: {refused.reason}
              </p>
            </div>
            <Show when={refused.text !== '' && props.onEdit}>
              {(edit) => (
                <button type="button" class="button small" onClick={() => edit()(refused)}>
                  Edit
                </button>
              )}
            </Show>
            <button type="button" class="button small" onClick={() => props.onDiscard(refused.id)}>
              {refused.kind === 'send' ? 'Discard' : 'Dismiss'}
            </button>
          </div>
        )}
      </For>
    </>
  );
}
