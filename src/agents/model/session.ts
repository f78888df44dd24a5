import { isDeepStrictEqual } from 'node:util';
import type { StopReason } from '../../wire/content.ts';
import {
  AgentError,
  type AgentSession,
  type OpenOptions,
  type Output,
  type PromptRequest,
} from '../agent.ts';
import { type AttemptEvent, attempt } from './attempt.ts';
import type { Catalog } from './catalog.ts';
import type { Clock } from './clock.ts';
import { budgetOf, defaultWindow, estimateContent, estimateText, exchangesOf, firstSent } from './context.ts';
import { type Fault, faultOf } from './failures.ts';
import { toMessages } from './messages.ts';
import type { ModelServer } from './options.ts';
import { createParts } from './parts.ts';

export interface SessionDeps {
  readonly server: ModelServer;
  readonly settingsFile: string | undefined;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetch: typeof fetch;
}

/** The model, and its window where it is known. */
interface Chosen {
  readonly id: string;
  readonly window: number | undefined;
}

/** Retries after the first request, while nothing of the answer has come. */
const maxRetries = 4;
const firstDelayMs = 1000;
const longestDelayMs = 30_000;
/** A server that wants a longer wait than this is not waited for: the person decides. */
const longestAskedMs = 120_000;

export function createSession(deps: SessionDeps, options: OpenOptions): AgentSession {
  const { server, clock } = deps;
  let model = options.model ?? server.model;
  const exchanges = exchangesOf(options.history);
  /** Exchanges before this one no longer fit into the window. */
  let first = 0;
  let known: Chosen | undefined;
  let current: { readonly stop: AbortController; started: boolean } | undefined;

  async function chosen(): Promise<Chosen> {
    if (known !== undefined && known.id === (model ?? known.id)) return known;
    if (model !== undefined && server.contextWindow !== undefined)
      return { id: model, window: server.contextWindow };
    const { models, problem } = await deps.catalog.list();
    const listed = model === undefined ? models[0] : models.find((one) => one.id === model);
    const id = model ?? listed?.id;
    if (id === undefined) {
      const why = problem ?? 'it lists none';
      throw new AgentError(
        'model.no_model',
        `No model is named for ${server.baseUrl}, and none could be found there (${why}): choose one, or set "model" for "${server.id}"${deps.settingsFile ? ` in ${deps.settingsFile}` : ''}.`,
      );
    }
    const choice = { id, window: server.contextWindow ?? listed?.contextWindow };
    // Asked once for each model: a list that is slow must not delay every turn.
    if (problem === undefined) known = choice;
    return choice;
  }

  async function* run(
    request: PromptRequest,
    signal: AbortSignal,
    answer: { text: string },
  ): AsyncGenerator<Output, StopReason> {
    const { id, window } = await unlessAborted(chosen(), signal);
    const before = first;
    const fixed = estimateContent(request.content) + estimateText(server.system ?? '');
    first = firstSent(exchanges, first, fixed, budgetOf(window ?? defaultWindow, server.maxOutputTokens));
    if (first > before) yield cutNotice(first, window, server.id);
    const messages = toMessages(exchanges.slice(first), request.content);

    let accepted = false;
    for (let retries = 0; ; retries += 1) {
      const parts = createParts(server);
      let sent = false;
      function* show(pieces: ReturnType<typeof parts.end>): Generator<Output> {
        for (const { kind, text } of pieces) {
          if (signal.aborted) return;
          if (kind === 'text') answer.text += text;
          yield { type: kind, text };
        }
      }
      try {
        for await (const event of attempt({ server, model: id, messages, signal, fetch: deps.fetch })) {
          if (event.type === 'answered') {
            if (!accepted) yield { type: 'accepted' };
            accepted = true;
          } else if (event.type === 'finished') {
            yield* show(parts.end());
            if (signal.aborted) return 'cancelled';
            yield* finish(event, request.turn, window);
            return stopReason(event.reason);
          } else {
            sent = true;
            yield* show(parts.push(event.type, event.text));
          }
        }
        return 'cancelled';
      } catch (error) {
        if (signal.aborted) return 'cancelled';
        yield* show(parts.end());
        const fault = faultOf(error, {
          server,
          model: id,
          settingsFile: deps.settingsFile,
          now: clock.now(),
        });
        const delay = fault.after ?? backoff(retries, deps.random());
        if (!fault.retry || sent || retries >= maxRetries || delay > longestAskedMs)
          throw failed(fault, sent ? 0 : retries, delay);
        yield { type: 'retrying', attempt: retries + 1, reason: fault.message, next: clock.now() + delay };
        await clock.sleep(delay, signal);
      }
    }
  }

  async function* prompt(
    request: PromptRequest,
    mine: NonNullable<typeof current>,
  ): AsyncGenerator<Output, void> {
    if (current !== mine) throw busy();
    mine.started = true;
    const signal = AbortSignal.any([mine.stop.signal, request.signal]);
    const answer = { text: '' };
    let end: Output = { type: 'ended', stopReason: 'cancelled' };
    let endedWell = false;
    try {
      // The same message after one that failed is its retry: the model sees it once.
      const last = exchanges.at(-1);
      if (last && !last.endedWell && isDeepStrictEqual(last.user, request.content)) exchanges.pop();
      first = Math.min(first, exchanges.length);
      const reason = yield* run(request, signal, answer);
      endedWell = reason !== 'cancelled';
      end = { type: 'ended', stopReason: reason };
    } catch (error) {
      if (!signal.aborted) end = failure(error);
    } finally {
      // Before the end is told: the next prompt may follow it at once.
      mine.stop.abort();
      if (current === mine) current = undefined;
      exchanges.push({ turn: request.turn, user: request.content, answer: answer.text, endedWell });
    }
    yield end;
  }

  return {
    prompt(request) {
      if (current?.started) throw busy();
      const mine = { stop: new AbortController(), started: false };
      current = mine;
      return prompt(request, mine);
    },
    cancel() {
      current?.stop.abort();
    },
    answer() {
      // Models ask no permissions.
    },
    async setModel(id) {
      model = id;
    },
    async close() {
      current?.stop.abort();
    },
  };
}

