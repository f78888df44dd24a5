import type { Choice } from '../../wire/content.ts';
import { AgentError, type Connector } from '../agent.ts';
import { type CatalogModel, createCatalog } from './catalog.ts';
import { realClock } from './clock.ts';
import type { ModelOptions, ModelServer } from './options.ts';
import { loadSdk } from './providers.ts';
import { createSession } from './session.ts';
import { createWindows } from './windows.ts';

/**
 * The connector of one model server: OpenAI-compatible (OpenAI, Ollama, llama.cpp, vLLM, LM Studio …), Anthropic or
 * Google.
 *
 * Text and thoughts are streamed; earlier turns are sent along as far as the model's window allows. While nothing of
 * an answer has come, requests that failed for a passing reason are repeated, each time announced by `retrying`
 * (`attempt` counts the retries from 1). Nothing is repeated once text has been sent.
 *
 * The model can list, read, search, edit and run in the session's directory, unless `tools` is false: see
 * `tools/toolbox.ts`. A model or server that takes no tools still talks; a notice `model.no_tools` says so once.
 *
 * Ends in `error` with the codes `model.unreachable`, `model.unknown_host`, `model.tls`, `model.timeout`,
 * `model.unauthorized`, `model.quota`, `model.usage_limit` (its message names the time from which a retry works),
 * `model.not_found`, `model.no_model`, `model.bad_request`, `model.context_exceeded`, `model.unsupported_content`,
 * `model.rate_limited`, `model.server_error`, `model.bad_answer`, `model.failed` and `stream.ended_early`. `open`
 * rejects with `model.not_configured` or `model.key_missing`; it does not ask the server.
 */
export function createModel(options: ModelOptions = {}): Connector {
  const { server, settingsFile, clock = realClock, random = Math.random, fetch: fetcher = fetch } = options;
  if (!server) return unconfigured(settingsFile);
  const catalog = createCatalog(server, clock, fetcher);
  const windows = createWindows(server, clock, fetcher);
  const missing = missingKey(server);

  return {
    id: server.id,
    name: server.name ?? (server.id === 'model' ? 'Model' : server.id),
    description: `A model at ${new URL(server.baseUrl).host}${server.tools === false ? ': answers in text, without tools' : ''}.`,

    async available() {
      if (missing !== undefined) return { available: false, reason: missing };
      const { models, problem } = await catalog.list();
      return {
        available: true,
        ...(problem !== undefined && { reason: `${server.baseUrl}: ${problem}.` }),
        models: choices(models, server),
      };
    },

    async open(session) {
      if (missing !== undefined) throw new AgentError('model.key_missing', missing);
      await loadSdk(server);
      let open = true;
      const agent = createSession(
        { server, settingsFile, catalog, windows, clock, random, fetch: fetcher },
        session,
      );
      // Not awaited: a server that is slow to list its models may be quick to answer.
      void catalog.list().then(({ models }) => {
        const model = session.model ?? server.model ?? models[0]?.id;
        if (!open || models.length === 0 || model === undefined) return;
        session.onOutput({ type: 'changed', models: choices(models, server), model });
      });
      return {
        ...agent,
        async close() {
          open = false;
          await agent.close();
        },
      };
    },
  };
}

/** A connector for each server of the settings; without any, the one that says what to set. */
export function createModels(
  servers: readonly ModelServer[],
  options: Omit<ModelOptions, 'server'> = {},
): Connector[] {
  if (servers.length === 0) return [createModel(options)];
  return servers.map((server) => createModel({ ...options, server }));
}

/** What to do when a key was to be in the environment, and is not. */
function missingKey({ apiKeyEnv, apiKey, baseUrl }: ModelServer): string | undefined {
  if (apiKeyEnv === undefined || apiKey) return undefined;
  return `The environment variable ${apiKeyEnv} is empty: set it to the key of ${baseUrl}, and start again.`;
}

function unconfigured(settingsFile: string | undefined): Connector {
  const reason = `No model server is set: start with SLUICE_MODEL_URL (such as http://127.0.0.1:11434/v1), SLUICE_MODEL_NAME and, if it wants one, SLUICE_MODEL_KEY; or with ANTHROPIC_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY; or name one under "models" in ${settingsFile ?? 'the settings file'}.`;
  return {
    id: 'model',
    name: 'Model',
    description: 'Any OpenAI-compatible model server, Anthropic or Google.',
    available: async () => ({ available: false, reason }),
    open: async () => {
      throw new AgentError('model.not_configured', reason);
    },
  };
}

function choices(models: readonly CatalogModel[], server: ModelServer): Choice[] {
  const listed = models.map(({ id, name }) => ({ id, name }));
  if (server.model === undefined || listed.some((one) => one.id === server.model)) return listed;
  return [{ id: server.model, name: server.model }, ...listed];
}
