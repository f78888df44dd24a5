import type {
  Choice,
  Command,
  ContentBlock,
  Failure,
  PermissionOption,
  PlanEntry,
  StopReason,
  ToolContent,
  ToolKind,
  ToolLocation,
  Usage,
} from './content.ts';
import type { Form, FormContent } from './form.schema.ts';
import type { SessionOption } from './options.ts';

export type PermissionAnswer =
  | { readonly outcome: 'selected'; readonly optionId: string; readonly content?: FormContent }
  | { readonly outcome: 'cancelled' };

export interface Progress {
  readonly text: string;
  readonly done?: number;
  readonly total?: number;
}

/**
 * What an agent says. Text and thought are deltas. `part` is the connector's own key of a stretch of text, for
 * agents that number their messages; without one, text follows on the last part of its kind unless something else came between.
 */
export type Output =
  /** The agent has the prompt. `handle` names the turn on the agent's side for `poll` and `reattach`. */
  | { readonly type: 'accepted'; readonly handle?: string }
  | { readonly type: 'text' | 'thought'; readonly text: string; readonly part?: string }
  /** Takes text back: the part (default: the last of its kind in this turn) is `text` from now on. */
  | {
      readonly type: 'replace';
      readonly kind: 'text' | 'thought';
      readonly text: string;
      readonly part?: string;
      readonly reason?: string;
    }
  | ({
      readonly type: 'tool.started';
      readonly title: string;
      readonly status?: 'pending' | 'in_progress';
    } & ToolFields)
  /** `output` is appended to the tool's live output. */
  | ({
      readonly type: 'tool.updated';
      readonly title?: string;
      readonly status?: 'pending' | 'in_progress';
      readonly output?: string;
    } & ToolFields)
  | ({
      readonly type: 'tool.finished';
      readonly title?: string;
      readonly status: 'completed' | 'failed';
      readonly exitCode?: number | null;
    } & ToolFields)
  | { readonly type: 'tool.refused'; readonly toolCallId: string; readonly reason: string }
  | { readonly type: 'plan'; readonly entries: readonly PlanEntry[] }
  | {
      readonly type: 'permission.asked';
      readonly permission: string;
      readonly toolCallId?: string;
      readonly title: string;
      readonly options: readonly PermissionOption[];
      /** Values that are asked for; the answer brings them. */
      readonly form?: Form;
      /** A page to go to (http or https). */
      readonly url?: string;
    }
  | { readonly type: 'permission.withdrawn'; readonly permission: string; readonly reason: string }
  | { readonly type: 'retrying'; readonly attempt: number; readonly reason: string; readonly next?: number }
  /** The stream is lost, or never was: the runner polls from here. Needs a handle and `poll`. */
  | { readonly type: 'poll'; readonly reason: string }
  | { readonly type: 'progress'; readonly progress: Progress }
  | {
      readonly type: 'notice';
      readonly level: 'info' | 'warning' | 'error';
      readonly code: string;
      readonly text: string;
    }
  | { readonly type: 'usage'; readonly usage: Usage; readonly turn?: string }
  | {
      readonly type: 'changed';
      readonly title?: string;
      readonly model?: string;
      readonly mode?: string;
      readonly models?: readonly Choice[];
      readonly modes?: readonly Choice[];
      /** All that can be set beside model and mode. */
      readonly options?: readonly SessionOption[];
      readonly commands?: readonly Command[];
      readonly agentSession?: string;
    }
  /** `job`, with stopReason `job`: the turn goes on as a background job, which this handle names for `reattach`. */
  | {
      readonly type: 'ended';
      readonly stopReason: StopReason;
      readonly error?: Failure;
      readonly job?: string;
    };

export interface ToolFields {
  readonly toolCallId: string;
  readonly kind?: ToolKind;
  readonly content?: readonly ToolContent[];
  readonly locations?: readonly ToolLocation[];
  readonly rawInput?: unknown;
  readonly rawOutput?: unknown;
}

/** A turn of an agent's own earlier session, as the agent tells of it. Without `content` nobody asked for it. */
export interface RecalledTurn {
  readonly content?: readonly ContentBlock[];
  readonly outputs: readonly Output[];
}
