import { AgentError, type AgentProcess, type Connector } from '../../agents/agent.ts';
import type { AddAgent } from '../../wire/requests.ts';
import type { Log } from '../log/log.ts';
import { Refusal } from '../refusal.ts';
import { confine } from '../security/roots.ts';
import type { AgentLine } from '../service.ts';

/** An agent that the user adds, with the id that it gets. */
export interface AddedAgent extends AddAgent {
  readonly id: string;
}

/** What keeps agents over a restart. */
export interface AgentStore {
  /** Ids that no agent may take, although none has them now. */
  readonly reserved: readonly string[];
  /** True for those that were added, and can be removed. */
  has(id: string): boolean;
  /** The agent, not kept yet. */
  connector(agent: AddedAgent): Connector;
  /** Rejects with a Refusal, and nothing is changed then. */
  save(agent: AddedAgent): Promise<void>;
  drop(id: string): Promise<void>;
}

export interface RosterOptions {
  readonly log: Log;
  readonly roots: readonly string[];
  readonly connectors: readonly Connector[];
  readonly store?: AgentStore;
  readonly onProcess: (session: string, process: AgentProcess) => void;
  /** The agent is not there any more: programs of it that wait for a message are to end. */
  readonly gone: (agent: string) => void;
}

/** For the records of processes: who is tried, when no session is. */
const tried = 'new-agent';

/** The agents that can be talked to: those of the start, and those that are added while the gateway runs. */
export class Roster {
  /** The same list for ever, with other agents in it from time to time. */
  readonly connectors: Connector[];
  readonly #options: RosterOptions;
  readonly #watchers = new Set<() => void>();
  /** One change at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RosterOptions) {
    this.#options = options;
    this.connectors = [...options.connectors];
  }

  async lines(): Promise<readonly AgentLine[]> {
    return (await Promise.all(this.connectors.map((connector) => this.#line(connector)))).flat();
  }

  watch(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  async add(body: AddAgent): Promise<AgentLine> {
    const store = this.#store();
    // The check takes as long as the program does: others are not kept waiting for it.
    await this.#check(store.connector({ ...body, id: this.#idFor(body.name) }));
    return this.#alone(async () => {
      const agent = { ...body, id: this.#idFor(body.name) };
      const connector = store.connector(agent);
      await store.save(agent);
      this.connectors.push(connector);
      this.#tell();
      const [line] = await this.#line(connector);
      return line ?? { id: agent.id, name: agent.name, description: connector.description, available: false };
    });
  }

  remove(id: string): Promise<void> {
    const store = this.#store();
    return this.#alone(async () => {
      const connector = this.connectors.find((one) => one.id === id);
      if (!connector) throw new Refusal(404, 'agent.unknown', `There is no agent ${id}.`);
      if (!store.has(id)) {
        throw new Refusal(
          409,
          'agent.not_added',
          `${connector.name} was not added in the page, so it is not removed there.`,
        );
      }
      await this.#checkQuiet(connector);
      await store.drop(id);
      this.connectors.splice(this.connectors.indexOf(connector), 1);
      this.#options.gone(id);
      this.#tell();
    });
  }

  async #line(connector: Connector): Promise<readonly AgentLine[]> {
    const { unlisted, ...availability } = await connector.available();
    if (unlisted && !availability.available) return [];
    const { id, name, description, mcpServers = [] } = connector;
    return [
      {
        ...{ id, name, description, ...availability },
        ...(this.#options.store?.has(id) && { added: true }),
        ...(connector.sessions && { earlier: true }),
        ...(mcpServers.length > 0 && { mcpServers }),
      },
    ];
  }

  async #check(connector: Connector): Promise<void> {
    const { roots, onProcess } = this.#options;
    const cwd = await confine('.', roots);
    try {
      await connector.check?.({ cwd, onProcess: (process) => onProcess(tried, process) });
    } catch (error) {
      if (error instanceof AgentError) throw new Refusal(422, error.code, error.message);
      throw error;
    }
  }

  async #checkQuiet({ id, name }: Connector): Promise<void> {
    const rows = await this.#options.log.sessions({ unsettled: true, limit: 10_000 });
    const busy = rows.filter(({ head }) => head.agent === id).length;
    if (busy === 0) return;
    const which = busy === 1 ? 'A session' : `${busy} sessions`;
    throw new Refusal(
      409,
      'agent.busy',
      `${which} of ${name} ${busy === 1 ? 'runs or waits' : 'run or wait'}: stop that first.`,
      { sessions: rows.filter(({ head }) => head.agent === id).map(({ head }) => head.id) },
    );
  }

  /** Of the name, for people who read the settings; no other agent has it. */
  #idFor(name: string): string {
    const plain = name
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 50);
    const base = plain === '' ? 'agent' : plain;
    const taken = new Set([...this.#store().reserved, ...this.connectors.map(({ id }) => id)]);
    for (let n = 1; ; n += 1) {
      const id = n === 1 ? base : `${base}-${n}`;
      if (!taken.has(id)) return id;
    }
  }

  #store(): AgentStore {
    const { store } = this.#options;
    if (!store)
      throw new Refusal(409, 'agents.fixed', 'This gateway keeps no settings: no agent can be added.');
    return store;
  }

  #alone<T>(change: () => Promise<T>): Promise<T> {
    const next = this.#last.then(change, change);
    this.#last = next.catch(() => {});
    return next;
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
