import { Route, Router, type RouteSectionProps, useLocation, useNavigate, useParams } from '@solidjs/router';
import { createMemo, Show } from 'solid-js';
import type { SessionSummary } from '../wire/snapshot.ts';
import { sameList } from './lib/equal.ts';
import { readLines } from './lib/lines.ts';
import { listen } from './lib/live.ts';
import { keepOpen } from './lib/open.ts';
import { keepTitle } from './lib/page-title.ts';
import { createSelector } from './lib/select.ts';
import { onShortcut, takeKey } from './lib/shortcuts.ts';
import { SluiceContext, useSluice } from './lib/sluice.ts';
import { createField, createToggle } from './lib/ui.ts';
import { isRunning } from './lib/words.ts';
import { SessionPage } from './pages/conversation.tsx';
import { FirstConversation, Home } from './pages/home.tsx';
import { JobsPage } from './pages/jobs.tsx';
import { newestFirst, SessionList } from './sessions/list.tsx';
import { type NewConversation, NewDialog } from './sessions/new-dialog.tsx';
import { KeysDialog } from './shell/keys-dialog.tsx';
import { LinkBadge } from './shell/link.tsx';
import { Shell } from './shell/shell.tsx';
import { Tools } from './shell/tools.tsx';
import { Trouble } from './shell/trouble.tsx';
import type { Sluice } from './start.ts';
import type { LinkView } from './view.ts';

const isConversation = (summary: SessionSummary) => summary.kind === 'conversation';
const hrefOf = (session: string) => `/c/${encodeURIComponent(session)}`;

/** What is chosen is in the address and nowhere else. */
function chosenOf(path: string): string | undefined {
  const id = /^\/c\/([^/]+)$/.exec(path)?.[1];
  return id === undefined ? undefined : decodeURIComponent(id);
}

function Link() {
  const { link } = useSluice();
  const view = createSelector(
    link,
    ({ value, context }): LinkView => ({
      state: value as LinkView['state'],
      ...(context.nextAt !== null && { retryAt: context.nextAt }),
    }),
    (a, b) => a.state === b.state && a.retryAt === b.retryAt,
  );
  return <LinkBadge link={view()} onRetry={() => link.send({ type: 'retry' })} />;
}

