import type { SessionConfigOption, SessionModeState } from '@agentclientprotocol/sdk';
import type { Choice } from '../../wire/content.ts';
import { type OptionValue, type SessionOption, sessionOption } from '../../wire/options.ts';
import type { Output } from '../agent.ts';

/** What agents answered before models were options: still spoken by some beside them. */
interface ModelState {
  readonly currentModelId?: string;
  readonly availableModels?: readonly { modelId: string; name?: string; description?: string | null }[];
}

/** What `session/new`, `load` and `resume` answer, as far as it can be picked. */
export interface Offered {
  readonly modes?: SessionModeState | null;
  readonly models?: ModelState | null;
  readonly configOptions?: readonly SessionConfigOption[] | null;
}

/** How a choice is told to the agent. */
export type Via = { readonly option: string } | 'method';

export interface Picker {
  readonly choices: readonly Choice[];
  readonly current: string;
  readonly via: Via;
}

/** Modes and models that the agent offers; a config option is preferred, since only it is told of changes. */
export class Pickers {
  model: Picker | undefined;
  mode: Picker | undefined;
  /** All else that can be set. */
  options: readonly SessionOption[] | undefined;

  take(offered: Offered | undefined): void {
    const options = offered?.configOptions ?? [];
    this.model = fromOption(options, 'model') ?? fromModels(offered?.models) ?? this.model;
    this.mode = fromOption(options, 'mode') ?? fromModes(offered?.modes) ?? this.mode;
    if (!offered?.configOptions) return;
    const picked = [this.model?.via, this.mode?.via].flatMap((via) =>
      typeof via === 'object' ? [via.option] : [],
    );
    this.options = options.filter(({ id }) => !picked.includes(id)).flatMap(optionOf);
  }

  moved(which: 'model' | 'mode', current: string): void {
    const picker = this[which];
    if (picker) this[which] = { ...picker, current };
  }

  set(id: string, value: OptionValue): void {
    this.options = this.options?.map((option) =>
      option.id === id ? ({ ...option, value } as SessionOption) : option,
    );
  }

  get changed(): Extract<Output, { type: 'changed' }> {
    const { model, mode, options } = this;
    return {
      type: 'changed',
      ...(model && { models: model.choices, model: model.current }),
      ...(mode && { modes: mode.choices, mode: mode.current }),
      ...(options && { options }),
    };
  }
}

/** What has no shape that is known is left out. */
function optionOf(option: SessionConfigOption): SessionOption[] {
  const { id, name, description, category } = option;
  const about = {
    id,
    name: name || id,
    ...(description && { description }),
    ...(category && { category }),
  };
  const read =
    option.type === 'select'
      ? { type: 'select', ...about, value: option.currentValue, choices: grouped(option) }
      : { type: option.type, ...about, value: option.currentValue };
  const { data } = sessionOption.safeParse(read);
  return data ? [data] : [];
}

function grouped({ options }: Extract<SessionConfigOption, { type: 'select' }>) {
  return options.flatMap((one) =>
    'options' in one
      ? one.options.map((inner) => ({
          ...choice(inner.value, inner.name, inner.description),
          group: one.name || one.group,
        }))
      : [choice(one.value, one.name, one.description)],
  );
}

function fromOption(options: readonly SessionConfigOption[], category: string): Picker | undefined {
  const option = options.find((one) => one.type === 'select' && (one.category ?? one.id) === category);
  if (option?.type !== 'select') return undefined;
  const all = option.options.flatMap((one) => ('options' in one ? one.options : [one]));
  return {
    choices: all.map(({ value, name, description }) => choice(value, name, description)),
    current: option.currentValue,
    via: { option: option.id },
  };
}

function fromModels(models: ModelState | null | undefined): Picker | undefined {
  if (models?.currentModelId === undefined || !models.availableModels) return undefined;
  return {
    choices: models.availableModels.map(({ modelId, name, description }) =>
      choice(modelId, name, description),
    ),
    current: models.currentModelId,
    via: 'method',
  };
}

function fromModes(modes: SessionModeState | null | undefined): Picker | undefined {
  if (!modes) return undefined;
  return {
    choices: modes.availableModes.map(({ id, name, description }) => choice(id, name, description)),
    current: modes.currentModeId,
    via: 'method',
  };
}

function choice(id: string, name: string | undefined, description: string | null | undefined): Choice {
  return { id, name: name || id, ...(description && { description }) };
}
