import type { InspectionEvent } from 'xstate';
import { defaultLimits, type Limits } from '../../machines/runner.types.ts';
import type { AgentProcess, Connector } from '../agents/agent.ts';
import { parseCursor } from '../wire/cursor.ts';
import type { Fact, JobRequest } from '../wire/facts.ts';
import type { FormContent } from '../wire/form.schema.ts';
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
import type { SessionSnapshot, SessionSummary } from '../wire/snapshot.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Log } from './log/log.ts';
import { Owed } from './owed.ts';
import { Refusal } from './refusal.ts';
import type { Service } from './service.ts';
import { type SignalGroup, signalGroup } from './sessions/agent.host.ts';
import { Creation } from './sessions/create.ts';
import { jobDrafts, openLog, settlement } from './sessions/jobs.ts';
import { summaryOf } from './sessions/project.ts';
import { readSnapshot } from './sessions/read.ts';
import { Registry, unknownSession } from './sessions/registry.ts';
import { type AgentStore, Roster } from './sessions/roster.ts';
import { Sends } from './sessions/sends.ts';
import type { OpenSession } from './sessions/session.ts';
import { Starts } from './sessions/starts.ts';
import { subscribe } from './sessions/subscribe.ts';
import { sweep } from './sessions/sweep.ts';

export interface GatewayOptions {
  readonly log: Log;
  readonly connectors: readonly Connector[];
  /** Where agents that the user adds are kept; absent: none can be added. */
  readonly agents?: AgentStore;
  /** Directories that sessions may work in; the first is the default. */
  readonly roots: readonly string[];
  /** Where agents keep what must outlive the gateway. */
  readonly stateRoot: string;
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  /** `limits.stall` of single agents, by their ids. */
  readonly stallOf?: Readonly<Record<string, number>>;
  /** Each process group that an agent starts, to be remembered over a crash. */
  readonly onProcess?: (session: string, process: AgentProcess) => void;
  /** How agents' process groups are signalled; by the system, unless a test says otherwise. */
  readonly signal?: SignalGroup;
  /** Each actor and event of the gateway, as XState tells of them. */
  readonly observe?: (event: InspectionEvent) => void;
  readonly warn?: (message: string, error: unknown) => void;
}

export type Gateway = Service & {
  /** Marks open turns, ends agents, closes the log. Bounded: about 8 s at worst. */
  close(): Promise<void>;
};

type Watcher = (changed: readonly SessionSummary[], removed: readonly string[]) => void;

