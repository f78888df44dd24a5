import type { Choice, Command, ContentBlock, Failure } from '../wire/content.ts';
import type { OptionValue, OptionValues } from '../wire/options.ts';
import type { Output, PermissionAnswer, Progress, RecalledTurn } from '../wire/output.ts';
import type { EarlierSession } from '../wire/snapshot.ts';
import type { Turn } from '../wire/turn.ts';

export type { Output, PermissionAnswer, Progress, RecalledTurn, ToolFields } from '../wire/output.ts';

/**
 * A connector turns one agent into output for the runner, and nothing else. It keeps no queue, retries nothing,
 * closes nothing that its agent left open, and never kills: the layer above does these once, for all.
 */
export interface Connector {
  /** Stable: what `POST /api/sessions {agent}` names. */
  readonly id: string;
  readonly name: string;
  /** One sentence for the picker. */
  readonly description: string;
  /** Cheap; asked for each `GET /api/agents`. */
  available(): Promise<Availability>;
  /** Servers of the settings that it can be given, by name; absent or empty: it takes none. */
  readonly mcpServers?: readonly OfferedServer[];
  /** Lists the agent's own earlier sessions, newest first. Absent: it keeps none. Rejects with an AgentError. */
  sessions?(query: SessionsQuery): Promise<SessionsPage>;
  /** What one of these held; asked once, before a session here continues it. Rejects with an AgentError. */
  recall?(query: RecallQuery): Promise<Recalled>;
  /** Starts it for a moment, to see that it can be talked to. Rejects with an AgentError that says what to do. */
  check?(query: CheckQuery): Promise<void>;
  /** Starts or joins the agent's side of a session. Rejects with an AgentError that says what to do. */
  open(options: OpenOptions): Promise<AgentSession>;
}

export interface OfferedServer {
  readonly name: string;
  readonly byDefault: boolean;
}

/** Where a program is started that is only asked something. */
export interface CheckQuery {
  /** An existing directory, already confined to the roots. */
  readonly cwd: string;
  readonly onProcess: (process: AgentProcess) => void;
}

export interface SessionsQuery {
  /** Where to ask, and what for if `only`; an existing directory, already confined to the roots. */
  readonly cwd: string;
  /** Those of this directory alone. */
  readonly only: boolean;
  /** `next` of the page before. */
  readonly cursor?: string;
  readonly onProcess: (process: AgentProcess) => void;
}

export interface SessionsPage {
  readonly sessions: readonly EarlierSession[];
  readonly next?: string;
}

export interface RecallQuery {
  readonly cwd: string;
  readonly agentSession: string;
  readonly onProcess: (process: AgentProcess) => void;
}

export interface Recalled {
  /** Oldest first; their text is the agent's own, and nothing in them has to be closed. */
  readonly turns: readonly RecalledTurn[];
  readonly title?: string;
  /** What the user has to know of what is missing, in one sentence. */
  readonly lacks?: string;
}

export interface Availability {
  readonly available: boolean;
  /** Why not, and what to do. */
  readonly reason?: string;
  /** Not worth a line while it is not available: nobody asked for it, and nothing of it is here. */
  readonly unlisted?: boolean;
  readonly models?: readonly Choice[];
  /** Where they are known before a session is opened. */
  readonly commands?: readonly Command[];
  /** Messages to begin with, whole: what an empty conversation offers. */
  readonly examples?: readonly string[];
}

export interface OpenOptions {
  readonly session: string;
  readonly kind: 'conversation' | 'job';
  /** An existing directory, already confined to the roots. */
  readonly cwd: string;
  readonly model?: string;
  readonly mode?: string;
  /** What the session was set to beside model and mode, by id. */
  readonly options?: OptionValues;
  /** The agent's own session, from an earlier `changed {agentSession}`. */
  readonly resume?: string;
  /** The agent session of the parent of a job that has none of its own yet: to be forked, where the agent can. */
  readonly fork?: string;
  /** Names of the servers of the settings that it is given; absent: those that are given by default. */
  readonly mcpServers?: readonly string[];
  /** Settled turns, oldest first: context for agents that cannot resume. A job's begin with those of its parent. */
  readonly history: readonly Turn[];
  /** A directory of this session's own, for what must outlive the gateway; created on first use by the connector. */
  readonly stateDir: string;
  /** Each process that the connector starts, by its process group; the gateway records it and kills what survives. */
  readonly onProcess: (process: AgentProcess) => void;
  /** Output that belongs to no prompt: a background wake-up, a late usage, a new title. */
  readonly onOutput: (output: Output) => void;
  /** The agent is gone by itself. */
  readonly onExit: (reason: Failure) => void;
}

export interface AgentProcess {
  /** Process group id; negative signals go to the group. */
  readonly pgid: number;
  readonly command: string;
  /** What `SLUICE_PROCESS` holds in its environment: tells its children from others when it is gone itself. */
  readonly mark?: string;
  /** Kept alive over a restart of the gateway: the turn can be reattached. */
  readonly survives: boolean;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
}

export interface AgentSession {
  /**
   * Runs one turn. Ends after `ended`; ending without one means that the stream was cut (failed, text kept).
   * `turn` names the turn; `signal` aborts when nobody will read on (kill), not on a stop: see `cancel`.
   */
  prompt(request: PromptRequest): AsyncIterable<Output>;
  /** Asks the agent to stop the running prompt, by its own protocol. The prompt must still end by itself. */
  cancel(): void | Promise<void>;
  /** Answers a permission; `cancelled` when the turn is being stopped. After `reattach` again, as it may not have been heard. */
  answer(permission: string, answer: PermissionAnswer): void | Promise<void>;
  /** Gives guidance to the running turn. False: it cannot take it now, the message stays queued. */
  steer?(content: readonly ContentBlock[]): Promise<boolean>;
  /** Asks the agent's side about a turn whose stream was lost. */
  poll?(handle: string): Promise<Poll>;
  /** Joins a turn that survived the gateway; yields from where `seen` ends. */
  reattach?(handle: string, seen: Turn): AsyncIterable<Output>;
  /** True while the running turn goes on without the gateway, and can be reattached at its next start. */
  readonly survives?: boolean;
  setModel?(model: string): Promise<void>;
  setMode?(mode: string): Promise<void>;
  /** A setting that it told of in `changed {options}`. */
  setOption?(id: string, value: OptionValue): Promise<void>;
  /** Ends the agent's side. Bounded: resolves within 2 s or the caller kills. */
  close(): Promise<void>;
}

export interface PromptRequest {
  readonly turn: string;
  readonly content: readonly ContentBlock[];
  readonly signal: AbortSignal;
}

/** A poll that is not terminal changes no row; a terminal one brings the rest of the answer and the end. */
export type Poll =
  | { readonly state: 'running'; readonly progress?: Progress }
  | { readonly state: 'stream'; readonly output: AsyncIterable<Output> }
  | { readonly state: 'ended'; readonly output: readonly Output[] }
  | { readonly state: 'unknown'; readonly reason: string };

/** An error with a stable code and a sentence that says what to do. */
export class AgentError extends Error {
  readonly code: string;
  /** Before this, in milliseconds since 1970, it will fail again. */
  readonly until: number | undefined;
  constructor(code: string, message: string, until?: number) {
    super(message);
    this.code = code;
    this.until = until;
    this.name = 'AgentError';
  }

  get failure(): Failure {
    const { code, message, until } = this;
    return { code, message, ...(until !== undefined && { until }) };
  }
}
