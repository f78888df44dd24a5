import { formatCursor } from '../../wire/cursor.ts';
import type { Turn } from '../../wire/turn.ts';
import { isUnsettled, searchable, withCursor } from './envelope.ts';
import type { MessageRow, Projection, SessionHead, SessionQuery, SessionRow } from './log.ts';
import type { Prepare } from './statements.ts';

/** The projections of one session as they follow from all its facts. */
export interface ProjectedSession {
  readonly head: SessionHead;
  readonly openTurn?: { readonly id: string; readonly firstSeq: number } | null;
  readonly settled: readonly Turn[];
  /** With their answers complete; those that are kept already stay as they were answered. */
  readonly messages: readonly MessageRow[];
  /** The seqs of the facts that count as unread ends. */
  readonly ends: readonly number[];
}

/** What an append that was compared and written comes to. */
export interface Written {
  readonly session: string;
  readonly epoch: string;
  readonly seq: number;
  readonly at: number;
  /** When something last happened in it; undefined when these facts only say something of it. */
  readonly activeAt: number | undefined;
  readonly isNew: boolean;
}

/** Writes the projection of one append. Inside its transaction. */
export function writeProjection(prepare: Prepare, written: Written, projection: Projection): void {
  const { session, epoch, seq, at, isNew } = written;
  const { head, openTurn } = projection;
  if (isNew) {
    if (!head) throw new TypeError(`the first append of session ${session} needs a head`);
    prepare(
      `INSERT INTO sessions (id, epoch, seq, created_at, updated_at, kind, parent, state, title, unsettled)
       VALUES (?, ?, ?, ?, ?, ?, ?, '', '', 0)`,
    ).run(session, epoch, seq, at, at, head.kind, head.parent ?? null);
  } else {
    const { activeAt = null } = written;
    prepare('UPDATE sessions SET seq = ?, updated_at = coalesce(?, updated_at) WHERE id = ?').run(
      seq,
      activeAt,
      session,
    );
  }
  if (openTurn !== undefined) writeOpenTurn(prepare, session, openTurn);
  if (head) writeHead(prepare, session, head);
  else if (openTurn !== undefined) writeUnsettled(prepare, session, readHead(prepare, session));
  writeTurns(prepare, session, projection.settled);
  const cursor = formatCursor({ epoch, seq });
  writeMessages(
    prepare,
    session,
    projection.messages.map((row) => withCursor(row, cursor)),
  );
  if (projection.unread > 0) {
    prepare('INSERT INTO unseen (session, seq, ends) VALUES (?, ?, ?)').run(session, seq, projection.unread);
    prepare('UPDATE sessions SET unread = unread + ? WHERE id = ?').run(projection.unread, session);
  }
}

/** Puts the projections in place of those that are there; what the user has seen stays seen. */
export function replaceProjection(prepare: Prepare, session: string, projected: ProjectedSession): void {
  for (const table of ['heads', 'turns', 'unseen']) {
    prepare(`DELETE FROM ${table} WHERE session = ?`).run(session);
  }
  const { head } = projected;
  prepare('UPDATE sessions SET kind = ?, parent = ? WHERE id = ?').run(
    head.kind,
    head.parent ?? null,
    session,
  );
  writeOpenTurn(prepare, session, projected.openTurn ?? null);
  writeHead(prepare, session, head);
  writeTurns(prepare, session, projected.settled);
  const kept = prepare('SELECT 1 FROM messages WHERE session = ? AND id = ?');
  const missing = projected.messages.filter((row) => kept.get(session, row.id) === undefined);
  writeMessages(prepare, session, missing);
  const add = prepare(
    `INSERT INTO unseen (session, seq, ends) SELECT id, ?1, 1 FROM sessions WHERE id = ?2 AND seen < ?1
     ON CONFLICT DO UPDATE SET ends = ends + 1`,
  );
  for (const seq of projected.ends) add.run(seq, session);
  countUnread(prepare, session);
}

export function markSeen(prepare: Prepare, session: string, seq: number): void {
  prepare('UPDATE sessions SET seen = max(seen, min(?, seq)) WHERE id = ?').run(seq, session);
  prepare('DELETE FROM unseen WHERE session = ?1 AND seq <= (SELECT seen FROM sessions WHERE id = ?1)').run(
    session,
  );
  countUnread(prepare, session);
}

export function removeSession(prepare: Prepare, session: string): void {
  prepare('DELETE FROM sessions WHERE id = ?').run(session);
  for (const table of ['heads', 'facts', 'turns', 'messages', 'unseen']) {
    prepare(`DELETE FROM ${table} WHERE session = ?`).run(session);
  }
}

