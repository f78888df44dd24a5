import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { McpServer } from '../agents/acp/mcp.ts';
import type { AcpAgent } from '../agents/acp/options.ts';
import { secretsOf } from '../agents/acp/program.ts';
import type { Discovery } from '../agents/model/discovery.ts';
import type { ModelServer } from '../agents/model/options.ts';
import {
  agentId,
  type Environment,
  SettingsError,
  variableName,
  withoutUndefined,
} from './settings.fields.ts';
import { hidden, mcpEntry, mcpSecrets, mcpServersOf } from './settings.mcp.ts';
import { discovery, discoveryOf, modelEntry, modelsOf } from './settings.models.ts';
import {
  holdsRemoteKeys,
  type RemoteAgents,
  remoteAgents,
  remoteEntries,
  remoteSecrets,
} from './settings.remote.ts';

/**
 * The settings file: `settings.json` in the data directory, or the file of `--settings`. JSON, all of it optional:
 *
 * ```json
 * {
 *   "models": [
 *     {
 *       "id": "local", "name": "Ollama", "baseUrl": "http://127.0.0.1:11434/v1", "model": "qwen3",
 *       "apiKeyEnv": "MY_KEY", "contextWindow": 32768, "maxOutputTokens": 4096,
 *       "reasoning": "medium", "reasoningTag": "think", "reasoningOpen": false, "tools": true,
 *       "system": "Be brief.", "headers": { "x-team": "a" }
 *     },
 *     { "id": "claude-api", "provider": "anthropic", "model": "claude-sonnet-4-5" },
 *     { "id": "gemini-api", "provider": "google", "model": "gemini-2.5-pro", "apiKeyEnv": "MY_GEMINI_KEY" }
 *   ],
 *   "discover": { "ollama": 11434, "vllm": false },
 *   "agents": [
 *     { "id": "mine", "name": "My agent", "command": ["my-agent", "--acp"], "env": { "MY_TOKEN": "…" } }
 *   ],
 *   "mcpServers": [
 *     { "name": "files", "command": ["my-mcp-server"], "env": { "MY_TOKEN": "…" } },
 *     { "name": "web", "url": "https://example.org/mcp", "headers": { "authorization": "Bearer …" }, "default": false }
 *   ],
 *   "stallAfterMs": 20000,
 *   "stallAfterMsOf": { "qwen": 60000 },
 *   "roots": ["~/projects"],
 *   "redact": ["a value that no log may show"]
 * }
 * ```
 *
 * `provider`: `openai` (default; any OpenAI-compatible server), `anthropic` or `google`; the latter two need no
 * `baseUrl`, and take their key from `ANTHROPIC_API_KEY` and `GOOGLE_GENERATIVE_AI_API_KEY` unless they name another.
 * `apiKey` holds a key itself, `apiKeyEnv` the name of an environment variable that does. `reasoning` says how much the
 * model is to think (`none`, `minimal`, `low`, `medium`, `high`, `xhigh`); `reasoningTag: false` leaves inline thoughts in
 * the text. `tools: false` takes the tools away with which a model works in the session's directory. `discover`: ports on
 * which Ollama, LM Studio, llama.cpp and vLLM (`ollama`, `lmstudio`, `llamacpp`, `vllm`) are looked for on this machine;
 * false for one of them, or for all. `agents`: programs that speak the Agent Client Protocol, started without a shell; `cwd`
 * (default: the session's directory) and `auth` (the login method to use) may be named too, and an id such as `qwen` or
 * `claude` replaces the agent that is known by it; `added` marks those that the page added and may remove. `mcpServers`
 * are given to their sessions: those that are chosen for a session, or else all without `"default": false`.
 * `stallAfterMs`: the silence after which a running turn is shown as stalled; `stallAfterMsOf`: the same for single agents,
 * by their ids. `roots`:
 * directories that sessions may work in; relative ones are relative to the settings file.
 *
 * `responses`, `rpc`, `pico`: agents that are reached over the network; `settings.remote.ts` has their entries.
 *
 * The environment can name one more model server, the agent `model`:
 * - `SLUICE_MODEL_URL`, `SLUICE_MODEL_KEY`, `SLUICE_MODEL_NAME`: base URL, key, model. Each one wins over the same
 *   field of an entry with the id `model` in the file.
 * - `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_MODEL`: used when neither `SLUICE_MODEL_URL` nor such an entry is
 *   there; a key alone means `https://api.openai.com/v1`.
 *
 * `ANTHROPIC_API_KEY` and `GOOGLE_GENERATIVE_AI_API_KEY` make the agents `anthropic` and `google`, with `ANTHROPIC_MODEL`
 * and `GOOGLE_GENERATIVE_AI_MODEL` if these are set, when no entry has that provider or that id.
 */
