import { AgentError } from '../agent.ts';
import type { RpcServer } from './options.ts';

/** The back end answered, and refused; `code` is its own, or the HTTP status. */
export class RpcRefused extends AgentError {
  readonly status: number;
  constructor(code: string, message: string, status: number) {
    super(code, message);
    this.name = 'RpcRefused';
    this.status = status;
  }
}

export interface Rpc {
  /** Rejects with an AgentError: `rpc.unreachable`, `rpc.bad_answer`, or an `RpcRefused`. */
  call(method: string, params: object, signal: AbortSignal): Promise<unknown>;
  /** The headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** JSON-RPC 2.0 over POST. Nothing is asked twice: a back end may have done what it did not answer. */
export function createRpc(server: RpcServer, fetcher: typeof fetch): Rpc {
  let calls = 0;
  const headers = {
    ...(server.token && { authorization: `Bearer ${server.token.reveal()}` }),
    ...Object.fromEntries(
      Object.entries(server.headers ?? {}).map(([name, secret]) => [name, secret.reveal()]),
    ),
  };
  const scrub = (text: string) =>
    [server.token, ...Object.values(server.headers ?? {})]
      .flatMap((secret) => secret?.reveal() ?? [])
      .filter((secret) => secret.length >= 4)
      .reduce((all, secret) => all.replaceAll(secret, '[redacted]'), text);

  return {
    headers,
    async call(method, params, signal) {
      calls += 1;
      const body = JSON.stringify({ jsonrpc: '2.0', id: calls, method, params });
      let response: Response;
      let text: string;
      try {
        response = await fetcher(server.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
          signal,
        });
        text = await response.text();
      } catch (error) {
        throw unreachable(server, error);
      }
      const { status } = response;
      if (status === 401 || status === 403) throw unauthorized(server, status);
      const answer = parse(text);
      if (answer?.error) {
        const { code = status, message = 'it gave no reason' } = answer.error;
        throw new RpcRefused(`rpc.${code}`, scrub(`The back end refused ${method}: ${message}`), status);
      }
      if (!response.ok)
        throw new RpcRefused(`rpc.${status}`, `The back end at ${server.url} answered ${status}.`, status);
      if (!answer) {
        const message = `The back end at ${server.url} did not answer ${method} with JSON-RPC 2.0: check "url" for "${server.id}".`;
        throw new AgentError('rpc.bad_answer', message);
      }
      return answer.result;
    },
  };
}

export function unauthorized(server: RpcServer, status: number): RpcRefused {
  const how = server.tokenEnv ? `the environment variable ${server.tokenEnv}` : `"token" for "${server.id}"`;
  const message = `The back end at ${new URL(server.url).host} refused the token (${status}): set ${how}.`;
  return new RpcRefused('rpc.unauthorized', message, status);
}

export function unreachable(server: RpcServer, error: unknown): AgentError {
  const { cause, name } = error as { cause?: { code?: unknown }; name?: unknown };
  if (name === 'AbortError') return new AgentError('rpc.aborted', 'The request was given up.');
  const why = typeof cause?.code === 'string' ? cause.code : String(error);
  const message = `The back end at ${new URL(server.url).host} cannot be reached (${why}): start it, or correct "url" for "${server.id}".`;
  return new AgentError('rpc.unreachable', message);
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: string };
}

function parse(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && ('result' in value || 'error' in value))
      return value as Answer;
  } catch {
    // No JSON.
  }
  return undefined;
}
