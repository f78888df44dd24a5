import { For, Show } from 'solid-js';
import { MessageSquare } from '../icons.ts';
import { Empty } from '../shell/empty.tsx';

/** A conversation in which nothing was said: where the agent works, and what may be said first. */
export function EmptyConversation(props: {
  cwd: string;
  /** Whole messages. */
  examples: readonly string[];
  onSend: (text: string) => void;
}) {
  return (
    <Empty
      icon={<MessageSquare size={20} />}
      title="Nothing said yet"
      action={
        <Show when={props.examples.length > 0}>
          <ul class="examples" aria-label="Messages to begin with">
            <For each={props.examples}>
              {(text) => (
                <li>
                  <button type="button" class="button small example" onClick={() => props.onSend(text)}>
                    {text}
                  </button>
                </li>
              )}
            </For>
          </ul>
        </Show>
      }
    >
      {props.examples.length > 0
        ? 'Write a message below, or begin with one of these.'
        : 'Write a message below.'}{' '}
      The agent works in <span class="empty-path">{props.cwd}</span>.
    </Empty>
  );
}
