import type { LanguageModel, streamText } from 'ai';
import type { ModelServer } from './options.ts';

export const providers = ['openai', 'anthropic', 'google'] as const;
export type Provider = (typeof providers)[number];

interface Shape {
  /** What a person would call the API. */
  readonly api: string;
  /** Where it is when the settings do not say; compatible servers can be anywhere. */
  readonly baseUrl?: string;
  /** The environment variable that usually holds the key. */
  readonly apiKeyEnv?: string;
  /** How base URLs of this API usually end. */
  readonly ending: string;
  /** Tokens, taken for a model of which neither the settings nor the server say the window. */
  readonly window: number;
}

export const shapes: Readonly<Record<Provider, Shape>> = {
  openai: { api: 'an OpenAI-compatible API', ending: '/v1', window: 32_768 },
  anthropic: {
    api: 'the Anthropic API',
    baseUrl: 'https://api.anthropic.com/v1',
    apiKeyEnv: 'ANTHROPIC_API_KEY',
    ending: '/v1',
    window: 200_000,
  },
  google: {
    api: 'the Gemini API',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    apiKeyEnv: 'GOOGLE_GENERATIVE_AI_API_KEY',
    ending: '/v1beta',
    window: 1_000_000,
  },
};

export function shapeOf({ provider = 'openai' }: ModelServer): Shape {
  return shapes[provider];
}

/** What each request carries, in lower case; the settings' own headers win. */
export function requestHeaders(server: ModelServer): Record<string, string> {
  const headers: Record<string, string> = {};
  const key = server.apiKey?.reveal();
  if (server.provider === 'anthropic') headers['anthropic-version'] = '2023-06-01';
  if (key !== undefined) {
    if (server.provider === 'anthropic') headers['x-api-key'] = key;
    else if (server.provider === 'google') headers['x-goog-api-key'] = key;
    else headers.authorization = `Bearer ${key}`;
  }
  for (const [name, value] of Object.entries(server.headers ?? {}))
    headers[name.toLowerCase()] = value.reveal();
  return headers;
}

export interface Sdk {
  readonly streamText: typeof streamText;
  /** The model of a server, reached through `fetch`. */
  model(server: ModelServer, id: string, fetch: typeof globalThis.fetch): LanguageModel;
}

// The SDK would print to the terminal of the gateway what it thinks of each request.
globalThis.AI_SDK_LOG_WARNINGS = false;

const loads: Readonly<Record<Provider, () => Promise<Sdk>>> = {
  openai: once(async () => {
    const [{ streamText }, { createOpenAICompatible }] = await Promise.all([
      import('ai'),
      import('@ai-sdk/openai-compatible'),
    ]);
    return {
      streamText,
      model: (server, id, fetch) =>
        createOpenAICompatible({
          name: 'model',
          baseURL: server.baseUrl,
          headers: requestHeaders(server),
          includeUsage: true,
          fetch,
        }).chatModel(id),
    };
  }),
  anthropic: once(async () => {
    const [{ streamText }, { createAnthropic }] = await Promise.all([
      import('ai'),
      import('@ai-sdk/anthropic'),
    ]);
    return { streamText, model: (server, id, fetch) => createAnthropic(settings(server, fetch))(id) };
  }),
  google: once(async () => {
    const [{ streamText }, { createGoogle }] = await Promise.all([import('ai'), import('@ai-sdk/google')]);
    return { streamText, model: (server, id, fetch) => createGoogle(settings(server, fetch))(id) };
  }),
};

/** Loaded when the first session opens: they take a quarter of a second and 30 MB that a start need not pay. */
export function loadSdk({ provider = 'openai' }: ModelServer): Promise<Sdk> {
  return loads[provider]();
}

/** A key is always given: these providers look into the environment for one that is not ours to send. */
function settings(server: ModelServer, fetch: typeof globalThis.fetch) {
  return {
    baseURL: server.baseUrl,
    apiKey: server.apiKey?.reveal() ?? 'none',
    headers: requestHeaders(server),
    fetch,
  };
}

/** What only one provider understands. */
export function providerOptions(server: ModelServer, model: string) {
  if (server.provider === 'anthropic' && new URL(server.baseUrl).host === 'api.anthropic.com') {
    // Else each step of a turn with tools pays for the whole conversation anew.
    return { anthropic: { cacheControl: { type: 'ephemeral' as const } } };
  }
  // Models before 2.5 do not think, and refuse to be asked for it.
  if (server.provider === 'google' && !/gemini-(1|2\.0)/.test(model) && /^gemini/.test(model)) {
    return { google: { thinkingConfig: { includeThoughts: true } } };
  }
  return undefined;
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
