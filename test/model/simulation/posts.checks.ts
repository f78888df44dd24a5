import type { Ask, Entries, Entry } from '../../../machines/outbox.entries.ts';
import type { SessionContext } from '../../../machines/session.ts';
import { parseCursor } from '../../../src/wire/cursor.ts';
import type { Fact } from '../../../src/wire/facts.ts';
import type { Violations } from '../../support/invariants.ts';

/** What must hold of the requests of a page, as they are seen from outside: what was asked, what left, what came back. */

/** How often a request left this page, and what is known of it. */
export interface Sent {
  times: number;
  isOut: boolean;
  /** The gateway was not heard, then: in ms of the world. */
  unheardAt: number | undefined;
  /** The gateway has said no. */
  isRefused: boolean;
}

export const isOpen = (entry: Entry) => entry.state === 'waiting' || entry.state === 'sent';
const isSend = (entry: Entry, session: string) => entry.kind === 'send' && entry.session === session;
const named = ({ id, kind, session }: Entry) => `${kind} ${id} of ${session}`;

/** I9: a wish is there once. */
export function oneEntryEach(entries: Entries): Violations {
  const twice = entries.filter(({ id }, index) => entries.findIndex((entry) => entry.id === id) !== index);
  return twice.map((entry) => `${named(entry)} is there twice`);
}

/** I9: never two requests of one wish at once, and after one that was not heard not at once the next. */
export function oneAtATime(entry: Entry, sent: Sent, now: number, connectedAt: number): Violations {
  if (sent.isOut) return [`${named(entry)} is sent while its first request is not answered`];
  if (sent.unheardAt === undefined || connectedAt >= sent.unheardAt) return [];
  const least = Math.min(500 * 2 ** (sent.times - 1), 15_000) / 2 - 1;
  const waited = now - sent.unheardAt;
  return waited < least ? [`${named(entry)} is sent again after ${waited} ms`] : [];
}

/** I3: sends of a session leave in the order in which the user asked, whichever page was asked. */
export function keepsOrder(entries: Entries, entry: Entry): Violations {
  if (entry.kind !== 'send') return [];
  const first = entries.find((e) => isSend(e, entry.session) && e.at < entry.at && isOpen(e));
  return first ? [`${named(entry)} leaves before ${first.id}, which was asked earlier`] : [];
}

/** I3: what an earlier page left is read first, and goes before what is asked here. */
export function keptGoesFirst(entry: Entry, orphans: Entries): Violations {
  if (entry.kind !== 'send') return [];
  const first = orphans.find((e) => isSend(e, entry.session) && e.at < entry.at);
  return first ? [`${named(entry)} leaves before ${first.id}, which an earlier page left`] : [];
}

/** C42: a stop of a message waits until the page knows what became of its send. */
export function stopFollowsSend(entries: Entries, entry: Entry): Violations {
  if (entry.kind !== 'stop' || !('message' in entry.body)) return [];
  const { message } = entry.body;
  const send = entries.find((e) => e.id === message && e.kind === 'send' && isOpen(e));
  return send ? [`${named(entry)} leaves while ${message} is ${send.state}`] : [];
}

/** What a new stop takes back (I4): asked here, of that session, and never sent. None, when it was asked before. */
export function takenBackBy(stop: Ask, entries: Entries, mayHaveLeft: (id: string) => boolean): Entries {
  if (stop.kind !== 'stop' || 'job' in stop.body) return [];
  const target = JSON.stringify(stop.body);
  const isKnown = entries.some(
    (e) =>
      e.kind === 'stop' &&
      e.session === stop.session &&
      e.state !== 'refused' &&
      JSON.stringify(e.body) === target,
  );
  if (isKnown) return [];
  return entries.filter(
    (e) =>
      e.kind === 'send' &&
      e.session === stop.session &&
      e.state === 'waiting' &&
      e.body.delivery !== 'background' &&
      !mayHaveLeft(e.id),
  );
}

/** I4, I9: what may have left is never taken back, and what the gateway has not refused is not shown as refused. */
export function refusedForAReason(
  entry: Entry,
  sent: Sent | undefined,
  mayHaveLeft: boolean,
  facts: readonly Fact[],
): Violations {
  if (entry.code === 'outbox.stopped')
    return mayHaveLeft ? [`${named(entry)} is taken back, and may have reached the gateway`] : [];
  if (!sent?.isRefused)
    return [`${named(entry)} is given back (${entry.code}), and the gateway never said no`];
  // C42: the first request did it, and its answer was lost.
  const turn = entry.kind === 'stop' && 'turn' in entry.body ? entry.body.turn : undefined;
  const isStopped = facts.some((fact) => fact.type === 'turn.stopping' && fact.turn === turn);
  if (entry.code !== 'turn.over' || sent.times < 2 || !isStopped) return [];
  return [`${named(entry)} came too late, it says, and it did its work`];
}

/** I13: what the gateway has taken is shown until the page has read as far as the answer says. */
export function shownUntilRead(gone: Entry, view: SessionContext | undefined): Violations {
  const answer = parseCursor(gone.cursor ?? '');
  if (gone.state !== 'accepted' || gone.kind !== 'send' || !view || !answer) return [];
  // There is no such session any more, so nothing of it will be read.
  if (view.problem || answer.epoch !== view.epoch || view.seq >= answer.seq) return [];
  return [`${named(gone)} is gone at ${view.seq}, and its answer was at ${answer.seq}`];
}

/** I9: a fact that holds a message ends its send, also when the message was taken from the queue at once. */
export function factsEndSends(facts: readonly Fact[], view: SessionContext, entries: Entries): Violations {
  return facts.flatMap((fact) => {
    if (fact.epoch !== view.epoch || fact.seq > view.seq) return [];
    const message = messageOf(fact);
    const left = entries.find((e) => e.id === message && isSend(e, fact.session) && e.state !== 'refused');
    return left ? [`${named(left)} is ${left.state}, and ${fact.seq} ${fact.type} holds it`] : [];
  });
}

function messageOf(fact: Fact): string | undefined {
  if (fact.type === 'job.attached') return fact.request.message.id;
  if (!('message' in fact) || fact.message === undefined) return undefined;
  return typeof fact.message === 'string' ? fact.message : fact.message.id;
}
