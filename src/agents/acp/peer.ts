import type * as acp from '@agentclientprotocol/sdk';
import { AgentError } from '../agent.ts';
import { type Clock, realClock, within } from '../workspace/clock.ts';
import { codeOf, exitFailure, loginFailure, loginNeeded, nameOf, saidBy } from './failures.ts';
import type { AcpAgent } from './options.ts';
import type { Program } from './program.ts';

export interface PeerOptions {
  readonly agent: AcpAgent;
  readonly program: Program;
  readonly connection: acp.ClientConnection;
  readonly clock: Clock;
  /** Milliseconds for each answer. */
  readonly openMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** An agent program that was just started, until its session is open: each question has its bound, each failure its reason. */
export class Peer {
  readonly #options: PeerOptions;
  #info: acp.InitializeResponse | undefined;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  get can(): acp.AgentCapabilities {
    return this.#info?.agentCapabilities ?? {};
  }

  /** Says who we are, and logs in where a method is set. */
  async greet(): Promise<acp.InitializeResponse> {
    const { agent, connection, env } = this.#options;
    const info = await this.bounded(
      connection.agent.request('initialize', {
        protocolVersion: 1,
        clientInfo: { name: 'Sluice', version: '0.1.0' },
        clientCapabilities: {
          ...(!agent.ownFiles && { fs: { readTextFile: true, writeTextFile: true } }),
          terminal: true,
          session: { notices: {}, compaction: {}, configOptions: { boolean: {} } },
          elicitation: { form: {}, url: {} },
        },
      }),
    );
    this.#info = info;
    if (info.protocolVersion !== 1) {
      throw new AgentError(
        'agent.protocol',
        `${nameOf(agent)} speaks version ${info.protocolVersion} of the Agent Client Protocol; this is made for version 1. Install another version of it.`,
      );
    }
    const methods = info.authMethods ?? [];
    const login = methods.find((method) => method.id === agent.auth);
    // Some agents open a session without a login and fail only later: a method that is set is used at once.
    if (login && (agent.auth !== 'gemini-api-key' || env.GEMINI_API_KEY)) {
      await this.ask('authenticate', { methodId: login.id }).catch((error: unknown) => {
        throw error instanceof AgentError ? error : loginFailure(agent, methods, error);
      });
    }
    return info;
  }

  ask<T>(method: string, params: object): Promise<T> {
    return this.bounded(this.#options.connection.agent.request<T>(method, params));
  }

  /** What the agent's refusal comes to; `what` completes "could not …". */
  failure(what: string, error: unknown): AgentError {
    const { agent } = this.#options;
    if (error instanceof AgentError) return error;
    if (codeOf(error) === loginNeeded) return loginFailure(agent, this.#info?.authMethods ?? [], error);
    return new AgentError('agent.error', `${nameOf(agent)} could not ${what}: ${saidBy(error)}.`);
  }

  /** What the agent answers within the limit; an AgentError when it is silent, or ends. */
  async bounded<T>(answer: Promise<T>): Promise<T> {
    const { agent, program, clock, openMs } = this.#options;
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
