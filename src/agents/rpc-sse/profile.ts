import type { PartialProfile } from './options.ts';

/** Where a value stands in a JSON object: `result.text`. Several: the first that is there. */
export type Path = string | readonly string[];
type Names = readonly string[];

/**
 * How a back end of this kind speaks: method names, event names, and where in its messages the values stand. The
 * defaults are in the shape of Hero Shrimp; the settings name what differs.
 */
export interface Profile {
  /** False: it has no such method. */
  readonly methods: {
    readonly send: string;
    readonly steer: string | false;
    readonly stop: string | false;
    readonly job: string | false;
  };
  /** Where the parameters of these methods go. `turn` is our own name for the message, for events to carry. */
  readonly params: {
    readonly session: string;
    readonly message: string;
    readonly job: string;
    readonly turn: string;
  };
  /** Where the answers of `send` and `job` (and `taken` of `steer`) hold what is read of them. */
  readonly answer: {
    readonly reply: Path;
    readonly job: Path;
    readonly status: Path;
    readonly progress: Path;
    readonly error: Path;
    readonly taken: Path;
  };
  /** Statuses of a job; any other is a job that the back end does not know. */
  readonly statuses: {
    readonly running: Names;
    readonly done: Names;
    readonly failed: Names;
    readonly cancelled: Names;
  };
  readonly events: {
    readonly text: Names;
    readonly thought: Names;
    readonly toolStarted: Names;
    readonly toolOutput: Names;
    readonly toolFinished: Names;
    readonly toolRefused: Names;
    readonly progress: Names;
    readonly end: Names;
  };
  /** Where events hold what is read of them. `type` counts when the event has no name of its own. */
  readonly fields: {
    readonly type: Path;
    readonly session: Path;
    readonly job: Path;
    readonly turn: Path;
    readonly text: Path;
    readonly call: Path;
    readonly tool: Path;
    readonly input: Path;
    readonly output: Path;
    readonly failed: Path;
    readonly reason: Path;
    readonly reply: Path;
    readonly stopReason: Path;
    readonly error: Path;
    readonly progress: Path;
  };
  /** Milliseconds. */
  readonly waits: {
    /** For the answer of `send`, after an end came before it. */
    readonly answer: number;
    /** Without an event, before a job is asked about. */
    readonly quiet: number;
    /** For the event stream, before a message is sent without it. */
    readonly stream: number;
  };
}

export const defaults: Profile = {
  methods: { send: 'message.send', steer: 'session.steer', stop: 'session.stop', job: 'job.status' },
  params: { session: 'session_id', message: 'message', job: 'job_id', turn: 'client_id' },
  answer: {
    reply: ['reply', 'message.content'],
    job: ['job_id', 'job.id'],
    status: ['status', 'job.status'],
    progress: ['progress', 'job.progress'],
    error: ['error.message', 'error'],
    taken: ['accepted'],
  },
  statuses: {
    running: ['queued', 'pending', 'running'],
    done: ['done', 'completed', 'succeeded'],
    failed: ['failed', 'error'],
    cancelled: ['cancelled', 'canceled', 'stopped'],
  },
  events: {
    text: ['llm:delta'],
    thought: ['llm:thought'],
    toolStarted: ['tool:started'],
    toolOutput: ['tool:output'],
    toolFinished: ['tool:finished'],
    toolRefused: ['tool:refused'],
    progress: ['job:progress'],
    end: ['turn:end', 'chat.complete'],
  },
  fields: {
    type: 'type',
    session: ['session_id', 'session'],
    job: 'job_id',
    turn: 'client_id',
    text: ['delta', 'text'],
    call: ['call_id', 'id'],
    tool: ['name', 'tool'],
    input: ['input', 'arguments'],
    output: ['output', 'result'],
    failed: ['is_error', 'failed'],
    reason: 'reason',
    reply: ['reply', 'content'],
    stopReason: 'stop_reason',
    error: ['error.message', 'error'],
    progress: ['progress', 'text'],
  },
  waits: { answer: 10_000, quiet: 3_000, stream: 3_000 },
};

/** The defaults with what the settings say in their place. */
export function profileOf(differs: PartialProfile = {}): Profile {
  const merged = Object.entries(defaults).map(([key, value]) => {
    const own = Object.entries(differs[key as keyof Profile] ?? {}).filter(([, one]) => one !== undefined);
    return [key, { ...value, ...Object.fromEntries(own) }];
  });
  return Object.fromEntries(merged) as Profile;
}

/** The first of the paths that holds something. */
export function at(value: unknown, path: Path): unknown {
  for (const one of typeof path === 'string' ? [path] : path) {
    const found = one
      .split('.')
      .reduce<unknown>(
        (from, key) => (isObject(from) && Object.hasOwn(from, key) ? from[key] : undefined),
        value,
      );
    if (found !== undefined && found !== null) return found;
  }
  return undefined;
}

export function textAt(value: unknown, path: Path): string | undefined {
  const found = at(value, path);
  if (typeof found === 'string') return found;
  return typeof found === 'number' ? String(found) : undefined;
}

/** An object with each value at its path; what is undefined is left out. */
export function placed(values: readonly (readonly [path: string, value: unknown])[]): object {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    if (value === undefined) continue;
    const keys = path.split('.');
    const last = keys.pop() as string;
    let into = root;
    for (const key of keys) {
      if (!Object.hasOwn(into, key)) into[key] = {};
      into = into[key] as Record<string, unknown>;
    }
    into[last] = value;
  }
  return root;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
