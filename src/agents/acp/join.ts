import type { AgentCapabilities } from '@agentclientprotocol/sdk';
import { AgentError, type OpenOptions } from '../agent.ts';
import { earlierTurns, partOf } from '../earlier.ts';
import { codeOf, loginNeeded, nameOf, saidBy } from './failures.ts';
import { type McpServer, serversFor } from './mcp.ts';
import type { AcpAgent } from './options.ts';
import type { Peer } from './peer.ts';
import type { Offered } from './pickers.ts';
import type { AcpSession } from './session.ts';

export interface Joining {
  readonly agent: AcpAgent;
  readonly session: AcpSession;
  readonly peer: Peer;
  /** Of the settings. */
  readonly mcpServers: readonly McpServer[];
}

/** A way to go on with what was said before, and the session of the agent's that it goes on from. */
interface Way {
  readonly method: 'session/resume' | 'session/load' | 'session/fork';
  readonly from: string;
}

/** Continues the agent's own session if it can, or forks its parent's; else begins one. */
export async function join({ agent, session, peer, mcpServers }: Joining, open: OpenOptions): Promise<void> {
  const { cwd, resume, history } = open;
  const name = nameOf(agent);
  const { usable, lost, gone } = serversFor(mcpServers, peer.can, open.mcpServers);
  if (lost.length > 0) session.note(`${name} cannot use the MCP servers ${lost.join(', ')}.`);
  if (gone.length > 0) {
    session.note(
      `The settings have no MCP servers ${gone.join(', ')} any more: the session goes on without.`,
    );
  }
  let why = resume === undefined ? '' : ' (it cannot continue an earlier session)';
  for (const { method, from } of waysOf(peer.can, open)) {
    try {
      const request = () =>
        peer.ask<Offered & { sessionId?: string }>(method, { sessionId: from, cwd, mcpServers: usable });
      const offered = await session.replaying(request);
      if (method !== 'session/fork') return session.opened(from, offered);
      if (typeof offered.sessionId !== 'string') throw new Error('it named no session');
      return session.opened(offered.sessionId, offered);
    } catch (error) {
      if (error instanceof AgentError || codeOf(error) === loginNeeded) throw error;
      const what =
        method === 'session/fork' ? 'fork the session it comes from' : 'continue its earlier session';
      why = ` (it could not ${what}: ${saidBy(error)})`;
    }
  }
  const opened = await peer.ask<Offered & { sessionId: string }>('session/new', { cwd, mcpServers: usable });
  session.opened(opened.sessionId, opened);
  const earlier = earlierTurns(history);
  if (!earlier) return;
  session.tellEarlier(
    earlier.text,
    `${name} does not remember this conversation${why}: it was given ${partOf(earlier)} as text.`,
  );
}

function waysOf(can: AgentCapabilities, { resume, fork }: OpenOptions): readonly Way[] {
  const ways: Way[] = [];
  if (resume !== undefined && can.sessionCapabilities?.resume)
    ways.push({ method: 'session/resume', from: resume });
  if (resume !== undefined && can.loadSession) ways.push({ method: 'session/load', from: resume });
  // Not in the stable protocol yet; it is asked for only where it is advertised.
  if (fork !== undefined && can.sessionCapabilities && 'fork' in can.sessionCapabilities) {
    if (can.sessionCapabilities.fork) ways.push({ method: 'session/fork', from: fork });
  }
  return ways;
}
