import type * as acp from '@agentclientprotocol/sdk';
import { type ContentBlock, type StopReason, stopReason } from '../../wire/content.ts';
import type { AgentSession, OpenOptions, Output, PermissionAnswer, PromptRequest } from '../agent.ts';
import { AgentError } from '../agent.ts';
import { type Clock, within } from '../workspace/clock.ts';
import { Channel } from './channel.ts';
import type { Client } from './connection.ts';
import { promptBlocks } from './context.ts';
import { exitFailure, failureOf, nameOf, saidBy } from './failures.ts';
import { Guidance } from './guidance.ts';
import type { AcpAgent } from './options.ts';
import { Permissions } from './permissions.ts';
import { type Offered, Pickers } from './pickers.ts';
import type { Program } from './program.ts';
import { Services } from './services.ts';
import { Terminals } from './terminals.ts';
import { spentUsage, Updates } from './updates.ts';

export interface AcpSessionOptions {
  readonly agent: AcpAgent;
  readonly open: OpenOptions;
  readonly program: Program;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Run {
  readonly turn: string;
  readonly channel: Channel<Output>;
  cancelled: boolean;
}

/** Sources of updates that belong to no prompt, as Qwen Code names them. */
const asideSource = /^(background|cron|scheduled)/;

/** One conversation's side of an agent program, and the client that the program sees. */
export class AcpSession implements AgentSession, Client {
  readonly #options: AcpSessionOptions;
  readonly #terminals: Terminals;
  readonly #updates: Updates;
  readonly #permissions: Permissions;
  readonly services: Services;
  readonly #guidance = new Guidance();
  readonly #pickers = new Pickers();
  #connection: acp.ClientConnection | undefined;
  #initialized: acp.InitializeResponse | undefined;
  #agentSession = '';
  /** What `session/load` replays is known already, and better. */
  #replaying = false;
  #run: Run | undefined;
  #lastTurn: string | undefined;
  /** Said in a prompt, and not of it: follows when it is over. */
  #asides: Output[] = [];
  #aside = false;
  /** To be said with the first prompt. */
  #opening: Output[] = [];
  #context: string | undefined;
  #closing = false;
  #gone: AgentError | undefined;

