import { z } from 'zod';
import { type Discovery, discoverable } from '../agents/model/discovery.ts';
import { type ModelServer, reasonings } from '../agents/model/options.ts';
import { providers, shapes } from '../agents/model/providers.ts';
import { Secret } from '../agents/model/secret.ts';
import {
  agentId,
  type Environment,
  oneOf,
  SettingsError,
  url,
  variable,
  withoutUndefined,
} from './settings.fields.ts';

const notATag = 'must be the name of a tag such as "think", or false';
const notPorts = `must be false, or give ports to ${oneOf(discoverable)}`;
const notAPort = 'must be a port (1 to 65535), or false';
const port = z.number(notAPort).int(notAPort).min(1, notAPort).max(65_535, notAPort);
const tokens = z.number().int().min(256).max(100_000_000);

export const modelEntry = z
  .strictObject({
    id: agentId,
    name: z.string().min(1).max(200).optional(),
    provider: z.enum(providers, `must be ${oneOf(providers)}`).optional(),
    baseUrl: url.optional(),
    apiKey: z.string().min(1).optional(),
    apiKeyEnv: variable.optional(),
    headers: z.record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/), z.string()).optional(),
    model: z.string().min(1).max(200).optional(),
    contextWindow: tokens.optional(),
    maxOutputTokens: z.number().int().min(1).max(100_000_000).optional(),
    reasoning: z.enum(reasonings, `must be ${oneOf(reasonings)}`).optional(),
    reasoningTag: z
      .union([z.literal(false), z.string().regex(/^[A-Za-z][A-Za-z0-9_:-]{0,40}$/, notATag)], notATag)
      .optional(),
    reasoningOpen: z.boolean().optional(),
    system: z.string().min(1).optional(),
    tools: z.boolean().optional(),
  })
  .refine(({ baseUrl, provider = 'openai' }) => (baseUrl ?? shapes[provider].baseUrl) !== undefined, {
    path: ['baseUrl'],
    error: 'must be a URL such as http://127.0.0.1:11434/v1',
  })
  .refine((entry) => !(entry.apiKey && entry.apiKeyEnv), {
    path: ['apiKeyEnv'],
    error: 'must not stand beside apiKey: keep one of the two',
  });
type ModelEntry = z.infer<typeof modelEntry>;

export const discovery = z.union(
  [z.boolean(), z.partialRecord(z.enum(discoverable), z.union([port, z.literal(false)]))],
  notPorts,
);

/** The model servers of the file and of the environment, with their keys. */
export function modelsOf(entries: readonly ModelEntry[], env: Environment, file: string): ModelServer[] {
  const all = [...fromEnvironment(entries, env, file), ...byKeyAlone(entries, env)];
  return all.map((entry) => resolveKey(entry, env));
}

/** Undefined: nothing is looked for. */
export function discoveryOf(given: z.infer<typeof discovery> = true): Discovery | undefined {
  if (given === false) return undefined;
  return given === true ? {} : (withoutUndefined(given) as Discovery);
}

function fromEnvironment(models: readonly ModelEntry[], env: Environment, file: string): ModelEntry[] {
  const own = { baseUrl: env.SLUICE_MODEL_URL, apiKey: env.SLUICE_MODEL_KEY, model: env.SLUICE_MODEL_NAME };
  const entry = models.find((model) => model.id === 'model');
  if (own.baseUrl || entry) {
    const { apiKeyEnv, ...rest } = entry ?? { id: 'model', baseUrl: '' };
    const merged: ModelEntry = {
      ...rest,
      ...(own.baseUrl && { baseUrl: baseUrl('SLUICE_MODEL_URL', own.baseUrl, file) }),
      ...(own.apiKey ? { apiKey: own.apiKey } : apiKeyEnv && { apiKeyEnv }),
      ...(own.model && { model: own.model }),
    };
    return entry ? models.map((model) => (model === entry ? merged : model)) : [...models, merged];
  }
  if (!env.OPENAI_BASE_URL && !env.OPENAI_API_KEY) return [...models];
  const openai: ModelEntry = {
    id: 'model',
    baseUrl: baseUrl('OPENAI_BASE_URL', env.OPENAI_BASE_URL || 'https://api.openai.com/v1', file),
    ...(env.OPENAI_API_KEY && { apiKey: env.OPENAI_API_KEY }),
    ...(env.OPENAI_MODEL && { model: env.OPENAI_MODEL }),
  };
  return [...models, openai];
}

/** Providers whose usual key is in the environment, and of which the file does not speak. */
function byKeyAlone(models: readonly ModelEntry[], env: Environment): ModelEntry[] {
  const known = [
    { id: 'anthropic', name: 'Anthropic', provider: 'anthropic', model: env.ANTHROPIC_MODEL },
    { id: 'google', name: 'Google', provider: 'google', model: env.GOOGLE_GENERATIVE_AI_MODEL },
  ] as const;
  return known.flatMap(({ model, ...entry }) => {
    const spoken = models.some(({ id, provider }) => id === entry.id || provider === entry.provider);
    if (spoken || !env[shapes[entry.provider].apiKeyEnv ?? '']) return [];
    return [{ ...entry, ...(model && { model }) }];
  });
}

function baseUrl(name: string, value: string, file: string): string {
  const result = url.safeParse(value);
  if (result.success) return result.data;
  throw new SettingsError(file, `The environment variable ${name} ${result.error.issues[0]?.message}.`);
}

function resolveKey(entry: ModelEntry, env: Environment): ModelServer {
  const { apiKey, headers, ...rest } = entry;
  const usual = shapes[entry.provider ?? 'openai'];
  // A server of one's own may want no key, or none but its headers.
  const own = entry.baseUrl !== undefined || headers !== undefined;
  const apiKeyEnv = entry.apiKeyEnv ?? (apiKey || own ? undefined : usual.apiKeyEnv);
  const key = apiKey ?? (apiKeyEnv ? env[apiKeyEnv] : undefined);
  const server = {
    ...rest,
    baseUrl: entry.baseUrl ?? usual.baseUrl,
    apiKeyEnv,
    ...(key && { apiKey: new Secret(key) }),
    ...(headers && {
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, new Secret(value)])),
    }),
  };
  return withoutUndefined(server) as ModelServer;
}
