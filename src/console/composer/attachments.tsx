import { For, Show } from 'solid-js';
import { X } from '../icons.ts';
import { sourceOf } from '../parts/image.tsx';
import type { ImageBlock } from './images.ts';

/** Pictures that go with the message that is being written, and why others do not. */
export function Attachments(props: {
  images: readonly ImageBlock[];
  refused: readonly string[];
  onRemove: (image: ImageBlock) => void;
  onDismiss: () => void;
}) {
  return (
    <>
      <Show when={props.images.length > 0}>
        <ul class="attachments" aria-label="Pictures">
          <For each={props.images}>
            {(image, index) => (
              <li class="attachment">
                <img src={sourceOf(image)} alt={`Number ${index() + 1}`} />
                <button
                  type="button"
                  aria-label={`Remove picture ${index() + 1}`}
                  title="Remove"
                  onClick={() => props.onRemove(image)}
                >
                  <X size={12} />
                </button>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <Show when={props.refused.length > 0}>
        <div class="attachments-refused" role="alert">
          <div>
            <For each={props.refused}>{(reason) => <p>{reason}</p>}</For>
          </div>
          <button type="button" class="icon-button" aria-label="Dismiss" onClick={props.onDismiss}>
            <X size={14} />
          </button>
        </div>
      </Show>
    </>
  );
}
