import { Popover } from '@kobalte/core/popover';
import { createMemo, For, Show } from 'solid-js';
import type { Choice } from '../../wire/content.ts';
import type { OptionValues, SessionOption } from '../../wire/options.ts';
import { SlidersHorizontal } from '../icons.ts';
import { sameList } from '../lib/equal.ts';
import { createMedia } from '../lib/ui.ts';
import { OptionPicker, Picker } from './pickers.tsx';

export interface SettingsProps {
  readonly models: readonly Choice[];
  readonly model: string | undefined;
  readonly modes: readonly Choice[];
  readonly mode: string | undefined;
  readonly options: readonly SessionOption[];
  /** Resolves when it is done or refused. */
  readonly onChange: (change: {
    readonly model?: string;
    readonly mode?: string;
    readonly options?: OptionValues;
  }) => Promise<unknown>;
}

const [model, mode] = ['model', 'mode'];

/** What the agent can be set to, beside the composer: as much as there is room for, and the rest in a menu. */
export function Settings(props: SettingsProps) {
  const narrow = createMedia('(max-width: 760px)');
  const own = () => [...(props.models.length > 0 ? [model] : []), ...(props.modes.length > 0 ? [mode] : [])];
  const optionKeys = () => props.options.map(({ id }) => `option ${id}`);
  const inSight = () => {
    const all = [...own(), ...optionKeys()];
    if (narrow()) return all.length > 1 ? [] : all;
    return props.options.length > 1 ? own() : all;
  };
  const bar = createMemo(inSight, undefined, { equals: sameList });
  const menu = createMemo(
    () => [...own(), ...optionKeys()].filter((key) => !inSight().includes(key)),
    undefined,
    { equals: sameList },
  );
  const control = (key: string | undefined, labelled: boolean) => {
    if (key === model) {
      return (
        <Picker
          label="Model"
          labelled={labelled}
          choices={props.models}
          chosen={props.model}
          onChoose={(id) => props.onChange({ model: id })}
        />
      );
    }
    if (key === mode) {
      return (
        <Picker
          label="Mode"
          labelled={labelled}
          choices={props.modes}
          chosen={props.mode}
          onChoose={(id) => props.onChange({ mode: id })}
        />
      );
    }
    const option = createMemo(() => props.options.find(({ id }) => `option ${id}` === key));
    return (
      <Show when={option()}>
        {(shown) => (
          <OptionPicker
            option={shown()}
            labelled={labelled}
            onSet={(value) => props.onChange({ options: { [shown().id]: value } })}
          />
        )}
      </Show>
    );
  };
  return (
    <>
      <For each={bar()}>{(key) => control(key, false)}</For>
      <Show when={menu().length > 0}>
        <Popover placement="top-start" gutter={6}>
          <Popover.Trigger class="picker picker-more" aria-label="Settings of the agent">
            <SlidersHorizontal size={14} />
            <Show when={!narrow()}>Settings</Show>
          </Popover.Trigger>
          <Popover.Portal>
            <Popover.Content class="menu settings-menu" aria-label="Settings of the agent">
              <For each={menu()}>{(key) => control(key, true)}</For>
            </Popover.Content>
          </Popover.Portal>
        </Popover>
      </Show>
    </>
  );
}
