import type { ContentBlock, Message } from '../src/wire/content.ts';
import { parseCursor } from '../src/wire/cursor.ts';
import type { Fact } from '../src/wire/facts.ts';
import type { AnswerPermission } from '../src/wire/requests.ts';

/** What a user asks of a session. `id` is the message's own for a send; `at` orders them, in ms since 1970. */
export type Ask = { readonly id: string; readonly session: string; readonly at: number } & (
  | {
      readonly kind: 'send';
      readonly body: {
        readonly content: readonly ContentBlock[];
        readonly delivery: 'queue' | 'steer' | 'background';
      };
    }
  | { readonly kind: 'stop'; readonly body: StopTarget }
  | { readonly kind: 'answer'; readonly body: { readonly permission: string } & AnswerPermission }
);

/** A turn, the turn of a message that may not have started yet, or the session's job. */
export type StopTarget = { readonly turn: string } | { readonly message: string } | { readonly job: string };

/**
 * `waiting`: for its turn, for the gateway, or for another attempt (`nextAt`). `sent`: a request is out. `accepted`: the
 * gateway has it; it is shown until its fact is. `refused`: it goes back to the user, with a reason.
 */
export type Entry = Ask & {
  readonly state: 'waiting' | 'sent' | 'accepted' | 'refused';
  /** Requests that may have reached the gateway. */
  readonly attempts: number;
  readonly nextAt: number | null;
  /** Of the answer: who has read the log up to here has seen what came of it. */
  readonly cursor?: string;
  /** For a stop of a message: the turn that the message started. */
  readonly turn?: string;
  readonly code?: string;
  readonly reason?: string;
};

export type Entries = readonly Entry[];

/** What the gateway said when it did not say yes. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** The option that won, when a permission was answered before. */
  readonly answered?: unknown;
}

const isOpen = (entry: Entry) => entry.state === 'waiting' || entry.state === 'sent';

/** Takes a new wish. The same one again (a double click) changes nothing; a stop takes back what was never sent. */
export function ask(entries: Entries, wish: Ask): Entries {
  if (entries.some((entry) => entry.id === wish.id || (entry.state !== 'refused' && isSame(entry, wish)))) {
    return entries;
  }
  const entry: Entry = { ...wish, state: 'waiting', attempts: 0, nextAt: null };
  const rest = entries.filter((old) => !isSame(old, wish));
  if (wish.kind !== 'stop' || 'job' in wish.body) return [...rest, entry];
  const kept = rest.map((old) => (isTakenBack(old, wish.session) ? takenBack(old) : old));
  // Nothing of it ever left this page: there is nothing to stop.
  if (kept.some((old) => old.id === stopped(wish) && old.state === 'refused')) return kept;
  return [...kept, entry];
}

function isSame(a: Ask, b: Ask): boolean {
  return a.session === b.session && subjectOf(a) === subjectOf(b);
}

/** What a wish is about: each message is one of its own, a question is answered once, and a turn stopped once. */
function subjectOf({ id, body }: Ask): string {
  if ('permission' in body) return `answer ${body.permission}`;
  if ('turn' in body) return `turn ${body.turn}`;
  if ('message' in body) return `message ${body.message}`;
  return 'job' in body ? `job ${body.job}` : `send ${id}`;
}

/** The message whose turn is to be stopped. */
function stopped({ body }: Ask): string | undefined {
  return 'message' in body ? body.message : undefined;
}

/** I4: after a stop nothing starts by itself, so what was asked before it and never left goes back to the user. */
function isTakenBack(entry: Entry, session: string): boolean {
  return (
    entry.kind === 'send' &&
    entry.session === session &&
    entry.attempts === 0 &&
    entry.body.delivery !== 'background'
  );
}

function takenBack(entry: Entry): Entry {
  return { ...entry, state: 'refused', code: 'outbox.stopped', reason: 'You stopped before it was sent.' };
}

/** Marks as sent all that may go now. */
export function deliver(entries: Entries): Entries {
  const ready = entries.filter((entry) => mayGo(entries, entry));
  if (ready.length === 0) return entries;
  return entries.map((entry) =>
    ready.includes(entry) ? { ...entry, state: 'sent', attempts: entry.attempts + 1 } : entry,
  );
}

function mayGo(entries: Entries, entry: Entry): boolean {
  if (entry.state !== 'waiting' || entry.nextAt !== null) return false;
  // Sends keep their order: one at a time in each session.
  if (entry.kind === 'send') {
    return entries.find((e) => e.kind === 'send' && e.session === entry.session && isOpen(e)) === entry;
  }
  // C42: a stop of a message whose send is not answered waits for the answer; any other overtakes all sends.
  return !entries.some((e) => e.id === stopped(entry) && isOpen(e));
}

