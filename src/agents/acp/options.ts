import type { Secret } from '../model/secret.ts';
import type { Clock } from '../workspace/clock.ts';
import type { McpServer } from './mcp.ts';

/** One agent program that speaks the Agent Client Protocol over its standard input and output. */
export interface AcpAgent {
  /** What `POST /api/sessions {agent}` names. */
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  /** The program and its arguments, started without a shell. */
  readonly command: readonly string[];
  /** Added to the environment of the gateway. */
  readonly env?: Readonly<Record<string, Secret>>;
  /** Where the program is started; default: the session's directory. Absolute. */
  readonly cwd?: string;
  /** The login method to use when the agent asks for one. */
  readonly auth?: string;
  /** It is not offered our files, and opens them itself: for agents that cannot take our word that a file is not there. */
  readonly ownFiles?: boolean;
  /** What to do when the program is not there: completes "… is not installed: ". */
  readonly install?: string;
  /** What to do when it wants a login, for agents that do not say it well themselves. */
  readonly login?: string;
}

export interface AcpOptions {
  readonly agent: AcpAgent;
  /** Of the settings: given to sessions by default, or where they are chosen. */
  readonly mcpServers?: readonly McpServer[];
  /** Directories whose `node_modules/.bin` is searched after PATH, and those above them; default: the working directory. */
  readonly directories?: readonly string[];
  /** The environment that agents inherit; default: the gateway's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** Milliseconds that an agent may take to start, and again to open a session; default 60,000. */
  readonly openMs?: number;
}