export interface Settings {
  /** The file that was read, or that would have been. */
  readonly file: string;
  readonly found: boolean;
  readonly models: readonly ModelServer[];
  /** Where model servers of this machine are looked for; absent: nowhere. */
  readonly discover?: Discovery;
  readonly agents: readonly AcpAgent[];
  /** Ids of those of them that were added from the page. */
  readonly added: readonly string[];
  readonly remote: RemoteAgents;
  readonly mcpServers: readonly McpServer[];
  readonly stallAfterMs: number;
  /** By the agent's id, where it has a limit of its own. */
  readonly stallAfterMsOf: Readonly<Record<string, number>>;
  /** Absolute paths. */
  readonly roots: readonly string[];
  /** Keys, header values and `redact`: what no log may show. */
  readonly secrets: readonly string[];
  /** For the person who starts the gateway: one sentence each. */
  readonly warnings: readonly string[];
}

const agentEntry = z.strictObject({
  id: agentId,
  name: z.string().min(1).max(200).optional(),
  description: z.string().min(1).max(500).optional(),
  command: z.array(z.string()).min(1, 'must name a program'),
  env: z.record(z.string().regex(variableName), z.string()).optional(),
  cwd: z.string().min(1).optional(),
  auth: z.string().min(1).optional(),
  /** By the page: it can be removed there too. */
  added: z.literal(true).optional(),
});

/** No two entries have one id, or one name. */
function differ(list: string, key: 'id' | 'name' = 'id') {
  return (
    entries: readonly { readonly [K in 'id' | 'name']?: string | undefined }[],
    context: z.RefinementCtx,
  ) => {
    entries.forEach((entry, index) => {
      const first = entries.findIndex((other) => other[key] === entry[key]);
      if (first === index) return;
      const message = `is used by ${list}[${first}] already: ${key}s differ`;
      context.addIssue({ code: 'custom', path: [index, key], message });
    });
  };
}

const silence = z.number().int().min(1000).max(86_400_000);

const settingsFile = z.strictObject({
  models: z.array(modelEntry).max(100).superRefine(differ('models')).optional(),
  discover: discovery.optional(),
  agents: z.array(agentEntry).max(100).superRefine(differ('agents')).optional(),
  mcpServers: z.array(mcpEntry).max(100).superRefine(differ('mcpServers', 'name')).optional(),
  responses: z.array(remoteEntries.responses).max(100).superRefine(differ('responses')).optional(),
  rpc: z.array(remoteEntries.rpc).max(100).superRefine(differ('rpc')).optional(),
  pico: z.array(remoteEntries.pico).max(100).superRefine(differ('pico')).optional(),
  stallAfterMs: silence.optional(),
  stallAfterMsOf: z.record(z.string(), silence).optional(),
  roots: z.array(z.string().min(1)).optional(),
  redact: z
    .array(z.string().min(4, 'must have at least 4 characters, or it would hide half of every log'))
    .optional(),
});

export interface LoadOptions {
  /** Absolute. */
  readonly dataDir: string;
  /** `--settings`: then the file must be there. */
  readonly file?: string;
  readonly env: Environment;
}

/** Reads and checks the settings. Throws a SettingsError; a missing `settings.json` is no error. */
export function loadSettings(options: LoadOptions): Settings {
  const file = options.file === undefined ? join(options.dataDir, 'settings.json') : resolve(options.file);
  const text = readSettings(file, options.file !== undefined);
  const parsed = text === undefined ? {} : parseSettings(file, text);
  const models = modelsOf(parsed.models ?? [], options.env, file);
  const discover = discoveryOf(parsed.discover);
  const remote = remoteAgents(parsed, options.env);
  return {
    file,
    found: text !== undefined,
    models,
    ...(discover && { discover }),
    agents: (parsed.agents ?? []).map((entry) => agentOf(entry, file)),
    added: (parsed.agents ?? []).flatMap(({ id, added }) => (added ? id : [])),
    mcpServers: mcpServersOf(parsed),
    remote,
    stallAfterMs: parsed.stallAfterMs ?? 20_000,
    stallAfterMsOf: parsed.stallAfterMsOf ?? {},
    roots: (parsed.roots ?? []).map((root) => pathFrom(file, root)),
    secrets: [
      ...models
        .flatMap((model) => [model.apiKey, ...Object.values(model.headers ?? {})])
        .flatMap((secret) => secret?.reveal() ?? []),
      ...(parsed.agents ?? []).flatMap(({ env = {} }) => secretsOf(env)),
      ...mcpSecrets(parsed),
      ...remoteSecrets(remote),
      ...(parsed.redact ?? []),
    ],
    warnings: warnings(file, parsed, options.env),
  };
}

