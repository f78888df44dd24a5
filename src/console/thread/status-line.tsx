import { createMemo, Match, Show, Switch } from 'solid-js';
import type { Turn } from '../../wire/turn.ts';
import { Check, CircleAlert, Pause, RotateCw, ShieldQuestion, Square, TriangleAlert } from '../icons.ts';
import { clockTime } from '../lib/time.ts';
import { createNow } from '../lib/ui.ts';
import { Quoted } from '../parts/quoted.tsx';
import { Spinner } from '../parts/spinner.tsx';
import type { ThreadView } from '../view.ts';
import { CopyButton } from './copy-button.tsx';
import { RetryThen } from './retry-then.tsx';
import { costOf, type Status, statusOf } from './status.ts';

function Icon(props: { tone: Status['tone'] }) {
  return (
    <Switch fallback={<Spinner />}>
      <Match when={props.tone === 'asking'}>
        <ShieldQuestion size={14} />
      </Match>
      <Match when={props.tone === 'stopping'}>
        <Square size={12} />
      </Match>
      <Match when={props.tone === 'warning'}>
        <TriangleAlert size={14} />
      </Match>
      <Match when={props.tone === 'error'}>
        <CircleAlert size={14} />
      </Match>
    </Switch>
  );
}

const sameStatus = (a: Status, b: Status) =>
  a.tone === b.tone && a.label === b.label && a.detail === b.detail && a.next === b.next;

/** The clock runs only while a line depends on it. */
function Open(props: { turn: Turn; view: ThreadView }) {
  const now = createNow();
  const status = createMemo(
    () => statusOf(props.turn, now(), props.view.stopping(props.turn.id)),
    undefined,
    {
      equals: sameStatus,
    },
  );
  return (
    <p class="status" data-tone={status().tone}>
      <Icon tone={status().tone} />
      <span class="status-label">{status().label}</span>
      <Show when={status().detail}>
        {(detail) => (
          <span class="status-detail">
            <Quoted text={detail()} />
          </span>
        )}
      </Show>
    </p>
  );
}

function EndMark(props: { turn: Turn; tone: Status['tone'] }) {
  return (
    <Switch fallback={<Icon tone={props.tone} />}>
      <Match when={props.turn.outcome === 'cancelled'}>
        <Square size={12} />
      </Match>
      <Match when={props.turn.stopReason === 'max_tokens' || props.turn.stopReason === 'max_turn_requests'}>
        <Pause size={14} />
      </Match>
      <Match when={props.tone === 'done'}>
        <Check size={14} />
      </Match>
    </Switch>
  );
}

/** What the agent said, without its thoughts and tools. */
const answerOf = (turn: Turn) =>
  turn.parts
    .flatMap((part) => (part.type === 'text' ? [part.text.trim()] : []))
    .filter((text) => text !== '')
    .join('\n\n');

function Ended(props: { turn: Turn; newest: boolean; view: ThreadView }) {
  // Of the ends only a limit depends on the time.
  const now = props.turn.error?.until === undefined ? () => 0 : createNow();
  const status = createMemo(() => statusOf(props.turn, now()), undefined, { equals: sameStatus });
  return (
    <div class="status" data-tone={status().tone} data-ended="">
      <EndMark turn={props.turn} tone={status().tone} />
      <span class="status-label">{status().label}</span>
      <Show when={status().detail}>
        {(detail) => (
          <span class="status-detail">
            <Quoted text={detail()} />
          </span>
        )}
      </Show>
      <Show when={status().tone !== 'error'}>
        <span class="status-cost">
          {costOf(props.turn)}
          <Show
            when={!props.turn.imported}
            fallback={<span class="imported">imported from {props.view.agentName()}</span>}
          >
            <Show when={props.turn.endedAt}>{(at) => <time> · {clockTime(at())}</time>}</Show>
          </Show>
        </span>
      </Show>
      <Show when={answerOf(props.turn) !== ''}>
        <CopyButton text={() => answerOf(props.turn)} />
      </Show>
      <Show when={props.newest && status().next}>
        {(next) => (
          <span class="status-actions">
            <Show when={props.turn.error?.until}>
              {(until) => <RetryThen turn={props.turn.id} until={until()} now={now()} view={props.view} />}
            </Show>
            <button
              type="button"
              class="button small"
              onClick={() =>
                next() === 'retry' ? props.view.onRetry(props.turn.id) : props.view.onContinue()
              }
            >
              <RotateCw size={13} />
              {next() === 'retry' ? 'Try again' : 'Continue'}
            </button>
          </span>
        )}
      </Show>
    </div>
  );
}

export function StatusLine(props: { turn: Turn; newest: boolean; view: ThreadView }) {
  return (
    <Show
      when={props.turn.outcome === undefined}
      fallback={<Ended turn={props.turn} newest={props.newest} view={props.view} />}
    >
      <Open turn={props.turn} view={props.view} />
    </Show>
  );
}
