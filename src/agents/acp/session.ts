import type * as acp from '@agentclientprotocol/sdk';
import { type ContentBlock, type StopReason, stopReason } from '../../wire/content.ts';
import type { OptionValue } from '../../wire/options.ts';
import type { AgentSession, OpenOptions, Output, PermissionAnswer, PromptRequest } from '../agent.ts';
import { AgentError } from '../agent.ts';
import { type Clock, within } from '../workspace/clock.ts';
import { Asking } from './asking.ts';
import { Channel } from './channel.ts';
import type { Client } from './connection.ts';
import { promptBlocks } from './context.ts';
import { exitFailure, failureOf, nameOf } from './failures.ts';
import { Guidance } from './guidance.ts';
import type { AcpAgent } from './options.ts';
import type { Offered } from './pickers.ts';
import type { Program } from './program.ts';
import { type Run, Runs } from './runs.ts';
import { Services } from './services.ts';
import { Settings } from './settings.ts';
import { Terminals } from './terminals.ts';
import { spentUsage, Updates } from './updates.ts';

export interface AcpSessionOptions {
  readonly agent: AcpAgent;
  readonly open: OpenOptions;
  readonly program: Program;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Sources of updates that belong to no prompt, as Qwen Code names them. */
const asideSource = /^(background|cron|scheduled)/;

/** One conversation's side of an agent program, and the client that the program sees. */
export class AcpSession implements AgentSession, Client {
  readonly #options: AcpSessionOptions;
  readonly #terminals: Terminals;
  readonly #updates: Updates;
  readonly asking: Asking;
  readonly services: Services;
  readonly #guidance = new Guidance();
  readonly #runs: Runs;
  readonly #settings: Settings;
  #connection: acp.ClientConnection | undefined;
  #initialized: acp.InitializeResponse | undefined;
  #agentSession = '';
  /** What `session/load` replays is known already, and better. */
  #replaying = false;
  #context: string | undefined;
  #closing = false;
  #gone: AgentError | undefined;

