import type { ModelMessage } from 'ai';
import type { StopReason } from '../../wire/content.ts';
import { AgentError, type Output, type PromptRequest } from '../agent.ts';
import { unlessAborted } from './abort.ts';
import { attempt, type Call, type Finished, type TokenCounts } from './attempt.ts';
import type { Clock } from './clock.ts';
import {
  budgetOf,
  cutResults,
  type Exchange,
  estimateContent,
  estimateMessages,
  estimateText,
  firstSent,
} from './context.ts';
import { type Fault, faultOf, longestWaitMs } from './failures.ts';
import { toMessages } from './messages.ts';
import { contextCut, resultsCut, tooManySteps, uncalledTool, withoutTools } from './notices.ts';
import type { ModelServer } from './options.ts';
import { createParts } from './parts.ts';
import { shapeOf } from './providers.ts';
import type { Category } from './tools/tool.ts';
import { Toolbox, type ToolboxOptions, toolInstructions, toolSet, toolTokens } from './tools/toolbox.ts';

export interface TurnDeps {
  readonly server: ModelServer;
  readonly settingsFile: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetch: typeof fetch;
}

/** The model, and its window where it is known. */
export interface Chosen {
  readonly id: string;
  readonly window: number | undefined;
  /** Tokens that it could have at most, while its window is not known. */
  readonly most?: number;
}

/** What a session keeps from turn to turn. */
export interface Memory {
  readonly exchanges: Exchange[];
  /** Exchanges before this one no longer fit into the window. */
  first: number;
  /** Categories of tools that the person always allows. */
  readonly always: Set<Category>;
  /** Models that get no tools, because their servers refused them or their window is too small. */
  readonly toolless: Set<string>;
}

/** What comes of a turn, also of one that does not end well. */
export interface Said {
  /** All text that was shown; that of each step apart. */
  readonly texts: string[];
  /** Whole steps with tools, as the next request of this turn repeats them. */
  readonly steps: ModelMessage[];
}

export interface TurnRequest extends Pick<PromptRequest, 'turn' | 'content'> {
  /** Aborts on a stop, and when nobody reads on. */
  readonly signal: AbortSignal;
  readonly choose: () => Promise<Chosen>;
  readonly tools: Omit<ToolboxOptions, 'always'>;
  readonly said: Said;
}

/** Requests of one turn: a model that only ever calls tools is stopped then. */
const maxSteps = 50;
/** Retries after the first request, while nothing of the answer has come. */
const maxRetries = 4;
const firstDelayMs = 1000;
const longestDelayMs = 30_000;
/** Characters of one tool's result, at most; fewer in a small window. */
const longestResult = 16_000;

/** All requests of a turn: the answer, and in between the tools that the model uses. */
export async function* runTurn(
  deps: TurnDeps,
  memory: Memory,
  request: TurnRequest,
): AsyncGenerator<Output, StopReason> {
  const model = await unlessAborted(request.choose(), request.signal);
  return yield* new TurnRun(deps, memory, request, model).run();
}

class TurnRun {
  readonly #deps: TurnDeps;
  readonly #memory: Memory;
  readonly #request: TurnRequest;
  readonly #model: Chosen;
  readonly #toolbox: Toolbox;
  /** Tokens; assumed where nobody says it. */
  readonly #window: number;
  /** Estimated tokens that a request may have. */
  readonly #budget: number;
  #accepted = false;
  #input = 0;
  #output = 0;

  constructor(deps: TurnDeps, memory: Memory, request: TurnRequest, model: Chosen) {
    this.#deps = deps;
    this.#memory = memory;
    this.#request = request;
    this.#model = model;
    this.#toolbox = new Toolbox({ ...request.tools, always: memory.always });
    this.#window =
      model.window ?? Math.min(shapeOf(deps.server).window, model.most ?? Number.POSITIVE_INFINITY);
    this.#budget = budgetOf(this.#window, deps.server.maxOutputTokens);
  }

