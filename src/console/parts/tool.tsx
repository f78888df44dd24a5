import { type Component, createMemo, Index, Match, Show, Switch } from 'solid-js';
import { Dynamic } from 'solid-js/web';
import type { ToolContent, ToolKind } from '../../wire/content.ts';
import type { ToolPart } from '../../wire/turn.ts';
import * as icons from '../icons.ts';
import { createToggle } from '../lib/ui.ts';
import { diffOf } from './diff.ts';
import { DiffStat, DiffView } from './diff.tsx';
import { Disclosure } from './disclosure.tsx';
import { wordsOf } from './message.tsx';
import { Fixed, Output } from './output.tsx';
import { Spinner } from './spinner.tsx';

const kinds: Readonly<Record<ToolKind, Component<{ size: number }>>> = {
  read: icons.FileText,
  edit: icons.FilePen,
  delete: icons.FileX,
  move: icons.FolderInput,
  search: icons.Search,
  execute: icons.Terminal,
  think: icons.Brain,
  fetch: icons.Globe,
  switch_mode: icons.Shuffle,
  other: icons.Wrench,
};

const statusWords: Readonly<Record<ToolPart['status'], string>> = {
  pending: 'Waiting',
  in_progress: 'Running',
  completed: 'Done',
  failed: 'Failed',
  refused: 'Refused',
};

type DiffContent = Extract<ToolContent, { type: 'diff' }>;

/** Output and changes are what one reads; the rest opens on demand. */
const opensByItself = (tool: ToolPart) =>
  tool.kind === 'execute' || tool.content.some((content) => content.type === 'diff');

const pretty = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value, undefined, 2) ?? '');

function Mark(props: { status: ToolPart['status']; exitCode?: number | null; stopped: boolean }) {
  const word = () => {
    const code = props.exitCode;
    if (props.stopped) return 'Stopped';
    return props.status === 'failed' && typeof code === 'number'
      ? `Exit code ${code}`
      : statusWords[props.status];
  };
  return (
    <span class="tool-status" data-status={props.stopped ? 'stopped' : props.status}>
      <Switch>
        <Match when={props.stopped}>
          <icons.Square size={12} />
        </Match>
        <Match when={props.status === 'in_progress'}>
          <Spinner />
        </Match>
        <Match when={props.status === 'completed'}>
          <icons.Check size={14} />
        </Match>
        <Match when={props.status === 'failed'}>
          <icons.X size={14} />
        </Match>
        <Match when={props.status === 'refused'}>
          <icons.Ban size={14} />
        </Match>
        <Match when={props.status === 'pending'}>
          <icons.Circle size={14} />
        </Match>
      </Switch>
      <span classList={{ 'visually-hidden': props.status === 'completed' }}>{word()}</span>
    </span>
  );
}

/** A tool's content is sent whole each time, so it is shown as it is: nothing here only grows. */
function Content(props: { content: ToolContent }) {
  return (
    <Switch>
      <Match when={props.content.type === 'diff' && props.content}>
        {(content) => <DiffBlock content={content()} />}
      </Match>
      <Match when={props.content.type === 'content' && props.content.content}>
        {(block) => (
          <Show when={block().type === 'text'} fallback={<p class="tool-note">{wordsOf(block())}</p>}>
            <div class="tool-text">{wordsOf(block())}</div>
          </Show>
        )}
      </Match>
    </Switch>
  );
}

function DiffBlock(props: { content: DiffContent }) {
  const before = createMemo(() => props.content.oldText);
  const after = createMemo(() => props.content.newText);
  const diff = createMemo(() => diffOf(before(), after()));
  return (
    <>
      <div class="diff-path">
        <span>{props.content.path}</span>
        <DiffStat diff={diff()} />
      </div>
      <DiffView path={props.content.path} diff={diff()} />
    </>
  );
}

/** `stopping`: its turn was stopped, and what ran then with it. */
export function Tool(props: { tool: ToolPart; stopping?: boolean }) {
  // A call is often announced before it says what it will change.
  const open = createToggle(() => opensByItself(props.tool));
  const shown = () => props.tool.content.filter((content) => content.type !== 'terminal');
  const raw = () => shown().length === 0 && props.tool.output === '' && props.tool.rawOutput !== undefined;
  const input = () =>
    props.tool.kind !== 'execute' && shown().length === 0 && props.tool.rawInput !== undefined;
  const empty = () =>
    shown().length === 0 && props.tool.output === '' && !raw() && !input() && !props.tool.reason;
  /** Agents call a tool failed that was ended by a stop; what failed before has said how. */
  const stopped = () => {
    const { status, exitCode, reason } = props.tool;
    if (!props.stopping || status !== 'failed' || typeof exitCode === 'number') return false;
    return exitCode === null || (shown().length === 0 && reason === undefined);
  };
  const place = () => {
    const first = props.tool.locations[0];
    // Its changes name their files.
    if (!first || props.tool.content.some((content) => content.type === 'diff')) return undefined;
    const more = props.tool.locations.length - 1;
    const line = first.line === undefined ? '' : `:${first.line}`;
    return `${first.path}${line}${more > 0 ? ` and ${more} more` : ''}`;
  };
  return (
    <Disclosure
      class="tool"
      open={open}
      empty={empty()}
      head={
        <>
          <Dynamic component={kinds[props.tool.kind]} size={15} />
          <span class="tool-title" data-code={props.tool.kind === 'execute' ? '' : undefined}>
            {props.tool.title}
          </span>
          <Show when={place()}>{(path) => <span class="tool-place">{path()}</span>}</Show>
          <Mark status={props.tool.status} exitCode={props.tool.exitCode ?? null} stopped={stopped()} />
        </>
      }
    >
      <Show when={props.tool.reason}>{(reason) => <p class="tool-note">{reason()}</p>}</Show>
      <Show when={input()}>
        <Fixed label="Input" text={pretty(props.tool.rawInput)} />
      </Show>
      <Show when={props.tool.output !== ''}>
        <Output output={props.tool.output} label={`Output of ${props.tool.title}`} />
      </Show>
      <Index each={shown()}>{(content) => <Content content={content()} />}</Index>
      <Show when={raw()}>
        <Fixed label="Result" text={pretty(props.tool.rawOutput)} />
      </Show>
    </Disclosure>
  );
}
