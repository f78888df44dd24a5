import { parseCursor } from '../src/wire/cursor.ts';
import type { ServerFrame } from '../src/wire/live.ts';

/** A session that this page follows, as far as the present connection is concerned. */
export interface Subscription {
  /** The cursor that was asked for on this connection; null when nothing was asked yet. */
  readonly after: string | null;
  /** The gateway has answered: from here on each frame is meant for us. */
  readonly flowing: boolean;
}

export type Subscriptions = Readonly<Record<string, Subscription>>;

type FactsFrame = Extract<ServerFrame, { type: 'facts' }>;

export const resting: Subscription = { after: null, flowing: false };

export function asked(after: string): Subscription {
  return { after, flowing: false };
}

/** On a new connection nothing was asked for yet. */
export function forgotten(wanted: Subscriptions): Subscriptions {
  return Object.fromEntries(Object.keys(wanted).map((session) => [session, resting]));
}

/**
 * True for a frame of the subscription that was asked for last. Frames of an earlier one may still be on their way
 * when a session is subscribed again after another cursor: taken, they would look like a gap.
 */
export function isMeant(subscription: Subscription | undefined, frame: FactsFrame): boolean {
  if (!subscription) return false;
  if (subscription.flowing) return true;
  const after = subscription.after === null ? undefined : parseCursor(subscription.after);
  return after !== undefined && after.epoch === frame.epoch && frame.prev <= after.seq;
}
