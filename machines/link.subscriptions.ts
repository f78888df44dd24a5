import { parseCursor } from '../src/wire/cursor.ts';
import type { ServerFrame } from '../src/wire/live.ts';

/** What was asked for on the present connection. */
export interface Subscription {
  readonly after: string;
  /** The gateway has answered: from here on each frame is meant for us. */
  readonly flowing: boolean;
}

/** The sessions that this page follows; null where nothing was asked yet on this connection. */
export type Subscriptions = Readonly<Record<string, Subscription | null>>;

type FactsFrame = Extract<ServerFrame, { type: 'facts' }>;

export function asked(after: string): Subscription {
  return { after, flowing: false };
}

export function flowing(subscription: Subscription): Subscription {
  return subscription.flowing ? subscription : { ...subscription, flowing: true };
}

/**
 * True for a frame of the subscription that was asked for last. Frames of an earlier one may still be on their way
 * when a session is subscribed again after another cursor: taken, they would look like a gap.
 */
export function isMeant(subscription: Subscription, frame: FactsFrame): boolean {
  if (subscription.flowing) return true;
  const after = parseCursor(subscription.after);
  return after !== undefined && after.epoch === frame.epoch && frame.prev <= after.seq;
}
