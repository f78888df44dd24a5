import { type ActorOptions, createActor, fromPromise } from 'xstate';
import { conversationMachine } from '../../machines/conversation.machine.ts';
import { jobMachine } from '../../machines/job.machine.ts';
import { type OrchestratorEmitted, orchestratorMachine } from '../../machines/orchestrator.machine.ts';
import type { SessionRef } from '../../machines/runner.types.ts';
import { turnOf } from '../../machines/turn.logic.ts';
import { formatCursor } from '../../src/wire/cursor.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { TestClock } from './clock.ts';
import { opened, Script } from './facts.ts';

interface Load {
  readonly session: string;
  readonly resolve: (snapshot: SessionSnapshot) => void;
  readonly reject: (error: Error) => void;
}

/** The real orchestrator with the real conversations and jobs, as a page has them; snapshots come when the test says. */
export class SessionsWorld {
  readonly clock = new TestClock();
  readonly loads: Load[] = [];
  readonly emitted: OrchestratorEmitted[] = [];
  readonly orchestrator;

  constructor(limit?: number, inspect?: ActorOptions<typeof orchestratorMachine>['inspect']) {
    const load = fromPromise<SessionSnapshot, { session: string }>(
      ({ input, signal }) =>
        new Promise((resolve, reject) => {
          const load = { session: input.session, resolve, reject };
          this.loads.push(load);
          // Its session reads no more, or anew.
          signal.addEventListener('abort', () => this.loads.splice(this.loads.indexOf(load), 1));
        }),
    );
    const actors = {
      conversation: conversationMachine.provide({ actors: { load } }),
      job: jobMachine.provide({ actors: { load } }),
    };
    this.orchestrator = createActor(orchestratorMachine.provide({ actors: actors as never }), {
      clock: this.clock,
      input: limit === undefined ? {} : { limit },
      ...(inspect && { inspect }),
    });
    this.orchestrator.on('ready', (event) => this.emitted.push(event));
    this.orchestrator.on('retired', (event) => this.emitted.push(event));
    this.orchestrator.on('over', (event) => this.emitted.push(event));
    this.orchestrator.start();
  }

  get context() {
    return this.orchestrator.getSnapshot().context;
  }

  open(session: string, kind: 'conversation' | 'job' = 'conversation'): SessionRef {
    this.orchestrator.send({ type: 'open', session, kind });
    return this.ref(session);
  }

  ref(session: string): SessionRef {
    const kept = this.context.sessions[session];
    if (!kept) throw new Error(`${session} is not open`);
    return kept.ref;
  }

  /** A session that is open and whose log begins in the test's hand. */
  begin(session: string, kind: 'conversation' | 'job' = 'conversation'): Script {
    this.open(session, kind);
    const log = new Script(session);
    this.feed(...log.write(opened(kind)));
    return log;
  }

  feed(...facts: readonly Fact[]): void {
    for (const fact of facts) this.orchestrator.send({ type: 'fact', fact });
  }

  state(session: string): string {
    const { value } = this.ref(session).getSnapshot();
    return typeof value === 'string' ? value : 'opening';
  }

  turns(session: string): readonly Turn[] {
    const { turns, open } = this.ref(session).getSnapshot().context;
    return open ? [...turns, turnOf(open.ref)] : turns;
  }

  text(session: string): string {
    return this.turns(session)
      .flatMap((turn) => turn.parts)
      .map((part) => (part.type === 'text' ? part.text : ''))
      .join('');
  }

  /** How often a session's actor changed while `act` ran. */
  writes(session: string, act: () => void): number {
    let count = 0;
    let last: unknown = this.ref(session).getSnapshot();
    const subscription = this.ref(session).subscribe((next: unknown) => {
      if (next !== last) count += 1;
      last = next;
    });
    act();
    subscription.unsubscribe();
    return count;
  }

  /** Answers the oldest read of this session. */
  async load(snapshot: SessionSnapshot): Promise<void> {
    this.#take(snapshot.id).resolve(snapshot);
    await quiet();
  }

  async failLoad(session: string, error: Error): Promise<void> {
    this.#take(session).reject(error);
    await quiet();
  }

  #take(session: string): Load {
    const index = this.loads.findIndex((load) => load.session === session);
    const [load] = index < 0 ? [] : this.loads.splice(index, 1);
    if (!load) throw new Error(`nobody reads ${session}`);
    return load;
  }
}

export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What the gateway would answer for a session with these facts: as JSON brings it, with nothing of the page in it. */
export function snapshotOf(facts: readonly Fact[], until = facts.length): SessionSnapshot {
  const world = new SessionsWorld();
  const first = facts[0];
  if (first?.type !== 'session.opened') throw new Error('a log begins with session.opened');
  world.open(first.session, first.kind);
  world.feed(...facts.slice(0, until));
  const { context } = world.ref(first.session).getSnapshot();
  const { open: _, owner: __, problem: ___, attempt: ____, epoch, seq, ...rest } = context;
  const snapshot: SessionSnapshot = {
    ...rest,
    state: world.state(first.session) as SessionSnapshot['state'],
    cursor: formatCursor({ epoch, seq }),
    updatedAt: 0,
    turns: foldAll(facts.slice(0, until)),
  };
  return JSON.parse(JSON.stringify(snapshot)) as SessionSnapshot;
}
