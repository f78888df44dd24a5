import { type JSX, Show } from 'solid-js';
import type { Usage } from '../../wire/content.ts';
import type { SessionState } from '../../wire/snapshot.ts';
import { ArrowLeft } from '../icons.ts';
import type { Word } from '../lib/words.ts';
import { Dot } from '../parts/dot.tsx';

const k = (tokens: number) =>
  tokens < 1000 ? String(tokens) : `${(tokens / 1000).toFixed(tokens < 10_000 ? 1 : 0)}k`;

function Context(props: { used: number; size: number }) {
  const percent = () => Math.min(100, Math.round((100 * props.used) / props.size));
  return (
    <span class="context" title={`${k(props.used)} of ${k(props.size)} tokens in the model’s context`}>
      <meter min={0} max={100} high={80} value={percent()} aria-label="Context used" />
      {percent()} %
    </span>
  );
}

/** What is shown: its title, who answers, where it works, how it stands. */
export function SessionHead(props: {
  /** A heading, or the field in which it is changed. */
  title: JSX.Element;
  agent: string;
  cwd: string;
  model?: string | undefined;
  /** The machine's own, for programs that look at the page. */
  state: SessionState;
  word: Word;
  /** Why it is in this state, where there is more to say. */
  reason?: string | undefined;
  usage?: Usage | undefined;
  backHref: string;
  backLabel: string;
  /** Also where the list is beside it: the way back leads elsewhere. */
  backAlways?: boolean;
  onStop?: (() => void) | undefined;
  stopping?: boolean;
  menu?: JSX.Element;
}) {
  const context = () => {
    const { contextTokens: used, contextSize: size } = props.usage ?? {};
    return used === undefined || !size ? undefined : { used, size };
  };
  return (
    <header class="head" data-state={props.state}>
      <a
        class="icon-button head-back"
        data-always={props.backAlways ? '' : undefined}
        href={props.backHref}
        aria-label={props.backLabel}
      >
        <ArrowLeft size={17} />
      </a>
      <div class="head-main">
        {props.title}
        <p class="head-about">
          <span>{props.agent}</span>
          <Show when={props.model}>{(model) => <span>{model()}</span>}</Show>
          <span class="head-cwd" title={props.cwd}>
            {props.cwd}
          </span>
        </p>
      </div>
      <Show when={context()}>{(now) => <Context used={now().used} size={now().size} />}</Show>
      <span class="head-state" title={props.reason}>
        <Dot word={props.word} />
      </span>
      <Show when={props.onStop}>
        {(stop) => (
          <button type="button" class="button stop" disabled={props.stopping} onClick={() => stop()()}>
            {props.stopping ? 'Stopping…' : 'Stop'}
          </button>
        )}
      </Show>
      {props.menu}
    </header>
  );
}
