import type { ModelMessage } from 'ai';
import { requestHeaders } from './catalog.ts';
import { Broken, EndedEarly, ServerFailed, WrongAnswer } from './failures.ts';
import type { ModelServer } from './options.ts';

/** Finish reasons of a server that broke off by itself. */
const broken = new Set(['error', 'abort', 'aborted', 'insufficient_system_resource', 'unload']);

export interface AttemptRequest {
  readonly server: ModelServer;
  readonly model: string;
  readonly messages: ModelMessage[];
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
}

export type AttemptEvent =
  /** The server took the request and answers. */
  | { readonly type: 'answered' }
  | { readonly type: 'text' | 'thought'; readonly text: string }
  /** The last event. `reason` as the server wrote it, or `refusal`. */
  | { readonly type: 'finished'; readonly reason: string; readonly usage?: TokenCounts };

export interface TokenCounts {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly totalTokens: number | undefined;
}

/** Loaded when the first session opens: the two take a quarter of a second and 30 MB that a start need not pay. */
export const loadSdk = once(async () => {
  const [{ streamText }, { createOpenAICompatible }] = await Promise.all([
    import('ai'),
    import('@ai-sdk/openai-compatible'),
  ]);
  return { streamText, createOpenAICompatible };
});

/**
 * One request, streamed; it is never repeated here. Throws what went wrong, also in the middle; returns after
 * `finished`, or when the signal aborts.
 */
export async function* attempt(request: AttemptRequest): AsyncGenerator<AttemptEvent, void> {
  const { server, signal } = request;
  const { streamText, createOpenAICompatible } = await loadSdk();
  const answered = Promise.withResolvers<'answered'>();
  // Read from the chunks themselves: an answer is whole when its finish reason came, whatever the socket does next.
  let finishReason: string | undefined;
  let broke: Broken | undefined;

  const provider = createOpenAICompatible({
    name: 'model',
    baseURL: server.baseUrl,
    headers: requestHeaders(server),
    includeUsage: true,
    fetch: async (url, init) => {
      const response = await request.fetch(url, init);
      if (!response.ok) return response;
      checkType(response);
      answered.resolve('answered');
      return withSoftEnd(response, signal, (error) => {
        broke = new Broken('the connection broke', { cause: error });
      });
    },
    metadataExtractor: {
      extractMetadata: async () => undefined,
      createStreamExtractor: () => ({
        processChunk: (chunk) => {
          const reason = (chunk as { choices?: { finish_reason?: unknown }[] } | undefined)?.choices?.[0]
            ?.finish_reason;
          if (typeof reason === 'string') finishReason = reason;
        },
        buildMetadata: () => undefined,
      }),
    },
  });
  const { stream } = streamText({
    model: provider.chatModel(request.model),
    messages: request.messages,
    ...(server.system && { instructions: server.system }),
    ...(server.maxOutputTokens && { maxOutputTokens: server.maxOutputTokens }),
    maxRetries: 0,
    abortSignal: signal,
    // Errors are parts of the stream too; without this the SDK prints them.
    onError: () => {},
  });

  for await (const part of untilAborted(stream, signal, answered.promise)) {
    if (part === 'answered') {
      yield { type: 'answered' };
      continue;
    }
    switch (part.type) {
      case 'text-delta':
        yield { type: 'text', text: part.text };
        break;
      case 'reasoning-delta':
        yield { type: 'thought', text: part.text };
        break;
      case 'error':
        throw broke ?? asError(part.error);
      case 'finish':
        if (finishReason === undefined) throw broke ?? new EndedEarly();
        if (broken.has(finishReason))
          throw new ServerFailed(`it ended the answer with "${finishReason}".`, false);
        yield {
          type: 'finished',
          reason: part.finishReason === 'content-filter' ? 'content_filter' : finishReason,
          usage: part.totalUsage,
        };
        return;
      default:
    }
  }
  if (!signal.aborted) throw new EndedEarly();
}

/** The stream with `extra` where it comes in; ends at once when the signal aborts, however long the stream takes. */
async function* untilAborted<T, E>(
  stream: AsyncIterable<T>,
  signal: AbortSignal,
  extra: Promise<E>,
): AsyncGenerator<T | E, void> {
  const iterator = stream[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<undefined>();
  const abort = () => aborted.resolve(undefined);
  signal.addEventListener('abort', abort);
  const extras = extra.then((value) => ({ extra: value }));
  let waiting: Promise<{ extra: E }>[] = [extras];
  let next: Promise<IteratorResult<T>> | undefined;
  try {
    while (!signal.aborted) {
      next ??= iterator.next();
      next.catch(() => {});
      const result = await Promise.race([...waiting, next, aborted.promise]);
      if (result === undefined || signal.aborted) return;
      if ('extra' in result) {
        waiting = [];
        yield result.extra;
        continue;
      }
      next = undefined;
      if (result.done) return;
      yield result.value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    // Not awaited: the end of the prompt must not wait for the socket.
    iterator.return?.().catch(() => {});
  }
}

/** Only what is surely no stream is refused: some servers send streams under odd types, or none. */
function checkType(response: Response): void {
  const type = response.headers.get('content-type') ?? '';
  if (/^(text\/html|application\/json)\b/i.test(type)) {
    throw new WrongAnswer(`it sent ${type.split(';')[0]} instead of an event stream`);
  }
}

function asError(error: unknown): unknown {
  const { name, data, message, type, statusCode, isRetryable } = error as Record<string, unknown>;
  // How this SDK says that no finish reason came.
  if (name === 'AI_InvalidResponseDataError' && data === undefined) return new EndedEarly();
  // An event `{error: …}` in the stream: the server itself speaks.
  if (name !== 'AI_StreamProviderError') return error;
  const words = [message, typeof type === 'string' ? `(${type})` : '']
    .filter((word) => word !== '')
    .join(' ');
  return new ServerFailed(
    words,
    isRetryable === true,
    typeof statusCode === 'number' ? statusCode : undefined,
  );
}

/**
 * A body that ends where the connection broke, and tells why apart. An error in a web stream discards all chunks that
 * were not read yet: text that had come would be lost.
 */
function withSoftEnd(response: Response, signal: AbortSignal, onBreak: (error: unknown) => void): Response {
  const reader = response.body?.getReader();
  if (!reader) return response;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          if (signal.aborted) return controller.error(error);
          onBreak(error);
          controller.close();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    new CountQueuingStrategy({ highWaterMark: 64 }),
  );
  return new Response(body, { status: response.status, headers: response.headers });
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
