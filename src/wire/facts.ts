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
} from './content.ts';
import { form, formContent, webAddress } from './form.schema.ts';
import type { Immutable } from './immutable.ts';
import { sessionOption } from './options.ts';

/**
 * Every fact, once: the zod schemas are the source of the types, of run-time validation and of the OpenAPI
 * document. The page imports the types only, so zod stays out of its bundle.
 *
 * A *draft* is what a writer proposes; the log gives it its envelope and thereby makes it a *fact*.
 */
const id = z.string().min(1).max(200);
const seq = z.number().int().positive();
const revision = z.number().int().nonnegative();
/** Milliseconds since 1970. */
const instant = z.number().nonnegative();
const offset = z.number().int().nonnegative();
const turn = id;
/** Names of servers of the settings; absent: those that are given by default. */
const mcpServers = z.array(z.string()).optional();

const tool = {
  turn,
  toolCallId: id,
  title: z.string().optional(),
  kind: toolKind.optional(),
  content: z.array(toolContent).optional(),
  locations: z.array(toolLocation).optional(),
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
};

/** The whole request of a background job, so that a half-made job can be completed after a crash. */
export const jobRequest = z.object({
  agent: id,
  cwd: z.string(),
  title: z.string().optional(),
  model: z.string().optional(),
  mode: z.string().optional(),
  mcpServers,
  options: z.array(sessionOption).optional(),
  message,
  /** It runs already, as the agent's job of this name: it is joined, not prompted. */
  handle: z.string().optional(),
});
export type JobRequest = Immutable<z.infer<typeof jobRequest>>;

const shapes = {
  'session.opened': {
    kind: z.enum(['conversation', 'job']),
    agent: id,
    cwd: z.string(),
    title: z.string().optional(),
    model: z.string().optional(),
    mode: z.string().optional(),
    parent: id.optional(),
    mcpServers,
    /** The agent's own session that this one was begun to continue. */
    continues: z.string().optional(),
  },
  'session.changed': {
    title: z.string().optional(),
    /** Who gave the title: the user's own is not replaced by an agent's. */
    by: z.enum(['user', 'agent']).optional(),
    model: z.string().optional(),
    mode: z.string().optional(),
    models: z.array(choice).optional(),
    modes: z.array(choice).optional(),
    /** All that the agent offers beside model and mode, with what each is set to. */
    options: z.array(sessionOption).optional(),
    commands: z.array(command).optional(),
    /** The agent's own name for its session, for `resume`. */
    agentSession: z.string().optional(),
  },
  'session.closed': { reason: z.string().optional() },
  'usage.updated': { turn: turn.optional(), usage },
  'notice.added': {
    turn: turn.optional(),
    notice: id,
    level: z.enum(['info', 'warning', 'error']),
    code: z.string(),
    text: z.string(),
  },

  'queue.added': { message, delivery: z.enum(['queue', 'steer']), revision },
  'queue.edited': { message, revision },
  /** `to`: the index in the queue after the move. */
  'queue.moved': { message: id, to: z.number().int().nonnegative(), revision },
  'queue.removed': { message: id, revision },
  /** `retry`, with `until`: the user wants this turn run again then; any later `queue.held` without it forgets that. */
  'queue.held': {
    reason: z.enum(['stopped', 'failed', 'edited', 'interrupted', 'limited']),
    until: instant.optional(),
    retry: turn.optional(),
    revision,
  },
  'queue.released': { revision },

  'turn.started': {
    turn,
    /** Absent only for `origin: agent`. */
    message: message.optional(),
    origin: z.enum(['user', 'agent']),
    retryOf: turn.optional(),
    /** It ran before this session was: what the agent's own session told of it. */
    imported: z.literal(true).optional(),
    revision,
  },
  'turn.accepted': { turn, handle: z.string().optional() },
  'turn.watching': { turn, mode: z.enum(['stream', 'poll', 'silent']), reason: z.string(), since: instant },
  /** `next`: when the agent tries again, if it said so. */
  'turn.retrying': {
    turn,
    attempt: z.number().int().positive(),
    reason: z.string(),
    next: instant.optional(),
  },
  'turn.steered': { turn, message, confirmed: z.boolean(), revision },
  'turn.stopping': { turn, stage: z.enum(['asked', 'terminated', 'killed']) },
  'turn.ended': { turn, outcome, stopReason, error: failure.optional() },

  /** `offset`: the length (UTF-16) of the part before this text. */
  'text.added': { turn, part: id, offset, text: z.string() },
  'thought.added': { turn, part: id, offset, text: z.string() },
  /** The only way to take text back: `text` is the whole part from now on. */
  'part.replaced': { turn, part: id, text: z.string(), reason: z.string().optional() },
  'tool.started': { ...tool, title: z.string(), status: z.enum(['pending', 'in_progress']).optional() },
  /** `output` is live output of the tool, appended at `offset`. */
  'tool.updated': {
    ...tool,
    status: z.enum(['pending', 'in_progress']).optional(),
    output: z.object({ offset, text: z.string() }).optional(),
  },
  'tool.finished': {
    ...tool,
    status: z.enum(['completed', 'failed']),
    exitCode: z.number().int().nullable().optional(),
    /** Why a tool was closed that its agent left open. */
    reason: z.string().optional(),
  },
  'tool.refused': { turn, toolCallId: id, reason: z.string() },
  'plan.updated': { turn, entries: z.array(planEntry) },

  'permission.asked': {
    turn,
    permission: id,
    toolCallId: id.optional(),
    title: z.string(),
    options: z.array(permissionOption).min(1),
    /** Values that are asked for: they come with an answer that allows. */
    form: form.optional(),
    /** A page that the user is asked to go to. */
    url: webAddress.optional(),
  },
  'permission.answered': { turn, permission: id, option: id, content: formContent.optional() },
  'permission.withdrawn': { turn, permission: id, reason: z.string() },

  /** In the parent's log. `turn`: the parent's turn that became or asked for the job, if one did. */
  'job.attached': { job: id, turn: turn.optional(), request: jobRequest },
  'job.settled': { job: id, outcome, stopReason, error: failure.optional() },
  /** In the job's own log. */
  'job.progress': { turn, text: z.string(), done: z.number().optional(), total: z.number().optional() },
} as const;

