import { useNavigate } from '@solidjs/router';
import { Show } from 'solid-js';
import type { SessionState } from '../../wire/snapshot.ts';
import { copyText } from '../lib/clipboard.ts';
import { titlePage } from '../lib/page-title.ts';
import { createSelector } from '../lib/select.ts';
import { useSluice } from '../lib/sluice.ts';
import { count } from '../lib/time.ts';
import { createToggle } from '../lib/ui.ts';
import { isRunning, type Word } from '../lib/words.ts';
import { DeleteDialog } from '../sessions/delete-dialog.tsx';
import { SessionMenu } from '../sessions/session-menu.tsx';
import { SessionHead } from '../shell/session-head.tsx';
import { Title } from '../shell/title.tsx';
import { firstWordsOf, type SessionReader } from './session.ts';

/** The head of a session: what it is and how it stands, and what can be done with it as a whole. */
export function ConversationHead(props: {
  session: string;
  kind: 'conversation' | 'job';
  reader: SessionReader;
  state: SessionState;
  word: Word;
  stopping: boolean;
  onStop: () => void;
  /** Says to the user why an action failed. */
  attempt: (action: Promise<unknown>) => Promise<unknown>;
}) {
  const { api, directory } = useSluice();
  const navigate = useNavigate();
  const renaming = createToggle();
  const deleting = createToggle();
  const { select } = props.reader;
  const isJob = () => props.kind === 'job';
  const parent = select((context) => context.parent);
  const cwd = select((context) => context.cwd);
  const usage = select((context) => context.usage);
  const model = select(({ model: chosen, models }) => models?.find((m) => m.id === chosen)?.name ?? chosen);
  const agent = select((context) => context.agent);
  const agentName = createSelector(directory, ({ context }) => {
    const line = context.agents.find((one) => one.id === agent());
    return line?.name ?? agent() ?? '';
  });
  const reason = createSelector(directory, ({ context }) => context.sessions[props.session]?.reason);
  const named = select((context) => context.title);
  const firstWords = select(firstWordsOf);
  const title = () => named() ?? firstWords() ?? (isJob() ? 'Background job' : 'New conversation');
  titlePage(title);

  const contents = select(({ turns, open, older, queue, jobs }) =>
    [
      older ? 'All its turns' : count(turns.length + (open ? 1 : 0), 'turn'),
      ...(queue.messages.length > 0 ? [count(queue.messages.length, 'queued message')] : []),
      ...(jobs.length > 0 ? [count(jobs.length, 'background job')] : []),
    ].join(', '),
  );
  const remove = async () => {
    await api.remove(props.session);
    navigate('/');
  };
  const back = () => {
    const of = parent();
    if (!isJob()) return { href: '/', label: 'All conversations' };
    return of === undefined
      ? { href: '/jobs', label: 'All jobs' }
      : { href: `/c/${encodeURIComponent(of)}`, label: 'Back to the conversation' };
  };

  return (
    <>
      <SessionHead
        title={
          <Title
            title={title()}
            editing={renaming}
            onRename={(next) => props.attempt(api.change(props.session, { title: next }))}
          />
        }
        agent={agentName()}
        cwd={cwd() ?? ''}
        model={model()}
        state={props.state}
        word={props.word}
        reason={reason()}
        usage={usage()}
        backHref={back().href}
        backLabel={back().label}
        backAlways={isJob()}
        onStop={isJob() && isRunning(props.state) ? props.onStop : undefined}
        stopping={props.stopping}
        menu={
          <SessionMenu
            onRename={isJob() ? undefined : () => renaming.set(true)}
            onDelete={isJob() ? undefined : () => deleting.set(true)}
            onCopyId={() =>
              void props.attempt(
                copyText(props.session).then((copied) => {
                  if (!copied)
                    throw new Error(`This browser does not let the page copy. The id: ${props.session}`);
                }),
              )
            }
            inspectHref={`/inspect#${encodeURIComponent(props.session)}`}
          />
        }
      />
      <Show when={!isJob()}>
        <DeleteDialog
          open={deleting}
          title={title()}
          contents={contents() ?? ''}
          cwd={cwd() ?? ''}
          onDelete={remove}
        />
      </Show>
    </>
  );
}
