import type { Clock } from './clock.ts';
import type { ModelServer } from './options.ts';
import { requestHeaders } from './providers.ts';

/** What a server that a person runs says of the window in which a model works there. */
export interface ServedWindow {
  /** Tokens: what it has now. */
  readonly window?: number;
  /** Tokens: what it could have at most. While it is not loaded, nobody knows what it will have. */
  readonly most?: number;
}

/** Never rejects; what no server says is absent. */
export interface Windows {
  of(model: string): Promise<ServedWindow>;
}

type Fields = Readonly<Record<string, unknown>>;
type Get = (path: string, body?: object) => Promise<unknown>;
/** Undefined: it is no such server, or does not know the model. */
type Ask = (get: Get, model: string) => Promise<ServedWindow | undefined>;

const timeoutMs = 500;
/** A server that knew none of the questions is asked again then. */
const restMs = 60_000;

/**
 * The window by the server's own API, beside the one that is common to all: Ollama, LM Studio and llama.cpp tell there what
 * their list of models does not (vLLM's does). Asked for each turn, since a model can be loaded anew with another window; only
 * servers that people run themselves are asked.
 */
export function createWindows(server: ModelServer, clock: Clock, fetcher: typeof fetch): Windows {
  const root = server.baseUrl.replace(/\/v\d+\w*$/, '');
  const isOwn = (server.provider ?? 'openai') === 'openai' && isNear(new URL(server.baseUrl).hostname);
  let known: Ask | undefined;
  let restUntil = Number.NEGATIVE_INFINITY;

  async function get(signal: AbortSignal, path: string, body?: object): Promise<unknown> {
    const headers = { ...requestHeaders(server), ...(body && { 'content-type': 'application/json' }) };
    const init = body ? { method: 'POST', body: JSON.stringify(body) } : {};
    const response = await fetcher(`${root}${path}`, { ...init, headers, signal });
    if (response.ok) return response.json();
    await response.body?.cancel();
    return undefined;
  }

  async function ask(model: string, signal: AbortSignal): Promise<ServedWindow> {
    const of = (one: Ask) => one((path, body) => get(signal, path, body), model).catch(() => undefined);
    if (known) return (await of(known)) ?? {};
    const found = await Promise.all(asks.map(async (one) => ({ one, said: await of(one) })));
    const first = found.find(({ said }) => said !== undefined);
    known = first?.one;
    if (!first && !signal.aborted) restUntil = clock.now() + restMs;
    return first?.said ?? {};
  }

  return {
    async of(model) {
      if (!isOwn || clock.now() < restUntil) return {};
      const over = new AbortController();
      const late = clock.sleep(timeoutMs, over.signal).then(
        () => ({}),
        () => ({}),
      );
      try {
        return await Promise.race([ask(model, over.signal), late]);
      } finally {
        over.abort();
      }
    },
  };
}

/** `/api/ps`: models that are loaded, with the window that each was given. `/api/show`: what its maker set, and what it can. */
const ollama: Ask = async (get, model) => {
  const listed = listOf(await get('/api/ps'), 'models');
  if (!listed) return undefined;
  const full = model.includes(':') ? model : `${model}:latest`;
  const loaded = listed.find(({ name, model: id }) =>
    [name, id].some((one) => one === model || one === full),
  );
  const window = positive(loaded?.context_length);
  if (window !== undefined) return { window };
  const shown = fieldsOf(await get('/api/show', { model }));
  const most = Object.entries(fieldsOf(shown?.model_info) ?? {}).find(([key]) =>
    key.endsWith('.context_length'),
  )?.[1];
  const set = /^num_ctx\s+(\d+)/m.exec(typeof shown?.parameters === 'string' ? shown.parameters : '');
  // What the maker of the model set holds, unless the model cannot have as much.
  const given = positive(Number(set?.[1]));
  return said(given === undefined ? undefined : Math.min(given, positive(most) ?? given), most);
};

/** Since 0.4: each loaded instance has its window. */
const lmStudio: Ask = async (get, model) => {
  const listed = listOf(await get('/api/v1/models'), 'models');
  const instances = (entry: Fields) =>
    (Array.isArray(entry.loaded_instances) ? entry.loaded_instances : []).map(fieldsOf);
  const found = listed?.find(
    (entry) => entry.key === model || instances(entry).some((one) => one?.id === model),
  );
  if (!found) return undefined;
  const loaded = instances(found).find((one) => one?.id === model) ?? instances(found)[0];
  return said(fieldsOf(loaded?.config)?.context_length, found.max_context_length);
};

/** From 0.3.6 on. */
const lmStudioBefore: Ask = async (get, model) => {
  const found = listOf(await get('/api/v0/models'), 'data')?.find(({ id }) => id === model);
  return found && said(found.loaded_context_length, found.max_context_length);
};

/** One model, in slots that each have their part of the window. */
const llamaCpp: Ask = async (get) => {
  const props = fieldsOf(await get('/props'));
  const window = fieldsOf(props?.default_generation_settings)?.n_ctx ?? props?.n_ctx;
  return positive(window) === undefined ? undefined : said(window, undefined);
};

const asks: readonly Ask[] = [ollama, lmStudio, lmStudioBefore, llamaCpp];

function said(window: unknown, most: unknown): ServedWindow {
  const [now, then] = [positive(window), positive(most)];
  return { ...(now !== undefined && { window: now }), ...(then !== undefined && { most: then }) };
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}

function listOf(body: unknown, key: string): Fields[] | undefined {
  const list = fieldsOf(body)?.[key];
  return Array.isArray(list) ? list.map(fieldsOf).filter((entry) => entry !== undefined) : undefined;
}

/** This machine, this network, or a name that only they know. */
function isNear(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host.includes(':')) return host === '::1' || /^f[cd]|^fe80/i.test(host);
  if (/^\d+(\.\d+){3}$/.test(host))
    return /^(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
      host,
    );
  return !host.includes('.') || /\.(local|lan|internal|home|localhost)$/i.test(host);
}
