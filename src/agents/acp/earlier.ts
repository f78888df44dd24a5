import type { ListSessionsResponse } from '@agentclientprotocol/sdk';
import type { EarlierSession } from '../../wire/snapshot.ts';
import {
  AgentError,
  type Recalled,
  type RecallQuery,
  type SessionsPage,
  type SessionsQuery,
} from '../agent.ts';
import { nameOf } from './failures.ts';
import type { AcpAgent } from './options.ts';
import type { Peer } from './peer.ts';
import type { Recall } from './recall.ts';

/** `session/list`: the agent's own earlier sessions. */
export async function listSessions(agent: AcpAgent, peer: Peer, query: SessionsQuery): Promise<SessionsPage> {
  if (!peer.can.sessionCapabilities?.list) {
    const text = `${nameOf(agent)} does not list its earlier sessions. Start a new conversation.`;
    throw new AgentError('agent.no_list', text);
  }
  const { cwd, only, cursor } = query;
  const params = { ...(only && { cwd }), ...(cursor !== undefined && { cursor }) };
  const page = await peer
    .ask<Partial<ListSessionsResponse>>('session/list', params)
    .catch((error: unknown) => {
      throw peer.failure('list its earlier sessions', error);
    });
  const sessions = (Array.isArray(page?.sessions) ? page.sessions : []).flatMap(lineOf);
  const newestFirst = sessions.sort((a, b) => (b.updatedAt ?? 0) - (a.updatedAt ?? 0));
  return { sessions: newestFirst, ...(page?.nextCursor && { next: page.nextCursor }) };
}

function lineOf(info: Partial<ListSessionsResponse['sessions'][number]> | null): EarlierSession[] {
  const { sessionId, cwd, title, updatedAt } = info ?? {};
  if (typeof sessionId !== 'string' || sessionId === '' || typeof cwd !== 'string') return [];
  const at = typeof updatedAt === 'string' ? Date.parse(updatedAt) : Number.NaN;
  return [
    {
      id: sessionId,
      cwd,
      ...(typeof title === 'string' && title.trim() !== '' && { title: title.trim().slice(0, 200) }),
      ...(!Number.isNaN(at) && { updatedAt: at }),
    },
  ];
}

/** What an earlier session held, by `session/load`; with `session/resume` alone it can be continued, and tells nothing. */
export async function recallSession(
  agent: AcpAgent,
  peer: Peer,
  recall: Recall,
  { agentSession: sessionId, cwd }: RecallQuery,
): Promise<Recalled> {
  const name = nameOf(agent);
  const params = { sessionId, cwd, mcpServers: [] };
  const failed = (error: unknown) => {
    throw peer.failure('open this earlier session', error);
  };
  if (peer.can.loadSession) {
    await peer.ask('session/load', params).catch(failed);
    return recall.told();
  }
  if (!peer.can.sessionCapabilities?.resume) {
    const text = `${name} cannot continue an earlier session. Start a new conversation.`;
    throw new AgentError('agent.cannot_continue', text);
  }
  // It is opened once, so that a wrong name is found now.
  await peer.ask('session/resume', params).catch(failed);
  const lacks = `${name} goes on with its earlier session, but does not tell what was said in it: it is not shown here.`;
  return { turns: [], lacks };
}
