import type { Connector } from '../agent.ts';
import { createCatalog } from './catalog.ts';
import { realClock } from './clock.ts';
import { createModel } from './model.ts';
import type { ModelOptions, ModelServer } from './options.ts';

/** The model servers that people run on their own machine, by the port where each is when nobody changed it. */
const usual = [
  { id: 'ollama', name: 'Ollama', port: 11_434 },
  { id: 'lmstudio', name: 'LM Studio', port: 1234 },
  { id: 'llamacpp', name: 'llama.cpp', port: 8080 },
  { id: 'vllm', name: 'vLLM', port: 8000 },
] as const;

export const discoverable = usual.map(({ id }) => id);

/** Other ports, by the server's id; false: that one is not looked for. */
export type Discovery = Readonly<Partial<Record<(typeof usual)[number]['id'], number | false>>>;

/** A server on this machine answers at once, or not at all. */
const timeoutMs = 400;

/**
 * A connector for each usual server on loopback that the settings do not name already. It is looked for only when the
 * agents are listed, and is not listed while nothing answers there like a model server.
 */
export function discoverModels(
  discovery: Discovery,
  servers: readonly ModelServer[],
  options: Omit<ModelOptions, 'server'> = {},
): Connector[] {
  const taken = new Set(servers.map(({ baseUrl }) => addressOf(baseUrl)));
  return usual.flatMap(({ id, name, port: usualPort }) => {
    const port = discovery[id] ?? usualPort;
    const baseUrl = `http://127.0.0.1:${port}/v1`;
    if (port === false || taken.has(addressOf(baseUrl))) return [];
    return [discovered({ id, name, baseUrl }, options)];
  });
}

function discovered(
  server: ModelServer & { readonly name: string },
  options: Omit<ModelOptions, 'server'>,
): Connector {
  const connector = createModel({ ...options, server });
  const catalog = createCatalog(server, options.clock ?? realClock, options.fetch ?? fetch, timeoutMs);
  return {
    ...connector,
    description: `A model of ${server.name}, found at ${new URL(server.baseUrl).host}.`,
    async available() {
      const { models, problem } = await catalog.list();
      if (problem === undefined && models.length > 0)
        return { available: true, models: models.map(({ id, name }) => ({ id, name })) };
      const why = problem ?? 'it has no model yet';
      const reason = `${server.name} is not at ${server.baseUrl}: ${why}. Start it there, or name its place under "models" in the settings.`;
      // A server without a model is there all the same, and its owner wants to know what is missing.
      return { available: false, reason, ...(problem !== undefined && { unlisted: true }) };
    },
  };
}

/** Loopback has several names. */
function addressOf(baseUrl: string): string {
  const { protocol, hostname, port } = new URL(baseUrl);
  const local = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  const usualPort = protocol === 'https:' ? '443' : '80';
  return `${local ? 'loopback' : hostname}:${port || usualPort}`;
}
