import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/** The questions of the Agent Client Protocol that are answered with values: its restricted JSON schema, as it names it. */
const about = { title: z.string().optional(), description: z.string().optional() };
const length = z.number().int().nonnegative();
const formChoice = z.object({ const: z.string(), title: z.string(), description: z.string().optional() });

const formField = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('string'),
    ...about,
    default: z.string().optional(),
    minLength: length.optional(),
    maxLength: length.optional(),
    pattern: z.string().optional(),
    format: z.enum(['email', 'uri', 'date', 'date-time']).optional(),
    /** One of these, without or with titles. */
    enum: z.array(z.string()).optional(),
    oneOf: z.array(formChoice).optional(),
  }),
  z.object({
    type: z.enum(['number', 'integer']),
    ...about,
    default: z.number().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
  z.object({ type: z.literal('boolean'), ...about, default: z.boolean().optional() }),
  z.object({
    type: z.literal('array'),
    ...about,
    default: z.array(z.string()).optional(),
    minItems: length.optional(),
    maxItems: length.optional(),
    items: z.union([z.object({ enum: z.array(z.string()) }), z.object({ anyOf: z.array(formChoice) })]),
  }),
]);
export type FormField = Immutable<z.infer<typeof formField>>;

export const form = z.object({
  ...about,
  properties: z.record(z.string(), formField),
  required: z.array(z.string()).optional(),
});
export type Form = Immutable<z.infer<typeof form>>;

export const formValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
export type FormValue = Immutable<z.infer<typeof formValue>>;

/** The answer to a form: its fields by name. */
export const formContent = z.record(z.string(), formValue);
export type FormContent = Immutable<z.infer<typeof formContent>>;

/** A page to go to; nothing but http and https is ever shown as a link. */
export const webAddress = z.string().regex(/^https?:\/\/\S+$/i);
