import type { Choice, Command, Failure, Message, Outcome, StopReason, Usage } from './content.ts';
import type { JobRequest } from './facts.ts';
import type { SessionOption } from './options.ts';
import type { PermissionPart, Turn } from './turn.ts';

/** The top-level states of the conversation machine, as the API names them. */
export type SessionState =
  | 'idle'
  | 'dispatching'
  | 'streaming'
  | 'polling'
  | 'cancelling'
  | 'finalized'
  | 'cancelled'
  | 'failed'
  | 'closed';

export interface QueuedMessage {
  readonly message: Message;
  readonly delivery: 'queue' | 'steer';
}

export interface Queue {
  readonly held: boolean;
  readonly reason?: 'stopped' | 'failed' | 'edited' | 'interrupted' | 'limited';
  /** The turn that is run again, and the queue released with it, at `until` (milliseconds since 1970). */
  readonly retry?: string;
  readonly until?: number;
  /** Raised by each queue fact and each `turn.started`: what an edit must name. */
  readonly revision: number;
  readonly messages: readonly QueuedMessage[];
}

/** A background job as its parent knows it. */
export interface JobRef {
  readonly job: string;
  readonly turn?: string;
  /** seq of `job.attached` in the parent: its place among the rows. */
  readonly seq: number;
  readonly at: number;
  readonly request: JobRequest;
  readonly outcome?: Outcome;
  readonly stopReason?: StopReason;
  readonly error?: Failure;
}

export interface OpenPermission extends PermissionPart {
  readonly turn: string;
}

export interface SessionNotice {
  readonly id: string;
  readonly seq: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly code: string;
  readonly text: string;
}

/** What `GET /api/sessions/:id` answers, and what an actor is rebuilt from. */
export interface SessionSnapshot {
  readonly id: string;
  readonly kind: 'conversation' | 'job';
  readonly agent: string;
  readonly cwd: string;
  readonly parent?: string;
  readonly title?: string;
  /** The user gave the title: no agent replaces it. */
  readonly titledByUser?: boolean;
  readonly model?: string;
  readonly mode?: string;
  readonly models?: readonly Choice[];
  readonly modes?: readonly Choice[];
  readonly options?: readonly SessionOption[];
  readonly commands?: readonly Command[];
  readonly agentSession?: string;
  /** The agent's own session that this one was begun to continue. */
  readonly continues?: string;
  /** Names of the MCP servers that were chosen for it; absent: those that are given by default. */
  readonly mcpServers?: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly state: SessionState;
  /** Why it is in this state, where there is more to say: the silence, the retry, the error, "log unavailable". */
  readonly reason?: string;
  /** `EPOCH.SEQ` */
  readonly cursor: string;
  /** The newest turns, oldest first; an open turn is the last. */
  readonly turns: readonly Turn[];
  /** There are older turns: `GET …/turns?before=`. */
  readonly older: boolean;
  readonly queue: Queue;
  readonly permissions: readonly OpenPermission[];
  readonly jobs: readonly JobRef[];
  readonly notices: readonly SessionNotice[];
  readonly usage: Usage;
}

/** A line of the list of sessions. */
export interface SessionSummary {
  readonly id: string;
  readonly kind: 'conversation' | 'job';
  readonly agent: string;
  readonly cwd: string;
  readonly parent?: string;
  readonly title?: string;
  readonly state: SessionState;
  readonly reason?: string;
  readonly queued: number;
  readonly held: boolean;
  /** The last turn is run again then (milliseconds since 1970): the user asked for it. */
  readonly retryAt?: number;
  /** Turns and jobs that ended since the session was last looked at. */
  readonly unread: number;
  readonly permissions: number;
  readonly runningJobs: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly cursor: string;
}

/** One of an agent's own earlier sessions, as it lists them. */
export interface EarlierSession {
  /** The agent's name for it: what `POST /api/sessions {continue}` takes. */
  readonly id: string;
  readonly cwd: string;
  readonly title?: string;
  /** Milliseconds since 1970, if the agent says. */
  readonly updatedAt?: number;
  /** The session here that continues it already. */
  readonly session?: string;
}

export interface EarlierSessions {
  readonly sessions: readonly EarlierSession[];
  /** What the next page is asked for with; absent: there is none. */
  readonly next?: string;
}
