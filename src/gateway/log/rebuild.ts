import type { Fact, UnknownFact } from '../../wire/facts.ts';
import type { ProjectedSession } from './rows.ts';
import type { SqliteLog } from './sqlite.log.ts';

/** All facts of a session, in order, to its projections. */
export type ProjectSession = (
  session: string,
  facts: readonly (Fact | UnknownFact)[],
) => ProjectedSession | Promise<ProjectedSession>;

/**
 * Computes the projections of every session anew from its facts. Each session is replaced in one transaction and the fold
 * version is written last, so that a rebuild that was cut short is made again. Returns how many sessions it replaced.
 */
export async function rebuild(log: SqliteLog, project: ProjectSession): Promise<number> {
  const sessions = await log.sessionIds();
  for (const session of sessions) {
    const facts = await readAll(log, session);
    await log.replaceProjection(session, facts.at(-1)?.seq ?? 0, await project(session, facts));
  }
  await log.markRebuilt();
  return sessions.length;
}

async function readAll(log: SqliteLog, session: string): Promise<readonly (Fact | UnknownFact)[]> {
  const all: (Fact | UnknownFact)[] = [];
  for (;;) {
    const page = await log.read(session, all.at(-1)?.seq ?? 0);
    if (page.length === 0) return all;
    all.push(...page);
  }
}
