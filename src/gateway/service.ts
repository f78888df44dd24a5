import type { Availability, OfferedServer } from '../agents/agent.ts';
import type { Fact } from '../wire/facts.ts';
import type { FormContent } from '../wire/form.schema.ts';
import type { InspectLine } from '../wire/inspect.ts';
import type { Grade, ResyncReason } from '../wire/live.ts';
import type {
  AddAgent,
  ChangeSession,
  CreateSession,
  EditQueue,
  RetryAnswer,
  RetryRequest,
  SendAnswer,
  SendMessage,
  StopRequest,
} from '../wire/requests.ts';
import type { EarlierSessions, Queue, SessionSnapshot, SessionSummary } from '../wire/snapshot.ts';
import type { Turn } from '../wire/turn.ts';

/** What HTTP, SSE and the live channel ask of the gateway. Each call rejects with a `Refusal` when it is not done. */
export interface Service {
  agents(): Promise<readonly AgentLine[]>;
  /** Starts the program to see that it can be talked to, then keeps it in the settings. Known at once. */
  addAgent(body: AddAgent): Promise<AgentLine>;
  /** One that was added; not while sessions of it run. */
  removeAgent(agent: string): Promise<void>;
  /** The agent's own earlier sessions, those below the roots. */
  earlier(agent: string, query: { cwd?: string; cursor?: string }): Promise<EarlierSessions>;
  list(query: { q?: string; limit: number; before?: string }): Promise<readonly SessionSummary[]>;
  create(body: CreateSession): Promise<SessionSnapshot>;
  snapshot(session: string): Promise<SessionSnapshot>;
  change(session: string, body: ChangeSession): Promise<SessionSnapshot>;
  remove(session: string): Promise<void>;
  turns(
    session: string,
    before: string | undefined,
    limit: number,
  ): Promise<{ turns: readonly Turn[]; older: boolean }>;
  send(session: string, body: SendMessage): Promise<SendAnswer>;
  stop(session: string, body: StopRequest): Promise<{ turn?: string; state: string; cursor: string }>;
  resume(session: string): Promise<{ cursor: string; queue: Queue }>;
  retry(session: string, body: RetryRequest): Promise<RetryAnswer>;
  editQueue(session: string, body: EditQueue): Promise<Queue>;
  /** `content`: the values of a form. */
  answer(
    session: string,
    permission: string,
    option: string,
    content?: FormContent,
  ): Promise<{ cursor: string }>;
  jobs(): Promise<readonly SessionSummary[]>;
  job(job: string): Promise<SessionSnapshot>;
  stopJob(job: string): Promise<{ turn?: string; state: string; cursor: string }>;
  /**
   * Facts after the cursor, then each as it is committed; frames in order, without a gap. Resolves when session and
   * cursor are found sound, before old facts wait for the sink.
   */
  subscribe(session: string, after: string | undefined, grade: Grade, sink: Sink): Promise<Subscription>;
  /** Summaries of all sessions as they change. */
  watch(listener: (changed: readonly SessionSummary[], removed: readonly string[]) => void): () => void;
  /** Told when there are other agents than before. */
  watchAgents(listener: () => void): () => void;
  /** Actors and their events, for the inspector; nothing is gathered while nobody listens. */
  inspect(listener: (event: InspectLine) => void): () => void;
}

export interface AgentLine extends Availability {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** It was added from the page, and can be removed. */
  readonly added?: boolean;
  /** It can be asked for earlier sessions of its own. */
  readonly earlier?: boolean;
  /** Of the settings, by name: those that a session with it can be given. */
  readonly mcpServers?: readonly OfferedServer[];
}

export interface Sink {
  /**
   * Covers (prev, seq]. The promise is awaited before the next frame of old facts, so that a long log does not flood
   * its reader; a frame of new facts waits for nobody.
   */
  facts(frame: { epoch: string; prev: number; seq: number; facts: readonly Fact[] }): void | Promise<void>;
  /** The subscription is over: fetch the snapshot and subscribe again. */
  resync(reason: ResyncReason): void;
}

export interface Subscription {
  /** The head of the log when the subscription was made: the facts from `after` to here are on their way. */
  readonly cursor: string;
  close(): void;
}
