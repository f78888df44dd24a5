import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Actor, createActor, fromPromise, type InspectionEvent, waitFor } from 'xstate';
import { conversationMachine } from '../../../machines/conversation.machine.ts';
import { Inspection } from '../../../machines/inspection.ts';
import { jobMachine } from '../../../machines/job.machine.ts';
import { orchestratorMachine } from '../../../machines/orchestrator.machine.ts';
import type { Limits } from '../../../machines/runner.types.ts';
import type { AgentProcess, Connector } from '../../agents/agent.ts';
import type { Fact } from '../../wire/facts.ts';
import type { SessionSnapshot } from '../../wire/snapshot.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log/log.ts';
import { closing, Refusal, restarting } from '../refusal.ts';
import { AgentHost, type SignalGroup } from './agent.host.ts';
import { openedWith } from './origin.ts';
import { readSnapshot } from './read.ts';
import { OpenSession } from './session.ts';

export interface RegistryOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly limitsOf: (agent: string) => Limits;
  readonly connectors: readonly Connector[];
  /** Where each session's agent keeps what must outlive the gateway. */
  readonly stateRoot: string;
  readonly onProcess: (session: string, process: AgentProcess) => void;
  readonly signal: SignalGroup;
  /** Beside the inspector's own: each actor and event, as XState tells of them. */
  readonly observe?: ((event: InspectionEvent) => void) | undefined;
  readonly onCommitted: (session: OpenSession, facts: readonly Fact[], headChanged: boolean) => void;
  readonly warn: (message: string, error: unknown) => void;
}

class Unknown extends Error {
  readonly code = 'session.unknown';
}

export function unknownSession(session: string): Refusal {
  return new Refusal(404, 'session.unknown', `There is no session ${session}.`);
}