/** Opens the gateway over a log: first what a crash left open is put in order, then it serves. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new LocalGateway(options);
  await gateway.start();
  return gateway;
}

class LocalGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #registry: Registry;
  readonly #watchers = new Set<Watcher>();
  readonly #sends: Sends;
  readonly #owed: Owed;
  readonly #starts = new Starts();
  readonly #creation: Creation;
  readonly #roster: Roster;
  #closing = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    const { log, roots, stallOf = {} } = options;
    const limits = { ...defaultLimits, ...options.limits };
    const onProcess = options.onProcess ?? (() => {});
    this.#roster = new Roster({
      ...{ log, roots, onProcess },
      connectors: options.connectors,
      ...(options.agents && { store: options.agents }),
      gone: (agent) => this.#registry.end((open) => open.ref.getSnapshot().context.agent === agent),
    });
    const { connectors } = this.#roster;
    this.#creation = new Creation({ log, roots, connectors, onProcess, clock: this.#clock });
    this.#owed = new Owed(this.#clock, (what, error) => this.#warn(what, error));
    this.#registry = new Registry({
      log,
      clock: this.#clock,
      limitsOf: (agent) => ({ ...limits, stall: stallOf[agent] ?? limits.stall }),
      connectors,
      stateRoot: options.stateRoot,
      onProcess,
      signal: options.signal ?? signalGroup,
      observe: options.observe,
      onCommitted: (session, facts, headChanged) => this.#committed(session, facts, headChanged),
      warn: (message, error) => this.#warn(message, error),
    });
    this.#sends = new Sends(this.#log, this.#registry, (job) => this.#starts.settled(job));
  }

  async start(): Promise<void> {
    await sweep(this.#log, this.#registry, (parent, job, request) => this.#startJob(parent, job, request));
  }

  agents() {
    return this.#roster.lines();
  }

  addAgent(body: AddAgent) {
    return this.#roster.add(body);
  }

  removeAgent(agent: string) {
    return this.#roster.remove(agent);
  }

  async list(query: { q?: string; limit: number; before?: string }): Promise<readonly SessionSummary[]> {
    const rows = await this.#log.sessions({ ...query, kind: 'conversation' });
    return rows.map(summaryOf);
  }

  earlier(agent: string, query: { cwd?: string; cursor?: string }) {
    return this.#creation.earlier(agent, query);
  }

  async create(body: CreateSession): Promise<SessionSnapshot> {
    const id = await this.#creation.create(body);
    await this.#announce(id);
    return this.snapshot(id);
  }

  async snapshot(session: string): Promise<SessionSnapshot> {
    await this.#starts.settled(session);
    const open = this.#registry.find(session);
    if (open) return open.snapshot();
    const snapshot = await readSnapshot(this.#log, session);
    if (!snapshot) throw unknownSession(session);
    return snapshot;
  }

  async change(session: string, body: ChangeSession): Promise<SessionSnapshot> {
    const { seen, title, model, mode, options } = body;
    const change = {
      ...(title && { title }),
      ...(model && { model }),
      ...(mode && { mode }),
      ...(options && { options }),
    };
    if (seen !== undefined) {
      const cursor = parseCursor(seen);
      const head = await this.#log.head(session);
      if (!head) throw unknownSession(session);
      if (!cursor)
        throw new Refusal(400, 'cursor.malformed', `A cursor looks like ${head.epoch}.${head.seq}.`);
      await this.#log.markSeen(session, Math.min(cursor.seq, head.seq));
      await this.#announce(session);
    }
    if (Object.keys(change).length > 0) {
      await this.#registry.with(session, async (open) => {
        await open.ask({ type: 'change', ...change });
        await open.configure(change);
      });
    }
    return this.snapshot(session);
  }

  async remove(session: string): Promise<void> {
    const jobs = await this.#registry.with(session, async (open) => {
      const { jobs } = open.ref.getSnapshot().context;
      if (jobs.some((job) => !job.outcome)) {
        throw new Refusal(409, 'session.busy', 'A background job of this session is running: stop it first.');
      }
      await open.ask({ type: 'close' });
      return jobs;
    });
    for (const id of [session, ...jobs.map((job) => job.job)]) {
      await this.#registry.remove(id, () => this.#log.remove(id));
      this.#tell([], [id]);
    }
  }

  async turns(session: string, before: string | undefined, limit: number) {
    await this.#starts.settled(session);
    if (!(await this.#log.head(session))) throw unknownSession(session);
    return this.#log.turns(session, before, limit);
  }

  send(session: string, body: SendMessage): Promise<SendAnswer> {
    return this.#sends.send(session, body);
  }

  async stop(session: string, body: StopRequest) {
    return this.#registry.with(session, async (open) => {
      const answer = await open.ask({ type: 'stop', ...body });
      return { ...(answer as { state: string; turn?: string }), cursor: open.cursor };
    });
  }

  async resume(session: string) {
    return this.#registry.with(session, async (open) => {
      await open.ask({ type: 'resume' });
      return { cursor: open.cursor, queue: open.ref.getSnapshot().context.queue };
    });
  }

  async retry(session: string, { turn, at }: RetryRequest) {
    return this.#registry.with(session, async (open) => {
      const answer = await open.ask({ type: 'retry', turn, ...(at !== undefined && { at }) });
      return { ...(answer as Omit<RetryAnswer, 'cursor'>), cursor: open.cursor };
    });
  }

  async editQueue(session: string, edit: EditQueue) {
    return this.#registry.with(session, async (open) => {
      await open.ask({ type: 'editQueue', edit });
      return open.ref.getSnapshot().context.queue;
    });
  }

  async answer(session: string, permission: string, option: string, content?: FormContent) {
    return this.#registry.with(session, async (open) => {
      await open.ask({ type: 'answer', permission, option, ...(content && { content }) });
      return { cursor: open.cursor };
    });
  }

  async jobs(): Promise<readonly SessionSummary[]> {
    const rows = await this.#log.sessions({ kind: 'job', limit: 200 });
    return rows.map(summaryOf);
  }

  async job(job: string): Promise<SessionSnapshot> {
    const snapshot = await this.snapshot(job).catch(() => undefined);
    if (snapshot?.kind !== 'job') throw new Refusal(404, 'job.unknown', `There is no job ${job}.`);
    return snapshot;
  }

  async stopJob(job: string) {
    const { turns } = await this.job(job);
    return this.stop(job, { turn: turns.at(-1)?.id ?? 't2' });
  }

  async subscribe(...[session, after, grade, sink]: Parameters<Service['subscribe']>) {
    const release = this.#registry.hold(session);
    try {
      await this.#starts.settled(session);
      const open = await this.#registry.open(session);
      const subscription = await subscribe(this.#log, open, after, grade, sink);
      return {
        cursor: subscription.cursor,
        close: () => {
          subscription.close();
          release();
        },
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  watch(listener: Watcher): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  watchAgents(listener: () => void): () => void {
    return this.#roster.watch(listener);
  }

  inspect(listener: Parameters<Service['inspect']>[0]): () => void {
    return this.#registry.inspection.listen(listener);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#owed.close();
    const reason = 'The gateway was stopped while this ran.';
    await Promise.all(
      this.#registry.sessions.map(async (session) => {
        // What survives a restart is joined again by the next gateway: its turn stays open, and is the last one here (D4).
        if (session.host.survives) return session.tell({ type: 'leave' });
        session.tell({ type: 'shutdown', reason });
        await session.ended(5_000);
      }),
    );
    await this.#registry.close();
    await this.#log.close();
  }

  /** `job.attached` is committed; now the job's own log, and its prompt. Safe to repeat. */
  async #startJob(parent: string, job: string, request: JobRequest): Promise<void> {
    if (!(await this.#log.head(job))) {
      await openLog(this.#log, job, 'job', jobDrafts(parent, request), this.#clock.now());
      await this.#announce(job);
    }
    const begin =
      request.handle === undefined
        ? ({ type: 'begin', how: 'prompt' } as const)
        : ({ type: 'begin', how: 'reattach', reason: 'The turn goes on as a job; it is joined.' } as const);
    await this.#registry.with(job, (open) => open.tell(begin));
  }

  #committed(session: OpenSession, facts: readonly Fact[], headChanged: boolean): void {
    if (headChanged) void this.#announce(session.id);
    const { kind, parent } = session.ref.getSnapshot().context;
    for (const fact of facts) {
      if (fact.type !== 'job.attached' || this.#closing) continue;
      this.#starts.begin(fact.job, () =>
        this.#owed.insist('a job could not be started', () =>
          this.#startJob(session.id, fact.job, fact.request),
        ),
      );
    }
    const draft = kind === 'job' && parent !== undefined ? settlement(session.id, facts) : undefined;
    if (!draft || parent === undefined || this.#closing) return;
    // The job's own end is committed first; should this be lost, the next start completes it.
    void this.#owed.insist('a job could not be settled with its parent', () =>
      this.#registry.with(parent, (open) => open.ask({ type: 'settleJob', draft })),
    );
  }

  async #announce(session: string): Promise<void> {
    if (this.#watchers.size === 0) return;
    try {
      const row = await this.#log.session(session);
      if (row) this.#tell([summaryOf(row)], []);
    } catch (error) {
      this.#warn('the list of sessions could not be read', error);
    }
  }

  #tell(changed: readonly SessionSummary[], removed: readonly string[]): void {
    for (const watcher of [...this.#watchers]) watcher(changed, removed);
  }

  #warn(message: string, error: unknown): void {
    this.#options.warn?.(message, error);
  }
}
