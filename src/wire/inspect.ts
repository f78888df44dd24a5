/** `{ streaming: {} }` as XState writes it: a name, or names inside of names. */
export type StateValue = string | { readonly [region: string]: StateValue | undefined };

/** How an actor stands, as far as an inspector shows it. */
export interface Standing {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** Absent for actors that are no state machine. */
  readonly state?: StateValue;
  /** What was counted instead of done: facts `ignored`, `unrouted`, output `dropped`. Only those that are not 0. */
  readonly counts?: Readonly<Record<string, number>>;
  /** The message of what it failed with. */
  readonly error?: string;
}

/**
 * One line of what an inspector reads: plain data, long texts cut. `at` and `since` are milliseconds since 1970 by the
 * clock of the program that is inspected; `id` names an actor in that program while it runs.
 */
export type InspectLine =
  /** What was told before is void: all actors follow. */
  | { readonly type: 'began'; readonly at: number }
  | (Standing & {
      readonly type: 'actor';
      readonly id: string;
      readonly parent?: string;
      /** The kind of actor, always the same words: `orchestrator`, `conversation`, `job`, `runner`, `link`, `outbox` … */
      readonly machine: string;
      /** The session that it serves. */
      readonly session?: string;
      readonly title?: string;
      readonly at: number;
      /** When it came into its state, or a later time at which it was there for certain. Absent when not known. */
      readonly since?: number;
    })
  | (Standing & {
      readonly type: 'event';
      readonly id: string;
      readonly event: string;
      readonly detail?: unknown;
      readonly at: number;
      /** False when the event had no transition in the state that it met. Absent for actors without states. */
      readonly taken?: boolean;
      /** The transitions that were taken, in order, as `transitionId` names them. */
      readonly transitions?: readonly string[];
    })
  | { readonly type: 'stopped'; readonly id: string; readonly at: number };

/** The BroadcastChannel on which pages and inspectors of one browser find each other. */
export const inspectChannel = 'sluice.inspect';

/** What an inspector holds while it is open: a page that gets it knows that the inspector is gone. */
export function inspectorLock(inspector: string): string {
  return `sluice.inspector.${inspector}`;
}