type Shapes = typeof shapes;
export type FactType = keyof Shapes;
type Body<K extends FactType> = Immutable<z.infer<z.ZodObject<Shapes[K]>>>;

/** What a writer proposes: a fact without its envelope. */
export type Draft = { [K in FactType]: { readonly type: K } & Body<K> }[FactType];
export interface Envelope {
  readonly v: 1;
  readonly session: string;
  readonly epoch: string;
  readonly seq: number;
  /** Milliseconds since 1970, by the gateway's clock. */
  readonly at: number;
}
export type Fact = { [K in FactType]: Envelope & { readonly type: K } & Body<K> }[FactType];
export type FactOf<K extends FactType> = Extract<Fact, { type: K }>;
export type DraftOf<K extends FactType> = Extract<Draft, { type: K }>;
/** A fact of a type that this version does not know: kept in the log, skipped by every reader. */
export type UnknownFact = Envelope & { readonly type: string };

const envelope = {
  v: z.literal(1),
  session: id,
  epoch: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
  seq,
  at: instant,
};

export const factTypes = Object.keys(shapes) as FactType[];
const known = new Set<string>(factTypes);

const draftSchemas = Object.fromEntries(
  factTypes.map((type) => [type, z.object({ type: z.literal(type), ...shapes[type] })]),
);

/** The schema of each fact, by type: for validation and for the OpenAPI document. */
export const factSchemas: Readonly<Record<FactType, z.ZodObject>> = Object.fromEntries(
  factTypes.map((type) => [type, z.object({ ...envelope, type: z.literal(type), ...shapes[type] })]),
) as never;

const unknownFact = z.looseObject({ ...envelope, type: id });

export type ParsedFact =
  | { readonly kind: 'known'; readonly fact: Fact }
  | { readonly kind: 'unknown'; readonly fact: UnknownFact }
  | { readonly kind: 'refused'; readonly reason: string };

/** Reads one fact from outside. Unknown types are kept; anything without a sound envelope is refused. */
export function parseFact(input: unknown): ParsedFact {
  const outer = unknownFact.safeParse(input);
  if (!outer.success) return { kind: 'refused', reason: z.prettifyError(outer.error) };
  if (!known.has(outer.data.type)) return { kind: 'unknown', fact: outer.data };
  const inner = factSchemas[outer.data.type as FactType].safeParse(input);
  if (!inner.success) return { kind: 'refused', reason: z.prettifyError(inner.error) };
  return { kind: 'known', fact: inner.data as unknown as Fact };
}

/** Throws when a draft has a wrong shape: a bug of the writer, found before it reaches the log. */
export function checkDraft(draft: Draft): void {
  const schema = draftSchemas[draft.type];
  if (!schema) throw new TypeError(`unknown fact type: ${String(draft.type)}`);
  schema.parse(draft);
}
