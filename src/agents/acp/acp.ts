import type { AgentProcess, Connector, OpenOptions } from '../agent.ts';
import { realClock } from '../workspace/clock.ts';
import { type Client, connect } from './connection.ts';
import { listSessions, recallSession } from './earlier.ts';
import { missing, nameOf, notInstalled } from './failures.ts';
import { join } from './join.ts';
import type { AcpOptions } from './options.ts';
import { Peer } from './peer.ts';
import { presets } from './presets.ts';
import { agentEnvironment, findProgram, Program, secretsOf } from './program.ts';
import { Recall } from './recall.ts';
import { AcpSession } from './session.ts';

/**
 * The connector of one agent program that speaks the Agent Client Protocol (version 1) over stdio: Qwen Code, Kimi Code,
 * opencode, Gemini CLI, Claude Code and Codex through their adapters, goose, and any other.
 *
 * Each session has a program of its own, in a process group of its own. Where the agent can, an earlier session of its
 * is continued; else the earlier turns go along with the next message as text, and a notice says so.
 *
 * `open` rejects with `agent.not_installed`, `agent.not_started`, `agent.exited`, `agent.silent`, `agent.protocol`,
 * `agent.login_needed` or `agent.error`; a turn ends in `agent.error`, `agent.login_needed` or `agent.exited`. `sessions` and
 * `recall` reject with the same, and with `agent.no_list` and `agent.cannot_continue`.
 */
export function createAcp(options: AcpOptions): Connector {
  const {
    agent,
    clock = realClock,
    openMs = 60_000,
    directories = [process.cwd()],
    mcpServers = [],
  } = options;
  const inherited = options.environment ?? process.env;
  const own = Object.fromEntries(
    Object.entries(agent.env ?? {}).map(([name, value]) => [name, value.reveal()]),
  );
  const env = agentEnvironment(inherited, own);
  const [command = '', ...args] = agent.command;
  const find = (cwd: string) => findProgram(command, agent.cwd ?? cwd, inherited.PATH, directories);

  return {
    id: agent.id,
    name: nameOf(agent),
    description: agent.description ?? 'An agent program that speaks the Agent Client Protocol.',
    mcpServers: mcpServers.map(({ name, byDefault = true }) => ({ name, byDefault })),

    async available() {
      return (await find(process.cwd())) ? { available: true } : { available: false, reason: missing(agent) };
    },

    async open(open) {
      const program = await launch(open);
      const session = new AcpSession({ agent, open, program, clock, env });
      const peer = meet(program, session);
      try {
        await start(session, peer, open);
        return session;
      } catch (error) {
        program.kill();
        throw error;
      }
    },

    check: (query) => aside(query, new Recall({ env, clock, ...query }), async () => {}),

    sessions: (query) =>
      aside(query, new Recall({ env, clock, ...query }), (peer) => listSessions(agent, peer, query)),

    recall(query) {
      const recall = new Recall({ env, clock, ...query });
      return aside(query, recall, (peer) => recallSession(agent, peer, recall, query));
    },
  };

  async function launch({ cwd, onProcess }: Where): Promise<Program> {
    const file = await find(cwd);
    if (file === undefined) throw notInstalled(agent);
    const name = nameOf(agent);
    const secrets = secretsOf(env);
    return Program.start({ name, file, args, cwd: agent.cwd ?? cwd, env, clock, secrets, onProcess });
  }

  function meet(program: Program, client: Client): Peer {
    const connection = connect(program, client);
    if (client instanceof AcpSession) client.connected(connection);
    return new Peer({ agent, program, connection, clock, openMs, env });
  }

  async function start(session: AcpSession, peer: Peer, open: OpenOptions): Promise<void> {
    session.initialized(await peer.greet());
    await join({ agent, session, peer, mcpServers }, open).catch((error: unknown) => {
      throw peer.failure('open a session', error);
    });
    await session.restore(open, (set) => peer.bounded(set));
    session.ready();
  }

  /** Asks a program of its own, which is ended after it. */
  async function aside<T>(where: Where, client: Client, ask: (peer: Peer) => Promise<T>): Promise<T> {
    const program = await launch(where);
    try {
      const peer = meet(program, client);
      await peer.greet();
      return await ask(peer);
    } finally {
      // Nobody waits for its end; it is bounded.
      void program.end();
    }
  }
}

interface Where {
  readonly cwd: string;
  readonly onProcess: (process: AgentProcess) => void;
}

/**
 * The agents of the settings, and those that are known by name; a setting replaces the preset of the same id, and `taken`
 * names ids that belong to others.
 */
export function createAcpAgents(
  agents: readonly AcpOptions['agent'][],
  taken: readonly string[],
  options: Omit<AcpOptions, 'agent'> = {},
): Connector[] {
  const known = presets.filter(({ id }) => !taken.includes(id));
  const set = agents.map((agent) => ({ ...known.find(({ id }) => id === agent.id), ...agent }));
  const rest = known.filter(({ id }) => !agents.some((agent) => agent.id === id));
  return [...set, ...rest].map((agent) => createAcp({ ...options, agent }));
}
