import type { JSX } from 'solid-js';
import type { ContentBlock } from '../wire/content.ts';
import type { FormContent } from '../wire/form.schema.ts';
import type { JobRef, SessionState } from '../wire/snapshot.ts';
import type { Turn } from '../wire/turn.ts';

/** Shapes that only the view knows: what the page's own actors say, put the way components take it. */

/** A background job as a row shows it. `turn` is its one turn, as far as this page has it. */
export interface JobView {
  readonly ref: JobRef;
  readonly state: SessionState;
  readonly turn?: Turn;
  readonly stopping: boolean;
}

/** A message that is on its way to the gateway. */
export interface PendingSend {
  readonly id: string;
  readonly text: string;
  readonly delivery: 'queue' | 'steer' | 'background';
}

/** What the gateway would not do: it goes back to the user. */
export interface RefusedAsk {
  readonly id: string;
  readonly kind: 'send' | 'stop' | 'answer';
  /** Of the message, for a send. */
  readonly text: string;
  /** The same, whole. */
  readonly content?: readonly ContentBlock[];
  readonly reason: string;
}

export interface LinkView {
  readonly state: 'connecting' | 'live' | 'stale' | 'reconnecting' | 'offline';
  /** When the next attempt is made, in ms since 1970. */
  readonly retryAt?: number;
}

/** What a turn's row asks of the page around it. */
export interface ThreadView {
  /** The row of a background job. */
  readonly jobRow: (id: string) => JSX.Element;
  /** Of the agent whose turns these are. */
  readonly agentName: () => string;
  /** The option that was chosen for a permission and is not confirmed yet. */
  readonly answering: (permission: string) => string | undefined;
  /** A stop of this turn was asked for and is not confirmed yet. */
  readonly stopping: (turn: string) => boolean;
  readonly onAnswer: (permission: string, option: string, content?: FormContent) => void;
  /** When this turn is run again by itself, in ms since 1970. */
  readonly retryAt: (turn: string) => number | undefined;
  /** `at`: then instead of now; null: not any more. */
  readonly onRetry: (turn: string, at?: number | null) => void;
  readonly onContinue: () => void;
}

export interface AgentChoice {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly available: boolean;
  readonly reason?: string;
  readonly models?: readonly { readonly id: string; readonly name: string }[];
  /** It can be asked for earlier sessions of its own. */
  readonly earlier?: boolean;
  readonly mcpServers?: readonly { readonly name: string; readonly byDefault: boolean }[];
  /** It can be removed here. */
  readonly added?: boolean;
}
