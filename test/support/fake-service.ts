import { Refusal } from '../../src/gateway/refusal.ts';
import type { Service, Sink } from '../../src/gateway/service.ts';
import { parseCursor } from '../../src/wire/cursor.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import type { InspectLine } from '../../src/wire/inspect.ts';
import type { Grade } from '../../src/wire/live.ts';
import type { SessionSnapshot, SessionSummary } from '../../src/wire/snapshot.ts';

const epoch = 'E1';
const quiet = new Set(['text.added', 'thought.added', 'tool.updated']);

interface FakeSession {
  readonly id: string;
  readonly facts: Fact[];
  readonly sinks: Set<{ readonly grade: Grade; readonly sink: Sink }>;
  readonly kind: 'conversation' | 'job';
  title?: string;
}

/** A service in memory for tests of what stands before it: real logs and subscriptions, no agents. */
export function createFakeService() {
  const sessions = new Map<string, FakeSession>();
  const agentWatchers = new Set<() => void>();
  const watchers = new Set<Parameters<Service['watch']>[0]>();
  const inspectors = new Set<(line: InspectLine) => void>();
  const calls: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  /** Set by a test: what the next calls of this name do instead. */
  const instead = new Map<string, () => unknown>();

  function get(id: string): FakeSession {
    const session = sessions.get(id);
    if (!session) throw new Refusal(404, 'session.unknown', `There is no session ${id}.`);
    return session;
  }

  function note<T>(name: string, args: readonly unknown[], answer: () => T): T {
    calls.push({ name, args });
    const other = instead.get(name);
    return other ? (other() as T) : answer();
  }

  function cursor(session: FakeSession): string {
    return `${epoch}.${session.facts.length}`;
  }

  function snapshot(session: FakeSession): SessionSnapshot {
    return {
      ...common(session),
      turns: [],
      older: false,
      queue: { held: false, revision: 0, messages: [] },
      permissions: [],
      jobs: [],
      notices: [],
      usage: {},
    };
  }

  function summary(session: FakeSession): SessionSummary {
    return { ...common(session), queued: 0, held: false, unread: 0, permissions: 0, runningJobs: 0 };
  }

  function common(session: FakeSession) {
    return {
      id: session.id,
      kind: session.kind,
      agent: 'builtin',
      cwd: '/work',
      ...(session.title !== undefined && { title: session.title }),
      createdAt: 1,
      updatedAt: 2,
      state: 'idle' as const,
      cursor: cursor(session),
    };
  }

  function add(id: string, kind: FakeSession['kind'] = 'conversation'): FakeSession {
    const session: FakeSession = { id, kind, facts: [], sinks: new Set() };
    sessions.set(id, session);
    return session;
  }

  const frameOf = (facts: readonly Fact[], prev: number, seq: number, grade: Grade) => ({
    epoch,
    prev,
    seq,
    facts: grade === 'turn' ? facts.filter((fact) => !quiet.has(fact.type)) : facts,
  });

  const service: Service = {
    agents: async () =>
      note('agents', [], () => [
        { id: 'builtin', name: 'Built-in', description: 'Needs nothing.', available: true },
      ]),
    earlier: async (agent, query) =>
      note('earlier', [agent, query], () => ({ sessions: [{ id: 'earlier-1', cwd: '/w', title: 'Then' }] })),
    list: async (query) =>
      note('list', [query], () => [...sessions.values()].map(summary).slice(0, query.limit)),
    create: async (body) =>
      note('create', [body], () => snapshot(Object.assign(add(body.id ?? `s${sessions.size + 1}`), body))),
    snapshot: async (id) => note('snapshot', [id], () => snapshot(get(id))),
    change: async (id, body) => note('change', [id, body], () => snapshot(Object.assign(get(id), body))),
    remove: async (id) =>
      note('remove', [id], () => {
        get(id);
        sessions.delete(id);
      }),
    turns: async (id, before, limit) =>
      note('turns', [id, before, limit], () => {
        get(id);
        return { turns: [], older: false };
      }),
    send: async (id, body) =>
      note('send', [id, body], () => ({ outcome: 'started' as const, turn: 't1', cursor: cursor(get(id)) })),
    stop: async (id, body) =>
      note('stop', [id, body], () => ({ turn: 't1', state: 'cancelling', cursor: cursor(get(id)) })),
    resume: async (id) =>
      note('resume', [id], () => ({
        cursor: cursor(get(id)),
        queue: { held: false, revision: 1, messages: [] },
      })),
    retry: async (id, body) => note('retry', [id, body], () => ({ turn: 't2', cursor: cursor(get(id)) })),
    editQueue: async (id, body) =>
      note('editQueue', [id, body], () => {
        get(id);
        return { held: true, reason: 'edited' as const, revision: body.revision + 1, messages: [] };
      }),
    answer: async (id, permission, option) =>
      note('answer', [id, permission, option], () => ({ cursor: cursor(get(id)) })),
    jobs: async () =>
      note('jobs', [], () => [...sessions.values()].filter(({ kind }) => kind === 'job').map(summary)),
    job: async (id) => note('job', [id], () => snapshot(get(id))),
    stopJob: async (id) => note('stopJob', [id], () => ({ state: 'cancelling', cursor: cursor(get(id)) })),
    async subscribe(id, after, grade, sink) {
      const session = note('subscribe', [id, after, grade], () => get(id));
      const from = after === undefined ? session.facts.length : (parseCursor(after)?.seq ?? 0);
      const head = session.facts.length;
      const entry = { grade, sink };
      let isOpen = true;
      const catchUp = async () => {
        let prev = from;
        // The length grows while old facts are read; those read late are not sent twice.
        while (isOpen && prev < session.facts.length) {
          const facts = session.facts.slice(prev, prev + 100);
          const seq = prev + facts.length;
          await sink.facts(frameOf(facts, prev, seq, grade));
          prev = seq;
        }
        if (isOpen) session.sinks.add(entry);
      };
      if (after !== undefined && parseCursor(after)?.epoch !== epoch)
        queueMicrotask(() => sink.resync('epoch'));
      else if (from === head) session.sinks.add(entry);
      else setImmediate(() => void catchUp());
      return {
        cursor: `${epoch}.${head}`,
        close() {
          isOpen = false;
          session.sinks.delete(entry);
        },
      };
    },
    addAgent: async (body) =>
      note('addAgent', [body], () => {
        for (const tell of agentWatchers) tell();
        return { id: 'new', name: body.name, description: 'New.', available: true, added: true };
      }),
    removeAgent: async (agent) => note('removeAgent', [agent], () => undefined),
    watchAgents(listener) {
      agentWatchers.add(listener);
      return () => agentWatchers.delete(listener);
    },
    watch(listener) {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    inspect(listener) {
      inspectors.add(listener);
      return () => inspectors.delete(listener);
    },
  };

  return {
    service,
    calls,
    instead,
    add,
    /** Commits one fact and delivers it. */
    emit(id: string, draft: Draft): Fact {
      const session = get(id);
      const seq = session.facts.length + 1;
      const fact = { v: 1, session: id, epoch, seq, at: seq, ...draft } as Fact;
      session.facts.push(fact);
      for (const { grade, sink } of [...session.sinks]) void sink.facts(frameOf([fact], seq - 1, seq, grade));
      return fact;
    },
    summarize(...ids: readonly string[]) {
      for (const listener of watchers)
        listener(
          ids.map((id) => summary(get(id))),
          [],
        );
    },
    inspected(line: InspectLine) {
      for (const listener of inspectors) listener(line);
    },
    counts() {
      let subscribers = 0;
      for (const { sinks } of sessions.values()) subscribers += sinks.size;
      return { subscribers, watchers: watchers.size, inspectors: inspectors.size };
    },
  };
}
