import { For, Show } from 'solid-js';
import type { Choice } from '../../wire/content.ts';
import { createToggle } from '../lib/ui.ts';

/** One of what the agent offers: its models, its modes. Absent when there is nothing to choose. */
export function Picker(props: {
  label: string;
  choices: readonly Choice[];
  chosen?: string | undefined;
  /** Resolves when it is done or refused. */
  onChoose: (id: string) => Promise<unknown>;
}) {
  const changing = createToggle();
  const known = () => props.choices.some((choice) => choice.id === props.chosen);
  const about = () => props.choices.find((choice) => choice.id === props.chosen)?.description;
  return (
    <Show when={props.choices.length > 0}>
      <select
        class="picker"
        aria-label={props.label}
        title={about() ? `${props.label}: ${about()}` : props.label}
        disabled={changing()}
        onChange={async (event) => {
          const select = event.currentTarget;
          changing.set(true);
          await props.onChoose(select.value);
          changing.set(false);
          // It shows what is so, which may be what was chosen before.
          select.value = props.chosen ?? '';
        }}
      >
        <Show when={!known()}>
          <option value={props.chosen ?? ''} selected>
            {props.chosen ?? `${props.label}: the agent’s own`}
          </option>
        </Show>
        <For each={props.choices}>
          {(choice) => (
            <option value={choice.id} selected={choice.id === props.chosen}>
              {choice.name}
            </option>
          )}
        </For>
      </select>
    </Show>
  );
}
