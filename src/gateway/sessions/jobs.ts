import { judge, unopened } from '../../../machines/law.ts';
import { titleOf } from '../../../machines/session.ts';
import type { Draft, DraftOf, Fact, JobRequest } from '../../wire/facts.ts';
import type { Log } from '../log/log.ts';
import { project } from './project.ts';

/** The drafts that open a session's log, committed in one append. */
export async function openLog(
  log: Log,
  session: string,
  kind: 'conversation' | 'job',
  drafts: readonly Draft[],
  now: number,
): Promise<readonly Fact[]> {
  const before = unopened(session, kind);
  const verdict = judge(before, drafts, now);
  if (!verdict.lawful) throw new Error(`${verdict.refused.type} cannot open a session`);
  return log.append(session, 0, drafts, (facts) => project(before, verdict.next, facts, undefined));
}

/** The first facts of a job's log: the session, and its one turn, claimed; or accepted, when it runs already. */
export function jobDrafts(parent: string, request: JobRequest): readonly Draft[] {
  const { agent, cwd, model, mode, mcpServers, options, message, handle } = request;
  return [
    {
      type: 'session.opened',
      kind: 'job',
      agent,
      cwd,
      parent,
      title: request.title ?? titleOf(message, 'Job'),
      ...(model !== undefined && { model }),
      ...(mode !== undefined && { mode }),
      ...(mcpServers !== undefined && { mcpServers }),
    },
    { type: 'turn.started', turn: 't2', message, origin: 'user', revision: 1 },
    ...(handle === undefined ? [] : [{ type: 'turn.accepted', turn: 't2', handle } as const]),
    // Until its agent says what it offers, these are what it is to be set to.
    ...(options === undefined ? [] : [{ type: 'session.changed', options } as const]),
  ];
}

/** What the parent is told when a job's turn has ended. */
export function settlement(job: string, facts: readonly Fact[]): DraftOf<'job.settled'> | undefined {
  const end = facts.find((fact) => fact.type === 'turn.ended');
  if (!end) return undefined;
  const { outcome, stopReason, error } = end;
  return { type: 'job.settled', job, outcome, stopReason, ...(error && { error }) };
}