  async *run(): AsyncGenerator<Output, StopReason> {
    const { signal, said } = this.#request;
    for (let step = 0; step < maxSteps; step += 1) {
      const answer = yield* this.#ask();
      if (answer === undefined || signal.aborted) return 'cancelled';
      const { finished, calls } = answer;
      yield* this.#usage(finished.usage);
      if (finished.reason !== 'end' || calls.length === 0) {
        yield* this.#toolbox.drop('The answer was over before the call was whole: it was not made.');
        return finished.reason === 'end'
          ? 'end_turn'
          : finished.reason === 'length'
            ? 'max_tokens'
            : 'refusal';
      }
      if (!this.#hasTools) {
        yield uncalledTool;
        return 'end_turn';
      }
      const room = Math.max(400, Math.min(longestResult, Math.floor(this.#budget / calls.length)));
      const results = yield* this.#toolbox.use(calls, room);
      if (signal.aborted) return 'cancelled';
      said.steps.push(
        { role: 'assistant', content: [...finished.content] },
        { role: 'tool', content: results },
      );
    }
    yield tooManySteps(maxSteps);
    return 'max_turn_requests';
  }

  get #hasTools(): boolean {
    return this.#deps.server.tools !== false && !this.#memory.toolless.has(this.#model.id);
  }

  /** One answer, asked for again while nothing of it has come; undefined when it was stopped. */
  async *#ask(): AsyncGenerator<Output, { finished: Finished; calls: Call[] } | undefined> {
    const { server, clock, random, settingsFile, fetch } = this.#deps;
    const { signal, said } = this.#request;
    const model = this.#model.id;
    if (this.#hasTools && toolTokens * 4 > this.#budget)
      yield this.#goWithoutTools('its window is too small');
    yield* this.#fit();
    said.texts.push('');
    for (let retries = 0; ; ) {
      const calls: Call[] = [];
      let parts = createParts(server);
      let sent = false;
      try {
        const events = attempt({
          server,
          model,
          instructions: this.#instructions,
          messages: this.#messages,
          tools: this.#hasTools ? toolSet : undefined,
          signal,
          fetch,
        });
        for await (const event of events) {
          switch (event.type) {
            case 'answered':
              if (!this.#accepted) yield { type: 'accepted' };
              this.#accepted = true;
              break;
            case 'text':
            case 'thought':
              sent = true;
              yield* this.#show(parts.push(event.type, event.text));
              break;
            case 'calling':
            case 'call':
              sent = true;
              yield* this.#show(parts.end());
              parts = createParts({ ...server, reasoningOpen: false });
              if (event.type === 'call') calls.push(event.call);
              else if (this.#hasTools) yield* this.#toolbox.announce(event.id, event.name);
              break;
            case 'finished':
              yield* this.#show(parts.end());
              return { finished: event, calls };
          }
        }
        return undefined;
      } catch (error) {
        if (signal.aborted) return undefined;
        yield* this.#show(parts.end());
        const fault = faultOf(error, { server, model, settingsFile, now: clock.now() });
        if (!sent && this.#hasTools && said.steps.length === 0 && refusesTools(fault)) {
          yield this.#goWithoutTools('its server refuses them', fault.message);
          continue;
        }
        const delay = fault.after ?? backoff(retries, random());
        if (!fault.retry || sent || retries >= maxRetries || delay > longestWaitMs)
          throw failed(fault, sent ? 0 : retries, delay, clock.now());
        retries += 1;
        yield { type: 'retrying', attempt: retries, reason: fault.message, next: clock.now() + delay };
        await clock.sleep(delay, signal);
      }
    }
  }

  get #instructions(): string {
    const tools = this.#hasTools ? toolInstructions(this.#request.tools.cwd) : '';
    return [this.#deps.server.system ?? '', tools].filter((part) => part !== '').join('\n\n');
  }

  get #messages(): ModelMessage[] {
    const { exchanges, first } = this.#memory;
    const { content, said } = this.#request;
    return [...toMessages(exchanges.slice(first), content, this.#hasTools), ...said.steps];
  }

  #goWithoutTools(why: string, detail = ''): Output {
    this.#memory.toolless.add(this.#model.id);
    return withoutTools(this.#model.id, why, detail);
  }

  /** Leaves out what no longer fits into the window, and says so. */
  *#fit(): Generator<Output> {
    const { server } = this.#deps;
    const { content, said } = this.#request;
    const memory = this.#memory;
    const before = memory.first;
    const own =
      estimateContent(content) +
      estimateText(this.#instructions) +
      (this.#hasTools ? toolTokens : 0) +
      estimateMessages(said.steps);
    memory.first = firstSent(memory.exchanges, before, own, this.#budget);
    const size = {
      window: this.#window,
      known: this.#model.window !== undefined,
    };
    if (memory.first > before) yield contextCut(memory.first, size, server.id);
    const over = own - this.#budget;
    if (over <= 0) return;
    const count = cutResults(said.steps, over, this.#budget);
    if (count > 0) yield resultsCut(count, size, server.id);
  }

  *#show(pieces: ReturnType<ReturnType<typeof createParts>['end']>): Generator<Output> {
    const { signal, said } = this.#request;
    for (const { kind, text } of pieces) {
      if (signal.aborted) return;
      if (kind === 'text') said.texts[said.texts.length - 1] += text;
      yield { type: kind, text };
    }
  }

  /** A model that was loaded for this turn has a window by now. */
  async #known(): Promise<number | undefined> {
    if (this.#model.window !== undefined || this.#model.most === undefined) return this.#model.window;
    const { id, window } = await this.#request.choose();
    return id === this.#model.id ? window : undefined;
  }

  /** Of all requests of the turn together; the context is that of the last one. */
  async *#usage(counts: TokenCounts | undefined): AsyncGenerator<Output> {
    const { inputTokens, outputTokens, totalTokens } = counts ?? {};
    if (inputTokens === undefined && outputTokens === undefined) return;
    const first = this.#input + this.#output === 0;
    this.#input += inputTokens ?? 0;
    this.#output += outputTokens ?? 0;
    const total = first ? totalTokens : this.#input + this.#output;
    const window = await this.#known();
    yield {
      type: 'usage',
      turn: this.#request.turn,
      usage: {
        ...(inputTokens !== undefined && { inputTokens: this.#input }),
        ...(outputTokens !== undefined && { outputTokens: this.#output }),
        ...(total !== undefined && { totalTokens: total }),
        contextTokens: (inputTokens ?? 0) + (outputTokens ?? 0),
        ...(window !== undefined && { contextSize: window }),
      },
    };
  }
}

/** Some servers refuse a whole request because it offers tools; each has words of its own for it. */
function refusesTools({ code, message }: Fault): boolean {
  if (!['model.bad_request', 'model.not_found', 'model.server_error'].includes(code)) return false;
  return /\btools?\b|\btool_|function[ _-]?call/i.test(message);
}

/** Doubles from 1 s to 30 s, give or take a quarter, so that many jobs do not come back at one moment. */
function backoff(retries: number, random: number): number {
  return Math.round(Math.min(longestDelayMs, firstDelayMs * 2 ** retries) * (0.75 + random / 2));
}

function failed(fault: Fault, retries: number, delay: number, now: number): AgentError {
  const tries = retries > 0 ? ` Tried ${retries + 1} times.` : '';
  const far = fault.retry && delay > longestWaitMs;
  const wait = far ? ` It asks to wait ${Math.ceil(delay / 1000)} s: retry then.` : '';
  return new AgentError(
    fault.code,
    `${fault.message}${wait}${tries}`,
    fault.until ?? (far ? now + delay : undefined),
  );
}
