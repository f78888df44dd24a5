import { Show } from 'solid-js';
import { Clock } from '../icons.ts';
import { dayTime } from '../lib/time.ts';
import { triesAgain } from '../lib/words.ts';
import type { ThreadView } from '../view.ts';

/** Once more when the limit is over: the gateway waits, this page need not stay open. */
export function RetryThen(props: { turn: string; until: number; now: number; view: ThreadView }) {
  const at = () => props.view.retryAt(props.turn);
  let shown: HTMLButtonElement | undefined;
  /** One button takes the other's place, and its focus. */
  const follow = (button: HTMLButtonElement) => {
    if (shown !== undefined && shown === document.activeElement) queueMicrotask(() => button.focus());
    shown = button;
  };
  return (
    <Show
      when={at()}
      fallback={
        <Show when={props.until > props.now}>
          <button
            type="button"
            class="button small"
            ref={follow}
            onClick={() => props.view.onRetry(props.turn, props.until)}
          >
            <Clock size={13} />
            Try again at {dayTime(props.until, props.now)}
          </button>
        </Show>
      }
    >
      {(time) => (
        <>
          <span class="status-next" role="status">
            <Clock size={13} />
            {triesAgain(time(), props.now)}
          </span>
          <button
            type="button"
            class="button small"
            ref={follow}
            onClick={() => props.view.onRetry(props.turn, null)}
          >
            Don’t wait
          </button>
        </>
      )}
    </Show>
  );
}
