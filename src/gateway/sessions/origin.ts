import type { SessionContext } from '../../../machines/session.ts';
import type { OpenOptions } from '../../agents/agent.ts';
import type { Turn } from '../../wire/turn.ts';
import type { Log } from '../log/log.ts';
import { snapshotTurns } from './project.ts';

export type Given = Pick<
  OpenOptions,
  'cwd' | 'model' | 'mode' | 'options' | 'mcpServers' | 'resume' | 'fork' | 'history'
>;

/** What an agent is opened with, as its session stands now. */
export async function openedWith(log: Log, context: SessionContext): Promise<Given> {
  const { cwd, model, mode, options, mcpServers, agentSession, turns } = context;
  const origin = await originOf(log, context);
  return {
    cwd,
    history: [...origin.history, ...turns],
    ...(model !== undefined && { model }),
    ...(mode !== undefined && { mode }),
    ...(options && { options: Object.fromEntries(options.map(({ id, value }) => [id, value])) }),
    ...(mcpServers !== undefined && { mcpServers }),
    ...(agentSession !== undefined && { resume: agentSession }),
    ...(agentSession === undefined && origin.fork !== undefined && { fork: origin.fork }),
  };
}

/** What a job knows of the conversation that it comes from: what had ended there when it was asked for. */
async function originOf(
  log: Log,
  { id, kind, parent }: SessionContext,
): Promise<{ readonly history: readonly Turn[]; readonly fork?: string }> {
  if (kind !== 'job' || parent === undefined) return { history: [] };
  const row = await log.session(parent);
  const attached = row?.head.jobs.find(({ job }) => job === id);
  // One that the agent began itself runs already, and knows.
  if (!row || !attached || attached.request.handle !== undefined) return { history: [] };
  const { turns } = await log.turns(parent, undefined, snapshotTurns);
  const before = turns.filter((turn) => turn.seq < attached.seq);
  const { agentSession } = row.head;
  return {
    history: before.map((turn) => renamed(parent, turn)),
    ...(agentSession !== undefined && before.length > 0 && { fork: agentSession }),
  };
}

/** Turns are named by their place in their log: those of another log must not be taken for the job's own. */
function renamed(session: string, { id, retryOf, ...turn }: Turn): Turn {
  const name = (of: string) => `${session}/${of}`;
  return { ...turn, id: name(id), ...(retryOf !== undefined && { retryOf: name(retryOf) }) };
}
