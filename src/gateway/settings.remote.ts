import { z } from 'zod';
import { Secret } from '../agents/model/secret.ts';
import type { PicoServer } from '../agents/pico/options.ts';
import type { ResponsesServer } from '../agents/responses/options.ts';
import type { RpcServer } from '../agents/rpc-sse/options.ts';
import { defaults } from '../agents/rpc-sse/profile.ts';
import { type Environment, agentId as id, url, variable, withoutUndefined } from './settings.fields.ts';

/**
 * The settings of agents that are reached over the network and are no model server of the usual kind:
 *
 * ```json
 * {
 *   "responses": [
 *     { "id": "deep", "model": "gpt-5", "apiKeyEnv": "OPENAI_API_KEY", "tools": [{ "type": "web_search" }],
 *       "reasoning": { "effort": "high", "summary": "auto" } }
 *   ],
 *   "rpc": [
 *     { "id": "shrimp", "url": "http://127.0.0.1:8787/rpc", "events": "http://127.0.0.1:8787/events",
 *       "tokenEnv": "SHRIMP_TOKEN", "jobs": "background", "profile": { "methods": { "steer": false } } }
 *   ],
 *   "pico": [{ "id": "pico", "url": "http://127.0.0.1:18790", "tokenEnv": "PICO_TOKEN" }]
 * }
 * ```
 *
 * Keys and tokens stand in the file (`apiKey`, `token`) or in the environment variable that `apiKeyEnv` or `tokenEnv`
 * names. `baseUrl` of a Responses server: OpenAI's own unless it is named. `profile`: what a back end calls things,
 * where that differs from `src/agents/rpc-sse/profile.ts`.
 */
export interface RemoteAgents {
  readonly responses: readonly ResponsesServer[];
  readonly rpc: readonly RpcServer[];
  readonly pico: readonly PicoServer[];
}

const headers = z.record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/), z.string());
const words = z.string().min(1).max(500).optional();
const secret = z.string().min(1).optional();
const tokens = z.number().int().min(1).max(100_000_000).optional();
const object = z.record(z.string(), z.unknown());
const path = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], 'must be a path such as "a.b"');
const names = z.array(z.string().min(1), 'must be a list of names');
const method = z.union([z.string().min(1), z.literal(false)], 'must be the name of a method, or false');

/** Every name of a group may be given, and no other. */
function group<T extends object, S extends z.ZodType>(known: T, schema: S) {
  const shape = Object.fromEntries(Object.keys(known).map((key) => [key, schema.optional()]));
  return z.strictObject(shape as { [K in keyof T]: z.ZodOptional<S> }).optional();
}

const { send: _, ...optionalMethods } = defaults.methods;
const profile = z.strictObject({
  methods: z
    .strictObject({
      ...Object.fromEntries(Object.keys(optionalMethods).map((key) => [key, method.optional()])),
      send: z.string().min(1).optional(),
    })
    .optional(),
  params: group(defaults.params, z.string().min(1)),
  answer: group(defaults.answer, path),
  statuses: group(defaults.statuses, names),
  events: group(defaults.events, names),
  fields: group(defaults.fields, path),
  waits: group(defaults.waits, z.number().int().min(1).max(86_400_000)),
});

/** One of a secret and the variable that holds it. */
function either(first: string, second: string) {
  return (entry: object, context: z.RefinementCtx) => {
    const given = entry as Readonly<Record<string, unknown>>;
    if (given[first] === undefined || given[second] === undefined) return;
    const message = `must not stand beside ${first}: keep one of the two`;
    context.addIssue({ code: 'custom', path: [second], message });
  };
}

export const remoteEntries = {
  responses: z
    .strictObject({
      id,
      name: words,
      baseUrl: url.optional(),
      apiKey: secret,
      apiKeyEnv: variable.optional(),
      headers: headers.optional(),
      model: z.string().min(1).max(200),
      instructions: z.string().min(1).optional(),
      tools: z.array(object).optional(),
      reasoning: object.optional(),
      maxOutputTokens: tokens,
      contextWindow: tokens,
      stream: z.boolean().optional(),
    })
    .superRefine(either('apiKey', 'apiKeyEnv')),
  rpc: z
    .strictObject({
      id,
      name: words,
      description: words,
      url,
      events: url,
      token: secret,
      tokenEnv: variable.optional(),
      headers: headers.optional(),
      jobs: z.enum(['background', 'turn']).optional(),
      profile: profile.optional(),
    })
    .superRefine(either('token', 'tokenEnv')),
  pico: z
    .strictObject({ id, name: words, url, api: url.optional(), token: secret, tokenEnv: variable.optional() })
    .superRefine(either('token', 'tokenEnv')),
};

type Entries = typeof remoteEntries;
type Parsed = { readonly [K in keyof Entries]?: readonly z.infer<Entries[K]>[] | undefined };

/** Entries -> agents: secrets wrapped, variables read. */
export function remoteAgents(parsed: Parsed, env: Environment): RemoteAgents {
  return {
    responses: (parsed.responses ?? []).map(
      ({ apiKey, ...entry }) =>
        withoutUndefined({
          baseUrl: 'https://api.openai.com/v1',
          ...entry,
          apiKey: secretOf(apiKey, entry.apiKeyEnv, env),
          headers: wrapped(entry.headers),
        }) as ResponsesServer,
    ),
    rpc: (parsed.rpc ?? []).map(
      ({ token, ...entry }) =>
        withoutUndefined({
          ...entry,
          token: secretOf(token, entry.tokenEnv, env),
          headers: wrapped(entry.headers),
        }) as RpcServer,
    ),
    pico: (parsed.pico ?? []).map(
      ({ token, ...entry }) =>
        withoutUndefined({ ...entry, token: secretOf(token, entry.tokenEnv, env) }) as PicoServer,
    ),
  };
}

/** What no log may show. */
export function remoteSecrets({ responses, rpc, pico }: RemoteAgents): readonly string[] {
  const all = [
    ...responses.flatMap((server) => [server.apiKey, ...Object.values(server.headers ?? {})]),
    ...rpc.flatMap((server) => [server.token, ...Object.values(server.headers ?? {})]),
    ...pico.map((server) => server.token),
  ];
  return all.flatMap((one) => one?.reveal() ?? []);
}

/** True when the file itself holds a key. */
export function holdsRemoteKeys({ responses = [], rpc = [], pico = [] }: Parsed): boolean {
  return (
    responses.some(({ apiKey, headers: sent }) => apiKey !== undefined || sent !== undefined) ||
    rpc.some(({ token, headers: sent }) => token !== undefined || sent !== undefined) ||
    pico.some(({ token }) => token !== undefined)
  );
}

function secretOf(value: string | undefined, name: string | undefined, env: Environment): Secret | undefined {
  const found = value ?? (name === undefined ? undefined : env[name]);
  return found ? new Secret(found) : undefined;
}

function wrapped(values: Readonly<Record<string, string>> | undefined) {
  if (!values) return undefined;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
}
