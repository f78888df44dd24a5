import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/**
 * Shapes and names of the Agent Client Protocol (https://agentclientprotocol.com, protocol version 1):
 * content blocks, tool calls, plans, permission options, stop reasons.
 */
export const contentBlock = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image'), data: z.string(), mimeType: z.string(), uri: z.string().optional() }),
  z.object({ type: z.literal('audio'), data: z.string(), mimeType: z.string() }),
  z.object({
    type: z.literal('resource_link'),
    uri: z.string(),
    name: z.string(),
    title: z.string().optional(),
    description: z.string().optional(),
    mimeType: z.string().optional(),
    size: z.number().optional(),
  }),
  z.object({
    type: z.literal('resource'),
    resource: z.object({
      uri: z.string(),
      mimeType: z.string().optional(),
      text: z.string().optional(),
      blob: z.string().optional(),
    }),
  }),
]);
export type ContentBlock = z.infer<typeof contentBlock>;

export const toolKind = z.enum([
  'read',
  'edit',
  'delete',
  'move',
  'search',
  'execute',
  'think',
  'fetch',
  'switch_mode',
  'other',
]);
export type ToolKind = z.infer<typeof toolKind>;

export const toolContent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('content'), content: contentBlock }),
  z.object({
    type: z.literal('diff'),
    path: z.string(),
    oldText: z.string().nullable(),
    newText: z.string(),
  }),
  z.object({ type: z.literal('terminal'), terminalId: z.string() }),
]);
export type ToolContent = z.infer<typeof toolContent>;

export const toolLocation = z.object({ path: z.string(), line: z.number().int().optional() });
export type ToolLocation = z.infer<typeof toolLocation>;

export const planEntry = z.object({
  content: z.string(),
  priority: z.enum(['high', 'medium', 'low']),
  status: z.enum(['pending', 'in_progress', 'completed']),
});
export type PlanEntry = z.infer<typeof planEntry>;

export const permissionOption = z.object({
  optionId: z.string(),
  name: z.string(),
  kind: z.enum(['allow_once', 'allow_always', 'reject_once', 'reject_always']),
});
export type PermissionOption = z.infer<typeof permissionOption>;

/** ACP's five, `job` when a turn became a background job, `error` and `lost` for ends that no agent names. */
export const stopReason = z.enum([
  'end_turn',
  'max_tokens',
  'max_turn_requests',
  'refusal',
  'cancelled',
  'job',
  'error',
  'lost',
]);
export type StopReason = z.infer<typeof stopReason>;

export const outcome = z.enum(['finalized', 'cancelled', 'failed', 'interrupted']);
export type Outcome = z.infer<typeof outcome>;

export const failure = z.object({
  /** Stable, for programs: `agent.exited`, `model.rate_limited`, `stream.ended_early` … */
  code: z.string(),
  /** One sentence for a person: what happened and what to do. */
  message: z.string(),
  /** Milliseconds since 1970: before this it will fail again (a usage limit). */
  until: z.number().nonnegative().optional(),
});
export type Failure = z.infer<typeof failure>;

export const usage = z.object({
  inputTokens: z.number().optional(),
  outputTokens: z.number().optional(),
  totalTokens: z.number().optional(),
  /** Tokens now in the model's context, and the window's size. */
  contextTokens: z.number().optional(),
  contextSize: z.number().optional(),
  costUsd: z.number().optional(),
});
export type Usage = z.infer<typeof usage>;

export const message = z.object({ id: z.string().min(1).max(200), content: z.array(contentBlock).min(1) });
export type Message = Immutable<z.infer<typeof message>>;

export const choice = z.object({ id: z.string(), name: z.string(), description: z.string().optional() });
export type Choice = z.infer<typeof choice>;

export const command = z.object({ name: z.string(), description: z.string(), hint: z.string().optional() });
export type Command = z.infer<typeof command>;
