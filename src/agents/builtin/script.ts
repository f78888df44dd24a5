import { z } from 'zod';
import { permissionOption, planEntry, stopReason, toolContent, toolKind, usage } from '../../wire/content.ts';
import { form, webAddress } from '../../wire/form.schema.ts';
import type { Output } from '../agent.ts';

/**
 * A message that starts with `script:` makes the agent play exactly what follows: JSON, either a list of steps or
 * `{title?, steps}`. It is how tests over HTTP order precise output. Times are milliseconds. The steps:
 *
 * | step | does |
 * |---|---|
 * | `{"text": "…", "part"?}`, `{"thought": "…", "part"?}` | says it, as one piece |
 * | `{"tokens": {"count": 1000, "every"?: 5, "prefix"?: "a", "from"?: 0, "kind"?: "thought", "part"?}}` | says `a0 a1 a2 …`: after joining, `prefix + n` with one space in between |
 * | `{"wait": 50}` | waits |
 * | `{"gate": "name"}`, `{"gate": {"file": "name"}}` | waits until the test opens the gate, or until the file is in the directory |
 * | `{"repeat": 3, "every"?: 100, "steps": […]}` | plays the steps so often, waiting `every` after each round |
 * | `{"accepted": true}` | accepts the prompt here and not at once; with `false` never |
 * | `{"tool": "t1", "title"?, "kind"?, "output"?, "content"?, "status"?, "exitCode"?}` | starts the tool at its first step; later ones update it; `status` `completed` or `failed` finishes it |
 * | `{"refuse": "t1", "reason"?}` | the tool was refused |
 * | `{"permission": "p1", "title"?, "tool"?, "options"?, "wait"?: true, "on"?: {"optionId": […]}}` | asks, waits for the answer, plays the steps of the chosen option (default options: `allow`, `always`, `reject`) |
 * | `{"permission": "p1", "form": {…}, "on"?}`, `{"permission": "p1", "url": "https://…", "on"?}` | asks for values, or for a visit to a page (options: `accept`, `decline`); values are said, as JSON, before the steps |
 * | `{"withdraw": "p1", "reason"?}` | withdraws the question |
 * | `{"replace": "…", "kind"?, "part"?, "reason"?}` | takes text back: the part is this text from now on |
 * | `{"retrying": 2, "reason"?, "next"?}` | says that attempt 2 begins; `next`: in so many ms |
 * | `{"plan": [{"content", "priority", "status"}]}`, `{"progress": "…", "done"?, "total"?}`, `{"notice": "…", "level"?, "code"?}`, `{"usage": {…}}`, `{"title": "…"}` | the output of that name |
 * | `{"steer": "prefix "}` | waits for guidance and says it after the prefix |
 * | `{"stubborn": true}` | from here ignores stops |
 * | `{"poll": "reason"}` | loses the stream: what follows is said to nobody until a poll fetches it |
 * | `{"rejoin": true}` | after `poll`: the stream is back, the next poll joins it |
 * | `{"survive": […]}` | does these steps in a worker that outlives the gateway: what only says or waits, with file gates only |
 * | `{"later": […], "after"?: 100, "idle"?: true}` | says the steps (the ones of `survive`) outside of any prompt, `after` ms from here, when no prompt runs unless `idle` is false |
 * | `{"raw": {…}}` | any output of the connector's contract, unchecked but for its type |
 * | `{"end": "max_tokens"}`, `{"fail": "message", "code"?}` | ends the turn |
 * | `{"throw": "message"}` | the stream breaks with an error |
 * | `{"cut": true}` | the stream ends without an end |
 * | `{"crash": "message"}` | the agent is gone |
 *
 * A script that ends without an end ends with `end_turn`.
 */
export interface Script {
  readonly title?: string;
  readonly steps: readonly Step[];
  /** The turn can be polled, or reattached. */
  readonly handle?: 'lost' | 'worker';
  /** A step says `accepted`. */
  readonly acceptsItself: boolean;
}

const ms = z.number().min(0).max(3_600_000);
const count = z.number().int().min(0).max(1_000_000);
const kind = z.enum(['text', 'thought']).optional();
const part = z.string().min(1).optional();
const reason = z.string().optional();

const outputTypes = [
  'accepted',
  'text',
  'thought',
  'replace',
  'tool.started',
  'tool.updated',
  'tool.finished',
  'tool.refused',
  'plan',
  'permission.asked',
  'permission.withdrawn',
  'retrying',
  'poll',
  'progress',
  'notice',
  'usage',
  'changed',
  'ended',
] as const satisfies readonly Output['type'][];

const nested: z.ZodType<Steps> = z.lazy(() => z.array(step));

