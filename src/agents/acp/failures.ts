import type { AuthMethod } from '@agentclientprotocol/sdk';
import type { Failure } from '../../wire/content.ts';
import { AgentError } from '../agent.ts';
import type { AcpAgent } from './options.ts';
import type { Exit } from './program.ts';

/** JSON-RPC: the agent wants a login. */
export const loginNeeded = -32000;

export function nameOf(agent: AcpAgent): string {
  return agent.name ?? agent.id;
}

export function codeOf(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** A10: what a JSON-RPC error says, with the details that many agents hide in its data. */
export function failureOf(agent: AcpAgent, error: unknown): Failure {
  const code = codeOf(error) === loginNeeded ? 'agent.login_needed' : 'agent.error';
  const said = saidBy(error);
  const login = code === 'agent.login_needed' && agent.login ? ` To log in, ${agent.login}.` : '';
  return { code, message: `${nameOf(agent)} reports an error: ${said}${login}` };
}

export function saidBy(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const data = typeof error === 'object' && error !== null && 'data' in error ? error.data : undefined;
  const details = detailsOf(data);
  const whole = details && !message.includes(details) ? `${message}: ${details}` : message;
  return (whole || 'no message') + (code === undefined ? '' : ` (${code})`);
}

function detailsOf(data: unknown): string | undefined {
  if (typeof data === 'string') return data.slice(0, 1000);
  if (typeof data !== 'object' || data === null) return undefined;
  for (const key of ['details', 'message', 'error', 'reason']) {
    const value = (data as Record<string, unknown>)[key];
    if (typeof value === 'string' && value !== '') return value.slice(0, 1000);
  }
  return undefined;
}

/** What to do about an agent that has ended by itself. */
export function exitFailure(agent: AcpAgent, exit: Exit, lastWords: string): Failure {
  const how = exit.signal ? `was ended by ${exit.signal}` : `ended with exit code ${exit.code}`;
  const words = lastWords ? ` Its last words:\n${lastWords}` : ' It said nothing on its standard error.';
  const node = wantsOtherNode(lastWords)
    ? ` It seems to need another version of Node than ${process.version}, which runs it.`
    : '';
  return { code: 'agent.exited', message: `${nameOf(agent)} ${how}.${node}${words}` };
}

function wantsOtherNode(words: string): boolean {
  return /(requires?|needs|unsupported|upgrade).{0,40}\bnode(\.?js)?\b|ERR_UNKNOWN_BUILTIN_MODULE|ERR_REQUIRE_ESM|bad option: --/i.test(
    words,
  );
}

export function notInstalled(agent: AcpAgent): AgentError {
  return new AgentError('agent.not_installed', missing(agent));
}

export function missing(agent: AcpAgent): string {
  const how = agent.install ?? `correct "command" of the agent ${agent.id} in the settings`;
  return `${nameOf(agent)} is not installed (no program ${agent.command[0]} was found): ${how}.`;
}

/** The agent's own instructions, as far as it gives any. */
export function loginFailure(agent: AcpAgent, methods: readonly AuthMethod[], error: unknown): AgentError {
  const offers = methods.map((method) => {
    const command = terminalCommand(method);
    const about = method.description ? ` (${method.description})` : '';
    return `${method.name}${about}${command ? `: run \`${command}\`` : ''}`;
  });
  const own = offers.length > 0 ? ` It offers: ${offers.join('; ')}.` : '';
  const hint = agent.login ? ` To log in, ${agent.login}.` : '';
  return new AgentError(
    'agent.login_needed',
    `${nameOf(agent)} wants a login: ${saidBy(error)}.${hint}${own} Then send the message again.`,
  );
}

function terminalCommand(method: AuthMethod): string | undefined {
  const meta = method._meta?.['terminal-auth'];
  if (typeof meta !== 'object' || meta === null || !('command' in meta)) return undefined;
  const args = 'args' in meta && Array.isArray(meta.args) ? meta.args : [];
  return [meta.command, ...args].join(' ');
}
