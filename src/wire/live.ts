import type { Fact } from './facts.ts';
import type { SessionSummary } from './snapshot.ts';

/** What a tab says on the live channel. `after` is a cursor; without it the subscription starts at the head. */
export type ClientFrame =
  | { readonly type: 'subscribe'; readonly session: string; readonly after?: string; readonly grade?: Grade }
  | { readonly type: 'unsubscribe'; readonly session: string }
  | { readonly type: 'ping' };

/** `live`: every fact. `turn`: without text, thoughts and tool updates; a frame then says what it covers. */
export type Grade = 'live' | 'turn';

/**
 * What the gateway says. `facts` covers (prev, seq] of the session: a reader whose cursor is not `prev` has a gap.
 * `resync` ends the subscription: fetch the snapshot and subscribe again.
 */
export type ServerFrame =
  | { readonly type: 'hello'; readonly version: string; readonly heartbeatMs: number }
  | { readonly type: 'heartbeat'; readonly at: number }
  | { readonly type: 'pong' }
  | {
      readonly type: 'facts';
      readonly session: string;
      readonly epoch: string;
      readonly prev: number;
      readonly seq: number;
      readonly facts: readonly Fact[];
    }
  | { readonly type: 'subscribed'; readonly session: string; readonly cursor: string }
  | { readonly type: 'resync'; readonly session: string; readonly reason: ResyncReason }
  | {
      readonly type: 'sessions';
      readonly changed: readonly SessionSummary[];
      readonly removed: readonly string[];
    }
  /** There are other agents than before: ask for them again. */
  | { readonly type: 'agents' }
  | { readonly type: 'error'; readonly session?: string; readonly code: string; readonly detail: string };

export type ResyncReason = 'epoch' | 'ahead' | 'slow' | 'gone' | 'gap';
