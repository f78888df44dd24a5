import { createMemo, For, type JSX, Show } from 'solid-js';
import type { SessionSummary } from '../../wire/snapshot.ts';
import { Layers, MessageSquare, Search, SquarePen } from '../icons.ts';
import { sameList } from '../lib/equal.ts';
import { onShortcut } from '../lib/shortcuts.ts';
import { ago, count } from '../lib/time.ts';
import { createNow, type Field } from '../lib/ui.ts';
import { summaryWord } from '../lib/words.ts';
import { Dot } from '../parts/dot.tsx';
import { Empty } from '../shell/empty.tsx';

function Line(props: {
  session: SessionSummary;
  agent: string;
  href: string;
  current: boolean;
  now: number;
}) {
  const title = () => props.session.title ?? 'New conversation';
  // What one looks at is read.
  const unread = () => props.session.unread > 0 && !props.current;
  return (
    <a
      class="session"
      href={props.href}
      aria-current={props.current ? 'page' : undefined}
      data-unread={unread() ? '' : undefined}
    >
      <span class="session-title">{title()}</span>
      <span class="session-time">{ago(props.session.updatedAt, props.now)}</span>
      <span class="session-about">
        <Dot word={summaryWord(props.session, props.now)} />
        <span class="session-agent">{props.agent}</span>
      </span>
      <span class="session-counts">
        <Show when={props.session.runningJobs > 0}>
          <span class="badge" title={`${count(props.session.runningJobs, 'job')} running`}>
            <Layers size={11} />
            {props.session.runningJobs}
            <span class="visually-hidden"> running in the background</span>
          </span>
        </Show>
        <Show when={props.session.queued > 0}>
          <span class="badge" title={`${count(props.session.queued, 'message')} queued`}>
            {props.session.queued} queued
          </span>
        </Show>
        <Show when={unread()}>
          <span class="badge unread">
            {props.session.unread}
            <span class="visually-hidden"> unread</span>
          </span>
        </Show>
      </span>
    </a>
  );
}

export interface SessionListProps {
  readonly sessions: readonly SessionSummary[];
  /** The list has not come yet. */
  readonly loading: boolean;
  readonly current?: string | undefined;
  readonly search: Field<string>;
  /** What the gateway has found beside those that are here. */
  readonly found?: readonly SessionSummary[] | null;
  readonly searching?: boolean;
  readonly agentName: (id: string) => string;
  readonly href: (id: string) => string;
  readonly onNew: () => void;
  /** Shows the list, where the chosen conversation hides it. */
  readonly onReveal?: () => void;
  /** What a newcomer can do first, where the page beside the list is not shown. */
  readonly first?: JSX.Element;
  /** The gateway has older ones. */
  readonly more?: boolean;
  readonly onMore?: () => void;
}

const found = (session: SessionSummary, words: string) =>
  `${session.title ?? ''} ${session.agent} ${session.cwd}`.toLowerCase().includes(words);

export const newestFirst = (sessions: readonly SessionSummary[]): SessionSummary[] =>
  [...sessions].sort((a, b) => b.updatedAt - a.updatedAt);

/** The conversations, newest first. */
export function SessionList(props: SessionListProps) {
  const now = createNow();
  const shown = createMemo(() => {
    const words = props.search().trim().toLowerCase();
    if (words === '') return newestFirst(props.sessions);
    const named = new Set((props.found ?? []).map((session) => session.id));
    const matching = props.sessions.filter((session) => named.has(session.id) || found(session, words));
    const here = new Set(matching.map((session) => session.id));
    return newestFirst([...matching, ...(props.found ?? []).filter((session) => !here.has(session.id))]);
  });
  const ids = createMemo(() => shown().map((session) => session.id), undefined, { equals: sameList });
  const byId = createMemo(() => new Map(shown().map((session) => [session.id, session])));
  return (
    <nav class="sessions" aria-label="Conversations">
      <div class="sessions-head">
        <label class="search">
          <Search size={14} />
          <input
            type="search"
            ref={(input) =>
              onShortcut('search', () => {
                const take = () => {
                  input.focus();
                  input.select();
                };
                if (input.offsetParent !== null) return take();
                props.onReveal?.();
                // It can have the focus once it is laid out.
                requestAnimationFrame(() => requestAnimationFrame(take));
              })
            }
            placeholder="Search"
            aria-label="Search conversations"
            value={props.search()}
            onInput={(event) => props.search.set(event.currentTarget.value)}
          />
        </label>
        <button type="button" class="button primary" onClick={props.onNew}>
          <SquarePen size={14} />
          New
        </button>
      </div>
      <ul class="sessions-list" hidden={ids().length === 0}>
        <For each={ids()}>
          {(id) => {
            const first = byId().get(id) as SessionSummary;
            const session = createMemo(() => byId().get(id) ?? first);
            return (
              <li>
                <Line
                  session={session()}
                  agent={props.agentName(session().agent)}
                  href={props.href(id)}
                  current={props.current === id}
                  now={now()}
                />
              </li>
            );
          }}
        </For>
        <Show when={props.more && props.search().trim() === ''}>
          <li>
            <button type="button" class="button small sessions-more" onClick={() => props.onMore?.()}>
              Show older conversations
            </button>
          </li>
        </Show>
      </ul>
      <Show when={ids().length === 0 && !props.loading}>
        <Show
          when={props.sessions.length === 0}
          fallback={
            <p class="sessions-none" role="status">
              <Show when={!props.searching} fallback="Searching…">
                Nothing found for “{props.search().trim()}”.
              </Show>
            </p>
          }
        >
          <p class="sessions-none">No conversations yet.</p>
          <div class="sessions-first">
            <Empty icon={<MessageSquare size={20} />} title="Welcome to Sluice" action={props.first}>
              Agents work here and go on working when this page is closed. The built-in one needs no network,
              key or model.
            </Empty>
          </div>
        </Show>
      </Show>
    </nav>
  );
}
