import { fromActorRef } from '@xstate/solid';
import { createMemo, createSignal, Match, onCleanup, Show, Switch } from 'solid-js';
import type { ActorRefFrom } from 'xstate';
import { ActorHead } from './actor.tsx';
import { ChartView } from './chart/chart.tsx';
import type { Clock } from './clock.ts';
import { Events } from './events.tsx';
import type { sourceMachine } from './source.machine.ts';
import type { Trace, Traced } from './trace.ts';
import type { Source } from './tree.ts';
import { Tree } from './tree.tsx';

export interface InspectorProps {
  readonly trace: Trace;
  readonly link: ActorRefFrom<typeof sourceMachine>;
  readonly clock: Clock;
  /** Pages of this browser, with their paths. */
  readonly pages: () => readonly (readonly [page: string, path: string])[];
}

/** Which actors there are, what they last heard, and where in their charts they stand. */
export function Inspector(props: InspectorProps) {
  const [version, setVersion] = createSignal(0);
  const [now, setNow] = createSignal(props.clock.now());
  const [key, choose] = createSignal<string>();
  const [closed, setClosed] = createSignal<ReadonlySet<string>>(new Set());
  const [paused, setPaused] = createSignal(false);
  const link = fromActorRef(() => props.link);

  // However many lines came: one look at them a frame. A hidden page gets no frames, and needs none.
  let frame: number | undefined;
  props.trace.onChange(() => {
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      if (!paused()) setVersion((n) => n + 1);
    });
  });
  onCleanup(props.clock.eachSecond(() => setNow(props.clock.now())));
  onCleanup(() => {
    if (frame !== undefined) cancelAnimationFrame(frame);
    props.trace.onChange(() => {});
  });

  const actors = createMemo(() => {
    version();
    return props.trace.actors;
  });
  const sources = createMemo((): readonly Source[] => {
    version();
    const pages = props.pages().map(([id, path]) => ({ id, label: `Page ${path}` }));
    return [{ id: 'gateway', label: 'Gateway' }, ...pages];
  });
  const chosen = createMemo(() => {
    const all = actors();
    return all.find((actor) => actor.key === key()) ?? reloaded(all, key()) ?? firstToShow(all);
  });
  const set = (of: string, open: boolean) => {
    const next = new Set(closed());
    if (open) next.delete(of);
    else next.add(of);
    setClosed(next);
  };

  /** What is shown stands still, so that it can be read; nothing of it is lost meanwhile. */
  const pause = () => {
    setPaused((was) => !was);
    setVersion((n) => n + 1);
  };

  return (
    <div class="inspector">
      <header class="bar">
        <h1>Inspector</h1>
        <Link
          state={link().value}
          reason={link().context.reason}
          onRetry={() => props.link.send({ type: 'retry' })}
        />
        <button type="button" class="button small" aria-pressed={paused()} onClick={pause}>
          {paused() ? 'Go on' : 'Pause'}
        </button>
        <a href="/">Console</a>
      </header>
      <nav class="actors" aria-label="Actors">
        <Tree
          sources={sources()}
          actors={actors()}
          chosen={chosen()?.key}
          closed={closed()}
          now={now()}
          onChoose={choose}
          onOpen={(of) => set(of, true)}
          onClose={(of) => set(of, false)}
        />
        <Show when={sources().length === 1}>
          <p class="hint">No page of this browser has the console open.</p>
        </Show>
      </nav>
      <main>
        <Show
          when={chosen()}
          fallback={<p class="hint">Nothing runs yet. Open a conversation, and its actors are listed.</p>}
        >
          {(actor) => (
            <>
              <ActorHead actor={actor()} now={now()} />
              <section class="panel" aria-label="Chart">
                <ChartView actor={actor()} />
              </section>
              <Events actor={actor()} />
            </>
          )}
        </Show>
      </main>
    </div>
  );
}

/** The same actor of the same page after a reload, which makes it a page with a new name. */
function reloaded(actors: readonly Traced[], key: string | undefined): Traced | undefined {
  const place = key?.slice(key.indexOf('/'));
  return key?.startsWith('page-')
    ? actors.find((actor) => actor.key.slice(actor.key.indexOf('/')) === place)
    : undefined;
}

/** The one that the address names, as the console's links do. */
function firstToShow(actors: readonly Traced[]): Traced | undefined {
  const asked = decodeURIComponent(location.hash.slice(1));
  const ofSession = actors.filter(({ machine }) => machine === 'conversation' || machine === 'job');
  const named = ofSession.find((actor) => actor.session === asked && !actor.gone);
  return named ?? actors.find((actor) => actor.machine === 'conversation' && !actor.gone) ?? actors[0];
}

function Link(props: { state: unknown; reason: string | null; onRetry: () => void }) {
  const is = (state: string) => JSON.stringify(props.state).includes(state);
  return (
    <p
      class="source"
      role="status"
      data-state={is('live') ? 'live' : is('connecting') ? 'connecting' : 'lost'}
    >
      <Switch>
        <Match when={is('live')}>Live</Match>
        <Match when={is('connecting')}>Connecting</Match>
        <Match when={is('refused')}>
          No access: open the address that Sluice printed when it was started.{' '}
          <button type="button" class="button small" onClick={props.onRetry}>
            Try again
          </button>
        </Match>
        <Match when={is('waiting')}>
          {props.reason ?? 'Not connected.'} What is shown may be old.{' '}
          <button type="button" class="button small" onClick={props.onRetry}>
            Now
          </button>
        </Match>
      </Switch>
    </p>
  );
}
