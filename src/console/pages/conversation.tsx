import { createMemo, Match, Show, Switch } from 'solid-js';
import { emptyQueue } from '../../../machines/session.ts';
import { turnOf } from '../../../machines/turn.logic.ts';
import { Composer, type Delivery } from '../composer/composer.tsx';
import { OutboxOverlay } from '../composer/outbox.tsx';
import { QueueStrip } from '../composer/queue.tsx';
import { CircleAlert, MessageSquare, X } from '../icons.ts';
import { newId } from '../lib/id.ts';
import { afterwards } from '../lib/live.ts';
import { createSelector } from '../lib/select.ts';
import { useSluice } from '../lib/sluice.ts';
import { createField, draftOf } from '../lib/ui.ts';
import { summaryWord } from '../lib/words.ts';
import { textOf } from '../parts/message.tsx';
import { Spinner } from '../parts/spinner.tsx';
import { Empty } from '../shell/empty.tsx';
import { SessionHead } from '../shell/session-head.tsx';
import { Trouble } from '../shell/trouble.tsx';
import { readOutbox, readSession } from './session.ts';
import { SessionThread } from './session-thread.tsx';

const running = new Set(['dispatching', 'streaming', 'polling', 'cancelling']);

/** A conversation, or a job when `kind` says so: a job has one turn, and nothing can be said to it. */
export function SessionPage(props: { session: string; kind: 'conversation' | 'job' }) {
  const { api, root, link, outbox, directory } = useSluice();
  const id = () => props.session;
  const reader = readSession(root, id);
  const asked = readOutbox(outbox, id);
  const { select } = reader;
  const trouble = createField<string | undefined>(undefined);
  const attempt = (action: Promise<unknown>) => {
    trouble.set(undefined);
    action.catch((error: unknown) => trouble.set(error instanceof Error ? error.message : String(error)));
  };

  const known = select(({ epoch }) => epoch !== '');
  const problem = select((context) => context.problem ?? undefined);
  const queue = select((context) => context.queue);
  const commands = select((context) => context.commands);
  const usage = select((context) => context.usage);
  const parent = select((context) => context.parent);
  const cwd = select((context) => context.cwd);
  const model = select(({ model: chosen, models }) => models?.find((m) => m.id === chosen)?.name ?? chosen);
  const agent = select((context) => context.agent);
  const agentName = createSelector(directory, ({ context }) => {
    const line = context.agents.find((one) => one.id === agent());
    return line?.name ?? agent() ?? '';
  });
  const summary = createSelector(directory, ({ context }) => context.sessions[props.session]);
  const openId = select(({ open }) => open?.id);
  const cursor = select(({ epoch, seq }) => `${epoch}.${seq}`);
  const firstWords = select(({ turns, open }) => {
    const message = turns[0]?.message ?? (open ? turnOf(open.ref).message : undefined);
    return message ? textOf(message.content).slice(0, 80) : undefined;
  });
  const title = select((context) => context.title);
  const shownTitle = () =>
    title() ?? firstWords() ?? (props.kind === 'job' ? 'Background job' : 'New conversation');
  // While the session is read again, it stands as it was last heard of.
  const state = createMemo(() => reader.state() ?? summary()?.state ?? 'idle');
  const asking = select(({ permissions }) => permissions.length);
  const word = createMemo(
    () => summaryWord({ state: state(), permissions: asking() ?? 0, held: false, queued: 0 }),
    undefined,
    { equals: (a, b) => a.text === b.text },
  );
  const busy = () => running.has(state()) || asked.pending().some((send) => send.delivery !== 'background');
  const stopping = () => state() === 'cancelling' || asked.stoppingAny();
  const isLive = createSelector(link, ({ value }) => value === 'live' || value === 'stale');

  afterwards(shownTitle, (words) => {
    document.title = `${words} · Sluice`;
  });
  // Looked at: what has ended here is no news any more.
  const unread = () => (reader.state() !== undefined && (summary()?.unread ?? 0) > 0 ? cursor() : undefined);
  afterwards(unread, (seen) => {
    if (seen !== undefined && document.visibilityState === 'visible') {
      api.change(props.session, { seen }).catch(() => {});
    }
  });

  const send = (text: string, delivery: Delivery) =>
    outbox.send({
      type: 'ask',
      ask: {
        kind: 'send',
        id: newId(),
        session: props.session,
        at: Date.now(),
        body: { content: [{ type: 'text', text }], delivery },
      },
    });
  const stop = () => {
    const turn = openId();
    const message = asked.lastSend();
    const body =
      props.kind === 'job' ? { job: props.session } : turn ? { turn } : message ? { message } : undefined;
    if (!body) return;
    outbox.send({
      type: 'ask',
      ask: { kind: 'stop', id: newId(), session: props.session, at: Date.now(), body },
    });
  };
  const revision = () => queue()?.revision ?? 0;

  const dock = () => (
    <div class="dock">
      <Show when={trouble()}>
        {(text) => (
          <div class="outbox" data-refused="" role="alert">
            <CircleAlert size={15} aria-hidden="true" />
            <p class="outbox-text">{text()}</p>
            <button
              type="button"
              class="icon-button"
              aria-label="Dismiss"
              onClick={() => trouble.set(undefined)}
            >
              <X size={14} aria-hidden="true" />
            </button>
          </div>
        )}
      </Show>
      <OutboxOverlay
        pending={asked.pending()}
        refused={asked.refused()}
        waiting={!isLive()}
        onEdit={(refused) => {
          const draft = draftOf(props.session);
          draft.set([draft(), refused.text].filter((text) => text !== '').join('\n'));
          outbox.send({ type: 'dismiss', id: refused.id });
        }}
        onDiscard={(refused) => outbox.send({ type: 'dismiss', id: refused })}
      />
      <Show when={props.kind === 'conversation'}>
        <QueueStrip
          queue={queue() ?? emptyQueue}
          onEdit={(message, text) =>
            attempt(
              api.editQueue(props.session, {
                revision: revision(),
                edit: { message, content: [{ type: 'text', text }] },
              }),
            )
          }
          onRemove={(message) =>
            attempt(api.editQueue(props.session, { revision: revision(), remove: { message } }))
          }
          onMove={(message, to) =>
            attempt(api.editQueue(props.session, { revision: revision(), move: { message, to } }))
          }
          onResume={() => attempt(api.resume(props.session))}
        />
        <Composer
          session={props.session}
          busy={busy()}
          stopping={stopping()}
          commands={commands() ?? []}
          blocked={state() === 'closed' ? 'This conversation is closed.' : undefined}
          onSend={send}
          onStop={stop}
        />
      </Show>
    </div>
  );

  return (
    <Switch>
      <Match when={problem()?.code === 'session.unknown' || problem()?.code === 'job.unknown'}>
        <Trouble
          title={props.kind === 'job' ? 'This job does not exist' : 'This conversation does not exist'}
          reason="It may have been deleted, or the address is wrong."
        />
      </Match>
      <Match when={!known() && problem()}>
        {(reason) => (
          <Trouble
            title="The conversation could not be loaded"
            reason={reason().message}
            onRetry={() => root.send({ type: 'resync', session: props.session, reason: 'the user asked' })}
          />
        )}
      </Match>
      <Match when={!known()}>
        <p class="page-wait">
          <Spinner size={20} />
          <span class="visually-hidden">Loading</span>
        </p>
      </Match>
      <Match when={known()}>
        <SessionHead
          title={shownTitle()}
          agent={agentName()}
          cwd={cwd() ?? ''}
          model={model()}
          state={state()}
          word={word()}
          reason={summary()?.reason}
          usage={usage()}
          backHref={props.kind === 'job' ? (parent() ? `/c/${parent()}` : '/jobs') : '/'}
          backLabel={
            props.kind === 'job' ? (parent() ? 'Back to the conversation' : 'All jobs') : 'All conversations'
          }
          backAlways={props.kind === 'job'}
          onStop={props.kind === 'job' && running.has(state()) ? stop : undefined}
          stopping={stopping()}
        />
        <SessionThread
          session={props.session}
          reader={reader}
          asked={asked}
          announce={word().text}
          goesOn={props.kind === 'conversation' && state() !== 'closed'}
          onRetry={(turn) => attempt(api.retry(props.session, turn))}
          onContinue={() => send('Continue', 'queue')}
          empty={
            <Empty icon={<MessageSquare size={20} />} title="Nothing said yet">
              Write a message below. The agent works in {cwd()}.
            </Empty>
          }
        />
        {dock()}
      </Match>
    </Switch>
  );
}
