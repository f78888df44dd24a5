import { Show } from 'solid-js';
import { CircleAlert, RotateCw } from '../icons.ts';
import { Empty } from './empty.tsx';

/** Something could not be shown: what, why, and what can be done. */
export function Trouble(props: { title: string; reason: string; onRetry?: (() => void) | undefined }) {
  return (
    <div role="alert">
      <Empty
        icon={<CircleAlert size={22} />}
        title={props.title}
        action={
          <Show when={props.onRetry}>
            {(retry) => (
              <button type="button" class="button" onClick={() => retry()()}>
                <RotateCw size={14} />
                Try again
              </button>
            )}
          </Show>
        }
      >
        {props.reason}
      </Empty>
    </div>
  );
}
