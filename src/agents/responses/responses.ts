import { AgentError, type Connector } from '../agent.ts';
import { realClock } from '../model/clock.ts';
import type { ResponsesOptions, ResponsesServer } from './options.ts';
import { createSession } from './session.ts';

/**
 * The connector of one server of the OpenAI Responses API. Each turn is a background response: it goes on when the
 * connection, the page or the gateway is gone, is joined again where its stream was left, asked where it cannot
 * stream, and cancelled at the server by a stop.
 *
 * Ends in `error` with the codes of the model connector, and `responses.*`: the server's own codes, `ended_early`,
 * `unsupported_content`, `cancel`. `open` rejects with `model.key_missing`.
 */
export function createResponses(options: ResponsesOptions): Connector {
  const { server, settingsFile, clock = realClock, fetch: fetcher = fetch } = options;
  const missing = server.apiKeyEnv !== undefined && !server.apiKey;
  const keyMissing = `The environment variable ${server.apiKeyEnv} is empty: set it to the key of ${server.baseUrl}, and start again.`;
  return {
    id: server.id,
    name: server.name ?? server.id,
    description: `Background responses of ${new URL(server.baseUrl).host}: they go on when Sluice does not.`,
    async available() {
      if (missing) return { available: false, reason: keyMissing };
      return { available: true, models: [{ id: server.model, name: server.model }] };
    },
    async open(session) {
      if (missing) throw new AgentError('model.key_missing', keyMissing);
      return createSession({ server, settingsFile, clock, fetch: fetcher }, session);
    },
  };
}

export function createAllResponses(
  servers: readonly ResponsesServer[],
  options: Omit<ResponsesOptions, 'server'> = {},
): Connector[] {
  return servers.map((server) => createResponses({ ...options, server }));
}
