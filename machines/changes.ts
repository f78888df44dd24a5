import type { OptionValue, OptionValues, SessionOption } from '../src/wire/options.ts';
import type { Decision } from './decide.ts';
import { refuse } from './refuse.ts';
import type { SessionContext } from './session.ts';

/** What a user may change of a session. */
export interface Wishes {
  readonly title?: string;
  readonly model?: string;
  readonly mode?: string;
  readonly options?: OptionValues;
}

/** All of it, or nothing: options that the agent does not offer are refused before anything is written. */
export function change(context: SessionContext, { title, model, mode, options }: Wishes): Decision {
  const offered = context.options ?? [];
  for (const [id, value] of Object.entries(options ?? {})) {
    const option = offered.find((one) => one.id === id);
    const wrong = option ? wrongValue(option, value) : unknownOption(offered, id);
    if (wrong !== undefined) return refuse(400, option ? 'option.value' : 'option.unknown', wrong);
  }
  const named = title === undefined ? {} : ({ title, by: 'user' } as const);
  const set = options && { options: offered.map((option) => withValue(option, options)) };
  return {
    drafts: [{ type: 'session.changed', ...named, ...(model && { model }), ...(mode && { mode }), ...set }],
    answer: {},
  };
}

/** The option as it is after the change. */
function withValue(option: SessionOption, values: OptionValues): SessionOption {
  const value = Object.hasOwn(values, option.id) ? values[option.id] : undefined;
  if (option.type === 'select') return typeof value === 'string' ? { ...option, value } : option;
  return typeof value === 'boolean' ? { ...option, value } : option;
}

function wrongValue(option: SessionOption, value: OptionValue): string | undefined {
  if (option.type === 'boolean') {
    return typeof value === 'boolean' ? undefined : `${option.name} is true or false.`;
  }
  if (option.choices.some((choice) => choice.id === value)) return undefined;
  return `${option.name} is one of: ${option.choices.map((choice) => choice.id).join(', ')}.`;
}

function unknownOption(offered: readonly SessionOption[], id: string): string {
  if (offered.length === 0) return `The agent offers no options now, and so no ${id}.`;
  return `The agent offers no option ${id}; it offers ${offered.map((option) => option.id).join(', ')}.`;
}