const shapes = {
  text: z.strictObject({ text: z.string(), part }),
  thought: z.strictObject({ thought: z.string(), part }),
  tokens: z.strictObject({
    tokens: z.strictObject({
      count,
      every: ms.optional(),
      prefix: z.string().optional(),
      from: count.optional(),
      kind,
      part,
    }),
  }),
  wait: z.strictObject({ wait: ms }),
  gate: z.strictObject({ gate: z.union([z.string().min(1), z.strictObject({ file: z.string().min(1) })]) }),
  repeat: z.strictObject({ repeat: count, every: ms.optional(), steps: nested }),
  accepted: z.strictObject({ accepted: z.boolean() }),
  tool: z.strictObject({
    tool: z.string().min(1),
    title: z.string().optional(),
    kind: toolKind.optional(),
    output: z.string().optional(),
    content: z.array(toolContent).optional(),
    status: z.enum(['pending', 'in_progress', 'completed', 'failed']).optional(),
    exitCode: z.number().int().nullable().optional(),
  }),
  refuse: z.strictObject({ refuse: z.string().min(1), reason }),
  permission: z.strictObject({
    permission: z.string().min(1),
    title: z.string().optional(),
    tool: z.string().optional(),
    options: z.array(permissionOption).min(1).optional(),
    form: form.optional(),
    url: webAddress.optional(),
    wait: z.boolean().optional(),
    on: z.record(z.string(), nested).optional(),
  }),
  withdraw: z.strictObject({ withdraw: z.string().min(1), reason }),
  replace: z.strictObject({ replace: z.string(), kind, part, reason }),
  retrying: z.strictObject({ retrying: z.number().int().positive(), reason, next: ms.optional() }),
  plan: z.strictObject({ plan: z.array(planEntry) }),
  progress: z.strictObject({
    progress: z.string(),
    done: z.number().optional(),
    total: z.number().optional(),
  }),
  notice: z.strictObject({
    notice: z.string(),
    level: z.enum(['info', 'warning', 'error']).optional(),
    code: z.string().optional(),
  }),
  usage: z.strictObject({ usage }),
  title: z.strictObject({ title: z.string().min(1) }),
  steer: z.strictObject({ steer: z.string() }),
  stubborn: z.strictObject({ stubborn: z.literal(true) }),
  poll: z.strictObject({ poll: z.string() }),
  rejoin: z.strictObject({ rejoin: z.literal(true) }),
  survive: z.strictObject({ survive: nested }),
  later: z.strictObject({ later: nested, after: ms.optional(), idle: z.boolean().optional() }),
  raw: z.strictObject({ raw: z.looseObject({ type: z.enum(outputTypes) }) }),
  end: z.strictObject({ end: stopReason }),
  fail: z.strictObject({ fail: z.string(), code: z.string().optional() }),
  throw: z.strictObject({ throw: z.string() }),
  cut: z.strictObject({ cut: z.literal(true) }),
  crash: z.strictObject({ crash: z.string() }),
} as const;

type Verb = keyof typeof shapes;
/** A step, with the verb that tells it apart. */
export type Step = { readonly [K in Verb]: { readonly verb: K } & z.infer<(typeof shapes)[K]> }[Verb];
interface Steps extends ReadonlyArray<Step> {}

/** Some verbs are also fields of others: a step that asks may have a `tool` and a `title`. */
const verbs = (Object.keys(shapes) as Verb[]).sort((a, b) => rank(a) - rank(b));

function rank(verb: Verb): number {
  return verb === 'permission' ? 0 : verb === 'title' ? 2 : 1;
}

const step = z.unknown().transform((input, context): Step => {
  const given = typeof input === 'object' && input !== null ? input : {};
  const verb = verbs.find((candidate) => candidate in given);
  if (verb === undefined) {
    context.addIssue({ code: 'custom', message: `a step needs one of: ${verbs.join(', ')}` });
    return z.NEVER;
  }
  const parsed = shapes[verb].safeParse(input);
  if (parsed.success) return { verb, ...parsed.data } as Step;
  for (const issue of parsed.error.issues) {
    context.addIssue({ code: 'custom', message: issue.message, path: issue.path });
  }
  return z.NEVER;
});

const list = z.array(step).transform((steps) => ({ title: undefined, steps }));
const titled = z.strictObject({ title: z.string().min(1).max(200).optional(), steps: z.array(step) });
/** What needs no session around it. */
const portable: readonly Verb[] = [
  'text',
  'thought',
  'tokens',
  'wait',
  'gate',
  'repeat',
  'tool',
  'refuse',
  'replace',
  'retrying',
  'plan',
  'progress',
  'notice',
  'usage',
  'title',
  'withdraw',
  'raw',
  'end',
  'fail',
];

const prefix = /^script:/i;

export function isScript(text: string): boolean {
  return prefix.test(text);
}

/** Reads a `script:` message; the error says where it is wrong. */
export function readScript(text: string): { readonly script: Script } | { readonly error: string } {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(prefix, ''));
  } catch (error) {
    return { error: `it is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const parsed = (Array.isArray(json) ? list : titled).safeParse(json);
  if (!parsed.success) return { error: z.prettifyError(parsed.error) };
  const { title, steps } = parsed.data;
  const all = [...flat(steps)];
  const misplaced = all.flatMap(unfit)[0];
  if (misplaced !== undefined) return { error: misplaced };
  const surviving = all.some((candidate) => candidate.verb === 'survive');
  const polled = all.some((candidate) => candidate.verb === 'poll');
  const handle = surviving ? 'worker' : polled ? 'lost' : undefined;
  return {
    script: {
      ...(title !== undefined && { title }),
      ...(handle && { handle }),
      steps,
      acceptsItself: all.some((candidate) => candidate.verb === 'accepted'),
    },
  };
}

/** Why a step inside of `survive` or `later` cannot be there. */
function unfit(outer: Step): string[] {
  const inner = outer.verb === 'survive' ? outer.survive : outer.verb === 'later' ? outer.later : [];
  return [...flat(inner)]
    .filter((one) => !portable.includes(one.verb) || (one.verb === 'gate' && typeof one.gate === 'string'))
    .map((one) => {
      const which = one.verb === 'gate' ? '`gate` without a file' : `\`${one.verb}\``;
      return `${which} cannot be in \`${outer.verb}\`, which takes: ${portable.join(', ')}`;
    });
}

function* flat(steps: readonly Step[]): Generator<Step> {
  for (const one of steps) {
    yield one;
    if (one.verb === 'repeat') yield* flat(one.steps);
    if (one.verb === 'permission') for (const branch of Object.values(one.on ?? {})) yield* flat(branch);
  }
}