function* finish(
  event: Extract<AttemptEvent, { type: 'finished' }>,
  turn: string,
  window: number | undefined,
): Generator<Output> {
  const { inputTokens, outputTokens, totalTokens } = event.usage ?? {};
  if (inputTokens !== undefined || outputTokens !== undefined) {
    yield {
      type: 'usage',
      turn,
      usage: {
        ...(inputTokens !== undefined && { inputTokens }),
        ...(outputTokens !== undefined && { outputTokens }),
        ...(totalTokens !== undefined && { totalTokens }),
        contextTokens: (inputTokens ?? 0) + (outputTokens ?? 0),
        ...(window !== undefined && { contextSize: window }),
      },
    };
  }
  if (event.reason === 'tool_calls' || event.reason === 'function_call') {
    yield {
      type: 'notice',
      level: 'warning',
      code: 'model.tool_calls',
      text: 'The model asked for a tool, and was offered none: the request was dropped.',
    };
  }
}

function stopReason(reason: string): StopReason {
  if (reason === 'length' || reason === 'max_tokens') return 'max_tokens';
  if (reason === 'content_filter' || reason === 'refusal') return 'refusal';
  return 'end_turn';
}

function cutNotice(count: number, window: number | undefined, id: string): Output {
  const size = window ?? defaultWindow;
  const known = window === undefined ? `, assumed: set contextWindow for "${id}"` : '';
  const turns = count === 1 ? 'The oldest turn is' : `The ${count} oldest turns are`;
  return {
    type: 'notice',
    level: 'info',
    code: 'context.cut',
    text: `${turns} no longer sent to the model: its window (${size} tokens${known}) is full.`,
  };
}

/** Doubles from 1 s to 30 s, give or take a quarter, so that many jobs do not come back at one moment. */
function backoff(retries: number, random: number): number {
  return Math.round(Math.min(longestDelayMs, firstDelayMs * 2 ** retries) * (0.75 + random / 2));
}

function failed(fault: Fault, retries: number, delay: number): AgentError {
  const tries = retries > 0 ? ` Tried ${retries + 1} times.` : '';
  const wait =
    fault.retry && delay > longestAskedMs ? ` It asks to wait ${Math.ceil(delay / 1000)} s: retry then.` : '';
  return new AgentError(fault.code, `${fault.message}${wait}${tries}`);
}

function failure(error: unknown): Output {
  const code = error instanceof AgentError ? error.code : 'model.failed';
  const message = error instanceof Error ? error.message : String(error);
  return { type: 'ended', stopReason: 'error', error: { code, message } };
}

function busy(): AgentError {
  return new AgentError('agent.busy', 'This session answers another prompt: wait for its end, or cancel it.');
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
