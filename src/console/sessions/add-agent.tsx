import { For, onMount, Show } from 'solid-js';
import type { AddAgent as NewAgent } from '../../wire/requests.ts';
import { readEnvironment, shellOnly, splitCommand } from '../lib/argv.ts';
import { createField, createToggle } from '../lib/ui.ts';
import { Spinner } from '../parts/spinner.tsx';
import { DialogError } from './dialog-error.tsx';

/** The arguments as they will be given to the program: each in its own box, so that a space inside one is seen. */
function Argv(props: { line: string }) {
  const split = () => splitCommand(props.line);
  const words = () => split().argv ?? [];
  const strange = () => shellOnly(words());
  return (
    <div class="argv" id="argv" role="status">
      <Show when={words().length > 0}>
        <p>
          This will run:{' '}
          <For each={words()}>
            {(word) => (
              <>
                <code>{word === '' ? '(empty)' : word}</code>{' '}
              </>
            )}
          </For>
        </p>
      </Show>
      <Show when={strange()}>
        {(word) => (
          <p>
            No shell reads it, so <code>{word()}</code> is given to the program as it is. Write paths in full;
            variables go below.
          </p>
        )}
      </Show>
    </div>
  );
}

/** A program that speaks the Agent Client Protocol: tried before it is kept. */
export function AddAgentForm(props: {
  /** Rejects with why it was not added. */
  onAdd: (agent: NewAgent) => Promise<void>;
  onBack: () => void;
}) {
  const name = createField('');
  const line = createField('');
  const variables = createField('');
  const trying = createToggle();
  const error = createField<string | undefined>(undefined);
  let first: HTMLInputElement | undefined;
  onMount(() => first?.focus());

  const submit = async (event: Event) => {
    event.preventDefault();
    if (trying()) return;
    const command = splitCommand(line());
    const given = readEnvironment(variables());
    const problem = 'problem' in command ? command.problem : 'problem' in given ? given.problem : undefined;
    error.set(problem ?? (command.argv?.length === 0 ? 'Name the program that is to run.' : undefined));
    if (error() !== undefined || !command.argv || !given.env) return;
    trying.set(true);
    try {
      const env = Object.keys(given.env).length > 0 ? { env: { ...given.env } } : {};
      await props.onAdd({ name: name().trim(), command: [...command.argv], ...env });
    } catch (reason) {
      error.set(reason instanceof Error ? reason.message : String(reason));
    } finally {
      trying.set(false);
    }
  };

  return (
    <form class="dialog-form" onSubmit={submit}>
      <p class="dialog-note">
        Any program that speaks the Agent Client Protocol. It runs on this computer with your rights.
      </p>
      <label class="field">
        <span>Name</span>
        <input
          ref={(input) => {
            first = input;
          }}
          type="text"
          class="plain"
          required
          maxlength={100}
          autocomplete="off"
          value={name()}
          onInput={(event) => name.set(event.currentTarget.value)}
        />
      </label>
      <div>
        <label class="field">
          <span>Command</span>
          <input
            type="text"
            required
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            placeholder="my-agent --acp"
            aria-describedby="argv"
            value={line()}
            onInput={(event) => line.set(event.currentTarget.value)}
          />
        </label>
        <Argv line={line()} />
      </div>
      <div>
        <label class="field">
          <span>Environment, one NAME=value a line</span>
          <textarea
            rows={2}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            aria-describedby="environment-about"
            value={variables()}
            onInput={(event) => variables.set(event.currentTarget.value)}
          />
        </label>
        <p class="field-about" id="environment-about">
          Optional. Values are kept in the settings file and never shown again.
        </p>
      </div>
      <DialogError reason={error()} />
      <div class="dialog-actions">
        <button type="button" class="button" onClick={props.onBack}>
          Back
        </button>
        <button type="submit" class="button primary" aria-disabled={trying()}>
          <Show when={trying()} fallback="Try and add">
            <Spinner />
            Trying it…
          </Show>
        </button>
      </div>
    </form>
  );
}
