import { createMemo, For, type JSX, Show } from 'solid-js';
import type { Choice } from '../../wire/content.ts';
import type { SessionOption } from '../../wire/options.ts';
import { createToggle } from '../lib/ui.ts';

type Grouped = Choice & { readonly group?: string | undefined };

/**
 * Makes changes of one setting, one at a time: of those that come meanwhile (each arrow key is one) only the last counts. The
 * control keeps its focus; `show` puts right what it shows when all is done or refused.
 */
function createChange(show: () => void) {
  const changing = createToggle();
  let next: (() => Promise<unknown>) | undefined;
  const run = async (change: () => Promise<unknown>) => {
    next = change;
    if (changing()) return;
    changing.set(true);
    while (next) {
      const one = next;
      next = undefined;
      await one();
    }
    changing.set(false);
    show();
  };
  return { busy: () => (changing() ? 'true' : undefined), run };
}

/** One of what the agent offers: its models, its modes. Absent when there is nothing to choose. */
export function Picker(props: {
  label: string;
  choices: readonly Grouped[];
  chosen?: string | undefined;
  /** With its label in sight. */
  labelled?: boolean | undefined;
  description?: string | undefined;
  /** Resolves when it is done or refused. */
  onChoose: (id: string) => Promise<unknown>;
}) {
  let select!: HTMLSelectElement;
  // It shows what is so, which may be what was chosen before.
  const { busy, run } = createChange(() => {
    select.value = props.chosen ?? '';
  });
  const known = () => props.choices.some((choice) => choice.id === props.chosen);
  const about = () =>
    props.choices.find((choice) => choice.id === props.chosen)?.description ?? props.description;
  const groups = createMemo(() => [...new Set(props.choices.map((choice) => choice.group))]);
  const options = (group: string | undefined) => (
    <For each={props.choices.filter((choice) => choice.group === group)}>
      {(choice) => (
        <option value={choice.id} selected={choice.id === props.chosen}>
          {choice.name}
        </option>
      )}
    </For>
  );
  return (
    <Show when={props.choices.length > 0}>
      <Labelled label={props.labelled ? props.label : undefined} about={about()}>
        <select
          ref={select}
          class="picker"
          aria-label={props.label}
          title={about() ? `${props.label}: ${about()}` : props.label}
          aria-busy={busy()}
          onChange={() => {
            const { value } = select;
            void run(() => props.onChoose(value));
          }}
        >
          <Show when={!known()}>
            <option value={props.chosen ?? ''} selected>
              {props.chosen ?? `${props.label}: the agent’s own`}
            </option>
          </Show>
          <For each={groups()}>
            {(group) => (
              <Show when={group} fallback={options(undefined)}>
                {(name) => <optgroup label={name()}>{options(name())}</optgroup>}
              </Show>
            )}
          </For>
        </select>
      </Labelled>
    </Show>
  );
}

function Labelled(props: { label: string | undefined; about: string | undefined; children: JSX.Element }) {
  return (
    <Show when={props.label} fallback={props.children}>
      {(label) => (
        <div class="setting">
          <span aria-hidden="true">{label()}</span>
          {props.children}
          <Show when={props.about}>{(about) => <small>{about()}</small>}</Show>
        </div>
      )}
    </Show>
  );
}

/** One of what the agent lets its user set. */
export function OptionPicker(props: {
  option: SessionOption;
  labelled?: boolean | undefined;
  onSet: (value: string | boolean) => Promise<unknown>;
}) {
  const select = () => (props.option.type === 'select' ? props.option : undefined);
  return (
    <Show when={select()} fallback={<Switched {...props} />}>
      {(option) => (
        <Picker
          label={option().name}
          description={option().description}
          choices={option().choices}
          chosen={option().value}
          labelled={props.labelled}
          onChoose={props.onSet}
        />
      )}
    </Show>
  );
}

function Switched(props: {
  option: SessionOption;
  labelled?: boolean | undefined;
  onSet: (value: boolean) => Promise<unknown>;
}) {
  let input!: HTMLInputElement;
  const { busy, run } = createChange(() => {
    input.checked = props.option.value === true;
  });
  return (
    <label class="picker-switch" title={props.option.description}>
      <input
        ref={input}
        type="checkbox"
        checked={props.option.value === true}
        aria-busy={busy()}
        onChange={() => {
          const { checked } = input;
          void run(() => props.onSet(checked));
        }}
      />
      <span>{props.option.name}</span>
      <Show when={props.labelled && props.option.description}>{(about) => <small>{about()}</small>}</Show>
    </label>
  );
}