const rowColumns = `id, epoch, seq, created_at, updated_at, unread, open_turn, open_turn_seq,
  (SELECT head FROM heads WHERE session = id) AS head`;

export function readSession(prepare: Prepare, session: string): SessionRow | undefined {
  const row = prepare(`SELECT ${rowColumns} FROM sessions WHERE id = ?`).get(session);
  return row && toRow(row);
}

export function listSessions(prepare: Prepare, query: SessionQuery): readonly SessionRow[] {
  const where: string[] = [];
  const values: (string | number)[] = [];
  if (query.before !== undefined) {
    where.push('(updated_at, id) < (SELECT updated_at, id FROM sessions WHERE id = ?)');
    values.push(query.before);
  }
  if (query.unsettled) where.push('unsettled = 1');
  if (query.kind) {
    where.push('kind = ?');
    values.push(query.kind);
  }
  if (query.holding) {
    where.push(`id IN (SELECT session FROM heads WHERE json_extract(head, '$.agent') = ?
      AND json_extract(head, '$.agentSession') IN (SELECT value FROM json_each(?)))`);
    values.push(query.holding.agent, JSON.stringify(query.holding.agentSessions));
  }
  if (query.q) {
    where.push('instr(title, ?) > 0');
    values.push(searchable(query.q));
  }
  return prepare(
    `SELECT ${rowColumns} FROM sessions ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
     ORDER BY updated_at DESC, id DESC LIMIT ?`,
  )
    .all(...values, query.limit)
    .map(toRow);
}

function toRow(row: Record<string, unknown>): SessionRow {
  const epoch = row.epoch as string;
  const seq = row.seq as number;
  return {
    head: {
      ...(JSON.parse(row.head as string) as SessionHead),
      createdAt: row.created_at as number,
      updatedAt: row.updated_at as number,
      cursor: formatCursor({ epoch, seq }),
    },
    epoch,
    seq,
    ...(row.open_turn !== null && {
      openTurn: { id: row.open_turn as string, firstSeq: row.open_turn_seq as number },
    }),
    unread: row.unread as number,
  };
}

function writeOpenTurn(prepare: Prepare, session: string, turn: SessionRow['openTurn'] | null): void {
  prepare('UPDATE sessions SET open_turn = ?, open_turn_seq = ? WHERE id = ?').run(
    turn?.id ?? null,
    turn?.firstSeq ?? null,
    session,
  );
}

function writeHead(prepare: Prepare, session: string, head: SessionHead): void {
  if (head.id !== session)
    throw new TypeError(`the head of session ${head.id} was given for session ${session}`);
  prepare(
    'INSERT INTO heads (session, head) VALUES (?, ?) ON CONFLICT DO UPDATE SET head = excluded.head',
  ).run(session, JSON.stringify(head));
  prepare('UPDATE sessions SET state = ?, title = ? WHERE id = ?').run(
    head.state,
    searchable(head.title),
    session,
  );
  writeUnsettled(prepare, session, head);
}

function writeUnsettled(prepare: Prepare, session: string, head: SessionHead): void {
  const open =
    prepare('SELECT open_turn IS NOT NULL AS open FROM sessions WHERE id = ?').get(session)?.open === 1;
  prepare('UPDATE sessions SET unsettled = ? WHERE id = ?').run(open || isUnsettled(head) ? 1 : 0, session);
}

function readHead(prepare: Prepare, session: string): SessionHead {
  return JSON.parse(prepare('SELECT head FROM heads WHERE session = ?').get(session)?.head as string);
}

function writeTurns(prepare: Prepare, session: string, turns: readonly Turn[]): void {
  const put = prepare(
    `INSERT INTO turns (session, id, first_seq, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (session, id) DO UPDATE SET first_seq = excluded.first_seq, body = excluded.body`,
  );
  for (const turn of turns) put.run(session, turn.id, turn.firstSeq, JSON.stringify(turn));
}

function writeMessages(prepare: Prepare, session: string, rows: readonly MessageRow[]): void {
  const put = prepare(
    `INSERT INTO messages (session, id, digest, answer) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET digest = excluded.digest, answer = excluded.answer`,
  );
  for (const row of rows) put.run(session, row.id, row.digest, JSON.stringify(row.answer));
}

function countUnread(prepare: Prepare, session: string): void {
  prepare(
    'UPDATE sessions SET unread = (SELECT coalesce(sum(ends), 0) FROM unseen WHERE session = ?1) WHERE id = ?1',
  ).run(session);
}
