import { Index, Match, Show, Switch } from 'solid-js';
import type { PermissionPart } from '../../wire/turn.ts';
import { Ban, CircleCheck, CircleX, ShieldQuestion } from '../icons.ts';
import { Spinner } from './spinner.tsx';

const style = {
  allow_once: 'primary',
  allow_always: 'plain',
  reject_once: 'plain',
  reject_always: 'plain',
} as const;

/** Titles name commands and files between backticks. */
function Quoted(props: { text: string }) {
  return (
    <Index each={props.text.split('`')}>
      {(piece, index) => (index % 2 === 1 ? <code class="quoted">{piece()}</code> : piece())}
    </Index>
  );
}

/** `answering`: the option that was chosen and is not confirmed yet. */
export function Permission(props: {
  permission: PermissionPart;
  answering?: string | undefined;
  onAnswer: (option: string) => void;
}) {
  const chosen = () => props.permission.options.find((option) => option.optionId === props.permission.option);
  const allowed = () => chosen()?.kind.startsWith('allow') ?? false;
  return (
    <div
      class="permission"
      data-state={props.permission.state}
      role="group"
      aria-label={props.permission.title}
    >
      <Switch>
        <Match when={props.permission.state === 'open'}>
          <div class="permission-ask">
            <ShieldQuestion size={16} aria-hidden="true" />
            <div>
              <p class="permission-kicker">Permission needed</p>
              <p class="permission-title">
                <Quoted text={props.permission.title} />
              </p>
            </div>
          </div>
          <div class="permission-options">
            <Index each={props.permission.options}>
              {(option) => (
                <button
                  type="button"
                  class={`button ${style[option().kind]}`}
                  disabled={props.answering !== undefined}
                  onClick={() => props.onAnswer(option().optionId)}
                >
                  <Show when={props.answering === option().optionId}>
                    <Spinner />
                  </Show>
                  {option().name}
                </button>
              )}
            </Index>
          </div>
        </Match>
        <Match when={props.permission.state === 'answered'}>
          <p class="permission-line">
            <Show when={allowed()} fallback={<CircleX size={14} aria-hidden="true" />}>
              <CircleCheck size={14} aria-hidden="true" />
            </Show>
            <span class="permission-answer">{chosen()?.name ?? props.permission.option}</span>
            <span class="permission-about">
              <Quoted text={props.permission.title} />
            </span>
          </p>
        </Match>
        <Match when={props.permission.state === 'withdrawn'}>
          <p class="permission-line">
            <Ban size={14} aria-hidden="true" />
            <span class="permission-answer">No longer asked</span>
            <span class="permission-about">
              <Quoted text={props.permission.title} />
              {props.permission.reason ? ` (${props.permission.reason})` : ''}
            </span>
          </p>
        </Match>
      </Switch>
    </div>
  );
}
