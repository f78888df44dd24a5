import * as Dialog from '@kobalte/core/dialog';
import { For, Show } from 'solid-js';
import { X } from '../icons.ts';
import { createField, type Toggle } from '../lib/ui.ts';
import { Spinner } from '../parts/spinner.tsx';
import type { AgentChoice } from '../view.ts';

export interface NewConversation {
  readonly agent: string;
  readonly cwd?: string;
  readonly model?: string;
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
}

function AgentOption(props: { agent: AgentChoice; checked: boolean; onChoose: () => void }) {
  const reason = `agent-${props.agent.id}-about`;
  return (
    <label class="agent-option" data-unavailable={props.agent.available ? undefined : ''}>
      <input
        type="radio"
        name="agent"
        value={props.agent.id}
        checked={props.checked}
        disabled={!props.agent.available}
        aria-describedby={reason}
        onChange={props.onChoose}
      />
      <span class="agent-name">{props.agent.name}</span>
      <span class="agent-about" id={reason}>
        {props.agent.available ? props.agent.description : (props.agent.reason ?? 'Not available here.')}
      </span>
    </label>
  );
}

function Form(props: NewDialogProps) {
  const chosen = createField<string | undefined>(undefined);
  // The agents may come after the dialog was opened.
  const agent = () => chosen() ?? props.agents.find((choice) => choice.available)?.id ?? '';
  const cwd = createField('');
  const model = createField('');
  const models = () => props.agents.find((choice) => choice.id === agent())?.models ?? [];
  const submit = (event: Event) => {
    event.preventDefault();
    if (agent() === '' || props.creating) return;
    props.onCreate({
      agent: agent(),
      ...(cwd().trim() !== '' && { cwd: cwd().trim() }),
      ...(model() !== '' && { model: model() }),
    });
  };
  return (
    <form class="dialog-form" onSubmit={submit}>
      <fieldset>
        <legend>Agent</legend>
        <For each={props.agents} fallback={<p class="dialog-note">Asking the gateway for its agents…</p>}>
          {(choice) => (
            <AgentOption
              agent={choice}
              checked={choice.id === agent()}
              onChoose={() => {
                chosen.set(choice.id);
                model.set('');
              }}
            />
          )}
        </For>
      </fieldset>
      <label class="field">
        <span>Directory</span>
        <input
          type="text"
          list="directories"
          spellcheck={false}
          autocomplete="off"
          placeholder="Where Sluice was started"
          value={cwd()}
          onInput={(event) => cwd.set(event.currentTarget.value)}
        />
        <datalist id="directories">
          <For each={props.directories}>{(path) => <option value={path} />}</For>
        </datalist>
      </label>
      <Show when={models().length > 0}>
        <label class="field">
          <span>Model</span>
          <select value={model()} onChange={(event) => model.set(event.currentTarget.value)}>
            <option value="">The agent’s default</option>
            <For each={models()}>{(choice) => <option value={choice.id}>{choice.name}</option>}</For>
          </select>
        </label>
      </Show>
      <Show when={props.error}>
        {(error) => (
          <p class="dialog-error" role="alert">
            {error()}
          </p>
        )}
      </Show>
      <div class="dialog-actions">
        <Dialog.CloseButton class="button" aria-label="Cancel">
          Cancel
        </Dialog.CloseButton>
        <button type="submit" class="button primary" disabled={agent() === '' || props.creating}>
          <Show when={props.creating}>
            <Spinner />
          </Show>
          Start
        </button>
      </div>
    </form>
  );
}

export function NewDialog(props: NewDialogProps) {
  return (
    <Dialog.Root open={props.open()} onOpenChange={props.open.set}>
      <Dialog.Portal>
        <Dialog.Overlay class="dialog-overlay" />
        <div class="dialog-place">
          <Dialog.Content
            class="dialog"
            onCloseAutoFocus={(event) => props.created && event.preventDefault()}
          >
            <header class="dialog-head">
              <Dialog.Title class="dialog-title">New conversation</Dialog.Title>
              <Dialog.CloseButton class="icon-button" aria-label="Close">
                <X size={16} aria-hidden="true" />
              </Dialog.CloseButton>
            </header>
            <Form {...props} />
          </Dialog.Content>
        </div>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
