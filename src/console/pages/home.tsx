import { useNavigate } from '@solidjs/router';
import { Show } from 'solid-js';
import { MessageSquare } from '../icons.ts';
import { titlePage } from '../lib/page-title.ts';
import { createSelector } from '../lib/select.ts';
import { useSluice } from '../lib/sluice.ts';
import { createField, createToggle } from '../lib/ui.ts';
import { Spinner } from '../parts/spinner.tsx';
import { DialogError } from '../sessions/dialog-error.tsx';
import { Empty } from '../shell/empty.tsx';

/** Starts a conversation with the agent that always works. */
export function FirstConversation() {
  const { api } = useSluice();
  const navigate = useNavigate();
  const starting = createToggle();
  const error = createField<string | undefined>(undefined);
  const begin = async () => {
    starting.set(true);
    error.set(undefined);
    try {
      const { id } = await api.create({ agent: 'builtin' });
      navigate(`/c/${encodeURIComponent(id)}`);
    } catch (reason) {
      error.set(reason instanceof Error ? reason.message : String(reason));
    } finally {
      starting.set(false);
    }
  };
  return (
    <>
      <button type="button" class="button primary" disabled={starting()} onClick={begin}>
        <Show when={starting()}>
          <Spinner />
        </Show>
        Start a conversation with the built-in agent
      </button>
      <DialogError reason={error()} />
    </>
  );
}

/** Nothing is chosen. */
export function Home() {
  const { directory } = useSluice();
  const hasBuiltin = createSelector(directory, ({ context }) =>
    context.agents.some((agent) => agent.id === 'builtin' && agent.available),
  );
  const isNew = createSelector(
    directory,
    ({ context }) =>
      context.loaded && !Object.values(context.sessions).some((one) => one.kind === 'conversation'),
  );
  titlePage(() => '');
  return (
    <Show
      when={isNew() && hasBuiltin()}
      fallback={
        <Empty
          icon={<MessageSquare size={20} />}
          title={isNew() ? 'Start a conversation' : 'Choose a conversation, or start one'}
          action={
            <a class="button" href="/new">
              New conversation
            </a>
          }
        >
          Agents go on working when this page is closed.
        </Empty>
      }
    >
      <Empty
        icon={<MessageSquare size={20} />}
        title="Welcome to Sluice"
        action={
          <>
            <FirstConversation />
            <a class="empty-other" href="/new">
              Choose another agent or directory
            </a>
          </>
        }
      >
        Agents work here and go on working when this page is closed. The built-in one needs no network, key or
        model.
      </Empty>
    </Show>
  );
}
