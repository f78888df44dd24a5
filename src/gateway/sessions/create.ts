import { randomUUID } from 'node:crypto';
import type { Connector } from '../../agents/agent.ts';
import type { DraftOf } from '../../wire/facts.ts';
import type { CreateSession } from '../../wire/requests.ts';
import type { Clock } from '../clock.ts';
import type { SessionHead } from '../log/log.ts';
import { Refusal } from '../refusal.ts';
import { confine } from '../security/roots.ts';
import { Earlier, type EarlierOptions } from './earlier.ts';
import { openLog } from './jobs.ts';

export interface CreationOptions extends EarlierOptions {
  readonly connectors: readonly Connector[];
  readonly clock: Clock;
}

/** Makes sessions. A request that comes again, after a lost answer or beside itself, makes one session. */
export class Creation {
  readonly #options: CreationOptions;
  readonly #earlier: Earlier;
  /** Under way, by what must not be made twice: the session, and the agent's own session that it continues. */
  readonly #making = new Map<string, Promise<unknown>>();

  constructor(options: CreationOptions) {
    this.#options = options;
    this.#earlier = new Earlier(options);
  }

  async earlier(agent: string, query: { readonly cwd?: string; readonly cursor?: string }) {
    return this.#earlier.list(this.#connector(agent, 404), query);
  }

  /** Resolves with the id once the session is in the log, made now or before. */
  create(body: CreateSession): Promise<string> {
    const id = body.id ?? randomUUID();
    return this.#alone(`session\n${id}`, () => this.#create(id, body));
  }

  async #create(id: string, body: CreateSession): Promise<string> {
    const { log, roots, clock } = this.#options;
    const connector = this.#connector(body.agent, 400);
    const cwd = await confine(body.cwd ?? '.', roots);
    const { available, reason } = await connector.available();
    if (!available)
      throw new Refusal(409, 'agent.unavailable', reason ?? `${connector.name} cannot be used now.`);
    const known = await log.session(id);
    if (known) {
      // The same request once more, after a lost answer.
      if (isSame(known.head, body, cwd)) return id;
      throw new Refusal(409, 'session.exists', `The session ${id} exists, with another agent or directory.`);
    }
    const { title, model, mode, mcpServers, continue: continues } = body;
    const opened: DraftOf<'session.opened'> = {
      type: 'session.opened',
      kind: 'conversation',
      agent: body.agent,
      cwd,
      ...(title !== undefined && { title }),
      ...(model !== undefined && { model }),
      ...(mode !== undefined && { mode }),
      ...(mcpServers !== undefined && { mcpServers: serversOf(connector, mcpServers) }),
      ...(continues !== undefined && { continues }),
    };
    if (continues === undefined) await openLog(log, id, 'conversation', [opened], clock.now());
    else {
      await this.#alone(`${body.agent}\n${continues}`, async () => {
        const drafts = await this.#earlier.begin(id, opened, connector);
        await openLog(log, id, 'conversation', drafts, clock.now());
      });
    }
    return id;
  }

  #connector(agent: string, status: number): Connector {
    const { connectors } = this.#options;
    const connector = connectors.find(({ id }) => id === agent);
    if (connector) return connector;
    const known = connectors.map(({ id }) => id).join(', ');
    throw new Refusal(status, 'agent.unknown', `There is no agent ${agent}. Known: ${known}.`);
  }

  /** One after the other, for each key. */
  async #alone<T>(key: string, make: () => Promise<T>): Promise<T> {
    const before = this.#making.get(key) ?? Promise.resolve();
    const made = before.then(make, make);
    this.#making.set(key, made);
    try {
      return await made;
    } finally {
      if (this.#making.get(key) === made) this.#making.delete(key);
    }
  }
}

function isSame(head: SessionHead, body: CreateSession, cwd: string): boolean {
  return head.agent === body.agent && head.cwd === cwd && head.continues === body.continue;
}

function serversOf({ name, mcpServers = [] }: Connector, wanted: readonly string[]): string[] {
  const unknown = wanted.filter((server) => !mcpServers.some((known) => known.name === server));
  if (unknown.length === 0) return [...new Set(wanted)];
  const known =
    mcpServers.length > 0 ? `Known: ${mcpServers.map((server) => server.name).join(', ')}` : 'It takes none';
  const detail = `${name} cannot be given the MCP servers ${unknown.join(', ')}. ${known}.`;
  throw new Refusal(400, 'mcp.unknown', detail, { known: mcpServers.map((server) => server.name) });
}
