import { checkDraft, type Draft, type Fact } from '../../wire/facts.ts';
import type { MessageRow, SessionHead } from './log.ts';

/** A draft that was found sound, as the text that the log keeps. */
export interface Sealed {
  readonly type: string;
  /** JSON of the draft without its type. */
  readonly body: string;
}

/** Where an append stands: its facts take the seqs after `seq`. */
export interface Place {
  readonly session: string;
  readonly epoch: string;
  readonly seq: number;
  readonly at: number;
}

const reserved = ['v', 'session', 'epoch', 'seq', 'at'];

/** Throws when a draft is unsound, carries an envelope of its own, or has no session to go to. */
export function seal(session: string, drafts: readonly Draft[]): readonly Sealed[] {
  if (session === '' || session.length > 200) throw new TypeError('a fact needs a session');
  if (drafts.length === 0) throw new TypeError('an append needs at least one fact');
  return drafts.map((draft) => {
    checkDraft(draft);
    const own = reserved.find((key) => key in draft);
    if (own !== undefined)
      throw new TypeError(`a draft of ${draft.type} carries '${own}', which the log gives`);
    const { type, ...body } = draft;
    return { type, body: JSON.stringify(body) };
  });
}

/** The fact as every reader will see it: parsed from the text that is kept, so that live and replay are the same. */
export function unseal(sealed: Sealed, place: Place): Fact {
  const { session, epoch, seq, at } = place;
  return { v: 1, session, epoch, seq, at, type: sealed.type, ...JSON.parse(sealed.body) } as Fact;
}

export function unsealAll(sealed: readonly Sealed[], place: Place): readonly Fact[] {
  return sealed.map((one, index) => unseal(one, { ...place, seq: place.seq + 1 + index }));
}

/** Letters and digits; new for each log that a session gets. */
export function newEpoch(): string {
  const [random = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return random.toString(36).padStart(13, '0');
}

export function withCursor(row: MessageRow, cursor: string): MessageRow {
  return { ...row, answer: { ...row.answer, cursor } };
}

const atRest = new Set<SessionHead['state']>(['idle', 'finalized', 'cancelled', 'failed', 'closed']);

/** The start-up sweep has to look at it, even without an open turn: something runs, may start by itself, or was half done. */
export function isUnsettled(head: SessionHead): boolean {
  if (!atRest.has(head.state)) return true;
  const { held, messages, retry } = head.queue;
  if (head.state !== 'closed' && (retry !== undefined || (!held && messages.length > 0))) return true;
  return head.jobs.some((job) => job.outcome === undefined);
}

/** Facts that only say something of the session: they make no conversation the newest. */
const aside = new Set<string>(['session.changed', 'usage.updated']);

/** When something last happened in a session, of these facts: not when it was given another name. */
export function activeAt(
  facts: readonly { readonly type: string; readonly at: number }[],
): number | undefined {
  return facts.findLast(({ type }) => !aside.has(type))?.at;
}

/** What titles and searches are compared by. */
export function searchable(text: string | undefined): string {
  return (text ?? '').normalize('NFKC').toLowerCase();
}
