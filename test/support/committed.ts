import { judge, type SessionMachineSnapshot, unopened } from '../../machines/law.ts';
import type { Log } from '../../src/gateway/log/log.ts';
import { project, projectSession } from '../../src/gateway/sessions/project.ts';
import type { Draft } from '../../src/wire/facts.ts';

/** Writes a session's log as a gateway would have, up to the moment at which it was cut off. */
export async function commit(
  log: Log,
  session: string,
  kind: 'conversation' | 'job',
  drafts: readonly Draft[],
): Promise<void> {
  let before: SessionMachineSnapshot = unopened(session, kind);
  const verdict = judge(before, drafts, 1);
  if (!verdict.lawful) throw new Error(`${verdict.refused.type} at ${verdict.index} is not lawful`);
  const whole = (await log.append(session, 0, drafts, (facts) => {
    const { ends, messages, openTurn, ...rest } = projectSession(session, facts);
    return { ...project(before, verdict.next, facts, undefined), ...rest, ...(openTurn && { openTurn }) };
  })) as readonly unknown[];
  before = verdict.next;
  if (whole.length !== drafts.length) throw new Error('not all was written');
}

export const opened: Draft = {
  type: 'session.opened',
  kind: 'conversation',
  agent: 'builtin',
  cwd: process.cwd(),
};

export function text(id: string, words: string) {
  return { id, content: [{ type: 'text' as const, text: words }] };
}
