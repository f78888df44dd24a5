import { For, Show } from 'solid-js';
import type { Diff, DiffLine } from './diff.ts';

const mark = { same: ' ', added: '+', removed: '−', gap: '' } as const;
const spoken = { same: '', added: 'added: ', removed: 'removed: ', gap: 'lines left out' } as const;

function Line(props: { line: DiffLine }) {
  return (
    <div class="diff-line" data-kind={props.line.kind}>
      <span class="diff-number" aria-hidden="true">
        {props.line.kind === 'gap' ? '⋯' : (props.line.after ?? props.line.before)}
      </span>
      <span class="diff-mark" aria-hidden="true">
        {mark[props.line.kind]}
      </span>
      <span class="diff-text">
        <span class="visually-hidden">{spoken[props.line.kind]}</span>
        {props.line.text}
      </span>
    </div>
  );
}

export function DiffStat(props: { diff: Diff }) {
  return (
    <span class="diff-stat">
      <Show when={props.diff.added > 0}>
        <span class="diff-added">+{props.diff.added}</span>
      </Show>{' '}
      <Show when={props.diff.removed > 0}>
        <span class="diff-removed">−{props.diff.removed}</span>
      </Show>
    </span>
  );
}

export function DiffView(props: { path: string; diff: Diff }) {
  return (
    <section class="diff" tabindex="0" aria-label={`Changes in ${props.path}`}>
      <Show when={!props.diff.skipped} fallback={<p class="diff-note">Too large to compare here.</p>}>
        <div class="diff-lines">
          <For each={props.diff.lines} fallback={<p class="diff-note">No lines differ.</p>}>
            {(line) => <Line line={line} />}
          </For>
        </div>
      </Show>
    </section>
  );
}
