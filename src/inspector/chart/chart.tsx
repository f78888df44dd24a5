import { createEffect, createMemo, createResource, createSignal, For, on, Show } from 'solid-js';
import { activeIds } from '../names.ts';
import type { Traced } from '../trace.ts';
import { chartFor } from './charts.ts';
import { wayText } from './graph.ts';
import { type Drawing, type DrawnEdge, type DrawnState, draw, lineHeight } from './layout.ts';

const steps = [0.4, 0.5, 0.65, 0.8, 1, 1.25, 1.6] as const;
/** Smaller than this it cannot be read: it is scrolled instead. */
const smallest = 0.75;

/** The chart of the chosen actor's machine, with the states that are active and the transition that was taken last. */
export function ChartView(props: { actor: Traced }) {
  const chart = createMemo(() => chartFor(props.actor.machine));
  const [drawing] = createResource(chart, (found) => draw(found, getComputedStyle(document.body).fontFamily));
  return (
    <Show
      when={chart()}
      fallback={<p class="hint">This actor has no chart: it is an effect, not a state machine.</p>}
    >
      <Show
        when={!drawing.error}
        fallback={<p class="hint">The chart could not be drawn: {String(drawing.error)}</p>}
      >
        <Show when={drawing()} fallback={<p class="hint">Drawing …</p>}>
          {(found) => <Canvas actor={props.actor} drawing={found()} root={chart()?.root.id ?? ''} />}
        </Show>
      </Show>
    </Show>
  );
}

function Canvas(props: { actor: Traced; drawing: Drawing; root: string }) {
  const [zoom, setZoom] = createSignal<number | 'fit'>('fit');
  const [room, setRoom] = createSignal(600);
  const active = createMemo(() => activeIds(props.root, props.actor.state));
  const taken = createMemo(() => new Set(props.actor.last?.transitions));
  const scale = () => {
    const chosen = zoom();
    return chosen === 'fit' ? Math.min(1, Math.max(smallest, room() / props.drawing.width)) : chosen;
  };
  const step = (by: 1 | -1) => {
    const sizes = by > 0 ? steps : steps.toReversed();
    setZoom(sizes.find((size) => (size - scale()) * by > 0.01) ?? scale());
  };
  const isLit = (drawn: DrawnState) => active().has(drawn.state.id);
  const isTaken = (drawn: DrawnEdge) => drawn.edge.ways.some((way) => !way.fanned && taken().has(way.id));
  const stayed = (drawn: DrawnState) =>
    [...drawn.state.stays, ...drawn.state.fans].some((way) => taken().has(way.id));

  const watch = (frame: HTMLElement) => {
    new ResizeObserver(() => setRoom(frame.clientWidth)).observe(frame);
    // The lit state is brought into view without moving the page itself.
    createEffect(
      on([active, () => props.drawing, scale], () => {
        const lit = props.drawing.states.findLast((drawn) => isLit(drawn) && !drawn.inner);
        if (!lit) return;
        const [x, y] = [(lit.x + lit.width / 2) * scale(), (lit.y + lit.height / 2) * scale()];
        const beside = x < frame.scrollLeft || x > frame.scrollLeft + frame.clientWidth;
        const above = y < frame.scrollTop || y > frame.scrollTop + frame.clientHeight;
        if (beside || above)
          frame.scrollTo({ left: x - frame.clientWidth / 2, top: y - frame.clientHeight / 2 });
      }),
    );
  };

  return (
    <div class="chart">
      <div class="zoom">
        <button type="button" class="button small" onClick={() => step(-1)} aria-label="Smaller chart">
          −
        </button>
        <button
          type="button"
          class="button small"
          onClick={() => setZoom('fit')}
          aria-pressed={zoom() === 'fit'}
        >
          Fit
        </button>
        <button type="button" class="button small" onClick={() => step(1)} aria-label="Larger chart">
          +
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section class="canvas" ref={watch} tabIndex={0} aria-label="Drawing">
        <svg
          role="img"
          aria-label={`Chart of ${props.actor.machine}; active: ${[...active()].join(', ')}`}
          width={props.drawing.width * scale()}
          height={props.drawing.height * scale()}
          viewBox={`0 0 ${props.drawing.width} ${props.drawing.height}`}
        >
          <defs>
            <Arrow id="arrow" />
            <Arrow id="arrow-taken" />
          </defs>
          <For each={props.drawing.states.filter((drawn) => drawn.inner)}>
            {(drawn) => <State drawn={drawn} lit={isLit(drawn)} stayed={stayed(drawn)} />}
          </For>
          <For each={props.drawing.starts}>
            {(start) => (
              <g class="start">
                <circle cx={start.x} cy={start.y} r="4.5" />
                <path d={start.path} marker-end="url(#arrow)" />
              </g>
            )}
          </For>
          <For each={props.drawing.edges}>
            {(drawn) => (
              <path
                class="edge"
                classList={{ taken: isTaken(drawn) }}
                d={drawn.path}
                marker-end={isTaken(drawn) ? 'url(#arrow-taken)' : 'url(#arrow)'}
              />
            )}
          </For>
          <For each={props.drawing.states.filter((drawn) => !drawn.inner)}>
            {(drawn) => <State drawn={drawn} lit={isLit(drawn)} stayed={stayed(drawn)} />}
          </For>
          <For each={props.drawing.edges}>{(drawn) => <Label drawn={drawn} taken={isTaken(drawn)} />}</For>
        </svg>
      </section>
    </div>
  );
}

function Arrow(props: { id: string }) {
  return (
    <marker id={props.id} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
      <path d="M0,0.5 L8,4 L0,7.5 Z" />
    </marker>
  );
}

function State(props: { drawn: DrawnState; lit: boolean; stayed: boolean }) {
  const { state, x, y, width, height, inner, note } = props.drawn;
  const middle = x + width / 2;
  return (
    <g
      class="node"
      classList={{ inner, lit: props.lit, stayed: props.stayed }}
      data-kind={state.kind}
      data-state={state.id}
    >
      <title>{[state.id, ...state.stays.map((way) => `stays on ${wayText(way)}`)].join('\n')}</title>
      <rect x={x} y={y} width={width} height={height} rx={inner ? 10 : 8} />
      <Show when={state.kind === 'final'}>
        <rect class="final" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx="6" />
      </Show>
      <text class="name" x={inner ? x + 12 : middle} y={y + 19} text-anchor={inner ? 'start' : 'middle'}>
        {state.name}
      </text>
      <Show when={note !== ''}>
        <text class="note" x={inner ? x + 12 : middle} y={y + 36} text-anchor={inner ? 'start' : 'middle'}>
          {note}
        </text>
      </Show>
    </g>
  );
}

function Label(props: { drawn: DrawnEdge; taken: boolean }) {
  const { label, edge } = props.drawn;
  return (
    <Show when={label}>
      {(box) => (
        <g class="label" classList={{ taken: props.taken }}>
          <title>{edge.ways.map(wayText).join('\n')}</title>
          <rect x={box().x} y={box().y} width={box().width} height={box().height} rx="3" />
          <For each={box().lines}>
            {(line, i) => (
              <text x={box().x + 4} y={box().y + 11 + i() * lineHeight}>
                {line}
              </text>
            )}
          </For>
        </g>
      )}
    </Show>
  );
}
