import type { Choice } from '../../wire/content.ts';
import type { Clock } from './clock.ts';
import type { ModelServer } from './options.ts';
import { requestHeaders } from './providers.ts';

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

const defaultTimeoutMs = 1500;
const keepMs = 30_000;
/** A server that was down is asked again soon, but not for each request of the list of agents. */
const keepFailureMs = 5000;

export function createCatalog(
  server: ModelServer,
  clock: Clock,
  fetcher: typeof fetch,
  timeoutMs = defaultTimeoutMs,
): Catalog {
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
    // What is not asked for comes in pages of 20 (Anthropic) or 50 (Google).
    const page =
      server.provider === 'anthropic' ? '?limit=1000' : server.provider === 'google' ? '?pageSize=1000' : '';
    const response = await fetcher(`${server.baseUrl}/models${page}`, {
      headers: requestHeaders(server),
      signal,
    });
    if (!response.ok) return { models: [], problem: `GET /models answered ${response.status}` };
    const body: unknown = await response.json();
    const { data, models } = (body ?? {}) as { data?: unknown; models?: unknown };
    const list = server.provider === 'google' ? models : data;
    if (!Array.isArray(list)) return { models: [], problem: 'GET /models did not answer with a list' };
    return { models: list.flatMap(server.provider === 'google' ? googleEntry : entry) };
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

/** Read with care: each server adds fields of its own. */
function entry(fields: Record<string, unknown> | null): CatalogModel[] {
  const id = fields?.id;
  if (typeof id !== 'string' || id === '') return [];
  const meta = fields?.meta as Record<string, unknown> | null | undefined;
  return model(id, fields?.name ?? fields?.display_name, [
    fields?.context_length,
    fields?.max_model_len,
    fields?.context_window,
    fields?.loaded_context_length,
    fields?.max_context_length,
    fields?.max_input_tokens,
    meta?.n_ctx,
  ]);
}

/** `{name: "models/…"}`; those that only embed or draw are left out. */
function googleEntry(fields: Record<string, unknown> | null): CatalogModel[] {
  const id = fields?.name;
  const methods = fields?.supportedGenerationMethods;
  if (typeof id !== 'string' || (Array.isArray(methods) && !methods.includes('generateContent'))) return [];
  return model(id.replace(/^models\//, ''), fields?.displayName, [fields?.inputTokenLimit]);
}

function model(id: string, name: unknown, sizes: readonly unknown[]): CatalogModel[] {
  const size = sizes.find((value) => typeof value === 'number' && value > 0);
  const shown = typeof name === 'string' && name !== '' ? name : id;
  return [{ id, name: shown, ...(typeof size === 'number' && { contextWindow: size }) }];
}

function problem(error: unknown): string {
  const cause = (error as { cause?: { code?: unknown } } | null)?.cause;
  if (cause?.code === 'ECONNREFUSED') return 'connection refused';
  if (cause?.code === 'ENOTFOUND') return 'unknown host';
  if (error instanceof SyntaxError) return 'GET /models did not answer with JSON';
  return typeof cause?.code === 'string' ? cause.code : 'connection failed';
}
