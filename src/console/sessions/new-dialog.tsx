import * as Dialog from '@kobalte/core/dialog';
import { For, Match, Show, Switch } from 'solid-js';
import { fromPromise } from 'xstate';
import { type EarlierAsk, earlierMachine } from '../../../machines/earlier.machine.ts';
import type { AddAgent } from '../../wire/requests.ts';
import type { EarlierSession, EarlierSessions as EarlierSessionsPage } from '../../wire/snapshot.ts';
import { X } from '../icons.ts';
import { ownActor } from '../lib/actor.ts';
import { createField, createToggle, type Field, type Toggle } from '../lib/ui.ts';
import { Spinner } from '../parts/spinner.tsx';
import type { AgentChoice } from '../view.ts';
import { AddAgentForm } from './add-agent.tsx';
import { AgentActions } from './agent-actions.tsx';
import { DialogError } from './dialog-error.tsx';
import { EarlierSessions } from './earlier.tsx';

export interface NewConversation {
  readonly agent: string;
  readonly cwd?: string;
  readonly model?: string;
  /** The agent's own earlier session that it goes on from. */
  readonly continue?: string;
  readonly mcpServers?: string[];
}

export interface NewDialogProps {
  readonly open: Toggle;
  readonly agents: readonly AgentChoice[];
  /** Directories that were used before. */
  readonly directories: readonly string[];
  readonly creating: boolean;
  /** It closed because a conversation was made: the focus goes there. */
  readonly created: boolean;
  readonly error?: string | undefined;
  readonly onCreate: (body: NewConversation) => void;
  /** The earlier session that was chosen is continued by this conversation already. */
  readonly onOpen: (session: string) => void;
  /** A page of the agent's own earlier sessions; rejects with why there is none. */
  readonly onEarlier: (
    ask: EarlierAsk & { readonly cursor: string | null },
    signal: AbortSignal,
  ) => Promise<EarlierSessionsPage>;
  /** Resolves with the id of the agent that was added; rejects with why it was not. */
  readonly onAddAgent: (agent: AddAgent) => Promise<string>;
  readonly onRemoveAgent: (id: string) => Promise<void>;
}

function AgentOption(props: { agent: AgentChoice; checked: boolean; onChoose: () => void }) {
  const name = `agent-${props.agent.id}-name`;
  const reason = `agent-${props.agent.id}-about`;
  return (
    <label class="agent-option" data-unavailable={props.agent.available ? undefined : ''}>
      <input
        type="radio"
        name="agent"
        value={props.agent.id}
        checked={props.checked}
        disabled={!props.agent.available}
        aria-labelledby={name}
        aria-describedby={reason}
        onChange={props.onChoose}
      />
      <span class="agent-name" id={name}>
        {props.agent.name}
      </span>
      <span class="agent-about" id={reason}>
        {props.agent.available ? props.agent.description : (props.agent.reason ?? 'Not available here.')}
      </span>
    </label>
  );
}

/** Servers of the settings, those that are given by default ticked. */
function Servers(props: {
  servers: NonNullable<AgentChoice['mcpServers']>;
  isChosen: (name: string) => boolean;
  onChoose: (name: string, chosen: boolean) => void;
}) {
  return (
    <fieldset>
      <legend>MCP servers</legend>
      <div class="checks">
        <For each={props.servers}>
          {({ name }) => (
            <label class="check">
              <input
                type="checkbox"
                checked={props.isChosen(name)}
                onChange={(event) => props.onChoose(name, event.currentTarget.checked)}
              />
              <span>{name}</span>
            </label>
          )}
        </For>
      </div>
    </fieldset>
  );
}

interface FormProps extends NewDialogProps {
  readonly chosen: Field<string | undefined>;
  readonly adding: Toggle;
  /** The form for one more agent was shown. */
  readonly returned: Toggle;
}

