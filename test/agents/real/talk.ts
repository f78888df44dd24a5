import { setTimeout as delay } from 'node:timers/promises';
import type { Fact, FactOf } from '../../../src/wire/facts.ts';
import { foldAll } from '../../../src/wire/fold.ts';
import type { Turn } from '../../../src/wire/turn.ts';
import { violations } from '../../support/invariants.ts';
import type { GatewayProcess } from '../../support/process-gateway.ts';
import type { Play } from './model.ts';

/** As the gateway knows it. */
export interface Driven {
  readonly id: string;
  /** The mode in which it asks before it acts, where it has modes. */
  readonly mode?: string;
}

let scenes = 0;

/** A name for one use of a scene, so that requests and gates of others are not confused with it. */
export function nextScene(): string {
  scenes += 1;
  return `s${scenes}`;
}

/** A conversation with a real agent over the gateway's HTTP API. */
export class Talk {
  readonly facts: Fact[] = [];
  readonly id: string;
  readonly #gateway: GatewayProcess;
  /** Facts before this place belong to earlier scenarios. */
  #from = 0;
  readonly #over = new AbortController();
  #looks: (() => void)[] = [];
  #messages = 0;

  private constructor(gateway: GatewayProcess, id: string) {
    this.#gateway = gateway;
    this.id = id;
  }

  static async begin(gateway: GatewayProcess, { id: agent, mode }: Driven): Promise<Talk> {
    const body = { agent, ...(mode && { mode }) };
    const { id } = await gateway.call<{ id: string }>('POST', '/api/sessions', body);
    return Talk.join(gateway, id);
  }

  /** A conversation that is there. */
  static join(gateway: GatewayProcess, id: string): Talk {
    const talk = new Talk(gateway, id);
    void talk.#follow();
    return talk;
  }

  /** Another scenario begins in the same conversation. */
  turnPage(): void {
    this.#from = this.facts.length;
  }

  /** What was told since then. */
  get told(): readonly Fact[] {
    return this.facts.slice(this.#from);
  }

  /** Sends a message that names a play; resolves with the turn, if it has begun. */
  async say(
    play: Play | { readonly words: string },
    scene = nextScene(),
    delivery = 'queue',
  ): Promise<string> {
    this.#messages += 1;
    const text = typeof play === 'string' ? `Please go on. [[${play} ${scene}]]` : play.words;
    const { turn } = await this.#gateway.call<{ turn?: string }>(
      'POST',
      `/api/sessions/${this.id}/messages`,
      {
        id: `m${this.#messages}`,
        content: [{ type: 'text', text }],
        delivery,
      },
    );
    return String(turn);
  }

  stop(turn: string): Promise<unknown> {
    return this.#gateway.call('POST', `/api/sessions/${this.id}/stop`, { turn });
  }

  answer(permission: string, option: string): Promise<unknown> {
    return this.#gateway.call('POST', `/api/sessions/${this.id}/permissions/${permission}`, { option });
  }

  async first<T extends Fact['type']>(
    type: T,
    fits: (fact: FactOf<T>) => boolean = () => true,
    ms = 90_000,
  ): Promise<FactOf<T>> {
    const end = Date.now() + ms;
    for (;;) {
      const found = this.told.find((fact) => fact.type === type && fits(fact as FactOf<T>));
      if (found) return found as FactOf<T>;
      const left = end - Date.now();
      if (left <= 0) throw new Error(`no ${type} within ${ms / 1000} s; ${this.#lastWords()}`);
      await Promise.race([new Promise<void>((resolve) => this.#looks.push(resolve)), delay(left)]);
    }
  }

  ended(turn: string, ms?: number): Promise<FactOf<'turn.ended'>> {
    return this.first('turn.ended', (fact) => fact.turn === turn, ms);
  }

  turn(id: string): Turn {
    const turn = foldAll(this.facts).find((one) => one.id === id);
    if (!turn) throw new Error(`no turn ${id}`);
    return turn;
  }

  text(turn: string): string {
    return this.turn(turn)
      .parts.flatMap((part) => (part.type === 'text' ? part.text : []))
      .join('');
  }

  /** The invariants that the log alone can prove. */
  check(): void {
    const found = violations(this.facts);
    if (found.length > 0) throw new Error(`the log is wrong: ${found.join('; ')}`);
  }

  /** Reads no more. */
  close(): void {
    this.#over.abort();
  }

  /** Ends the conversation, and with it the program of the agent. */
  async leave(): Promise<undefined> {
    this.close();
    await this.#gateway.call('DELETE', `/api/sessions/${this.id}`).catch(() => {});
    return undefined;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const last = this.facts.at(-1);
      try {
        const { cursor } = await this.#gateway.call<{ cursor: string }>('GET', `/api/sessions/${this.id}`);
        const after = last ? `${last.epoch}.${last.seq}` : `${cursor.split('.')[0]}.0`;
        for await (const fact of this.#gateway.events(this.id, after, signal)) {
          this.facts.push(fact);
          for (const look of this.#looks.splice(0)) look();
        }
      } catch {
        // The gateway is being started anew.
        await delay(100);
      }
    }
  }

  #lastWords(): string {
    const ends = this.told.flatMap((fact) => (fact.type === 'turn.ended' ? (fact.error?.message ?? '') : []));
    const last = this.told.slice(-6).map((fact) => fact.type);
    return `last came ${last.join(', ')} ${ends.join(' ').slice(0, 300)}`;
  }
}
