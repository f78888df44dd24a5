import type { ContentBlock, Failure, StopReason } from '../src/wire/content.ts';
import type { Draft, Fact } from '../src/wire/facts.ts';
import type { Output, PermissionAnswer, Progress } from '../src/wire/output.ts';
import type { ConversationRef } from './conversation.machine.ts';
import type { Command, Decision, Refused } from './decide.ts';
import type { JobRef } from './job.machine.ts';
import type { Pending } from './outputs.ts';

/** Waits, in milliseconds. */
export interface Limits {
  /** Adjacent text is joined for so long before it is written. */
  readonly gather: number;
  /** Without output for so long the turn is shown as silent. */
  readonly stall: number;
  /** A stop: how long the agent may take by its own protocol, after SIGTERM, after SIGKILL. */
  readonly cancel: number;
  readonly terminate: number;
  readonly kill: number;
  /** First wait between polls; doubled up to `pollMax`. */
  readonly poll: number;
  readonly pollMax: number;
  /** An unprompted turn ends after so long without output: no agent says so. */
  readonly quiet: number;
  /** Between tries to write when the log is unavailable. */
  readonly blocked: number;
}

export const defaultLimits: Limits = {
  gather: 20,
  stall: 30_000,
  cancel: 5_000,
  terminate: 3_000,
  kill: 2_000,
  poll: 500,
  pollMax: 15_000,
  quiet: 2_000,
  blocked: 1_000,
};

export type SessionRef = ConversationRef | JobRef;

/** How the agent's side of a turn ended. `interrupted`: by a crash of the gateway. */
export interface Settled {
  readonly stopReason: StopReason;
  readonly error?: Failure;
  readonly interrupted?: boolean;
  /** With stopReason `job`: the agent's name for the job that goes on. */
  readonly job?: string;
}

/** How the runner meets the open turn: prompt it, join it again, or attend to what came unasked. */
export type How = 'prompt' | 'reattach' | 'attend';

export interface AgentInput {
  readonly turn: string;
  readonly how: How;
  readonly content: readonly ContentBlock[];
  /** A stop was committed before: what is joined again is stopped at once. */
  readonly stopping: boolean;
}

/** What the runner tells the agent's side of the running turn. */
export type AgentOrder =
  | { readonly type: 'cancel' }
  | { readonly type: 'terminate' }
  | { readonly type: 'kill' }
  | { readonly type: 'answer'; readonly permission: string; readonly answer: PermissionAnswer }
  | { readonly type: 'steer'; readonly message: string; readonly content: readonly ContentBlock[] };

/** What a poll found; its `output` is written, then the turn ends. */
export type Polled =
  | { readonly state: 'running'; readonly progress?: Progress }
  | { readonly state: 'stream' }
  | { readonly state: 'ended'; readonly output: readonly Output[]; readonly settled: Settled }
  | { readonly state: 'unknown'; readonly reason: string };

export type RunnerEvent =
  | { readonly type: 'command'; readonly command: Command }
  /** `turn: null`: belongs to no prompt. */
  | { readonly type: 'output'; readonly turn: string | null; readonly outputs: readonly Output[] }
  | { readonly type: 'agent.settled'; readonly turn: string; readonly settled: Settled }
  | { readonly type: 'agent.steered'; readonly message: string; readonly taken: boolean }
  /** At start: the log has an open turn; what becomes of it. */
  | { readonly type: 'begin'; readonly how: 'prompt' | 'reattach' | 'interrupt'; readonly reason?: string }
  /** The gateway goes down: open turns are marked, nothing new begins. */
  | { readonly type: 'shutdown'; readonly reason: string }
  /** The gateway goes down, and the agent outlives it: its turn stays open, nothing new begins. */
  | { readonly type: 'leave' }
  /** Raised by the pen. */
  | { readonly type: 'wrote'; readonly drafts: readonly Draft[] }
  | { readonly type: 'stop.unwritten' };

export type RunnerEmitted =
  | {
      readonly type: 'answered';
      readonly command: string;
      readonly answer: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'refused'; readonly command: string; readonly refused: Refused }
  /** A question that came too late to be asked: its agent is not left waiting. */
  | { readonly type: 'unheard'; readonly permission: string }
  | { readonly type: 'fenced' };

/** What is being written, and for whom. */
export interface Batch {
  readonly drafts: readonly Draft[];
  readonly command?: Command;
  readonly decision?: Decision;
  /** How many pending outputs it covers. */
  readonly outputs: number;
  /** How many of these fit nothing. */
  readonly dropped: number;
}

export interface RunnerContext {
  readonly session: SessionRef;
  readonly limits: Limits;
  readonly now: () => number;
  readonly commands: readonly Command[];
  readonly outputs: readonly Pending[];
  /** Came unasked after the prompt had settled: for the turn after this one. */
  readonly later: readonly Output[];
  readonly settled: Settled | null;
  readonly batch: Batch;
  readonly how: How;
  readonly polls: number;
  /** A stop that went to the agent while the log could not be written. */
  readonly stopOwed: boolean;
  readonly closing: boolean;
  /** Output that fitted nothing: shown in the inspector. */
  readonly dropped: number;
  /** Guidance that the agent took while the turn ran, to be confirmed. */
  readonly steered: readonly string[];
}

export interface RunnerInput {
  readonly session: SessionRef;
  readonly limits: Limits;
  readonly now: () => number;
}

export interface AppendInput {
  readonly batch: Batch;
}
/** Commits, applies to the session's actor, delivers to readers, in this order; resolves when all is done. */
export type AppendOutput = readonly Fact[];

/** With what the runner's own effects report. */
export type RunnerInternal =
  | RunnerEvent
  | { readonly type: 'xstate.done.actor.append'; readonly output: AppendOutput }
  | { readonly type: 'xstate.error.actor.append'; readonly error: unknown }
  | { readonly type: 'xstate.done.actor.poll'; readonly output: Polled }
  | { readonly type: 'xstate.error.actor.poll'; readonly error: unknown };