function Form(props: FormProps) {
  const { chosen } = props;
  // The agents may come after the dialog was opened.
  const picked = () => props.agents.find((choice) => choice.id === chosen());
  const agent = () => picked()?.id ?? props.agents.find((choice) => choice.available)?.id ?? '';
  const cwd = createField('');
  const model = createField('');
  const line = () => props.agents.find((choice) => choice.id === agent());
  const models = () => line()?.models ?? [];
  const servers = () => line()?.mcpServers ?? [];
  /** As the user set them; what was not touched follows the settings. */
  const ticked = createField<Readonly<Record<string, boolean>>>({});
  const isTicked = (name: string) =>
    ticked()[name] ?? servers().find((server) => server.name === name)?.byDefault ?? false;
  const earlier = ownActor(
    earlierMachine.provide({
      actors: {
        list: fromPromise<EarlierSessionsPage, EarlierAsk & { readonly cursor: string | null }>(
          ({ input, signal }) => props.onEarlier(input, signal),
        ),
      },
    }),
  );
  const continuing = createToggle();
  const session = createField<EarlierSession | undefined>(undefined);
  const lookBack = () => {
    session.set(undefined);
    if (!continuing()) return earlier.send({ type: 'leave' });
    const where = cwd().trim();
    return earlier.send({ type: 'ask', ask: { agent: agent(), ...(where !== '' && { cwd: where }) } });
  };
  const begin = (how: boolean) => {
    continuing.set(how);
    lookBack();
  };
  const choose = (id: string) => {
    chosen.set(id);
    model.set('');
    ticked.set({});
    begin(continuing() && line()?.earlier === true);
  };
  const known = () => session()?.session;
  const ready = () => agent() !== '' && !props.creating && (!continuing() || session() !== undefined);
  const submit = (event: Event) => {
    event.preventDefault();
    if (!ready()) return;
    const continued = known();
    if (continued !== undefined) return props.onOpen(continued);
    const where = session()?.cwd ?? cwd().trim();
    const own = session()?.id;
    return props.onCreate({
      agent: agent(),
      ...(where !== '' && { cwd: where }),
      ...(model() !== '' && { model: model() }),
      ...(own !== undefined && { continue: own }),
      ...(Object.keys(ticked()).length > 0 && {
        mcpServers: servers().flatMap(({ name }) => (isTicked(name) ? name : [])),
      }),
    });
  };
  return (
    <form class="dialog-form" onSubmit={submit}>
      <fieldset>
        <legend>Agent</legend>
        <For each={props.agents} fallback={<p class="dialog-note">Asking the gateway for its agents…</p>}>
          {(choice) => (
            <AgentOption agent={choice} checked={choice.id === agent()} onChoose={() => choose(choice.id)} />
          )}
        </For>
      </fieldset>
      <AgentActions
        agent={picked()}
        focus={props.returned()}
        onAdd={() => {
          props.returned.set(true);
          props.adding.set(true);
        }}
        onRemove={props.onRemoveAgent}
      />
      <label class="field">
        <span>Directory</span>
        <input
          type="text"
          list="directories"
          spellcheck={false}
          autocomplete="off"
          placeholder={continuing() ? 'Sessions of all directories' : 'Where Sluice was started'}
          value={cwd()}
          onInput={(event) => cwd.set(event.currentTarget.value)}
          onChange={() => continuing() && lookBack()}
        />
        <datalist id="directories">
          <For each={props.directories}>{(path) => <option value={path} />}</For>
        </datalist>
      </label>
      <Show when={line()?.earlier}>
        <fieldset>
          <legend>Begin with</legend>
          <div class="checks">
            <label class="check">
              <input type="radio" name="begin" checked={!continuing()} onChange={() => begin(false)} />
              <span>An empty conversation</span>
            </label>
            <label class="check">
              <input type="radio" name="begin" checked={continuing()} onChange={() => begin(true)} />
              <span>An earlier session of {line()?.name}</span>
            </label>
          </div>
          <Show when={continuing()}>
            <EarlierSessions
              earlier={earlier}
              agentName={line()?.name ?? ''}
              chosen={session()?.id}
              onChoose={session.set}
            />
          </Show>
        </fieldset>
      </Show>
      <Show when={models().length > 0}>
        <label class="field">
          <span>Model</span>
          <select value={model()} onChange={(event) => model.set(event.currentTarget.value)}>
            <option value="">The agent’s default</option>
            <For each={models()}>{(choice) => <option value={choice.id}>{choice.name}</option>}</For>
          </select>
        </label>
      </Show>
      <Show when={servers().length > 0}>
        <Servers
          servers={servers()}
          isChosen={isTicked}
          onChoose={(name, on) => ticked.set({ ...ticked(), [name]: on })}
        />
      </Show>
      <DialogError reason={props.error} />
      <div class="dialog-actions">
        <Dialog.CloseButton class="button" aria-label="Cancel">
          Cancel
        </Dialog.CloseButton>
        <button type="submit" class="button primary" disabled={!ready()}>
          <Show when={props.creating}>
            <Spinner />
          </Show>
          <Switch fallback="Start">
            <Match when={known() !== undefined}>Open</Match>
            <Match when={continuing()}>Continue</Match>
          </Switch>
        </button>
      </div>
    </form>
  );
}

/** What the dialog holds: the choice, or in its place the form for one more agent. */
function Content(props: NewDialogProps & { adding: Toggle }) {
  const { adding } = props;
  const chosen = createField<string | undefined>(undefined);
  const returned = createToggle();
  const back = () => adding.set(false);
  return (
    <>
      <header class="dialog-head">
        <Dialog.Title class="dialog-title">{adding() ? 'Add an agent' : 'New conversation'}</Dialog.Title>
        <Dialog.CloseButton class="icon-button" aria-label="Close">
          <X size={16} />
        </Dialog.CloseButton>
      </header>
      <Show
        when={adding()}
        fallback={<Form {...props} chosen={chosen} adding={adding} returned={returned} />}
      >
        <AddAgentForm
          onAdd={async (agent) => {
            chosen.set(await props.onAddAgent(agent));
            back();
          }}
          onBack={back}
        />
      </Show>
    </>
  );
}

export function NewDialog(props: NewDialogProps) {
  const adding = createToggle();
  return (
    <Dialog.Root
      open={props.open()}
      onOpenChange={(open) => {
        adding.set(false);
        props.open.set(open);
      }}
    >
      <Dialog.Portal>
        <Dialog.Overlay class="dialog-overlay" />
        <div class="dialog-place">
          <Dialog.Content
            class="dialog"
            onCloseAutoFocus={(event) => props.created && event.preventDefault()}
            onEscapeKeyDown={(event) => {
              // Back to the choice; the next one closes.
              if (!adding()) return;
              event.preventDefault();
              adding.set(false);
            }}
          >
            <Content {...props} adding={adding} />
          </Dialog.Content>
        </div>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
