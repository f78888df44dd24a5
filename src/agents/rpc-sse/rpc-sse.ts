import { AgentError, type Connector } from '../agent.ts';
import { tellingOrigin } from '../earlier.ts';
import { realClock } from '../model/clock.ts';
import { Hub } from './hub.ts';
import type { RpcOptions, RpcServer } from './options.ts';
import { profileOf } from './profile.ts';
import { createRpc } from './rpc.ts';
import { createSession } from './session.ts';

/**
 * The connector of a back end that takes a message by a remote call and tells of it by events: the call answers with
 * the whole reply, with a job, or with nothing but that it was heard; one event stream carries all sessions; jobs are
 * asked about by another call. All its names are in the settings (`Profile`).
 *
 * Ends in `error` with `rpc.unreachable`, `rpc.unauthorized`, `rpc.bad_answer`, `rpc.failed`, and the back end's own
 * codes as `rpc.CODE`. `open` rejects with `rpc.token_missing`.
 */
export function createRpcSse(options: RpcOptions): Connector {
  const { server, clock = realClock, fetch: fetcher = fetch } = options;
  const profile = profileOf(server.profile);
  const rpc = createRpc(server, fetcher);
  const hub = new Hub(server, profile, rpc, clock, fetcher);
  const missing = server.tokenEnv !== undefined && !server.token;
  const reason = `The environment variable ${server.tokenEnv} is empty: set it to the token of ${server.url}, and start again.`;
  return {
    id: server.id,
    name: server.name ?? server.id,
    description: server.description ?? `The agent at ${new URL(server.url).host}.`,
    async available() {
      if (missing) return { available: false, reason };
      const { unscoped } = hub.counts;
      if (unscoped === 0) return { available: true };
      const events = unscoped === 1 ? '1 event that names' : `${unscoped} events that name`;
      return { available: true, reason: `It has sent ${events} no session; refused.` };
    },
    async open(session) {
      if (missing) throw new AgentError('rpc.token_missing', reason);
      return tellingOrigin(
        server.name ?? server.id,
        session,
        createSession({ profile, rpc, hub, clock, jobs: server.jobs ?? 'background' }, session),
      );
    },
  };
}

export function createAllRpcSse(
  servers: readonly RpcServer[],
  options: Omit<RpcOptions, 'server'> = {},
): Connector[] {
  return servers.map((server) => createRpcSse({ ...options, server }));
}
