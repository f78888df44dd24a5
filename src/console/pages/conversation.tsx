import { createMemo, Match, Show, Switch } from 'solid-js';
import { emptyQueue, queueLine } from '../../../machines/session.ts';
import type { ContentBlock } from '../../wire/content.ts';
import { parseCursor } from '../../wire/cursor.ts';
import { Composer, type Delivery } from '../composer/composer.tsx';
import { type ImageBlock, imagesOf } from '../composer/images.ts';
import { OutboxOverlay } from '../composer/outbox.tsx';
import { QueueStrip } from '../composer/queue.tsx';
import { Settings } from '../composer/settings.tsx';
import { CircleAlert, X } from '../icons.ts';
import { newId } from '../lib/id.ts';
import { afterwards } from '../lib/live.ts';
import { createSelector } from '../lib/select.ts';
import { useSluice } from '../lib/sluice.ts';
import { createField, createNow, createVisible, draftOf } from '../lib/ui.ts';
import { isRunning, summaryWord } from '../lib/words.ts';
import { saidOf } from '../parts/message.tsx';
import { Spinner } from '../parts/spinner.tsx';
import { Trouble } from '../shell/trouble.tsx';
import { ConversationHead } from './conversation-head.tsx';
import { EmptyConversation } from './empty-conversation.tsx';
import { readOutbox, readSession } from './session.ts';
import { SessionThread } from './session-thread.tsx';

const isImage = (block: ContentBlock): block is ImageBlock => block.type === 'image';
const worded = (text: string): ContentBlock[] => (text === '' ? [] : [{ type: 'text', text }]);

/** A conversation, or a job when `kind` says so: a job has one turn, and nothing can be said to it. */
export function SessionPage(props: { session: string; kind: 'conversation' | 'job' }) {
  const { api, root, link, outbox, directory } = useSluice();
  const id = () => props.session;
  const reader = readSession(root, id);
  const asked = readOutbox(outbox, id);
  const { select } = reader;
  const trouble = createField<string | undefined>(undefined);
  /** Resolves in any case: a failure is shown. */
  const attempt = (action: Promise<unknown>): Promise<unknown> => {
    trouble.set(undefined);
    return action.catch((error: unknown) =>
      trouble.set(error instanceof Error ? error.message : String(error)),
    );
  };

  const known = select(({ epoch }) => epoch !== '');
  const problem = select((context) => context.problem ?? undefined);
  const queue = select((context) => context.queue);
  const cwd = select((context) => context.cwd);
  const model = select((context) => context.model);
  const models = select((context) => context.models);
  const mode = select((context) => context.mode);
  const modes = select((context) => context.modes);
  const options = select((context) => context.options);
  const agent = select((context) => context.agent);
  const line = createSelector(directory, ({ context }) => context.agents.find((one) => one.id === agent()));
  const ownCommands = select((context) => context.commands);
  const commands = () => ownCommands() ?? line()?.commands ?? [];
  const summary = createSelector(directory, ({ context }) => context.sessions[props.session]);
  const openId = select(({ open }) => open?.id);
  const epoch = select((context) => context.epoch);
  const seq = select((context) => context.seq);
  // While the session is read again, it stands as it was last heard of.
  const state = createMemo(() => reader.state() ?? summary()?.state ?? 'idle');
  const asking = select(({ permissions }) => permissions.length);
  const now = createNow();
  const word = createMemo(
    () =>
      summaryWord({ state: state(), permissions: asking() ?? 0, ...queueLine(queue() ?? emptyQueue) }, now()),
    undefined,
    { equals: (a, b) => a.text === b.text },
  );
  const busy = () => isRunning(state()) || asked.pending().some((send) => send.delivery !== 'background');
  const stopping = () => state() === 'cancelling' || asked.stoppingAny();
  const isLive = createSelector(link, ({ value }) => value === 'live' || value === 'stale');

  const visible = createVisible();
  // Looked at: what has ended here is no news any more, once this page has it all.
  const seen = createMemo(() => {
    const { unread, cursor } = summary() ?? { unread: 0, cursor: '' };
    const said = parseCursor(cursor);
    if (!visible() || unread === 0 || !said || said.epoch !== epoch()) return undefined;
    return said.seq <= (seq() ?? 0) ? cursor : undefined;
  });
  afterwards(seen, (upTo) => {
    if (upTo !== undefined) api.change(props.session, { seen: upTo }).catch(() => {});
  });

  const send = (text: string, delivery: Delivery, images: readonly ImageBlock[] = []) =>
    outbox.send({
      type: 'ask',
      ask: {
        kind: 'send',
        id: newId(),
        session: props.session,
        at: Date.now(),
        body: { content: [...worded(text), ...images], delivery },
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
  /** What a queued message carries beside its words: an edit of the words keeps it. */
  const attachedTo = (message: string): ContentBlock[] => {
    const queued = queue()?.messages.find((one) => one.message.id === message);
    return (queued?.message.content ?? []).filter((block) => block.type !== 'text') as ContentBlock[];
  };
  const revision = () => queue()?.revision ?? 0;

  const dock = () => (
    <div class="dock">
      <Show when={trouble()}>
        {(text) => (
          <div class="outbox" data-refused="" role="alert">
            <CircleAlert size={15} />
            <p class="outbox-text">{text()}</p>
            <button
              type="button"
              class="icon-button"
              aria-label="Dismiss"
              onClick={() => trouble.set(undefined)}
            >
              <X size={14} />
            </button>
          </div>
        )}
      </Show>
      <OutboxOverlay
        pending={asked.pending()}
        refused={asked.refused()}
        waiting={!isLive()}
        onEdit={(refused) => {
          const [draft, images] = [draftOf(props.session), imagesOf(props.session)];
          const { content = worded(refused.text) } = refused;
          draft.set([draft(), saidOf(content)].filter((text) => text !== '').join('\n'));
          images.set([...images(), ...content.filter(isImage)]);
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
                edit: { message, content: [...worded(text), ...attachedTo(message)] },
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
          commands={commands()}
          blocked={state() === 'closed' ? 'This conversation is closed.' : undefined}
          tools={
            <Settings
              models={models() ?? []}
              model={model()}
              modes={modes() ?? []}
              mode={mode()}
              options={options() ?? []}
              onChange={(change) => attempt(api.change(props.session, change))}
            />
          }
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
        {/* What was written for it comes back all the same, and stays until the user has seen it. */}
        <div class="dock">
          <OutboxOverlay
            pending={asked.pending()}
            refused={asked.refused()}
            waiting={!isLive()}
            onDiscard={(refused) => outbox.send({ type: 'dismiss', id: refused })}
          />
        </div>
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
        <ConversationHead
          session={props.session}
          kind={props.kind}
          reader={reader}
          state={state()}
          word={word()}
          stopping={stopping()}
          onStop={stop}
          attempt={attempt}
        />
        <SessionThread
          session={props.session}
          reader={reader}
          asked={asked}
          announce={word().text}
          goesOn={props.kind === 'conversation' && state() !== 'closed'}
          onRetry={(turn, at) => attempt(api.retry(props.session, turn, at))}
          onContinue={() => send('Continue', 'queue')}
          empty={
            <EmptyConversation
              cwd={cwd() ?? ''}
              examples={props.kind === 'conversation' ? (line()?.examples ?? []) : []}
              onSend={(text) => send(text, 'queue')}
            />
          }
        />
        {dock()}
      </Match>
    </Switch>
  );
}
