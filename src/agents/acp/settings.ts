import type * as acp from '@agentclientprotocol/sdk';
import { AgentError, type Output } from '../agent.ts';
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

  constructor(options: SettingsOptions) {
    this.#options = options;
  }

  take(offered: Offered | undefined): void {
    this.#pickers.take(offered);
  }

  get changed(): Extract<Output, { type: 'changed' }> {
    return this.#pickers.changed;
  }

  /** The agent did it by itself. */
  moved(which: 'model' | 'mode', current: string): void {
    this.#pickers.moved(which, current);
    this.#options.say({ type: 'changed', [which]: current });
  }

  async setModel(modelId: string): Promise<void> {
    await this.#pick('model', modelId, 'session/set_model', { modelId });
  }

  async setMode(modeId: string): Promise<void> {
    await this.#pick('mode', modeId, 'session/set_mode', { modeId });
  }

  async #pick(which: 'model' | 'mode', wanted: string, method: string, params: object): Promise<void> {
    const { agent, request, agentSession, say } = this.#options;
    const picker = this.#pickers[which];
    if (!picker || picker.current === wanted) return;
    const sessionId = agentSession();
    try {
      if (picker.via === 'method') await request(method, { sessionId, ...params });
      else {
        const { option: configId } = picker.via;
        const answer = await request('session/set_config_option', { sessionId, configId, value: wanted });
        this.#pickers.take({ configOptions: answer.configOptions });
      }
      this.#pickers.moved(which, wanted);
    } catch (error) {
      // The session says what holds.
      say(this.#pickers.changed);
      throw new AgentError(
        `agent.${which}_refused`,
        `${nameOf(agent)} did not take the ${which} ${wanted}: ${saidBy(error)}.`,
      );
    }
  }
}
