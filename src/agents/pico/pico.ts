import { AgentError, type Connector } from '../agent.ts';
import { tellingOrigin } from '../earlier.ts';
import { realClock } from '../model/clock.ts';
import type { PicoOptions, PicoServer, PicoWaits } from './options.ts';
import { createSession } from './session.ts';

const usual: PicoWaits = { quiet: 15_000, settle: 250, stop: 2_000 };

/**
 * The connector of picoclaw's WebSocket channel (the Pico protocol), built from the protocol as it reads.
 *
 * Ends in `error` with `pico.unreachable`, `pico.unauthorized`, `pico.unavailable`, `pico.refused`, `pico.full`,
 * `pico.disconnected`, `pico.failed` (an answer in the words that picoclaw has for a failure), `pico.CODE` for the
 * codes of its error frames. `open` rejects with `pico.token_missing`.
 */
export function createPico(options: PicoOptions): Connector {
  const { server, clock = realClock, fetch: fetcher = fetch } = options;
  const waits = { ...usual, ...options.waits };
  const missing = server.tokenEnv !== undefined && !server.token;
  const reason = `The environment variable ${server.tokenEnv} is empty: set it to the token of picoclaw's pico channel, and start again.`;
  return {
    id: server.id,
    name: server.name ?? 'picoclaw',
    description: `picoclaw at ${new URL(server.url).host}.`,
    async available() {
      return missing ? { available: false, reason } : { available: true };
    },
    async open(session) {
      if (missing) throw new AgentError('pico.token_missing', reason);
      return tellingOrigin(
        server.name ?? 'picoclaw',
        session,
        createSession({ server, clock, fetch: fetcher, waits }, session),
      );
    },
  };
}

export function createAllPico(
  servers: readonly PicoServer[],
  options: Omit<PicoOptions, 'server'> = {},
): Connector[] {
  return servers.map((server) => createPico({ ...options, server }));
}
