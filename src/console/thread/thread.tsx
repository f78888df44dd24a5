import { For, type JSX, onCleanup, onMount, Show } from 'solid-js';
import { ArrowDown } from '../icons.ts';
import { createToggle } from '../lib/ui.ts';
import { Spinner } from '../parts/spinner.tsx';
import { Autoscroll } from './autoscroll.ts';
import { copyCode } from './copy.ts';

export interface ThreadProps {
  /** Ids of the rows, oldest first. A row is mounted once for each id and stays while the id does. */
  readonly keys: readonly string[];
  readonly row: (key: string) => JSX.Element;
  readonly older: boolean;
  readonly onOlder: () => Promise<unknown>;
  /** Said to screen readers: how the conversation stands. */
  readonly announce: string;
  readonly empty?: JSX.Element;
}

export function Thread(props: ThreadProps) {
  let scroller!: HTMLDivElement;
  let content!: HTMLDivElement;
  let rows!: HTMLDivElement;
  let autoscroll: Autoscroll | undefined;
  const following = createToggle(true);
  const loading = createToggle();

  onMount(() => {
    const made = new Autoscroll(scroller, content, following.set);
    autoscroll = made;
    content.addEventListener('click', copyCode);
    onCleanup(() => made.dispose());
  });

  const loadOlder = async () => {
    if (!autoscroll || loading()) return;
    loading.set(true);
    try {
      await autoscroll.keepPlace(() => rows.firstElementChild, props.onOlder);
    } finally {
      loading.set(false);
    }
  };

  return (
    <div class="thread">
      <p class="visually-hidden" role="status">
        {props.announce}
      </p>
      <div
        class="thread-scroller"
        ref={scroller}
        role="log"
        aria-label="Conversation"
        aria-live="off"
        tabindex="0"
      >
        <div class="thread-content" ref={content}>
          <Show when={props.older}>
            <button type="button" class="button thread-older" disabled={loading()} onClick={loadOlder}>
              <Show when={loading()}>
                <Spinner />
              </Show>
              {loading() ? 'Loading…' : 'Show earlier turns'}
            </button>
          </Show>
          <Show when={props.keys.length === 0}>{props.empty}</Show>
          <div class="thread-rows" ref={rows}>
            <For each={props.keys}>{(key) => props.row(key)}</For>
          </div>
        </div>
      </div>
      <Show when={!following()}>
        <button type="button" class="button thread-newest" onClick={() => autoscroll?.toEnd()}>
          <ArrowDown size={14} />
          Newest
        </button>
      </Show>
    </div>
  );
}
