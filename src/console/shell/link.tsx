import { Show } from 'solid-js';
import { span } from '../lib/time.ts';
import { createNow } from '../lib/ui.ts';
import type { LinkView } from '../view.ts';

const words: Readonly<Record<LinkView['state'], string>> = {
  connecting: 'Connecting',
  live: 'Live',
  stale: 'Not heard from the gateway',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
};

function Countdown(props: { at: number }) {
  const now = createNow();
  return <> in {span(Math.max(1000, props.at - now()))}</>;
}

/** How this page hears from the gateway. A lost connection says nothing about any turn. */
export function LinkBadge(props: { link: LinkView; onRetry: () => void }) {
  const waiting = () =>
    props.link.state === 'reconnecting' || props.link.state === 'offline' ? props.link.retryAt : undefined;
  return (
    <span class="link" data-state={props.link.state} role="status">
      <span class="link-dot" aria-hidden="true" />
      <span class="link-word">
        {words[props.link.state]}
        <Show when={waiting()}>{(at) => <Countdown at={at()} />}</Show>
      </span>
      <Show when={waiting()}>
        <button type="button" class="link-retry" onClick={props.onRetry}>
          Now
        </button>
      </Show>
    </span>
  );
}
