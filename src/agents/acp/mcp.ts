import type { McpServer as AcpServer, InitializeResponse } from '@agentclientprotocol/sdk';
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
}

/** The servers in the words of the protocol, and the names of those that the agent cannot use. */
export function serversFor(
  servers: readonly McpServer[],
  can: InitializeResponse['agentCapabilities'],
): { readonly usable: AcpServer[]; readonly lost: readonly string[] } {
  const lost: string[] = [];
  const usable = servers.flatMap((server): AcpServer[] => {
    const { name, command, url = '', type = 'http', headers, env } = server;
    if (command) {
      const [program = '', ...args] = command;
      return [{ name, command: program, args, env: revealed(env) }];
    }
    if (can?.mcpCapabilities?.[type]) return [{ type, name, url, headers: revealed(headers) }];
    lost.push(name);
    return [];
  });
  return { usable, lost };
}

function revealed(secrets: Readonly<Record<string, Secret>> = {}): { name: string; value: string }[] {
  return Object.entries(secrets).map(([name, secret]) => ({ name, value: secret.reveal() }));
}
