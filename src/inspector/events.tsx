import { createMemo, createSignal, For, Show } from 'solid-js';
import { aboutText, clockTime, eventText, stateText } from './names.ts';
import { mostEvents, type Traced, type TracedEvent } from './trace.ts';

/** The last events of the chosen actor, newest first. */
export function Events(props: { actor: Traced }) {
  const [only, setOnly] = createSignal(false);
  const [open, setOpen] = createSignal<ReadonlySet<number>>(new Set());
  const shown = createMemo(() => {
    const all = props.actor.events.toReversed();
    return only() ? all.filter((event) => event.taken === false) : all;
  });
  const flip = (n: number) => {
    const next = new Set(open());
    if (!next.delete(n)) next.add(n);
    setOpen(next);
  };
  return (
    <section class="panel events" aria-label="Events">
      <header>
        <h3>Events</h3>
        <span class="hint">
          {props.actor.seen > mostEvents
            ? `the last ${mostEvents} of ${props.actor.seen}`
            : `${props.actor.seen} since this page was opened`}
        </span>
        <label>
          <input
            type="checkbox"
            checked={only()}
            onChange={(event) => setOnly(event.currentTarget.checked)}
          />{' '}
          only without a transition ({props.actor.refused})
        </label>
      </header>
      <Show
        when={shown().length > 0}
        fallback={<p class="hint">{only() ? 'Each event had a transition.' : 'None yet.'}</p>}
      >
        <ol>
          <For each={shown()}>
            {(event) => <EventRow event={event} open={open().has(event.n)} onFlip={() => flip(event.n)} />}
          </For>
        </ol>
      </Show>
    </section>
  );
}

function EventRow(props: { event: TracedEvent; open: boolean; onFlip: () => void }) {
  const { event, detail, at, taken, from, state } = props.event;
  const about = aboutText(detail);
  return (
    <li class="event" classList={{ untaken: taken === false, moved: from !== undefined }}>
      <button type="button" aria-expanded={props.open} onClick={props.onFlip}>
        <time>{clockTime(at)}</time>
        <span class="type">{eventText(event)}</span>
        <span class="about">{about}</span>
        <Show when={taken === false}>
          <span class="mark">no transition</span>
        </Show>
        <Show when={from}>
          {(before) => (
            <span class="move">
              {stateText(before())} → {stateText(state)}
            </span>
          )}
        </Show>
      </button>
      <Show when={props.open}>
        <pre>{JSON.stringify({ event, ...(state !== undefined && { state }), detail }, null, 2)}</pre>
      </Show>
    </li>
  );
}