/** The sessions that are open in the gateway: the orchestrator's actors, and a runner beside each. */
export class Registry {
  readonly inspection: Inspection;
  readonly #options: RegistryOptions;
  readonly #orchestrator: Actor<typeof orchestratorMachine>;
  readonly #open = new Map<string, Promise<OpenSession>>();
  readonly #ready = new Map<string, OpenSession>();
  /** Sessions whose agents are being ended. */
  readonly #disposing = new Set<Promise<void>>();
  /** How many calls and readers need the session to stay open. */
  readonly #uses = new Map<string, number>();
  /** Sessions that are just being deleted: nobody opens them. A new one may have the name afterwards. */
  readonly #gone = new Set<string>();
  #isClosing = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    const { log, clock } = options;
    const load = fromPromise<SessionSnapshot, { session: string }>(async ({ input }) => {
      const snapshot = await readSnapshot(log, input.session);
      if (!snapshot) throw new Unknown(`There is no session ${input.session}.`);
      return snapshot;
    });
    const actors = {
      conversation: conversationMachine.provide({ actors: { load } }),
      job: jobMachine.provide({ actors: { load } }),
    };
    this.inspection = new Inspection({
      roots: () => [this.#orchestrator, ...[...this.#ready.values()].map((session) => session.runner)],
      now: () => clock.now(),
    });
    this.#orchestrator = createActor(orchestratorMachine.provide({ actors }), {
      clock,
      inspect: this.#observe,
      input: {},
    });
    this.#orchestrator.on('retired', ({ session }) => {
      void this.#dispose(session);
    });
    this.#orchestrator.start();
  }

  readonly #observe = (event: InspectionEvent): void => {
    this.inspection.observe(event);
    this.#options.observe?.(event);
  };

  /** Those that are open now. */
  get sessions(): readonly OpenSession[] {
    return [...this.#ready.values()];
  }

  find(session: string): OpenSession | undefined {
    return this.#ready.get(session);
  }

  /** Runs a call on an open session; it stays open at least until the call is over. */
  async with<T>(session: string, call: (open: OpenSession) => T | Promise<T>): Promise<T> {
    const release = this.hold(session);
    try {
      return await call(await this.open(session));
    } finally {
      release();
    }
  }

  /** Keeps a session open until the returned function is called. */
  hold(session: string): () => void {
    this.#uses.set(session, (this.#uses.get(session) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const uses = (this.#uses.get(session) ?? 1) - 1;
      if (uses > 0) this.#uses.set(session, uses);
      else {
        this.#uses.delete(session);
        if (!this.#isClosing) this.#orchestrator.send({ type: 'release', session });
      }
    };
  }

  open(session: string): Promise<OpenSession> {
    let open = this.#open.get(session);
    const ready = this.#ready.get(session);
    // In use again: it is not retired now, and it is not the next one to go.
    if (ready) {
      const { kind } = ready.ref.getSnapshot().context;
      this.#orchestrator.send({ type: 'open', session, kind });
    }
    if (!open) {
      // What was opened now would be ended by nobody.
      if (this.#isClosing) return Promise.reject(closing());
      open = this.#start(session);
      this.#open.set(session, open);
      open.catch(() => this.#open.delete(session));
    }
    return open;
  }

  /** Lets those go whose agent is not to be used any more; whoever looks at them opens them anew. */
  end(which: (open: OpenSession) => boolean): void {
    for (const open of this.sessions.filter(which)) this.forget(open.id);
  }

  /** The session is gone for good, once `remove` has removed what there is of it; when that fails, it is there as before. */
  async remove(session: string, remove: () => Promise<void>): Promise<void> {
    const opening = this.#open.get(session);
    this.#gone.add(session);
    this.forget(session);
    try {
      await remove();
      // Who asked for it before may have read of it, and has to learn of this first.
      await Promise.allSettled([opening, this.#open.get(session)]);
    } finally {
      this.#gone.delete(session);
    }
  }

  /** Lets the session go; whoever asks for it opens it anew. */
  forget(session: string): void {
    this.#orchestrator.send({ type: 'forget', session });
  }

  /** Ends what is open; nothing is opened any more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const session of [...this.#open.keys()]) {
      if (this.#ready.has(session)) void this.#dispose(session);
      // What is still being read may be read for long: nobody waits for it any more.
      else this.forget(session);
    }
    await Promise.all(this.#disposing);
    this.#orchestrator.stop();
  }

  async #start(session: string): Promise<OpenSession> {
    const { log, clock, limitsOf, connectors, stateRoot, onProcess, signal, onCommitted, warn } =
      this.#options;
    const row = await log.session(session);
    if (!row || this.#gone.has(session)) throw unknownSession(session);
    if (this.#isClosing) throw closing();
    const { kind, agent } = row.head;
    this.#orchestrator.send({ type: 'open', session, kind });
    if (!this.#uses.has(session)) this.#orchestrator.send({ type: 'release', session });
    const kept = this.#orchestrator.getSnapshot().context.sessions[session];
    if (!kept) throw unknownSession(session);
    // Both machines have this state; their union is too wide for `waitFor`.
    const read = waitFor(kept.ref as Actor<typeof conversationMachine>, (s) => !s.matches('opening'));
    await read.catch(() => {
      if (this.#gone.has(session)) throw unknownSession(session);
      throw this.#isClosing ? closing() : restarting();
    });
    const connector = connectors.find((c) => c.id === agent) ?? absent(agent);
    const stateDir = join(stateRoot, `s-${session}`);
    mkdirSync(stateRoot, { recursive: true, mode: 0o700 });
    const host = new AgentHost({
      session,
      kind,
      connector,
      stateDir,
      current: () => openedWith(log, kept.ref.getSnapshot().context),
      onOutput: (output) => opened.tell({ type: 'output', turn: null, outputs: [output] }),
      onProcess: (process) => onProcess(session, process),
      clock,
      signal,
      warn,
    });
    const opened: OpenSession = new OpenSession(
      {
        log,
        clock,
        limits: limitsOf(agent),
        orchestrator: this.#orchestrator,
        ref: kept.ref,
        host,
        onCommitted,
        onFenced: () => {
          warn('another gateway writes this log; the session is closed here', session);
          void host.kill();
          this.forget(session);
        },
        inspect: this.#observe,
      },
      row.head.updatedAt,
    );
    this.#ready.set(session, opened);
    return opened;
  }

  #dispose(session: string): Promise<void> {
    const disposed = this.#end(session).finally(() => this.#disposing.delete(disposed));
    this.#disposing.add(disposed);
    return disposed;
  }

  async #end(session: string): Promise<void> {
    const open = this.#open.get(session);
    this.#open.delete(session);
    this.#ready.delete(session);
    if (!open) return;
    try {
      const opened = await open;
      for (const close of [...opened.closers]) close();
      await opened.dispose();
    } catch {
      // It never opened.
    }
  }
}

/** Stands in for an agent that is not configured any more: its conversations can be read, and say what to do. */
function absent(id: string): Connector {
  const reason = `The agent "${id}" is not known to this gateway any more. Configure it again, or start a new conversation.`;
  return {
    id,
    name: id,
    description: reason,
    available: async () => ({ available: false, reason }),
    open: async () => {
      throw new Error(reason);
    },
  };
}