/** Without its byte order mark; undefined when there is none and none is `wanted`. */
export function readSettings(file: string, wanted: boolean): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !wanted) return undefined;
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? String(error)})`;
    throw new SettingsError(
      file,
      `Settings ${file}: ${why}. Correct the path or the file's rights, or start without it.`,
    );
  }
}

/** What the text of a settings file says. Throws a SettingsError. */
export function parseSettings(file: string, text: string): z.infer<typeof settingsFile> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SettingsError(
      file,
      `Settings ${file}: not valid JSON${place(text, error as Error)}. Correct it there (no comments, no comma after the last entry); the file was left as it is.`,
    );
  }
  const result = settingsFile.safeParse(json, { reportInput: false });
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `  ${pathOf(issue.path)} ${sentence(issue)}`);
  throw new SettingsError(
    file,
    `Settings ${file}: ${problems.length === 1 ? 'one entry is' : `${problems.length} entries are`} wrong; correct the file, which was left as it is:\n${problems.join('\n')}`,
  );
}

/** Where the JSON breaks. V8 quotes the source in some messages, which may hold a key: only the line is taken from it. */
function place(text: string, error: Error): string {
  const position = /at position (\d+)/.exec(error.message)?.[1];
  const quoted = /"([\s\S]*)" is not valid JSON$/.exec(error.message)?.[1];
  const snippet = quoted?.replace(/^\.\.\.|"?\.\.\.$/g, '');
  const found = snippet === undefined ? -1 : text.indexOf(snippet);
  let at = text.length;
  if (position !== undefined) at = Number(position);
  else if (found >= 0 && snippet !== undefined) at = found + Math.floor(snippet.length / 2);
  return ` near line ${text.slice(0, at).split('\n').length}`;
}

function pathOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the file';
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `has the unknown ${issue.keys.length === 1 ? 'setting' : 'settings'} ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
  }
  return issue.message.replace(
    /^Invalid input: expected (\w+), received (\w+)$/,
    (_all, expected: string, received: string) =>
      received === 'undefined' ? `is missing (${expected})` : `must be of type ${expected}, not ${received}`,
  );
}

function agentOf({ env, cwd, added: _, ...entry }: z.infer<typeof agentEntry>, file: string): AcpAgent {
  const agent = {
    ...entry,
    ...(cwd !== undefined && { cwd: pathFrom(file, cwd) }),
    ...(env && { env: hidden(env) }),
  };
  return withoutUndefined(agent) as AcpAgent;
}

/** Relative paths are relative to the settings file, and `~` is the home directory. */
function pathFrom(file: string, path: string): string {
  return resolve(dirname(file), path.replace(/^~(?=$|[/\\])/, homedir()));
}

function warnings(file: string, parsed: z.infer<typeof settingsFile>, env: Environment): string[] {
  const found: string[] = [];
  const models = parsed.models ?? [];
  const keys =
    models.some((model) => model.apiKey !== undefined || model.headers !== undefined) ||
    (parsed.agents ?? []).some(({ env = {} }) => secretsOf(env).length > 0) ||
    mcpSecrets(parsed).length > 0 ||
    holdsRemoteKeys(parsed);
  if (keys && process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    found.push(`${file} holds keys and other users of this machine can read it: run chmod 600 on it.`);
  }
  const lonely = ['SLUICE_MODEL_KEY', 'SLUICE_MODEL_NAME'].filter((name) => env[name]);
  if (lonely.length > 0 && !env.SLUICE_MODEL_URL && !models.some((model) => model.id === 'model')) {
    found.push(
      `${lonely.join(' and ')} had no effect: set SLUICE_MODEL_URL to the model server's base URL too.`,
    );
  }
  return found;
}