  constructor(options: AcpSessionOptions) {
    const { open, env, clock } = options;
    this.#options = options;
    this.#terminals = new Terminals({ cwd: open.cwd, env, clock, onProcess: open.onProcess });
    this.#runs = new Runs(open.onOutput);
    this.services = new Services(open.cwd, this.#terminals, () => this.#runs.cancelled);
    const say = (output: Output) => this.#runs.say(output);
    this.#settings = new Settings({
      agent: options.agent,
      say,
      request: (method: string, params?: unknown) => this.connection.agent.request(method, params),
      agentSession: () => this.#agentSession,
    });
    this.#updates = new Updates({ terminals: this.#terminals, say });
    this.asking = new Asking({
      cwd: open.cwd,
      tools: this.#updates.tools,
      say,
      note: (notice) => this.#runs.note(notice),
      state: () => {
        if (this.#runs.cancelled || this.#closing) return 'stopped';
        return this.#agentSession === '' ? 'starting' : 'asking';
      },
    });
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
    this.#settings.take(offered);
    const { program } = this.#options;
    void program.exited.then((exit) =>
      this.#exited(exitFailure(this.#options.agent, exit, program.lastWords)),
    );
    void this.connection.closed.then(() => this.#disconnected());
  }

  /** The session is as it was asked for: tells what can be picked. */
  ready(): void {
    this.#options.open.onOutput({ ...this.#settings.ready(), agentSession: this.#agentSession });
  }

  /** Earlier turns that the agent does not know, for its first prompt. */
  tellEarlier(context: string, notice: string): void {
    this.#context = context;
    this.#runs.note({ type: 'notice', level: 'info', code: 'agent.context_given', text: notice });
  }

  /** Something to be said with the first prompt. */
  note(text: string): void {
    this.#runs.note({ type: 'notice', level: 'warning', code: 'agent.setting_refused', text });
  }

  prompt(request: PromptRequest): AsyncIterable<Output> {
    const channel = new Channel<Output>();
    if (this.#gone ?? this.#runs.current) {
      const busy = { code: 'agent.busy', message: `${nameOf(this.#options.agent)} is still answering.` };
      channel.push({ type: 'ended', stopReason: 'error', error: this.#gone ?? busy });
      channel.end();
      return channel;
    }
    // A question of its own that nobody was shown, since the turn before was stopped, would keep it busy for ever.
    this.asking.cancelAll();
    const run = this.#runs.begin(request, channel);
    void this.#ask(run, request.content);
    return channel;
  }

  async cancel(): Promise<void> {
    if (this.#runs.current) this.#runs.current.cancelled = true;
    this.#guidance.refuse();
    const told = this.connection.agent.notify('session/cancel', { sessionId: this.#agentSession });
    // The protocol asks for it; a question that the stop overtook has nobody else to answer it.
    this.asking.cancelAll();
    await told;
  }

  answer(permission: string, answer: PermissionAnswer): void {
    this.asking.answer(permission, answer);
  }

  async steer(content: readonly ContentBlock[]): Promise<boolean> {
    if (!this.#runs.current || this.#runs.cancelled) return false;
    return this.#guidance.offer(content);
  }

  setModel(model: string): Promise<void> {
    return this.#settings.setModel(model);
  }

  setMode(mode: string): Promise<void> {
    return this.#settings.setMode(mode);
  }

  setOption(id: string, value: OptionValue): Promise<void> {
    return this.#settings.setOption(id, value);
  }

  /** Sets it to what it was left at; what is refused is said with the first prompt. */
  async restore(open: OpenOptions, bounded: (set: Promise<void>) => Promise<void>): Promise<void> {
    for (const set of this.#settings.restored(open)) {
      await bounded(set()).catch((error: unknown) => {
        this.note(error instanceof Error ? error.message : String(error));
      });
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#gone = new AgentError('agent.closed', 'This session of the agent is closed.');
    this.#runs.current?.channel.abandon();
    this.asking.cancelAll();
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
    if (sessionUpdate === 'current_mode_update') return this.#settings.moved('mode', update.currentModeId);
    if (sessionUpdate === 'config_option_update') return this.#settings.updated(update);
    const ofSession = ['available_commands_update', 'session_info_update', 'usage_update'].includes(
      sessionUpdate,
    );
    if (this.#replaying && !ofSession) return;
    if (sessionUpdate === 'user_message_chunk') return this.#runs.current?.channel.push({ type: 'accepted' });
    const source = update._meta?.source;
    this.#runs.reading(typeof source === 'string' && asideSource.test(source), () => {
      try {
        this.#updates.read(update);
      } catch (error) {
        const text = `The agent sent something that could not be read (${sessionUpdate}): ${String(error)}`;
        this.#runs.say({ type: 'notice', level: 'warning', code: 'agent.malformed', text });
      }
    });
  }

  other(method: string, _params: unknown): unknown {
    // A11: Qwen Code asks for guidance between its tools, and never again after one refusal.
    if (method === 'craft/drainMidTurnQueue') return this.#guidance.take();
    // A7: it waits with a turn of its own when it is told that one is running.
    if (method === '_qwencode/start_turn') return { accepted: this.#runs.current === undefined };
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
      if (usage) this.#runs.say({ type: 'usage', usage });
      this.#settle(run, { type: 'ended', stopReason: reasonOf(response.stopReason) });
    } catch (error) {
      // Why the connection is gone is told by the end of the program.
      if (this.connection.signal.aborted) return;
      const failure = failureOf(this.#options.agent, error);
      this.#settle(run, { type: 'ended', stopReason: 'error', error: failure });
    }
  }

  #settle(run: Run, end: Output): void {
    if (this.#runs.current !== run) return;
    this.#updates.tools.flush();
    this.asking.cancelAll();
    this.#guidance.refuse();
    this.#runs.end(run, end);
  }

  #disconnected(): void {
    const { program, clock } = this.#options;
    void within(clock, 1000, program.exited).then((ended) => {
      if (!ended) program.kill();
    });
  }

  #exited(failure: { code: string; message: string }): void {
    this.#terminals.killAll();
    this.asking.cancelAll();
    this.#guidance.refuse();
    if (this.#closing) return;
    this.#gone = new AgentError(failure.code, failure.message);
    const run = this.#runs.current;
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