  constructor(options: AcpSessionOptions) {
    const { open, env, clock } = options;
    this.#options = options;
    this.#terminals = new Terminals({ cwd: open.cwd, env, clock, onProcess: open.onProcess });
    this.services = new Services(open.cwd, this.#terminals, () => this.#run?.cancelled ?? false);
    const say = (output: Output) => this.#say(output);
    this.#updates = new Updates({ terminals: this.#terminals, say });
    this.#permissions = new Permissions(open.cwd, this.#updates.tools, say);
  }

  get connection(): acp.ClientConnection {
    if (!this.#connection) throw new Error('the agent is not connected');
    return this.#connection;
  }

  /** Called once, before anything is asked of the agent. */
  connected(connection: acp.ClientConnection): void {
    this.#connection = connection;
  }

  initialized(response: acp.InitializeResponse): void {
    this.#initialized = response;
    this.#guidance.asked = /qwen/i.test(response.agentInfo?.name ?? '');
  }

  /** Runs `load`, whose replay makes no rows. */
  async replaying<T>(load: () => Promise<T>): Promise<T> {
    this.#replaying = true;
    try {
      return await load();
    } finally {
      this.#replaying = false;
    }
  }

  /** The agent's session is open; from here on its end is told by `onExit`. */
  opened(agentSession: string, offered: Offered | undefined): void {
    this.#agentSession = agentSession;
    this.#pickers.take(offered);
    const { program } = this.#options;
    void program.exited.then((exit) =>
      this.#exited(exitFailure(this.#options.agent, exit, program.lastWords)),
    );
    void this.connection.closed.then(() => this.#disconnected());
  }

  /** The session is as it was asked for: tells what can be picked. */
  ready(): void {
    const { changed } = this.#pickers;
    this.#options.open.onOutput({ ...changed, agentSession: this.#agentSession });
  }

  /** Earlier turns that the agent does not know, for its first prompt. */
  tellEarlier(context: string, notice: string): void {
    this.#context = context;
    this.#opening.push({ type: 'notice', level: 'info', code: 'agent.context_given', text: notice });
  }

  /** Something to be said with the first prompt. */
  note(text: string): void {
    this.#opening.push({ type: 'notice', level: 'warning', code: 'agent.setting_refused', text });
  }

  prompt(request: PromptRequest): AsyncIterable<Output> {
    const channel = new Channel<Output>();
    if (this.#gone ?? this.#run) {
      const busy = { code: 'agent.busy', message: `${nameOf(this.#options.agent)} is still answering.` };
      channel.push({ type: 'ended', stopReason: 'error', error: this.#gone ?? busy });
      channel.end();
      return channel;
    }
    const run: Run = { turn: request.turn, channel, cancelled: false };
    // A question of its own that nobody was shown, since the turn before was stopped, would keep it busy for ever.
    this.#permissions.cancelAll();
    this.#run = run;
    request.signal.addEventListener('abort', () => channel.abandon(), { once: true });
    for (const output of this.#opening.splice(0)) channel.push(output);
    void this.#ask(run, request.content);
    return channel;
  }

  async cancel(): Promise<void> {
    if (this.#run) this.#run.cancelled = true;
    this.#guidance.refuse();
    const told = this.connection.agent.notify('session/cancel', { sessionId: this.#agentSession });
    // The protocol asks for it; a question that the stop overtook has nobody else to answer it.
    this.#permissions.cancelAll();
    await told;
  }

  answer(permission: string, answer: PermissionAnswer): void {
    this.#permissions.answer(permission, answer);
  }

  async steer(content: readonly ContentBlock[]): Promise<boolean> {
    if (!this.#run || this.#run.cancelled) return false;
    return this.#guidance.offer(content);
  }

  async setModel(model: string): Promise<void> {
    await this.#pick('model', model, () =>
      this.connection.agent.request('session/set_model', { sessionId: this.#agentSession, modelId: model }),
    );
  }

  async setMode(mode: string): Promise<void> {
    await this.#pick('mode', mode, () =>
      this.connection.agent.request('session/set_mode', { sessionId: this.#agentSession, modeId: mode }),
    );
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#gone = new AgentError('agent.closed', 'This session of the agent is closed.');
    this.#run?.channel.abandon();
    this.#permissions.cancelAll();
    this.#guidance.refuse();
    this.#terminals.killAll();
    if (this.#initialized?.agentCapabilities?.sessionCapabilities?.close && !this.connection.signal.aborted) {
      const closed = this.connection.agent.request('session/close', { sessionId: this.#agentSession });
      await within(
        this.#options.clock,
        300,
        closed.catch(() => {}),
      );
    }
    await this.#options.program.end();
  }

  // What the agent tells and asks.

  update(notification: acp.SessionNotification | undefined): void {
    const { sessionId, update } = notification ?? {};
    if (!update || (this.#agentSession !== '' && sessionId !== this.#agentSession)) return;
    const { sessionUpdate } = update;
    if (sessionUpdate === 'current_mode_update') return this.#moved('mode', update.currentModeId);
    if (sessionUpdate === 'config_option_update') {
      this.#pickers.take({ configOptions: update.configOptions });
      return this.#say(this.#pickers.changed);
    }
    const ofSession = ['available_commands_update', 'session_info_update', 'usage_update'].includes(
      sessionUpdate,
    );
    if (this.#replaying && !ofSession) return;
    if (sessionUpdate === 'user_message_chunk') return this.#run?.channel.push({ type: 'accepted' });
    const source = update._meta?.source;
    this.#aside = typeof source === 'string' && asideSource.test(source);
    try {
      this.#updates.read(update);
    } catch (error) {
      const text = `The agent sent something that could not be read (${sessionUpdate}): ${String(error)}`;
      this.#say({ type: 'notice', level: 'warning', code: 'agent.malformed', text });
    } finally {
      this.#aside = false;
    }
  }

  async permission(
    request: acp.RequestPermissionRequest,
    signal: AbortSignal,
  ): Promise<acp.RequestPermissionResponse> {
    // I4: after a stop nothing is asked any more.
    if (this.#run?.cancelled || this.#closing) return { outcome: { outcome: 'cancelled' } };
    return this.#permissions.ask(request, signal);
  }

  other(method: string, _params: unknown): unknown {
    // A11: Qwen Code asks for guidance between its tools, and never again after one refusal.
    if (method === 'craft/drainMidTurnQueue') return this.#guidance.take();
    // A7: it waits with a turn of its own when it is told that one is running.
    if (method === '_qwencode/start_turn') return { accepted: this.#run === undefined };
    return undefined;
  }

  // Inside.

  async #ask(run: Run, content: readonly ContentBlock[]): Promise<void> {
    const { blocks, lost } = promptBlocks(content, this.#initialized?.agentCapabilities?.promptCapabilities);
    if (lost.length > 0) {
      const text = `${nameOf(this.#options.agent)} takes no ${lost.join(' and no ')}: sent without.`;
      run.channel.push({ type: 'notice', level: 'warning', code: 'agent.unsupported_content', text });
    }
    const context: ContentBlock[] = this.#context ? [{ type: 'text', text: this.#context }] : [];
    this.#context = undefined;
    try {
      const prompt = [...context, ...blocks] as acp.ContentBlock[];
      const response = await this.connection.agent.request('session/prompt', {
        sessionId: this.#agentSession,
        prompt,
      });
      const usage = spentUsage(response) ?? spentUsage(response._meta);
      if (usage) this.#say({ type: 'usage', usage });
      this.#settle(run, { type: 'ended', stopReason: reasonOf(response.stopReason) });
    } catch (error) {
      // Why the connection is gone is told by the end of the program.
      if (this.connection.signal.aborted) return;
      const failure = failureOf(this.#options.agent, error);
      this.#settle(run, { type: 'ended', stopReason: 'error', error: failure });
    }
  }

  #settle(run: Run, end: Output): void {
    if (this.#run !== run) return;
    this.#updates.tools.flush();
    this.#run = undefined;
    this.#lastTurn = run.turn;
    this.#permissions.cancelAll();
    this.#guidance.refuse();
    run.channel.push(end);
    run.channel.end();
    const asides = this.#asides.splice(0);
    if (asides.length === 0) return;
    void run.channel.drained.then(() => {
      for (const output of asides) this.#say(output);
    });
  }

  #say(output: Output): void {
    const { onOutput } = this.#options.open;
    if (output.type === 'changed') return onOutput(output);
    if (this.#run && this.#aside && output.type !== 'usage') {
      this.#asides.push(output);
      return;
    }
    if (this.#run) return this.#run.channel.push(output);
    // A4: it may come after the end of the turn that it is about.
    const turn = output.type === 'usage' && this.#lastTurn !== undefined && { turn: this.#lastTurn };
    onOutput({ ...output, ...turn });
  }

  #moved(which: 'model' | 'mode', current: string): void {
    this.#pickers.moved(which, current);
    this.#say({ type: 'changed', [which]: current });
  }

  async #pick(which: 'model' | 'mode', wanted: string, byMethod: () => Promise<unknown>): Promise<void> {
    const picker = this.#pickers[which];
    if (!picker || picker.current === wanted) return;
    try {
      if (picker.via === 'method') await byMethod();
      else {
        const answer = await this.connection.agent.request('session/set_config_option', {
          sessionId: this.#agentSession,
          configId: picker.via.option,
          value: wanted,
        });
        this.#pickers.take({ configOptions: answer.configOptions });
      }
      this.#pickers.moved(which, wanted);
    } catch (error) {
      // The session says what holds.
      this.#say(this.#pickers.changed);
      const name = nameOf(this.#options.agent);
      throw new AgentError(
        `agent.${which}_refused`,
        `${name} did not take the ${which} ${wanted}: ${saidBy(error)}.`,
      );
    }
  }

  #disconnected(): void {
    const { program, clock } = this.#options;
    void within(clock, 1000, program.exited).then((ended) => {
      if (!ended) program.kill();
    });
  }

  #exited(failure: { code: string; message: string }): void {
    this.#terminals.killAll();
    this.#permissions.cancelAll();
    this.#guidance.refuse();
    if (this.#closing) return;
    this.#gone = new AgentError(failure.code, failure.message);
    const run = this.#run;
    if (run) this.#settle(run, { type: 'ended', stopReason: 'error', error: failure });
    // What it said before its end is written first (I7).
    const read = run ? within(this.#options.clock, 1000, run.channel.drained) : Promise.resolve();
    void read.then(() => {
      if (!this.#closing) this.#options.open.onExit(failure);
    });
  }
}

function reasonOf(said: string): StopReason {
  const known = stopReason.safeParse(said);
  return known.success && known.data !== 'job' ? known.data : 'end_turn';
}
