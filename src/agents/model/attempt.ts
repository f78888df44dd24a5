import type { AssistantModelMessage, ModelMessage, TextStreamPart, ToolSet } from 'ai';
import { untilAborted } from './abort.ts';
import { Broken, EndedEarly, ServerFailed, WrongAnswer } from './errors.ts';
import type { ModelServer } from './options.ts';
import { loadSdk, providerOptions } from './providers.ts';

/** Finish reasons of a server that broke off by itself. */
const broken = new Set(['error', 'abort', 'aborted', 'insufficient_system_resource', 'unload']);

export interface AttemptRequest {
  readonly server: ModelServer;
  readonly model: string;
  readonly instructions: string;
  readonly messages: ModelMessage[];
  /** Without an `execute`: the calls are told, and made by others. */
  readonly tools: ToolSet | undefined;
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
}

export type AttemptEvent =
  /** The server took the request and answers. */
  | { readonly type: 'answered' }
  | { readonly type: 'text' | 'thought'; readonly text: string }
  /** The model begins to write a call; its input follows. */
  | { readonly type: 'calling'; readonly id: string; readonly name: string }
  | { readonly type: 'call'; readonly call: Call }
  | Finished;

/** The last event. */
export interface Finished {
  readonly type: 'finished';
  readonly reason: 'end' | 'length' | 'refusal';
  readonly usage: TokenCounts | undefined;
  /** The answer in the shape in which the next request repeats it, with what the provider signed. */
  readonly content: readonly ContentPart[];
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
  /** Why it cannot be made: no such tool, input that is no JSON or of the wrong shape. For the model. */
  readonly problem?: string;
}

export interface TokenCounts {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly totalTokens: number | undefined;
}

export type ContentPart = Exclude<AssistantModelMessage['content'], string>[number];

/**
 * One request, streamed; it is never repeated here. Throws what went wrong, also in the middle; returns after
 * `finished`, or when the signal aborts.
 */
export async function* attempt(request: AttemptRequest): AsyncGenerator<AttemptEvent, void> {
  const { server, signal, tools, instructions } = request;
  const sdk = await loadSdk(server);
  const answered = Promise.withResolvers<'answered'>();
  let broke: Broken | undefined;

  const model = sdk.model(server, request.model, async (url, init) => {
    const response = await request.fetch(url, init);
    if (!response.ok) return response;
    checkType(response);
    answered.resolve('answered');
    return withSoftEnd(response, signal, (error) => {
      broke = new Broken('the connection broke', { cause: error });
    });
  });
  const special = providerOptions(server, request.model);
  const { stream } = sdk.streamText({
    model,
    messages: request.messages,
    ...(instructions && { instructions }),
    ...(tools && { tools }),
    ...(server.maxOutputTokens && { maxOutputTokens: server.maxOutputTokens }),
    ...(server.reasoning && { reasoning: server.reasoning }),
    ...(special && { providerOptions: special }),
    maxRetries: 0,
    abortSignal: signal,
    // Errors are parts of the stream too; without this the SDK prints them.
    onError: () => {},
  });

  const content = new Content();
  for await (const part of untilAborted(stream, signal, answered.promise)) {
    if (part === 'answered') {
      yield { type: 'answered' };
      continue;
    }
    content.add(part);
    switch (part.type) {
      case 'text-delta':
        yield { type: 'text', text: part.text };
        break;
      case 'reasoning-delta':
        yield { type: 'thought', text: part.text };
        break;
      case 'tool-input-start':
        yield { type: 'calling', id: part.id, name: part.toolName };
        break;
      case 'tool-call':
        yield { type: 'call', call: callOf(part) };
        break;
      case 'error':
        throw broke ?? asError(part.error);
      case 'finish':
        yield { ...ending(part, broke), usage: part.totalUsage, content: content.parts };
        return;
      default:
    }
  }
  if (!signal.aborted) throw broke ?? new EndedEarly();
}

type Part<T extends TextStreamPart<ToolSet>['type']> = Extract<TextStreamPart<ToolSet>, { readonly type: T }>;

/** An answer is whole when the server gave a reason for its end, whatever the socket does next. */
function ending(part: Part<'finish'>, broke: Broken | undefined): Pick<Finished, 'type' | 'reason'> {
  const { finishReason, rawFinishReason: raw } = part;
  if (raw === undefined) throw broke ?? new EndedEarly();
  if (broken.has(raw) || finishReason === 'error')
    throw new ServerFailed(`it ended the answer with "${raw}".`, false);
  if (finishReason === 'content-filter' || raw === 'refusal') return { type: 'finished', reason: 'refusal' };
  const full = finishReason === 'length' || raw === 'max_tokens';
  return { type: 'finished', reason: full ? 'length' : 'end' };
}

function callOf(part: Part<'tool-call'>): Call {
  const { toolCallId: id, toolName: name, input } = part;
  if (part.invalid !== true) return { id, name, input };
  const problem = part.error instanceof Error ? part.error.message : String(part.error);
  return { id, name, input, problem };
}

/** Collects the parts of an answer, with what the provider wants to see again. */
class Content {
  readonly parts: ContentPart[] = [];
  readonly #open = new Map<string, { text: string; providerOptions?: object }>();

  add(part: TextStreamPart<ToolSet>): void {
    const metadata = 'providerMetadata' in part ? part.providerMetadata : undefined;
    const special = metadata === undefined ? {} : { providerOptions: metadata };
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start': {
        const type = part.type === 'text-start' ? ('text' as const) : ('reasoning' as const);
        const open = { type, text: '', ...special };
        this.parts.push(open);
        this.#open.set(`${type}:${part.id}`, open);
        return;
      }
      case 'text-delta':
      case 'reasoning-delta':
      case 'text-end':
      case 'reasoning-end': {
        const open = this.#open.get(`${part.type.split('-')[0]}:${part.id}`);
        if (!open) return;
        if ('text' in part) open.text += part.text;
        Object.assign(open, special);
        return;
      }
      case 'tool-call': {
        const { toolCallId, toolName, input } = part;
        // Input that is no object cannot be repeated: templates of models go through its fields.
        const shown = typeof input === 'object' && input !== null ? input : {};
        this.parts.push({ type: 'tool-call', toolCallId, toolName, input: shown, ...special });
        return;
      }
      default:
    }
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
  // How this SDK says that no finish reason came, or nothing at all.
  if (name === 'AI_InvalidResponseDataError' && data === undefined) return new EndedEarly();
  if (name === 'AI_NoOutputGeneratedError') return new EndedEarly();
  // How its Anthropic provider says that the first event is none of Anthropic's.
  if (message === 'Expected a normalized Anthropic stream error')
    return new WrongAnswer('its first event is not the JSON of an answer');
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
