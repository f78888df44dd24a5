import { z } from 'zod';
import { contentBlock } from './content.ts';
import { formContent } from './form.schema.ts';
import type { Immutable } from './immutable.ts';
import { optionValue } from './options.ts';

/** The bodies that the API takes. Unknown fields are refused, so that a typo is found. */
const id = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_.:-]+$/, 'letters, digits and _ . : - only');
const content = z.array(contentBlock).min(1).max(100);

export const createSession = z.strictObject({
  id: id.optional(),
  agent: z.string().min(1).max(200),
  cwd: z.string().min(1).max(4096).optional(),
  title: z.string().min(1).max(200).optional(),
  model: z.string().min(1).max(200).optional(),
  mode: z.string().min(1).max(200).optional(),
  /** One of the agent's own earlier sessions, as `GET /api/agents/:id/sessions` names it. */
  continue: z.string().min(1).max(1000).optional(),
  /** Of the settings, by name; absent: those that are given by default. */
  mcpServers: z.array(z.string().min(1).max(200)).max(100).optional(),
});
export type CreateSession = z.infer<typeof createSession>;

const noNul = (text: string) => !text.includes('\0');
/** An agent program that speaks the Agent Client Protocol. `command`: the program and its arguments, for no shell. */
export const addAgent = z.strictObject({
  name: z.string().trim().min(1).max(100),
  command: z
    .array(z.string().max(8192).refine(noNul, 'must hold no NUL'))
    .min(1, 'must name a program')
    .max(200)
    .refine(([program]) => program?.trim() !== '', 'must name a program'),
  /** Added to the environment of the gateway. Never told again. */
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/),
      z.string().max(32_768).refine(noNul, 'must hold no NUL'),
      {
        error: ({ code }) =>
          code === 'invalid_key' ? 'must be the name of an environment variable' : undefined,
      },
    )
    .optional(),
});
export type AddAgent = z.infer<typeof addAgent>;

/** `seen`: the cursor up to which the user has looked; it clears `unread`. */
export const changeSession = z
  .strictObject({
    title: z.string().min(1).max(200).optional(),
    model: z.string().min(1).max(200).optional(),
    mode: z.string().min(1).max(200).optional(),
    /** By the id of the option. */
    options: z.record(z.string(), optionValue).optional(),
    seen: z.string().max(100).optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'name at least one of title, model, mode, options, seen');
export type ChangeSession = z.infer<typeof changeSession>;

export const sendMessage = z.strictObject({
  id,
  content,
  delivery: z.enum(['queue', 'steer', 'background']).optional(),
});
export type SendMessage = z.infer<typeof sendMessage>;

export const stopRequest = z.union([z.strictObject({ turn: id }), z.strictObject({ message: id })]);
export type StopRequest = z.infer<typeof stopRequest>;

/** `at`: then, in milliseconds since 1970, instead of now; null: not any more. */
export const retryRequest = z.strictObject({
  turn: id,
  at: z.number().int().nonnegative().max(8.64e15).nullable().optional(),
});
export type RetryRequest = z.infer<typeof retryRequest>;

const revision = z.number().int().nonnegative();
export const editQueue = z.union([
  z.strictObject({ revision, edit: z.strictObject({ message: id, content }) }),
  z.strictObject({ revision, move: z.strictObject({ message: id, to: z.number().int().nonnegative() }) }),
  z.strictObject({ revision, remove: z.strictObject({ message: id }) }),
]);
export type EditQueue = z.infer<typeof editQueue>;

/** `content`: the values of a form, with an option that allows. */
export const answerPermission = z.strictObject({
  option: z.string().min(1).max(200),
  content: formContent.optional(),
});
export type AnswerPermission = Immutable<z.infer<typeof answerPermission>>;

/** `turn`: the new one, where it was started at once; `until`: when it will be. */
export const retryAnswer = z.object({
  turn: z.string().optional(),
  until: z.number().optional(),
  cursor: z.string(),
});
export type RetryAnswer = z.infer<typeof retryAnswer>;

/** What `POST …/messages` answers; the same id and body get the same answer again. */
export const sendAnswer = z.object({
  outcome: z.enum(['started', 'queued', 'job']),
  turn: z.string().optional(),
  job: z.string().optional(),
  cursor: z.string(),
});
export type SendAnswer = z.infer<typeof sendAnswer>;

export const clientFrame = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('subscribe'),
    session: z.string().min(1).max(200),
    after: z.string().max(100).optional(),
    grade: z.enum(['live', 'turn']).optional(),
  }),
  z.object({ type: z.literal('unsubscribe'), session: z.string().min(1).max(200) }),
  z.object({ type: z.literal('ping') }),
]);
