import type { Choice } from '../../wire/content.ts';
import type { Clock } from './clock.ts';
import type { ModelServer } from './options.ts';

export interface CatalogModel extends Choice {
  /** Tokens, where the server says so. */
  readonly contextWindow?: number;
}

export interface Listing {
  readonly models: readonly CatalogModel[];
  /** Why there is no list: one clause, without the address. */
  readonly problem?: string;
}

/** The models that the server lists. Never rejects. */
export interface Catalog {
  list(): Promise<Listing>;
}

const timeoutMs = 1500;
const keepMs = 30_000;
/** A server that was down is asked again soon, but not for each request of the list of agents. */
const keepFailureMs = 5000;

export function createCatalog(server: ModelServer, clock: Clock, fetcher: typeof fetch): Catalog {
  let kept: { listing: Promise<Listing>; until: number } | undefined;

  async function ask(): Promise<Listing> {
    const over = new AbortController();
    const late = clock.sleep(timeoutMs, over.signal).then(
      () => ({ models: [], problem: `no answer within ${timeoutMs / 1000} s` }),
      () => ({ models: [], problem: 'given up' }),
    );
    try {
      return await Promise.race([get(over.signal), late]);
    } catch (error) {
      return { models: [], problem: problem(error) };
    } finally {
      over.abort();
    }
  }

  async function get(signal: AbortSignal): Promise<Listing> {
    const response = await fetcher(`${server.baseUrl}/models`, { headers: requestHeaders(server), signal });
    if (!response.ok) return { models: [], problem: `GET /models answered ${response.status}` };
    return { models: entries(await response.json()) };
  }

  return {
    list() {
      if (kept && clock.now() < kept.until) return kept.listing;
      const entry = { listing: ask(), until: Number.POSITIVE_INFINITY };
      kept = entry;
      void entry.listing.then((listing) => {
        entry.until = clock.now() + (listing.problem === undefined ? keepMs : keepFailureMs);
      });
      return entry.listing;
    },
  };
}

export function requestHeaders(server: ModelServer): Record<string, string> {
  const headers: Record<string, string> = {};
  if (server.apiKey) headers.authorization = `Bearer ${server.apiKey.reveal()}`;
  for (const [name, value] of Object.entries(server.headers ?? {}))
    headers[name.toLowerCase()] = value.reveal();
  return headers;
}

/** `{data: [{id}]}`, read with care: each server adds fields of its own. */
function entries(body: unknown): CatalogModel[] {
  const data = (body as { data?: unknown } | null)?.data;
  if (!Array.isArray(data)) return [];
  return data.flatMap((entry: Record<string, unknown> | null) => {
    const id = entry?.id;
    if (typeof id !== 'string' || id === '') return [];
    const name = typeof entry?.name === 'string' && entry.name !== '' ? entry.name : id;
    const size = [
      entry?.context_length,
      entry?.max_model_len,
      entry?.context_window,
      entry?.max_context_length,
    ].find((value) => typeof value === 'number' && value > 0);
    return [{ id, name, ...(typeof size === 'number' && { contextWindow: size }) }];
  });
}

function problem(error: unknown): string {
  const cause = (error as { cause?: { code?: unknown } } | null)?.cause;
  if (cause?.code === 'ECONNREFUSED') return 'connection refused';
  if (cause?.code === 'ENOTFOUND') return 'unknown host';
  if (error instanceof SyntaxError) return 'GET /models did not answer with JSON';
  return typeof cause?.code === 'string' ? cause.code : 'connection failed';
}
