import { type JSX, Show } from 'solid-js';
import { ChevronRight } from '../icons.ts';
import type { Toggle } from '../lib/ui.ts';

let ids = 0;

/** A line that opens and closes what lies under it. The body is made when it is first needed. */
export function Disclosure(props: {
  class?: string;
  open: Toggle;
  /** Nothing to open: the line alone. */
  empty?: boolean;
  head: JSX.Element;
  children: JSX.Element;
}) {
  const id = `disclosure-${++ids}`;
  return (
    <div class={props.class} data-open={!props.empty && props.open() ? '' : undefined}>
      <Show when={!props.empty} fallback={<div class="disclosure-head">{props.head}</div>}>
        <button
          type="button"
          class="disclosure-head"
          aria-expanded={props.open()}
          aria-controls={props.open() ? id : undefined}
          onClick={props.open.flip}
        >
          {props.head}
          <ChevronRight class="disclosure-mark" size={14} />
        </button>
      </Show>
      <Show when={!props.empty && props.open()}>
        <div class="disclosure-body" id={id}>
          {props.children}
        </div>
      </Show>
    </div>
  );
}
