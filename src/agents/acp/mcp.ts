import type { McpServer as AcpServer, AgentCapabilities } from '@agentclientprotocol/sdk';
import type { Secret } from '../model/secret.ts';

/** A server of the Model Context Protocol that agents get with each session. */
export interface McpServer {
  readonly name: string;
  /** A program and its arguments, started by the agent. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, Secret>>;
  /** Or a server that runs. */
  readonly url?: string;
  readonly type?: 'http' | 'sse';
  readonly headers?: Readonly<Record<string, Secret>>;
  /** Default true: given to sessions for which none are chosen. */
  readonly byDefault?: boolean;
}

/**
 * The servers of a session in the words of the protocol: those that were chosen for it, or those that are given by default.
 * `lost` names what the agent cannot use, `gone` what was chosen and is not in the settings.
 */
export function serversFor(
  servers: readonly McpServer[],
  can: AgentCapabilities,
  chosen?: readonly string[],
): { readonly usable: AcpServer[]; readonly lost: readonly string[]; readonly gone: readonly string[] } {
  const lost: string[] = [];
  const given = servers.filter(({ name, byDefault = true }) => chosen?.includes(name) ?? byDefault);
  const gone = (chosen ?? []).filter((name) => !servers.some((server) => server.name === name));
  const usable = given.flatMap((server): AcpServer[] => {
    const { name, command, url = '', type = 'http', headers, env } = server;
    if (command) {
      const [program = '', ...args] = command;
      return [{ name, command: program, args, env: revealed(env) }];
    }
    if (can.mcpCapabilities?.[type]) return [{ type, name, url, headers: revealed(headers) }];
    lost.push(name);
    return [];
  });
  return { usable, lost, gone };
}

function revealed(secrets: Readonly<Record<string, Secret>> = {}): { name: string; value: string }[] {
  return Object.entries(secrets).map(([name, secret]) => ({ name, value: secret.reveal() }));
}
