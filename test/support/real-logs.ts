import type { Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { SessionSnapshot, SessionSummary } from '../../src/wire/snapshot.ts';
import { type Violations, violations } from './invariants.ts';
import type { GatewayProcess } from './process-gateway.ts';

/** What a reader of a real gateway has seen of a session: a snapshot, and the facts after it. */
export interface Seen {
  readonly start: SessionSnapshot;
  readonly facts: readonly Fact[];
}

export const snapshotOf = (gateway: GatewayProcess, session: string) =>
  gateway.call<SessionSnapshot>('GET', `/api/sessions/${session}`);

/** All facts of a session up to its head, over the API. */
export async function factsOf(gateway: GatewayProcess, session: string): Promise<Fact[]> {
  const { cursor } = await snapshotOf(gateway, session);
  const facts: Fact[] = [];
  for (let at = `${cursor.split('.')[0]}.0`; at !== cursor && facts.length < seqOf(cursor); ) {
    const page = await gateway.call<{ facts: Fact[]; cursor: string }>(
      'GET',
      `/api/sessions/${session}/events?after=${at}&wait=2`,
    );
    facts.push(...page.facts);
    at = page.cursor;
  }
  return facts;
}

const seqOf = (cursor: string) => Number(cursor.split('.')[1]);

/** Resolves with the session once it fits: the API is asked again as a client would. */
export async function until(
  gateway: GatewayProcess,
  session: string,
  fits: (snapshot: SessionSnapshot) => boolean,
): Promise<SessionSnapshot> {
  for (;;) {
    const now = await snapshotOf(gateway, session);
    if (fits(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** All sessions that the gateway knows, jobs too. */
export async function sessionsOf(gateway: GatewayProcess): Promise<readonly SessionSummary[]> {
  const { jobs } = await gateway.call<{ jobs: SessionSummary[] }>('GET', '/api/jobs');
  const sessions: SessionSummary[] = [];
  for (let more = true; more; ) {
    const before = sessions.at(-1)?.id;
    const query = before === undefined ? 'limit=200' : `limit=200&before=${before}`;
    const page = await gateway.call<{ sessions: SessionSummary[] }>('GET', `/api/sessions?${query}`);
    sessions.push(...page.sessions);
    more = page.sessions.length === 200;
  }
  return [...sessions, ...jobs];
}

/** I6: fold(log) is what the gateway shows, and so is an earlier snapshot with the facts after it. */
function liveIsReplay(facts: readonly Fact[], now: SessionSnapshot, seen: Seen | undefined): Violations {
  const found: string[] = [];
  const shown = JSON.stringify(now.turns);
  const folded = foldAll(facts).slice(-now.turns.length || undefined);
  if (now.turns.length > 0 && JSON.stringify(sorted(folded)) !== JSON.stringify(sorted(now.turns)))
    found.push(`fold(log) is not the snapshot: ${JSON.stringify(folded)} and ${shown}`);
  if (seen) {
    const from = seqOf(seen.start.cursor);
    const tail = facts.filter((fact) => fact.seq > from);
    const replayed = foldAll(tail, seen.start.turns).slice(-now.turns.length || undefined);
    if (now.turns.length > 0 && JSON.stringify(sorted(replayed)) !== JSON.stringify(sorted(now.turns)))
      found.push('snapshot and tail are not the snapshot of now');
  }
  return found;
}

/** Object members in one order, so that two equal values are one text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

/** I7: what a reader was told is in the log, where it was. */
function keepsWhatWasSeen(facts: readonly Fact[], seen: readonly Fact[]): Violations {
  return seen.flatMap((fact) => {
    const kept = facts[fact.seq - 1];
    return JSON.stringify(sorted(kept)) === JSON.stringify(sorted(fact))
      ? []
      : [`${fact.session} ${fact.seq} ${fact.type} was seen, and the log has ${JSON.stringify(kept)}`];
  });
}

/** I8, I14: words that a script signs with the name of its session (`@name`) stand in that session alone. */
function ownWords(facts: readonly Fact[], name: string): Violations {
  return facts.flatMap((fact) => {
    if (fact.type !== 'text.added' && fact.type !== 'thought.added' && fact.type !== 'tool.updated')
      return [];
    const others = [...JSON.stringify(fact).matchAll(/@([a-z0-9-]+?)@/g)].filter(([, who]) => who !== name);
    return others.map(([, who]) => `${fact.seq}: a word of ${who} stands in ${name}`);
  });
}

/** Reads a session's log and says all that is wrong with it. */
export async function wrongWith(
  gateway: GatewayProcess,
  session: string,
  name: string,
  seen?: Seen,
): Promise<Violations> {
  for (;;) {
    const now = await snapshotOf(gateway, session);
    const facts = await factsOf(gateway, session);
    // It went on while it was read.
    if (facts.length !== seqOf(now.cursor)) continue;
    const running = now.turns.flatMap((turn) => (turn.outcome === undefined ? [turn.id] : []));
    return [
      ...violations(facts, running),
      ...liveIsReplay(facts, now, seen),
      ...keepsWhatWasSeen(facts, seen?.facts ?? []),
      ...ownWords(facts, name),
    ].map((what) => `${session}: ${what}`);
  }
}