/** The gateway said yes: not sent again, and shown until its fact is seen. */
export function accepted(entries: Entries, id: string, cursor: string | undefined): Entries {
  return entries.map((entry) =>
    entry.id === id
      ? { ...entry, state: 'accepted', nextAt: null, ...(cursor !== undefined && { cursor }) }
      : entry,
  );
}

/** The gateway said no, or was not heard: undefined. `nextAt`: when it would be asked again, after so many attempts. */
export function failed(
  entries: Entries,
  id: string,
  problem: Problem | undefined,
  nextAt: (attempts: number) => number,
): Entries {
  const entry = entries.find((e) => e.id === id);
  if (!entry) return entries;
  if (!problem || mayPass(problem)) {
    return replace(entries, { ...entry, state: 'waiting', nextAt: nextAt(entry.attempts) });
  }
  if (isDone(entry, problem)) return entries.filter((e) => e.id !== id);
  const { code, detail: reason } = problem;
  const after = replace(entries, { ...entry, state: 'refused', nextAt: null, code, reason });
  // What was refused has no turn that could be stopped.
  return after.filter((e) => stopped(e) !== id);
}

/** Not now: the same request later may well be taken. */
function mayPass({ status }: Problem): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** A refusal which says that what was asked is so already: an earlier attempt arrived, its answer did not. */
function isDone(entry: Entry, { code, answered }: Problem): boolean {
  if (entry.kind === 'stop') return code === 'turn.over' && entry.attempts > 1;
  return entry.kind === 'answer' && answered === entry.body.option;
}

function replace(entries: Entries, changed: Entry): Entries {
  return entries.map((entry) => (entry.id === changed.id ? changed : entry));
}

/** A committed fact: what it proves is done. */
export function heard(entries: Entries, fact: Fact): Entries {
  const after = entries.flatMap((entry) => {
    if (entry.session !== fact.session) return [entry];
    if (proves(fact, entry)) return [];
    const learns =
      fact.type === 'turn.started' && fact.message !== undefined && stopped(entry) === fact.message.id;
    return [learns ? { ...entry, turn: fact.turn } : entry];
  });
  const same = after.length === entries.length && after.every((entry, index) => entry === entries[index]);
  return same ? entries : after;
}

function proves(fact: Fact, entry: Entry): boolean {
  switch (entry.kind) {
    case 'send':
      return messageOf(fact) === entry.id;
    case 'stop': {
      if (fact.type !== 'turn.stopping' && fact.type !== 'turn.ended') return false;
      const { body } = entry;
      return 'job' in body || fact.turn === ('turn' in body ? body.turn : entry.turn);
    }
    case 'answer':
      return (
        (fact.type === 'permission.answered' || fact.type === 'permission.withdrawn') &&
        fact.permission === entry.body.permission
      );
  }
}

/** The message that a fact has, by its name. */
function messageOf(fact: Fact): string | undefined {
  if (fact.type === 'queue.removed') return fact.message;
  if (fact.type === 'job.attached') return fact.request.message.id;
  const { message } = fact as { readonly message?: Message };
  return message?.id;
}

/**
 * The page has read the session's log up to `cursor`, and `messages` are in it. Without a cursor nobody reads that
 * session here, so there is no fact to wait for.
 */
export function seen(
  entries: Entries,
  session: string,
  cursor: string | undefined,
  messages: readonly string[],
): Entries {
  const at = parseCursor(cursor ?? '');
  const after = entries.filter((entry) => {
    if (entry.session !== session) return true;
    if (entry.kind === 'send' && messages.includes(entry.id)) return false;
    if (entry.state !== 'accepted') return true;
    const answer = parseCursor(entry.cursor ?? '');
    return at !== undefined && answer !== undefined && at.epoch === answer.epoch && answer.seq > at.seq;
  });
  return after.length === entries.length ? entries : after;
}

/** What was kept over a reload. Nobody knows how far it got, so it counts as sent once. */
export function restored(entries: Entries, kept: Entries): Entries {
  const fresh = kept
    .filter((entry) => !entries.some((e) => e.id === entry.id) && entry.state !== 'accepted')
    .map(
      (entry): Entry =>
        entry.state === 'refused'
          ? entry
          : { ...entry, state: 'waiting', nextAt: null, attempts: Math.max(1, entry.attempts) },
    );
  return fresh.length === 0 ? entries : [...entries, ...fresh].sort((a, b) => a.at - b.at);
}
