import type * as acp from '@agentclientprotocol/sdk';
import type { OptionValue } from '../../wire/options.ts';
import { AgentError, type OpenOptions, type Output } from '../agent.ts';
import { nameOf, saidBy } from './failures.ts';
import type { AcpAgent } from './options.ts';
import { type Offered, Pickers } from './pickers.ts';

export interface SettingsOptions {
  readonly agent: AcpAgent;
  readonly say: (output: Output) => void;
  readonly request: acp.ClientContext['request'];
  readonly agentSession: () => string;
}

/** What a session of the agent is set to, and can be set to. */
export class Settings {
  readonly #options: SettingsOptions;
  readonly #pickers = new Pickers();
  /** Until all is as the session was left, what is said is not what it was left at. */
  #ready = false;

  constructor(options: SettingsOptions) {
    this.#options = options;
  }

  take(offered: Offered | undefined): void {
    this.#pickers.take(offered);
  }

  /** The session is as it was asked for: gives all that it is set to, and what it can be set to. */
  ready(): Extract<Output, { type: 'changed' }> {
    this.#ready = true;
    return this.#pickers.changed;
  }

  /** The agent did it by itself. */
  moved(which: 'model' | 'mode', current: string): void {
    this.#pickers.moved(which, current);
    if (this.#ready) this.#options.say({ type: 'changed', [which]: current });
  }

  updated(offered: Offered): void {
    this.#pickers.take(offered);
    this.#tell();
  }

  async setModel(modelId: string): Promise<void> {
    await this.#pick('model', modelId, 'session/set_model', { modelId });
  }

  async setMode(modeId: string): Promise<void> {
    await this.#pick('mode', modeId, 'session/set_mode', { modeId });
  }

  async setOption(id: string, value: OptionValue): Promise<void> {
    const option = this.#pickers.options?.find((one) => one.id === id);
    if (!option || option.value === value) return;
    await this.#set('option', option.name, String(value), () => this.#configure(id, value));
    this.#tell();
  }

  /** What brings the session back to how it was left, one after the other. */
  *restored({ model, mode, options = {} }: OpenOptions): Generator<() => Promise<void>> {
    if (model !== undefined) yield () => this.setModel(model);
    if (mode !== undefined) yield () => this.setMode(mode);
    for (const [id, value] of Object.entries(options)) yield () => this.setOption(id, value);
  }

  async #pick(which: 'model' | 'mode', wanted: string, method: string, params: object): Promise<void> {
    const { request, agentSession } = this.#options;
    const picker = this.#pickers[which];
    if (!picker || picker.current === wanted) return;
    const before = JSON.stringify(this.#pickers.options);
    await this.#set(which, which, wanted, async () => {
      if (picker.via === 'method') await request(method, { sessionId: agentSession(), ...params });
      else await this.#configure(picker.via.option, wanted);
      this.#pickers.moved(which, wanted);
    });
    // What else an agent offers may hang on its model.
    if (JSON.stringify(this.#pickers.options) !== before) this.#tell();
  }

  #tell(): void {
    if (this.#ready) this.#options.say(this.#pickers.changed);
  }

  async #set(kind: string, name: string, wanted: string, tell: () => Promise<void>): Promise<void> {
    const { agent } = this.#options;
    try {
      await tell();
    } catch (error) {
      // The session says what holds.
      this.#tell();
      throw new AgentError(
        `agent.${kind}_refused`,
        `${nameOf(agent)} did not take the ${kind === 'option' ? `setting ${name}:` : name} ${wanted}: ${saidBy(error)}.`,
      );
    }
  }

  async #configure(configId: string, value: OptionValue): Promise<void> {
    const { request, agentSession } = this.#options;
    const typed = typeof value === 'boolean' ? ({ type: 'boolean', value } as const) : { value };
    const answer = await request('session/set_config_option', {
      sessionId: agentSession(),
      configId,
      ...typed,
    });
    if (answer.configOptions) this.#pickers.take({ configOptions: answer.configOptions });
    else this.#pickers.set(configId, value);
  }
}
