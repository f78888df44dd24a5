import type { AgentLine } from '../../../machines/directory.machine.ts';
import type {
  AddAgent,
  AnswerPermission,
  ChangeSession,
  CreateSession,
  EditQueue,
  RetryAnswer,
  SendAnswer,
  SendMessage,
  StopRequest,
} from '../../wire/requests.ts';
import type { EarlierSessions, Queue, SessionSnapshot, SessionSummary } from '../../wire/snapshot.ts';
import type { Turn } from '../../wire/turn.ts';
import { problemOf } from './problem.ts';

export interface ApiOptions {
  /** Where the gateway is; the page's own origin by default. */
  readonly base?: string;
  readonly fetch?: typeof fetch;
  /** After this long without an answer a call counts as not heard. */
  readonly timeoutMs?: number;
  /** The same for calls that wait for the start of an agent. */
  readonly startMs?: number;
}

export interface StopAnswer {
  readonly turn?: string;
  readonly state: string;
  readonly cursor: string;
}

export interface EarlierQuery {
  readonly cwd?: string;
  readonly cursor?: string;
}

export interface ListQuery {
  readonly q?: string;
  readonly limit?: number;
  readonly before?: string;
}

/**
 * The gateway's calls. Each rejects with a `ProblemError` when the gateway says no, and with another Error when it was
 * not heard or the answer was not understood.
 */
export interface Api {
  health(): Promise<{ readonly name: string; readonly version: string }>;
  agents(signal?: AbortSignal): Promise<readonly AgentLine[]>;
  /** The agent's own earlier sessions. */
  earlier(agent: string, query?: EarlierQuery, signal?: AbortSignal): Promise<EarlierSessions>;
  /** Takes as long as the program does to start. */
  addAgent(body: AddAgent): Promise<AgentLine>;
  removeAgent(agent: string): Promise<void>;
  sessions(query?: ListQuery, signal?: AbortSignal): Promise<readonly SessionSummary[]>;
  create(body: CreateSession): Promise<SessionSnapshot>;
  snapshot(session: string, signal?: AbortSignal): Promise<SessionSnapshot>;
  change(session: string, body: ChangeSession): Promise<SessionSnapshot>;
  remove(session: string): Promise<void>;
  /** Turns before the turn `before`, oldest first. */
  turns(
    session: string,
    before: string,
    limit?: number,
  ): Promise<{ readonly turns: readonly Turn[]; readonly older: boolean }>;
  send(session: string, body: SendMessage, signal?: AbortSignal): Promise<SendAnswer>;
  stop(session: string, body: StopRequest, signal?: AbortSignal): Promise<StopAnswer>;
  resume(session: string): Promise<{ readonly cursor: string; readonly queue: Queue }>;
  /** `at`: then (milliseconds since 1970) instead of now; null: not any more. */
  retry(session: string, turn: string, at?: number | null): Promise<RetryAnswer>;
  editQueue(session: string, body: EditQueue): Promise<Queue>;
  answer(
    session: string,
    permission: string,
    answer: AnswerPermission,
    signal?: AbortSignal,
  ): Promise<{ readonly cursor: string }>;
  jobs(signal?: AbortSignal): Promise<readonly SessionSummary[]>;
  job(job: string): Promise<SessionSnapshot>;
  stopJob(job: string, signal?: AbortSignal): Promise<StopAnswer>;
}

export function createApi(options: ApiOptions = {}): Api {
  const { base = '', timeoutMs = 20_000, startMs = 150_000 } = options;
  const ask = options.fetch ?? ((input, init) => fetch(input, init));

  async function call<T>(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    waitMs = timeoutMs,
  ): Promise<T> {
    const timeout = AbortSignal.timeout(waitMs);
    const response = await ask(`${base}/api${path}`, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    if (!response.ok) throw await problemOf(response);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  const at = (session: string) => `/sessions/${encodeURIComponent(session)}`;
  const jobAt = (job: string) => `/jobs/${encodeURIComponent(job)}`;

  return {
    health: () => call('GET', '/health'),
    agents: async (signal) =>
      (await call<{ agents: readonly AgentLine[] }>('GET', '/agents', undefined, signal)).agents,
    earlier: (agent, query = {}, signal) => {
      const path = `/agents/${encodeURIComponent(agent)}/sessions${queryOf({ ...query })}`;
      return call('GET', path, undefined, signal, startMs);
    },
    addAgent: (body) => call('POST', '/agents', body, undefined, startMs),
    removeAgent: (agent) => call('DELETE', `/agents/${encodeURIComponent(agent)}`),
    sessions: async (query = {}, signal) => {
      const path = `/sessions${queryOf({ ...query })}`;
      return (await call<{ sessions: readonly SessionSummary[] }>('GET', path, undefined, signal)).sessions;
    },
    create: (body) =>
      call('POST', '/sessions', body, undefined, body.continue === undefined ? timeoutMs : startMs),
    snapshot: (session, signal) => call('GET', at(session), undefined, signal),
    change: (session, body) => call('PATCH', at(session), body),
    remove: (session) => call('DELETE', at(session)),
    turns: (session, before, limit) => call('GET', `${at(session)}/turns${queryOf({ before, limit })}`),
    send: (session, body, signal) => call('POST', `${at(session)}/messages`, body, signal),
    stop: (session, body, signal) => call('POST', `${at(session)}/stop`, body, signal),
    resume: (session) => call('POST', `${at(session)}/resume`),
    retry: (session, turn, time) =>
      call('POST', `${at(session)}/retry`, { turn, ...(time !== undefined && { at: time }) }),
    editQueue: (session, body) => call('PATCH', `${at(session)}/queue`, body),
    answer: (session, permission, answer, signal) =>
      call('POST', `${at(session)}/permissions/${encodeURIComponent(permission)}`, answer, signal),
    jobs: async (signal) =>
      (await call<{ jobs: readonly SessionSummary[] }>('GET', '/jobs', undefined, signal)).jobs,
    job: (job) => call('GET', jobAt(job)),
    stopJob: (job, signal) => call('POST', `${jobAt(job)}/stop`, undefined, signal),
  };
}

function queryOf(query: Readonly<Record<string, string | number | undefined>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
