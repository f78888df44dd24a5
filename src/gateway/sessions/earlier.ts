import { importDrafts } from '../../../machines/imported.ts';
import { judge, unopened } from '../../../machines/law.ts';
import { titleOf } from '../../../machines/session.ts';
import {
  AgentError,
  type AgentProcess,
  type Connector,
  type SessionsPage,
  type SessionsQuery,
} from '../../agents/agent.ts';
import type { Draft, DraftOf } from '../../wire/facts.ts';
import type { RecalledTurn } from '../../wire/output.ts';
import type { EarlierSession, EarlierSessions } from '../../wire/snapshot.ts';
import type { Log } from '../log/log.ts';
import { Refusal } from '../refusal.ts';
import { confine } from '../security/roots.ts';

/** What is taken over of one earlier session at most; the oldest turns are left out first. Characters of JSON. */
const mostTurns = 1000;
const mostText = 16 * 1024 * 1024;

/** For the records of processes: who is asked, when no session is. */
const asked = 'earlier-sessions';

export interface EarlierOptions {
  readonly log: Log;
  readonly roots: readonly string[];
  readonly onProcess: (session: string, process: AgentProcess) => void;
}

/** The earlier sessions of an agent's own: which there are, and what a session that continues one begins with. */
export class Earlier {
  readonly #options: EarlierOptions;
  /** Asked now: the same question starts one agent. */
  readonly #asking = new Map<string, Promise<SessionsPage>>();

  constructor(options: EarlierOptions) {
    this.#options = options;
  }

  /** Those below the roots, with the sessions here that continue them. */
  async list(
    connector: Connector,
    { cwd, cursor }: { readonly cwd?: string; readonly cursor?: string },
  ): Promise<EarlierSessions> {
    const { roots, onProcess } = this.#options;
    const directory = await confine(cwd ?? '.', roots);
    const query = {
      cwd: directory,
      only: cwd !== undefined,
      ...(cursor !== undefined && { cursor }),
      onProcess: (process: AgentProcess) => onProcess(asked, process),
    };
    const { sessions, next } = await this.#ask(connector, query).catch(refuse);
    const inside = await Promise.all(sessions.map((one) => this.#inside(one)));
    const shown = inside.filter((one) => one !== undefined);
    const continued = await this.#continued(
      connector.id,
      shown.map((one) => one.id),
    );
    return {
      sessions: shown.map((one) => {
        const session = continued.get(one.id);
        return { ...one, ...(session !== undefined && { session }) };
      }),
      ...(next !== undefined && { next }),
    };
  }

  /**
   * The drafts of a session that begins with what an earlier one of the agent's own held. They are for one append: a crash
   * leaves all of it or nothing. Nothing here is changed.
   */
  async begin(id: string, opened: DraftOf<'session.opened'>, connector: Connector): Promise<Draft[]> {
    const { continues: agentSession = '', cwd } = opened;
    const { onProcess } = this.#options;
    if (!connector.recall) throw keepsNone(connector);
    const [session] = (await this.#continued(connector.id, [agentSession])).values();
    if (session !== undefined) {
      const detail = `The session ${session} continues it already: go on there, or delete that one first.`;
      throw new Refusal(409, 'session.continued', detail, { session });
    }
    const query = { cwd, agentSession, onProcess: (process: AgentProcess) => onProcess(id, process) };
    const { turns, title, lacks } = await connector.recall(query).catch(refuse);
    const kept = newest(turns);
    const left = turns.length - kept.length;
    const firstAsked = kept.find((turn) => turn.content)?.content;
    const named = title ?? (firstAsked && titleOf({ id: '', content: [...firstAsked] }, connector.name));
    const drafts: Draft[] = [opened];
    if (opened.title === undefined && named) {
      drafts.push({ type: 'session.changed', title: named.slice(0, 200), by: 'agent' });
    }
    const say = (level: 'info' | 'warning', code: string, text: string) =>
      drafts.push({ type: 'notice.added', notice: `n${drafts.length + 1}`, level, code, text });
    if (lacks !== undefined) say('info', 'import.lacking', lacks);
    if (left > 0) {
      const text = `${left} older turns were left out: what is shown of this earlier session begins after them.`;
      say('warning', 'import.cut', text);
    }
    const verdict = judge(unopened(id, 'conversation'), drafts, 0);
    if (!verdict.lawful) throw new Error(`${verdict.refused.type} cannot open a session`);
    return [...drafts, ...importDrafts(verdict.next, kept)];
  }

  #ask(connector: Connector, query: SessionsQuery): Promise<SessionsPage> {
    const key = JSON.stringify([connector.id, query]);
    const asking =
      this.#asking.get(key) ?? connector.sessions?.(query) ?? Promise.reject(keepsNone(connector));
    this.#asking.set(key, asking);
    const done = () => this.#asking.delete(key);
    asking.then(done, done);
    return asking;
  }

  async #inside(session: EarlierSession): Promise<EarlierSession | undefined> {
    const cwd = await confine(session.cwd, this.#options.roots).catch(() => undefined);
    return cwd === undefined ? undefined : { ...session, cwd };
  }

  /** The sessions here that hold these sessions of the agent's, by its names for them. */
  async #continued(agent: string, agentSessions: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (agentSessions.length === 0) return new Map();
    const rows = await this.#options.log.sessions({ holding: { agent, agentSessions }, limit: 1000 });
    return new Map(rows.toReversed().map(({ head }) => [head.agentSession ?? '', head.id]));
  }
}

function newest(turns: readonly RecalledTurn[]): readonly RecalledTurn[] {
  let text = 0;
  const from = turns.findLastIndex((turn, index) => {
    text += JSON.stringify(turn).length;
    return turns.length - index > mostTurns || (text > mostText && index < turns.length - 1);
  });
  return turns.slice(from + 1);
}

function keepsNone({ name }: Connector): Refusal {
  const detail = `${name} keeps no sessions of its own that could be continued. Start a new conversation.`;
  return new Refusal(409, 'agent.no_sessions', detail);
}

/** What the agent's side could not do, as an answer. */
function refuse(error: unknown): never {
  if (error instanceof AgentError) throw new Refusal(409, error.code, error.message);
  throw error;
}
