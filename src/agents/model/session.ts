import { isDeepStrictEqual } from 'node:util';
import type { ModelMessage } from 'ai';
import {
  AgentError,
  type AgentSession,
  type OpenOptions,
  type Output,
  type PermissionAnswer,
  type PromptRequest,
} from '../agent.ts';
import type { Catalog } from './catalog.ts';
import { type Exchange, exchangesOf } from './context.ts';
import { stepsOf } from './earlier.steps.ts';
import { type Chosen, type Memory, runTurn, type Said, type TurnDeps } from './turn.ts';
import type { Windows } from './windows.ts';

export interface SessionDeps extends TurnDeps {
  readonly catalog: Catalog;
  readonly windows: Windows;
}

interface Current {
  readonly stop: AbortController;
  readonly answers: Map<string, PromiseWithResolvers<PermissionAnswer>>;
  started: boolean;
}

export function createSession(deps: SessionDeps, options: OpenOptions): AgentSession {
  const { server, clock } = deps;
  let model = options.model ?? server.model;
  const exchanges = exchangesOf(options.history, stepsOf);
  const memory: Memory = { exchanges, first: 0, always: new Set(), toolless: new Set() };
  let known: Chosen | undefined;
  let current: Current | undefined;

  /** What the server says of the window now goes before what its list said once. */
  async function chosen(): Promise<Chosen> {
    const choice = await listed();
    if (server.contextWindow !== undefined) return choice;
    const { window = choice.window, most } = await deps.windows.of(choice.id);
    return { id: choice.id, window, ...(most !== undefined && { most }) };
  }

  async function listed(): Promise<Chosen> {
    if (known !== undefined && known.id === (model ?? known.id)) return known;
    if (model !== undefined && server.contextWindow !== undefined)
      return { id: model, window: server.contextWindow };
    const { models, problem } = await deps.catalog.list();
    const entry = model === undefined ? models[0] : models.find((one) => one.id === model);
    const id = model ?? entry?.id;
    if (id === undefined) {
      const why = problem ?? 'it lists none';
      throw new AgentError(
        'model.no_model',
        `No model is named for ${server.baseUrl}, and none could be found there (${why}): choose one, or set "model" for "${server.id}"${deps.settingsFile ? ` in ${deps.settingsFile}` : ''}.`,
      );
    }
    const choice = { id, window: server.contextWindow ?? entry?.contextWindow };
    // Asked once for each model: a list that is slow must not delay every turn.
    if (problem === undefined) known = choice;
    return choice;
  }

  async function* prompt(request: PromptRequest, mine: Current): AsyncGenerator<Output, void> {
    if (current !== mine) throw busy();
    mine.started = true;
    const over = new AbortController();
    const abandoned = AbortSignal.any([request.signal, over.signal]);
    const signal = AbortSignal.any([mine.stop.signal, request.signal]);
    const said: Said = { texts: [], steps: [] };
    let end: Output = { type: 'ended', stopReason: 'cancelled' };
    let endedWell = false;
    try {
      // The same message after one that failed is its retry: the model sees it once.
      const last = exchanges.at(-1);
      if (last && !last.endedWell && isDeepStrictEqual(last.user, request.content)) exchanges.pop();
      memory.first = Math.min(memory.first, exchanges.length);
      const { cwd, onProcess } = options;
      const reason = yield* runTurn(deps, memory, {
        turn: request.turn,
        content: request.content,
        signal,
        choose: chosen,
        said,
        tools: {
          cwd,
          clock,
          stopped: signal,
          abandoned,
          spawned: onProcess,
          answerTo(permission) {
            const answer = Promise.withResolvers<PermissionAnswer>();
            mine.answers.set(permission, answer);
            return answer.promise;
          },
        },
      });
      endedWell = reason !== 'cancelled';
      end = { type: 'ended', stopReason: reason };
    } catch (error) {
      if (!signal.aborted) end = failure(error);
    } finally {
      // Before the end is told: the next prompt may follow it at once.
      mine.stop.abort();
      over.abort();
      if (current === mine) current = undefined;
      exchanges.push(exchangeOf(request, said, endedWell));
    }
    yield end;
  }

  return {
    prompt(request) {
      if (current?.started) throw busy();
      const mine: Current = { stop: new AbortController(), answers: new Map(), started: false };
      current = mine;
      return prompt(request, mine);
    },
    cancel() {
      current?.stop.abort();
    },
    answer(permission, answer) {
      const asked = current?.answers.get(permission);
      // A permission is cancelled only because its turn is being stopped.
      if (asked && answer.outcome === 'cancelled') current?.stop.abort();
      asked?.resolve(answer);
    },
    async setModel(id) {
      model = id;
    },
    async close() {
      current?.stop.abort();
    },
  };
}

function exchangeOf({ turn, content }: PromptRequest, said: Said, endedWell: boolean): Exchange {
  const answer = said.texts.filter((text) => text !== '').join('\n\n');
  const exchange = { turn, user: content, answer, endedWell };
  if (said.steps.length === 0) return exchange;
  const rest = said.texts.slice(said.steps.length / 2).join('');
  return { ...exchange, steps: said.steps.map((step, index) => forLater(step, said.texts[index / 2])), rest };
}

/** In later turns, thoughts are not repeated: of an answer stay its text as it was shown, and the calls. */
function forLater(step: ModelMessage, text = ''): ModelMessage {
  if (step.role !== 'assistant' || typeof step.content === 'string') return step;
  const calls = step.content.filter((part) => part.type === 'tool-call');
  return { role: 'assistant', content: text.trim() === '' ? calls : [{ type: 'text', text }, ...calls] };
}

function failure(error: unknown): Output {
  const stopReason = 'error';
  if (error instanceof AgentError) return { type: 'ended', stopReason, error: error.failure };
  const message = error instanceof Error ? error.message : String(error);
  return { type: 'ended', stopReason, error: { code: 'model.failed', message } };
}

function busy(): AgentError {
  return new AgentError('agent.busy', 'This session answers another prompt: wait for its end, or cancel it.');
}
