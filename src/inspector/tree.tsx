import { createEffect, createMemo, createSignal, Index, Show } from 'solid-js';
import { shortStateText, span, stateText } from './names.ts';
import type { Traced } from './trace.ts';
import { moved, type Row, rowsOf, type Source } from './tree.ts';

export interface TreeProps {
  readonly sources: readonly Source[];
  readonly actors: readonly Traced[];
  readonly chosen: string | undefined;
  readonly closed: ReadonlySet<string>;
  readonly now: number;
  readonly onChoose: (key: string) => void;
  readonly onOpen: (key: string) => void;
  readonly onClose: (key: string) => void;
}

export function Tree(props: TreeProps) {
  const [at, setAt] = createSignal<string>();
  const rows = createMemo(() => rowsOf(props.sources, props.actors, props.closed, props.now));
  /** The one row that the Tab key reaches. */
  const focus = () => {
    const keys = rows().map((row) => row.key);
    return [at(), props.chosen].find((key) => key !== undefined && keys.includes(key)) ?? keys[0];
  };
  let tree: HTMLDivElement | undefined;

  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows().find(({ key }) => key === focus());
    if ((event.key === 'Enter' || event.key === ' ') && row) {
      event.preventDefault();
      pick(row);
      return;
    }
    const move = moved(rows(), focus(), event.key);
    if (!move) return;
    event.preventDefault();
    if (move.open !== undefined) props.onOpen(move.open);
    if (move.close !== undefined) props.onClose(move.close);
    if (move.focus === undefined) return;
    setAt(move.focus);
    tree?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]')?.focus();
  };
  const pick = (row: Row) => {
    setAt(row.key);
    if (row.actor) props.onChoose(row.key);
    else flip(row);
  };
  const flip = (row: Row) => (row.open ? props.onClose(row.key) : props.onOpen(row.key));

  createEffect(() => {
    if (props.chosen !== undefined) setAt(props.chosen);
  });

  return (
    <div class="tree" role="tree" aria-label="Actors" ref={tree} onKeyDown={onKeyDown}>
      <Index each={rows()}>
        {(row) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys of all its items.
          <div
            class="row"
            classList={{ gone: row().actor?.gone === true, group: row().actor === undefined }}
            role="treeitem"
            data-key={row().key}
            data-level={Math.min(row().level, 6)}
            aria-level={row().level}
            aria-posinset={row().place}
            aria-setsize={row().of}
            aria-expanded={row().inner ? row().open : undefined}
            aria-selected={row().actor ? row().key === props.chosen : undefined}
            tabIndex={row().key === focus() ? 0 : -1}
            onClick={() => pick(row())}
          >
            <span
              class="twist"
              aria-hidden="true"
              onClick={(event) => {
                event.stopPropagation();
                if (row().inner) flip(row());
              }}
            >
              {row().inner ? (row().open ? '▾' : '▸') : ''}
            </span>
            <span class="what">
              <span class="label">{row().label}</span>
              <Show when={row().actor}>{(actor) => <Name actor={actor()} row={row()} />}</Show>
            </span>
            <Show when={row().actor}>{(actor) => <Standing actor={actor()} now={props.now} />}</Show>
          </div>
        )}
      </Index>
    </div>
  );
}

/** A runner stands under its session: it is named there. */
function Name(props: { actor: Traced; row: Row }) {
  const session = () => (props.actor.machine === 'runner' ? undefined : props.actor.session);
  return (
    <Show when={session()}>
      {(id) => (
        <span class="name" title={id()}>
          {props.actor.title ?? shortId(id())}
        </span>
      )}
    </Show>
  );
}

function Standing(props: { actor: Traced; now: number }) {
  const text = () => shortStateText(props.actor.state) || props.actor.status;
  return (
    <span class="standing">
      <Counts counts={props.actor.counts} />
      <span class="chip" data-state={moodOf(props.actor)} title={stateText(props.actor.state)}>
        {text()}
      </span>
      <Show when={!props.actor.gone} fallback={<span class="age">gone</span>}>
        <span class="age">{ageText(props.actor, props.now)}</span>
      </Show>
    </span>
  );
}

export function Counts(props: { counts: Traced['counts'] }) {
  return (
    <Index each={Object.entries(props.counts ?? {})}>
      {(entry) => (
        <span class="count" title={meanings[entry()[0]] ?? entry()[0]}>
          {entry()[1]} {entry()[0]}
        </span>
      )}
    </Index>
  );
}

const meanings: Readonly<Record<string, string>> = {
  ignored: 'Facts that had no transition in the state that they met: they changed nothing.',
  unrouted: 'Facts of sessions that are not open here.',
  dropped: 'Output that came too late, or that a stop has overtaken.',
};

/** How long it is in its state; at least, where it is not known when it came into it. */
export function ageText(actor: Traced, now: number): string {
  if (actor.since === undefined) return '';
  return `${actor.exact ? '' : '≥ '}${span(now - actor.since)}`;
}

function shortId(id: string): string {
  return id.length > 14 ? `${id.slice(0, 8)}…` : id;
}

const moods: readonly (readonly [pattern: RegExp, mood: string])[] = [
  [/failed|blocked|fenced|error|refused/, 'bad'],
  [/cancelling|stale|reconnecting|offline|silent|waiting/, 'warn'],
  [/dispatching|streaming|polling|engaged|opening|connecting|writing|delivering/, 'busy'],
  [/finalized|live/, 'good'],
];

export function moodOf(actor: Traced): string {
  const text = `${stateText(actor.state)} ${actor.status}`;
  return moods.find(([pattern]) => pattern.test(text))?.[1] ?? 'rest';
}
