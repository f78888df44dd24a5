import { Index, Match, Show, Switch } from 'solid-js';
import type { PermissionPart } from '../../wire/turn.ts';
import { Ban, CircleCheck, CircleX, ShieldQuestion } from '../icons.ts';
import { Quoted } from './quoted.tsx';
import { Spinner } from './spinner.tsx';

const style = {
  allow_once: 'primary',
  allow_always: 'plain',
  reject_once: 'plain',
  reject_always: 'plain',
} as const;

/** `answering`: the option that was chosen and is not confirmed yet. */
export function Permission(props: {
  permission: PermissionPart;
  answering?: string | undefined;
  onAnswer: (option: string) => void;
}) {
  const chosen = () => props.permission.options.find((option) => option.optionId === props.permission.option);
  const allowed = () => chosen()?.kind.startsWith('allow') ?? false;
  return (
    <section class="permission" data-state={props.permission.state} aria-label={props.permission.title}>
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
            <span class="permission-answer">You chose “{chosen()?.name ?? props.permission.option}”</span>
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
    </section>
  );
}
