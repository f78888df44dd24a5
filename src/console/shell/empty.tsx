import { type JSX, Show } from 'solid-js';

/** A page or a list with nothing in it: what this is, and the one thing to do. */
export function Empty(props: {
  icon: JSX.Element;
  title: string;
  children?: JSX.Element;
  action?: JSX.Element;
}) {
  return (
    <div class="empty">
      <span class="empty-icon" aria-hidden="true">
        {props.icon}
      </span>
      <h2>{props.title}</h2>
      <Show when={props.children}>
        <p>{props.children}</p>
      </Show>
      {props.action}
    </div>
  );
}
