import type * as acp from '@agentclientprotocol/sdk';
import { AgentError, type Connector, type OpenOptions } from '../agent.ts';
import { realClock, within } from '../workspace/clock.ts';
import { connect } from './connection.ts';
import { earlierTurns } from './context.ts';
import {
  codeOf,
  exitFailure,
  loginFailure,
  loginNeeded,
  missing,
  nameOf,
  notInstalled,
  saidBy,
} from './failures.ts';
import { serversFor } from './mcp.ts';
import type { AcpOptions } from './options.ts';
import type { Offered } from './pickers.ts';
import { presets } from './presets.ts';
import { agentEnvironment, findProgram, Program, secretsOf } from './program.ts';
import { AcpSession } from './session.ts';

/** The methods of the protocol that open a session. */
type Opener = 'session/new' | 'session/load' | 'session/resume';

/**
 * The connector of one agent program that speaks the Agent Client Protocol (version 1) over stdio: Qwen Code, Kimi Code,
 * opencode, Gemini CLI, Claude Code and Codex through their adapters, goose, and any other.
 *
 * Each session has a program of its own, in a process group of its own. Where the agent can, an earlier session of its
 * is continued; else the earlier turns go along with the next message as text, and a notice says so.
 *
 * `open` rejects with `agent.not_installed`, `agent.not_started`, `agent.exited`, `agent.silent`, `agent.protocol`,
 * `agent.login_needed` or `agent.error`; a turn ends in `agent.error`, `agent.login_needed` or `agent.exited`.
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

    async available() {
      return (await find(process.cwd())) ? { available: true } : { available: false, reason: missing(agent) };
    },

    async open(open) {
      const file = await find(open.cwd);
      if (file === undefined) throw notInstalled(agent);
      const { onProcess } = open;
      const secrets = secretsOf(env);
      const cwd = agent.cwd ?? open.cwd;
      const program = await Program.start({
        name: nameOf(agent),
        file,
        args,
        cwd,
        env,
        clock,
        secrets,
        onProcess,
      });
      const session = new AcpSession({ agent, open, program, clock, env });
      session.connected(connect(program, session));
      try {
        await start(session, program, open);
        return session;
      } catch (error) {
        program.kill();
        throw error;
      }
    },
  };

  async function start(session: AcpSession, program: Program, open: OpenOptions): Promise<void> {
    const { agent: peer } = session.connection;
    const info = await bounded(
      program,
      peer.request('initialize', {
        protocolVersion: 1,
        clientInfo: { name: 'Sluice', version: '0.1.0' },
        clientCapabilities: {
          ...(!agent.ownFiles && { fs: { readTextFile: true, writeTextFile: true } }),
          terminal: true,
          session: { notices: {}, compaction: {} },
        },
      }),
    );
    if (info.protocolVersion !== 1) {
      throw new AgentError(
        'agent.protocol',
        `${nameOf(agent)} speaks version ${info.protocolVersion} of the Agent Client Protocol; this is made for version 1. Install another version of it.`,
      );
    }
    session.initialized(info);
    const methods = info.authMethods ?? [];
    const login = methods.find((method) => method.id === agent.auth);
    // Some agents open a session without a login and fail only later: a method that is set is used at once.
    if (login && (agent.auth !== 'gemini-api-key' || env.GEMINI_API_KEY)) {
      await bounded(program, peer.request('authenticate', { methodId: login.id })).catch((error: unknown) => {
        throw error instanceof AgentError ? error : loginFailure(agent, methods, error);
      });
    }
    await join(session, program, open, info).catch((error: unknown) => {
      if (error instanceof AgentError) throw error;
      if (codeOf(error) === loginNeeded) throw loginFailure(agent, methods, error);
      throw new AgentError('agent.error', `${nameOf(agent)} could not open a session: ${saidBy(error)}.`);
    });
    await pick(session, program, open);
    session.ready();
  }

  /** Continues the agent's own session if it can, else begins one. */
  async function join(
    session: AcpSession,
    program: Program,
    open: OpenOptions,
    info: acp.InitializeResponse,
  ): Promise<void> {
    const { cwd, resume, history } = open;
    const { agentCapabilities: can } = info;
    const { usable, lost } = serversFor(mcpServers, can);
    if (lost.length > 0) session.note(`${nameOf(agent)} cannot use the MCP servers ${lost.join(', ')}.`);
    const ways: Opener[] = [];
    if (resume !== undefined && can?.sessionCapabilities?.resume) ways.push('session/resume');
    if (resume !== undefined && can?.loadSession) ways.push('session/load');
    let why = resume === undefined ? '' : ' (it cannot continue an earlier session)';
    for (const way of ways) {
      try {
        const params = { sessionId: resume as string, cwd, mcpServers: usable };
        const request = () => bounded(program, session.connection.agent.request<Offered>(way, params));
        const offered = await session.replaying(request);
        return session.opened(resume as string, offered);
      } catch (error) {
        if (error instanceof AgentError || codeOf(error) === loginNeeded) throw error;
        why = ` (it could not continue its earlier session: ${saidBy(error)})`;
      }
    }
    const opened = await bounded(
      program,
      session.connection.agent.request('session/new', { cwd, mcpServers: usable }),
    );
    session.opened(opened.sessionId, opened as Offered);
    const earlier = earlierTurns(history);
    if (!earlier) return;
    const part =
      earlier.turns < earlier.of ? `the last ${earlier.turns} of ${earlier.of} turns` : 'the earlier turns';
    session.tellEarlier(
      earlier.text,
      `${nameOf(agent)} does not remember this conversation${why}: it was given ${part} as text.`,
    );
  }

  async function pick(session: AcpSession, program: Program, { model, mode }: OpenOptions): Promise<void> {
    try {
      if (model !== undefined) await bounded(program, session.setModel(model));
      if (mode !== undefined) await bounded(program, session.setMode(mode));
    } catch (error) {
      session.note(error instanceof Error ? error.message : String(error));
    }
  }

  /** What the agent answers within the limit; an AgentError when it is silent, or ends. */
  async function bounded<T>(program: Program, answer: Promise<T>): Promise<T> {
    answer.catch(() => {});
    const exit = program.exited.then((ended) => {
      const { code, message } = exitFailure(agent, ended, program.lastWords);
      throw new AgentError(code, message);
    });
    exit.catch(() => {});
    const settled = Promise.race([answer.catch((error) => afterExit(program, error, exit)), exit]);
    settled.catch(() => {});
    const inTime = await within(
      clock,
      openMs,
      settled.then(
        () => {},
        () => {},
      ),
    );
    if (inTime) return settled;
    const words = program.lastWords ? ` Its last words:\n${program.lastWords}` : '';
    const seconds = Math.round(openMs / 1000);
    throw new AgentError(
      'agent.silent',
      `${nameOf(agent)} did not answer within ${seconds} s after its start. Run \`${agent.command.join(' ')}\` in a terminal to see why.${words}`,
    );
  }
}

/** An answer that failed because the program ended is told by how it ended. */
async function afterExit(program: Program, error: unknown, exit: Promise<never>): Promise<never> {
  if (codeOf(error) === undefined && (await within(realClock, 1000, program.exited))) return exit;
  throw error;
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
