import { serverEvents } from '../sse.ts';
import type { ResponsesServer } from './options.ts';

/** A response, as far as it is read here. */
export interface ResponseObject {
  readonly id: string;
  readonly status?: string;
  readonly output?: readonly OutputItem[];
  readonly error?: { readonly code?: string; readonly message?: string } | null;
  readonly incomplete_details?: { readonly reason?: string } | null;
  readonly usage?: {
    readonly input_tokens?: number;
    readonly output_tokens?: number;
    readonly total_tokens?: number;
  } | null;
}

export interface OutputItem {
  readonly type: string;
  readonly id?: string;
  readonly status?: string;
  readonly content?: readonly ContentPart[];
  readonly summary?: readonly ContentPart[];
  readonly [field: string]: unknown;
}

export interface ContentPart {
  readonly type: string;
  readonly text?: string;
  readonly refusal?: string;
}

/** One event of the stream; `sequence_number` counts over the whole response, also over connections. */
export interface ResponseEvent {
  readonly type: string;
  readonly sequence_number?: number;
  readonly response?: ResponseObject;
  readonly item?: OutputItem;
  readonly item_id?: string;
  readonly content_index?: number;
  readonly summary_index?: number;
  readonly delta?: string;
  readonly code?: string;
  readonly message?: string;
  readonly error?: { readonly code?: string; readonly message?: string };
}

/** What the server answers: events, or the response as it stands. */
export type Answer =
  | { readonly kind: 'stream'; readonly events: AsyncIterable<ResponseEvent> }
  | { readonly kind: 'object'; readonly response: ResponseObject };

/** A status that is no success, in the shape that the model connector's words are made of. */
export class RefusedByServer extends Error {
  override readonly name = 'RefusedByServer';
  readonly statusCode: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly responseBody: string;
  readonly data: unknown;
  constructor(status: number, headers: Headers, body: string) {
    super(`HTTP ${status}`);
    this.statusCode = status;
    this.responseHeaders = Object.fromEntries(headers);
    this.responseBody = body;
    try {
      this.data = JSON.parse(body);
    } catch {
      this.data = undefined;
    }
  }
}

/** An answer that is neither events nor a response. */
class NoResponse extends Error {
  override readonly name = 'WrongAnswer';
}

/** The calls of the Responses API that a background response needs. Each rejects with what went wrong, unretried. */
export class ResponsesApi {
  readonly #server: ResponsesServer;
  readonly #fetch: typeof fetch;

  constructor(server: ResponsesServer, fetcher: typeof fetch) {
    this.#server = server;
    this.#fetch = fetcher;
  }

  create(body: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Answer> {
    return this.#answer(this.#call('POST', '/responses', signal, body));
  }

  async retrieve(id: string, signal: AbortSignal): Promise<ResponseObject> {
    const answer = await this.#answer(this.#call('GET', `/responses/${encodeURIComponent(id)}`, signal));
    if (answer.kind === 'object') return answer.response;
    throw new NoResponse('it sent an event stream, unasked');
  }

  /** The events after number `after`, again or to come. */
  resume(id: string, after: number, signal: AbortSignal): Promise<Answer> {
    const query = after >= 0 ? `?stream=true&starting_after=${after}` : '?stream=true';
    return this.#answer(this.#call('GET', `/responses/${encodeURIComponent(id)}${query}`, signal));
  }

  /** Doing it twice is doing it once. */
  async cancel(id: string, signal: AbortSignal): Promise<void> {
    await this.#call('POST', `/responses/${encodeURIComponent(id)}/cancel`, signal, {});
  }

  async #call(method: string, path: string, signal: AbortSignal, body?: object): Promise<Response> {
    const { baseUrl, apiKey, headers = {} } = this.#server;
    const response = await this.#fetch(`${baseUrl}${path}`, {
      method,
      signal,
      headers: {
        ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }),
        ...(body && { 'content-type': 'application/json' }),
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()])),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    throw new RefusedByServer(response.status, response.headers, await response.text().catch(() => ''));
  }

  async #answer(call: Promise<Response>): Promise<Answer> {
    const response = await call;
    const type = response.headers.get('content-type') ?? '';
    if (/^text\/event-stream\b/i.test(type) && response.body)
      return { kind: 'stream', events: eventsOf(response.body) };
    const text = await response.text();
    try {
      const object = JSON.parse(text) as ResponseObject;
      if (typeof object.id === 'string') return { kind: 'object', response: object };
    } catch {
      // Said below.
    }
    throw new NoResponse(`it sent ${type.split(';')[0] || 'something'} instead of a response`);
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ResponseEvent, void> {
  for await (const { data, event } of serverEvents(body)) {
    if (data === '[DONE]') return;
    let parsed: ResponseEvent;
    try {
      parsed = JSON.parse(data) as ResponseEvent;
    } catch {
      throw new NoResponse('an event of its stream is not JSON');
    }
    yield { ...parsed, type: parsed.type ?? event ?? '' };
  }
}

/** True when the server says that it has no such response. */
export function isGone(error: unknown): boolean {
  return error instanceof RefusedByServer && (error.statusCode === 404 || error.statusCode === 410);
}
