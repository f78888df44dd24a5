import { parseCursor } from '../src/wire/cursor.ts';
import type { SessionSummary } from '../src/wire/snapshot.ts';

/** Summaries by the id of their session. */
export type Lines = Readonly<Record<string, SessionSummary>>;

/** What the gateway said: the newer of two lines stays, and a line that says the same stays the same object. */
export function merged(lines: Lines, changed: readonly SessionSummary[], removed: readonly string[]): Lines {
  const after: Record<string, SessionSummary> = { ...lines };
  for (const line of changed) {
    const known = after[line.id];
    if (!known || !(isOlder(line, known) || isEqual(line, known))) after[line.id] = line;
  }
  for (const id of removed) delete after[id];
  return after;
}

/**
 * The answer to a question that was asked a while ago. Lines that it does not name are gone, but for those that were
 * `touched` in the meantime; `removed` went in the meantime (C30).
 */
export function reloaded(
  lines: Lines,
  loaded: readonly SessionSummary[],
  touched: readonly string[],
  removed: readonly string[],
): Lines {
  const named = new Set([...loaded.map((line) => line.id), ...touched]);
  const kept = Object.fromEntries(Object.entries(lines).filter(([id]) => named.has(id)));
  const after: Record<string, SessionSummary> = { ...kept };
  for (const line of loaded) {
    const known = after[line.id];
    if (known && isEqual(line, known)) continue;
    // A line that came in the meantime was said later, unless its log had not come as far.
    if (known && touched.includes(line.id) && !isOlder(known, line)) continue;
    after[line.id] = line;
  }
  for (const id of removed) delete after[id];
  return after;
}

/** Where a line stands in the gateway's list: newest first, and of one instant the greater id first. */
export type Place = Pick<SessionSummary, 'id' | 'updatedAt'>;

export const endOfList: Place = { id: '', updatedAt: 0 };

function isBehind(a: Place, b: Place): boolean {
  return a.updatedAt < b.updatedAt || (a.updatedAt === b.updatedAt && a.id < b.id);
}

/** The last conversation of a page, where the next page begins. */
export function lastOf(page: readonly SessionSummary[], otherwise = endOfList): Place {
  return page.findLast(({ kind }) => kind === 'conversation') ?? otherwise;
}

/** The last conversation in the gateway's list that is not behind `until`; the end of the list when there is none. */
export function lastRead(lines: Lines, until: Place): Place {
  let last = endOfList;
  for (const line of Object.values(lines)) {
    if (line.kind !== 'conversation' || isBehind(line, until)) continue;
    if (last === endOfList || isBehind(line, last)) last = line;
  }
  return last;
}

function isOlder(line: SessionSummary, known: SessionSummary): boolean {
  const [a, b] = [parseCursor(line.cursor), parseCursor(known.cursor)];
  return a !== undefined && b !== undefined && a.epoch === b.epoch && a.seq < b.seq;
}

function isEqual(a: SessionSummary, b: SessionSummary): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof SessionSummary>;
  for (const key of keys) if (a[key] !== b[key]) return false;
  return true;
}
