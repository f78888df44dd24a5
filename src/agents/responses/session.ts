import type { ContentBlock } from '../../wire/content.ts';
import type { Turn } from '../../wire/turn.ts';
import { AgentError, type AgentSession, type OpenOptions, type Output, type Poll } from '../agent.ts';
import type { Clock } from '../model/clock.ts';
import { budgetOf, estimateContent, estimateText, exchangesOf, firstSent } from '../model/context.ts';
import { type Fault, faultOf } from '../model/failures.ts';
import { type Answer, isGone, RefusedByServer, ResponsesApi } from './api.ts';
import { inputOf } from './input.ts';
import type { ResponsesServer } from './options.ts';
import { isOver, parseHandle, ResponseReader } from './reader.ts';
import { Run, type RunOptions } from './run.ts';
import { allowed } from './tools.ts';

export interface SessionDeps {
  readonly server: ResponsesServer;
  readonly settingsFile: string | undefined;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
}

/** Tries after the first: only of requests that the server refused for a passing reason, so that none runs twice. */
const maxRetries = 4;
const firstDelayMs = 1000;
const longestDelayMs = 120_000;
const defaultWindow = 200_000;

export function createSession(deps: SessionDeps, options: OpenOptions): AgentSession {
  const { server, clock } = deps;
  const api = new ResponsesApi(server, deps.fetch);
  const closed = new AbortController();
  const exchanges = exchangesOf(options.history);
  let model = options.model ?? server.model;
  let first = 0;
  let current: Run | undefined;
  let last: { turn: string; content: readonly ContentBlock[]; run: Run } | undefined;

  const { id, baseUrl, apiKey, apiKeyEnv, headers } = server;
  const named = {
    id,
    baseUrl,
    ...(apiKey && { apiKey }),
    ...(apiKeyEnv !== undefined && { apiKeyEnv }),
    ...(headers && { headers }),
  };
  const fault = (error: unknown): Fault =>
    faultOf(error, { server: named, model, settingsFile: deps.settingsFile, now: clock.now() });
  const failure = (error: unknown) => {
    if (error instanceof AgentError) return error.failure;
    const { code, message, until } = fault(error);
    return { code, message, ...(until !== undefined && { until }) };
  };

  const running: RunOptions = {
    failure,
    goOn: (run, previous, input, push) => request(run, { previous_response_id: previous, input }, push),
  };

  /** Asks for a response; it runs in the background of the server, and streams as well if it can. */
  async function create(
    run: Run,
    content: readonly ContentBlock[],
    push: (o: Output) => void,
  ): Promise<Answer> {
    const before = first;
    const fixed = estimateContent(content) + estimateText(server.instructions ?? '');
    const window = server.contextWindow ?? defaultWindow;
    first = firstSent(exchanges, first, fixed, budgetOf(window, server.maxOutputTokens));
    if (first > before) push(cutNotice(first));
    return request(run, { input: inputOf(exchanges.slice(first), content) }, push);
  }

  async function request(
    run: Run,
    asked: Readonly<Record<string, unknown>>,
    push: (o: Output) => void,
  ): Promise<Answer> {
    const body = {
      model,
      ...asked,
      background: true,
      store: true,
      stream: server.stream !== false,
      ...(server.instructions !== undefined && { instructions: server.instructions }),
      ...(server.tools && { tools: server.tools }),
      ...(server.reasoning && { reasoning: server.reasoning }),
      ...(server.maxOutputTokens !== undefined && { max_output_tokens: server.maxOutputTokens }),
    };
    for (let retries = 0; ; retries += 1) {
      try {
        return await api.create(body, run.signal);
      } catch (error) {
        const { retry, message, after } = fault(error);
        const delay = after ?? Math.min(firstDelayMs * 2 ** retries, longestDelayMs);
        // Without an answer nobody knows whether it runs: asking again could run it twice.
        const again = retry && error instanceof RefusedByServer;
        if (!again || retries >= maxRetries || delay > longestDelayMs) throw error;
        push({ type: 'retrying', attempt: retries + 1, reason: message, next: clock.now() + delay });
        await clock.sleep(delay, AbortSignal.any([run.signal, run.stopping]));
      }
    }
  }

  /** The run that a handle names; a new one after a restart, which knows what the turn has seen. */
  function runOf(handle: string, seen?: Turn): Run {
    const { id } = parseHandle(handle);
    if (current?.reader.id === id) return current;
    const turn = seen?.id ?? '';
    current = new Run(new ResponseReader(turn, { handle, ...(seen && { seen }) }), running);
    return current;
  }

  /** The turn before this one, once it is over, as context. */
  function remember(): void {
    if (!last) return;
    const { turn, content, run } = last;
    const endedWell = run.reader.over && !run.stopped;
    exchanges.push({ turn, user: content, answer: run.reader.said, endedWell });
    last = undefined;
  }

  const retrieve = (run: Run) => async (): Promise<Answer> => ({
    kind: 'object',
    response: await api.retrieve(String(run.reader.id), closed.signal),
  });
  const resume = (run: Run) => () =>
    api.resume(String(run.reader.id), run.reader.sequence, AbortSignal.any([run.signal, closed.signal]));

  return {
    prompt({ turn, content, signal }) {
      if (current?.streaming && !current.stopped)
        throw new AgentError('responses.busy', 'This session answers already.');
      remember();
      const run = new Run(new ResponseReader(turn), running);
      current = run;
      last = { turn, content, run };
      // A stop that came before the response had a name still needs it.
      const leave = () => (run.stopped && run.reader.id === undefined ? undefined : run.leave());
      signal.addEventListener('abort', leave, { once: true });
      closed.signal.addEventListener('abort', () => run.leave(), { once: true });
      return run.follow((push) => create(run, content, push));
    },

    reattach(handle, seen) {
      const run = runOf(handle, seen);
      if (seen.message) last = { turn: seen.id, content: seen.message.content, run };
      return run.follow(server.stream === false ? retrieve(run) : resume(run));
    },

    async poll(handle): Promise<Poll> {
      const run = runOf(handle);
      if (run.streaming) return { state: 'running' };
      try {
        const response = await api.retrieve(String(run.reader.id), closed.signal);
        const asksFirst = response.output?.some(({ type }) => type === 'mcp_approval_request') === true;
        const known = async (): Promise<Answer> => ({ kind: 'object', response });
        if (isOver(response) && asksFirst) return { state: 'stream', output: run.follow(known) };
        if (isOver(response)) return { state: 'ended', output: [...run.reader.whole(response)] };
        if (run.streamable && server.stream !== false)
          return { state: 'stream', output: run.follow(resume(run)) };
        return { state: 'running', progress: { text: words[response.status ?? ''] ?? 'Running' } };
      } catch (error) {
        if (isGone(error)) {
          return {
            state: 'unknown',
            reason: `The server at ${server.baseUrl} does not know this response any more; servers keep them for a while only. What had come is kept.`,
          };
        }
        return { state: 'running', progress: { text: failure(error).message } };
      }
    },

    async cancel() {
      const run = current;
      if (!run || run.reader.over) return;
      if (run.waiting) {
        run.stop();
        return run.leave();
      }
      const tell = () => api.cancel(String(run.reader.id), closed.signal);
      if (run.reader.id === undefined) {
        void run.named
          .then(tell)
          .catch(() => {})
          .finally(() => run.leave());
        return run.stop();
      }
      await tell().catch((error: unknown) => {
        if (!isGone(error)) throw new AgentError('responses.cancel', failure(error).message);
      });
      run.stop();
      run.leave();
    },

    answer(permission, answer) {
      // It is cancelled only because the turn is being stopped.
      if (answer.outcome === 'selected') current?.approve(permission, answer.optionId === allowed);
    },
    async setModel(id) {
      model = id;
    },
    get survives() {
      return current?.survives === true;
    },
    async close() {
      closed.abort();
    },
  };

  function cutNotice(count: number): Output {
    const turns = count === 1 ? 'The oldest turn is' : `The ${count} oldest turns are`;
    return {
      type: 'notice',
      level: 'info',
      code: 'responses.context_cut',
      text: `${turns} no longer sent to the model: the conversation is longer than its window.`,
    };
  }
}

const words: Readonly<Record<string, string>> = { queued: 'Queued at the server', in_progress: 'Running' };
