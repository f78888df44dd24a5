import type {
  Failure,
  Message,
  Outcome,
  PermissionOption,
  PlanEntry,
  StopReason,
  ToolContent,
  ToolKind,
  ToolLocation,
  Usage,
} from './content.ts';
import type { Form, FormContent } from './form.schema.ts';

/** A piece of a turn. Parts keep their order; a part that has not changed keeps its object identity. */
export type Part =
  | {
      readonly type: 'text' | 'thought';
      readonly id: string;
      readonly text: string;
      /** Raised each time `part.replaced` takes text back: a reader that only appends starts anew. */
      readonly revision: number;
    }
  | ToolPart
  | { readonly type: 'plan'; readonly id: string; readonly entries: readonly PlanEntry[] }
  | PermissionPart
  | { readonly type: 'steer'; readonly id: string; readonly message: Message; readonly confirmed: boolean }
  | {
      readonly type: 'notice';
      readonly id: string;
      readonly level: 'info' | 'warning' | 'error';
      readonly code: string;
      readonly text: string;
    }
  | { readonly type: 'job'; readonly id: string };

export interface ToolPart {
  readonly type: 'tool';
  /** The agent's toolCallId. */
  readonly id: string;
  readonly title: string;
  readonly kind: ToolKind;
  readonly status: 'pending' | 'in_progress' | 'completed' | 'failed' | 'refused';
  readonly content: readonly ToolContent[];
  readonly locations: readonly ToolLocation[];
  /** Live output so far. */
  readonly output: string;
  readonly rawInput?: unknown;
  readonly rawOutput?: unknown;
  readonly exitCode?: number | null;
  readonly reason?: string;
}

export interface PermissionPart {
  readonly type: 'permission';
  readonly id: string;
  readonly toolCallId?: string;
  readonly title: string;
  readonly options: readonly PermissionOption[];
  /** Values that are asked for, and a page that the user is asked to go to. */
  readonly form?: Form;
  readonly url?: string;
  readonly state: 'open' | 'answered' | 'withdrawn';
  readonly option?: string;
  /** The values that were given. */
  readonly content?: FormContent;
  readonly reason?: string;
}

/** A fact that did not fit: reported, and the turn left as it was. */
export interface Misfit {
  readonly seq: number;
  readonly reason: string;
}

/** A message and all that the agent did until it ended. Plain data; never changed in place. */
export interface Turn {
  readonly id: string;
  readonly origin: 'user' | 'agent';
  readonly message?: Message;
  readonly retryOf?: string;
  /** It ran before this session was, and was told by the agent: when it ran is not known. */
  readonly imported?: true;
  readonly startedAt: number;
  /** seq of `turn.started`, and of the last fact folded in. */
  readonly firstSeq: number;
  readonly seq: number;
  readonly parts: readonly Part[];
  readonly accepted: boolean;
  readonly handle?: string;
  readonly watching?: {
    readonly mode: 'stream' | 'poll' | 'silent';
    readonly reason: string;
    readonly since: number;
  };
  readonly retrying?: { readonly attempt: number; readonly reason: string; readonly next?: number };
  readonly stopping?: 'asked' | 'terminated' | 'killed';
  readonly progress?: { readonly text: string; readonly done?: number; readonly total?: number };
  readonly usage?: Usage;
  readonly endedAt?: number;
  /** Absent while the turn is open. */
  readonly outcome?: Outcome;
  readonly stopReason?: StopReason;
  readonly error?: Failure;
  readonly misfits: readonly Misfit[];
}
