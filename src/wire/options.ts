import { z } from 'zod';
import { choice } from './content.ts';
import type { Immutable } from './immutable.ts';

const about = {
  id: z.string().min(1).max(200),
  name: z.string(),
  description: z.string().optional(),
  /** What it is about, where the agent says so: `thought_level`, `model_config` … */
  category: z.string().optional(),
};

/** A setting of an agent's session beside its mode and its model. */
export const sessionOption = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('select'),
    ...about,
    value: z.string(),
    choices: z.array(choice.extend({ group: z.string().optional() })),
  }),
  z.object({ type: z.literal('boolean'), ...about, value: z.boolean() }),
]);
export type SessionOption = Immutable<z.infer<typeof sessionOption>>;

export const optionValue = z.union([z.string().max(1000), z.boolean()]);
export type OptionValue = z.infer<typeof optionValue>;
/** By the id of the option. */
export type OptionValues = Readonly<Record<string, OptionValue>>;
