import { isKnown } from '../../../machines/session.ts';
import type { Fact } from '../../wire/facts.ts';
import { foldAll } from '../../wire/fold.ts';
import type { SessionSnapshot } from '../../wire/snapshot.ts';
import type { Turn } from '../../wire/turn.ts';
import type { Log, SessionRow } from '../log/log.ts';
import { snapshotTurns } from './project.ts';

/** A session's snapshot from the log: its row, its newest turns, and the open turn folded from its facts. */
export async function readSnapshot(log: Log, session: string): Promise<SessionSnapshot | undefined> {
  const row = await log.session(session);
  if (!row) return undefined;
  const { turns: newest, older } = await log.turns(session, undefined, snapshotTurns);
  // Written meanwhile by the runner: what ended after the row was read is still open in it.
  const turns = newest.filter((turn) => turn.seq <= row.seq);
  const open = row.openTurn ? await readTurn(log, row) : undefined;
  // Deleted meanwhile: half of it would be no session.
  if (!(await log.head(session))) return undefined;
  return {
    ...row.head,
    cursor: `${row.epoch}.${row.seq}`,
    turns: open ? [...turns.slice(1 - snapshotTurns), open] : turns,
    older: older || (open !== undefined && turns.length >= snapshotTurns),
  };
}

async function readTurn(log: Log, row: SessionRow): Promise<Turn | undefined> {
  const { id, firstSeq } = row.openTurn ?? { id: '', firstSeq: 1 };
  let turns: readonly Turn[] = [];
  for (let after = firstSeq - 1; after < row.seq; ) {
    const page = await log.read(row.head.id, after);
    if (page.length === 0) break;
    const facts = page.filter((fact): fact is Fact => isKnown(fact) && fact.seq <= row.seq);
    turns = foldAll(
      facts.filter((fact) => 'turn' in fact && fact.turn === id),
      turns,
    );
    after = page.at(-1)?.seq ?? row.seq;
  }
  return turns[0];
}
