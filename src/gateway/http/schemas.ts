import { z } from 'zod';
import {
  choice,
  command,
  failure,
  message,
  outcome,
  permissionOption,
  planEntry,
  stopReason,
  toolContent,
  toolKind,
  toolLocation,
  usage,
} from '../../wire/content.ts';
import { jobRequest } from '../../wire/facts.ts';
import { form, formContent } from '../../wire/form.schema.ts';
import { sessionOption } from '../../wire/options.ts';
import type { EarlierSessions, Queue, SessionSnapshot, SessionSummary } from '../../wire/snapshot.ts';
import type { Turn } from '../../wire/turn.ts';

type Frozen<T> = T extends (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;
/** The schema, when everything of type T fits it and it knows each field of T. */
type Describing<T, Schema extends z.ZodType> =
  T extends Frozen<z.input<Schema>>
    ? Exclude<keyof T, keyof z.input<Schema>> extends never
      ? Schema
      : never
    : never;

/** Breaks the build when a schema leaves the type that is sent. */
function describing<T>() {
  return <Schema extends z.ZodType>(schema: Describing<T, Schema>): Schema => schema;
}

/** The answers, for the OpenAPI document. */
const cursor = z.string().describe('EPOCH.SEQ');
const instant = z.number().describe('milliseconds since 1970');
const seq = z.number().int();
const level = z.enum(['info', 'warning', 'error']);

const permissionPart = z.object({
  type: z.literal('permission'),
  id: z.string(),
  toolCallId: z.string().optional(),
  title: z.string(),
  options: z.array(permissionOption),
  form: form.optional(),
  url: z.string().optional(),
  state: z.enum(['open', 'answered', 'withdrawn']),
  option: z.string().optional(),
  content: formContent.optional(),
  reason: z.string().optional(),
});

const part = z.union([
  z.object({ type: z.enum(['text', 'thought']), id: z.string(), text: z.string(), revision: seq }),
  z.object({
    type: z.literal('tool'),
    id: z.string(),
    title: z.string(),
    kind: toolKind,
    status: z.enum(['pending', 'in_progress', 'completed', 'failed', 'refused']),
    content: z.array(toolContent),
    locations: z.array(toolLocation),
    output: z.string(),
    rawInput: z.unknown().optional(),
    rawOutput: z.unknown().optional(),
    exitCode: z.number().int().nullable().optional(),
    reason: z.string().optional(),
  }),
  z.object({ type: z.literal('plan'), id: z.string(), entries: z.array(planEntry) }),
  permissionPart,
  z.object({ type: z.literal('steer'), id: z.string(), message, confirmed: z.boolean() }),
  z.object({ type: z.literal('notice'), id: z.string(), level, code: z.string(), text: z.string() }),
  z.object({ type: z.literal('job'), id: z.string() }),
]);

const turn = describing<Turn>()(
  z.object({
    id: z.string(),
    origin: z.enum(['user', 'agent']),
    message: message.optional(),
    retryOf: z.string().optional(),
    imported: z.literal(true).optional(),
    startedAt: instant,
    firstSeq: seq,
    seq,
    parts: z.array(part),
    accepted: z.boolean(),
    handle: z.string().optional(),
    watching: z
      .object({ mode: z.enum(['stream', 'poll', 'silent']), reason: z.string(), since: instant })
      .optional(),
    retrying: z.object({ attempt: seq, reason: z.string(), next: instant.optional() }).optional(),
    stopping: z.enum(['asked', 'terminated', 'killed']).optional(),
    progress: z
      .object({ text: z.string(), done: z.number().optional(), total: z.number().optional() })
      .optional(),
    usage: usage.optional(),
    endedAt: instant.optional(),
    outcome: outcome.optional(),
    stopReason: stopReason.optional(),
    error: failure.optional(),
    misfits: z.array(z.object({ seq, reason: z.string() })),
  }),
);

export const queue = describing<Queue>()(
  z.object({
    held: z.boolean(),
    reason: z.enum(['stopped', 'failed', 'edited', 'interrupted', 'limited']).optional(),
    retry: z.string().optional(),
    until: instant.optional(),
    revision: seq,
    messages: z.array(z.object({ message, delivery: z.enum(['queue', 'steer']) })),
  }),
);

const state = z.enum([
  'idle',
  'dispatching',
  'streaming',
  'polling',
  'cancelling',
  'finalized',
  'cancelled',
  'failed',
  'closed',
]);
const kind = z.enum(['conversation', 'job']);

export const sessionSnapshot = describing<SessionSnapshot>()(
  z.object({
    id: z.string(),
    kind,
    agent: z.string(),
    cwd: z.string(),
    parent: z.string().optional(),
    title: z.string().optional(),
    titledByUser: z.boolean().optional(),
    model: z.string().optional(),
    mode: z.string().optional(),
    models: z.array(choice).optional(),
    modes: z.array(choice).optional(),
    options: z.array(sessionOption).optional(),
    commands: z.array(command).optional(),
    agentSession: z.string().optional(),
    continues: z.string().optional(),
    mcpServers: z.array(z.string()).optional(),
    createdAt: instant,
    updatedAt: instant,
    state,
    reason: z.string().optional(),
    cursor,
    turns: z.array(turn),
    older: z.boolean(),
    queue,
    permissions: z.array(permissionPart.extend({ turn: z.string() })),
    jobs: z.array(
      z.object({
        job: z.string(),
        turn: z.string().optional(),
        seq,
        at: instant,
        request: jobRequest,
        outcome: outcome.optional(),
        stopReason: stopReason.optional(),
        error: failure.optional(),
      }),
    ),
    notices: z.array(z.object({ id: z.string(), seq, level, code: z.string(), text: z.string() })),
    usage,
  }),
);

const sessionSummary = describing<SessionSummary>()(
  z.object({
    id: z.string(),
    kind,
    agent: z.string(),
    cwd: z.string(),
    parent: z.string().optional(),
    title: z.string().optional(),
    state,
    reason: z.string().optional(),
    queued: seq,
    held: z.boolean(),
    retryAt: instant.optional(),
    unread: seq,
    permissions: seq,
    runningJobs: seq,
    createdAt: instant,
    updatedAt: instant,
    cursor,
  }),
);

export const sessionList = z.object({ sessions: z.array(sessionSummary) });
export const jobList = z.object({ jobs: z.array(sessionSummary) });
export const olderTurns = z.object({ turns: z.array(turn), older: z.boolean() });
export const stopAnswer = z.object({ turn: z.string().optional(), state: z.string(), cursor });
export const resumeAnswer = z.object({ cursor, queue });
export const permissionAnswer = z.object({ cursor });
export const agentLine = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  available: z.boolean(),
  reason: z.string().optional(),
  models: z.array(choice).optional(),
  commands: z.array(command).optional(),
  examples: z.array(z.string()).optional(),
  mcpServers: z.array(z.object({ name: z.string(), byDefault: z.boolean() })).optional(),
  earlier: z.boolean().optional(),
  added: z.boolean().optional(),
});
export const agentList = z.object({ agents: z.array(agentLine) });
export const earlierSessions = describing<EarlierSessions>()(
  z.object({
    sessions: z.array(
      z.object({
        id: z.string(),
        cwd: z.string(),
        title: z.string().optional(),
        updatedAt: instant.optional(),
        session: z.string().optional(),
      }),
    ),
    next: z.string().optional(),
  }),
);
export const health = z.object({ name: z.string(), version: z.string() });
export const sessionsChanged = z.object({ changed: z.array(sessionSummary), removed: z.array(z.string()) });

/** The ones that the document names; the others bear the name of their route. */
export const shared = { turn, queue, sessionSnapshot, sessionSummary };
