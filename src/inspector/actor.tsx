import { createMemo, For, Show } from 'solid-js';
import { chartFor } from './chart/charts.ts';
import { nextIn, wayText } from './chart/graph.ts';
import { aboutText, activeIds, clockTime, eventText, stateText } from './names.ts';
import type { Traced } from './trace.ts';
import { ageText, Counts, moodOf } from './tree.tsx';

/** Where the chosen actor stands, since when, and what it waits for. */
export function ActorHead(props: { actor: Traced; now: number }) {
  const next = createMemo(() => {
    const chart = chartFor(props.actor.machine);
    return chart && !props.actor.gone
      ? nextIn(chart, activeIds(chart.root.id, props.actor.state))
      : undefined;
  });
  return (
    <section class="head" aria-label="Chosen actor">
      <h2>
        {props.actor.machine}
        <Show when={props.actor.title}>{(title) => <span class="title">{title()}</span>}</Show>
      </h2>
      <p class="facts">
        <span class="chip" data-state={moodOf(props.actor)}>
          {stateText(props.actor.state) || props.actor.status}
        </span>
        <span>
          {props.actor.gone ? 'gone' : 'for'} {ageText(props.actor, props.now)}
        </span>
        <Counts counts={props.actor.counts} />
        <Show when={props.actor.session}>{(session) => <code class="id">{session()}</code>}</Show>
      </p>
      <Show when={props.actor.error}>{(error) => <p class="error">{error()}</p>}</Show>
      <Show when={props.actor.last}>
        {(last) => (
          <p class="last">
            Last transition: <b>{eventText(last().event)}</b> {aboutText(last().detail)} at{' '}
            {clockTime(last().at)}
          </p>
        )}
      </Show>
      <Show when={next()}>
        {(found) => (
          <details class="next">
            <summary>
              What may come next{' '}
              <Show when={found().waits.length > 0}>
                <span class="hint">runs {found().waits.join(', ')}</span>
              </Show>
            </summary>
            <dl>
              <For each={found().out}>
                {(way) => (
                  <>
                    <dt>to {way.target}</dt>
                    <dd>{way.ways.map(wayText).join(', ')}</dd>
                  </>
                )}
              </For>
              <Show when={found().stays.length > 0}>
                <dt>stays</dt>
                <dd>{found().stays.map(wayText).join(', ')}</dd>
              </Show>
            </dl>
          </details>
        )}
      </Show>
    </section>
  );
}