function Layout(props: RouteSectionProps) {
  const { api, root, directory, refresh } = useSluice();
  const location = useLocation();
  const navigate = useNavigate();
  const words = createField('');
  const search = Object.assign(() => words(), {
    set: (query: string) => {
      words.set(query);
      directory.send({ type: 'search', query });
    },
  });
  const created = createToggle();
  const asked = createToggle();
  // The address /new opens the dialog too, so that it can be linked to.
  const dialog = Object.assign(() => asked() || location.pathname === '/new', {
    set: (open: boolean) => {
      asked.set(open);
      if (!open && location.pathname === '/new' && !created()) navigate('/');
    },
    flip: asked.flip,
  });
  const creating = createToggle();
  const error = createField<string | undefined>(undefined);
  const all = readLines(root, directory);
  const conversations = createMemo(() => all().filter(isConversation), undefined, { equals: sameList });
  const agents = createSelector(directory, ({ context }) => context.agents);
  const more = createSelector(directory, ({ context }) => context.more);
  const results = createSelector(
    directory,
    ({ context: { query, found } }) => ({ query, found }),
    (a, b) => a.query === b.query && a.found === b.found,
  );
  // What is typed is there a frame before the search for it.
  const found = () => (results().query === words().trim() ? results().found : null);
  const loaded = createSelector(directory, ({ context }) => context.loaded);
  const problem = createSelector(directory, ({ context }) => context.problem);
  const directories = createMemo(() => [...new Set(conversations().map((one) => one.cwd))].slice(0, 20));
  const jobs = () => all().filter((one) => one.kind === 'job' && isRunning(one.state)).length;

  const create = async (body: NewConversation) => {
    creating.set(true);
    error.set(undefined);
    try {
      const { id } = await api.create(body);
      created.set(true);
      dialog.set(false);
      navigate(hrefOf(id));
    } catch (reason) {
      error.set(reason instanceof Error ? reason.message : String(reason));
    } finally {
      creating.set(false);
    }
  };
  const ask = () => {
    error.set(undefined);
    created.set(false);
    refresh();
    dialog.set(true);
  };

  const keys = createToggle();
  const step = (by: number) => {
    const ids = newestFirst(conversations()).map((one) => one.id);
    const at = ids.indexOf(chosenOf(location.pathname) ?? '');
    const to = ids[at < 0 ? 0 : at + by];
    if (to !== undefined) navigate(hrefOf(to));
  };
  keepTitle(all);
  listen(document, 'keydown', takeKey);
  onShortcut('help', () => keys.set(true));
  onShortcut('new', ask);
  onShortcut('previous', () => step(-1));
  onShortcut('next', () => step(1));

  return (
    <Show
      when={!problem()?.code.startsWith('token.')}
      fallback={
        <Trouble title="This page has no access" reason={problem()?.message ?? ''} onRetry={refresh} />
      }
    >
      <Shell
        chosen={location.pathname !== '/' && location.pathname !== '/new'}
        jobsHref="/jobs"
        jobsCurrent={location.pathname === '/jobs'}
        running={jobs()}
        link={<Link />}
        tools={<Tools onKeys={() => keys.set(true)} />}
        side={
          <SessionList
            sessions={conversations()}
            loading={!loaded()}
            current={chosenOf(location.pathname)}
            search={search}
            found={found()}
            searching={words().trim() !== '' && found() === null}
            agentName={(id) => agents().find((agent) => agent.id === id)?.name ?? id}
            href={hrefOf}
            onNew={ask}
            onReveal={() => navigate('/')}
            first={<FirstConversation />}
            more={more()}
            onMore={() => directory.send({ type: 'more' })}
          />
        }
      >
        {props.children}
      </Shell>
      <KeysDialog open={keys} />
      <NewDialog
        open={dialog}
        agents={agents()}
        directories={directories()}
        creating={creating()}
        created={created()}
        error={error()}
        onCreate={create}
        onOpen={(id) => {
          created.set(true);
          dialog.set(false);
          navigate(hrefOf(id));
        }}
        onEarlier={({ agent, cwd, cursor }, signal) =>
          api.earlier(
            agent,
            { ...(cwd !== undefined && { cwd }), ...(cursor !== null && { cursor }) },
            signal,
          )
        }
        onAddAgent={async (agent) => {
          const { id } = await api.addAgent(agent);
          refresh();
          return id;
        }}
        onRemoveAgent={async (id) => {
          await api.removeAgent(id);
          refresh();
        }}
      />
    </Show>
  );
}

function Opened(props: { kind: 'conversation' | 'job' }) {
  const params = useParams<{ id: string }>();
  return (
    <Show when={params.id} keyed>
      {(session) => <Kept session={session} kind={props.kind} />}
    </Show>
  );
}

/** The session's actor lives for as long as it is looked at. */
function Kept(props: { session: string; kind: 'conversation' | 'job' }) {
  const { root } = useSluice();
  keepOpen(root, () => [{ session: props.session, kind: props.kind }]);
  return <SessionPage session={props.session} kind={props.kind} />;
}

export function App(props: { sluice: Sluice }) {
  return (
    <SluiceContext.Provider value={props.sluice}>
      <Router root={Layout}>
        <Route path={['/', '/new', '/settings']} component={Home} />
        <Route path="/c/:id" component={() => <Opened kind="conversation" />} />
        <Route path="/jobs" component={JobsPage} />
        <Route path="/jobs/:id" component={() => <Opened kind="job" />} />
        <Route
          path="*"
          component={() => <Trouble title="There is no such page" reason="The address is wrong." />}
        />
      </Router>
    </SluiceContext.Provider>
  );
}
