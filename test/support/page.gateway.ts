import { accepts, after, type SessionMachineSnapshot, unopened } from '../../machines/law.ts';
import { queueLine } from '../../machines/session.ts';
import type { Socket } from '../../src/console/transport/socket.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { ClientFrame, ResyncReason, ServerFrame } from '../../src/wire/live.ts';
import type { SessionSnapshot, SessionState, SessionSummary } from '../../src/wire/snapshot.ts';
import { Script } from './facts.ts';

interface Log {
  script: Script;
  machine: SessionMachineSnapshot;
}

/** The gateway's end of a page's connection. Frames wait in `queue` until the test lets them through. */
export class Line implements Socket {
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  onerror: Socket['onerror'] = null;
  readyState = 1;
  readonly said: ClientFrame[] = [];
  readonly queue: ServerFrame[] = [];
  readonly following = new Map<string, number>();
  readonly #gateway: PageGateway;

  constructor(gateway: PageGateway) {
    this.#gateway = gateway;
    this.queue.push({ type: 'hello', version: '1', heartbeatMs: 10_000 });
  }

  send(data: string): void {
    const frame = JSON.parse(data) as ClientFrame;
    this.said.push(frame);
    if (frame.type === 'subscribe') this.#gateway.follow(this, frame.session, frame.after ?? '');
    else if (frame.type === 'unsubscribe') this.following.delete(frame.session);
    else this.queue.push({ type: 'pong' });
  }

  close(): void {
    this.readyState = 3;
    this.following.clear();
  }

  /** The connection is lost; what was on its way is, too. */
  drop(): void {
    this.close();
    this.queue.length = 0;
    this.onclose?.({ code: 1006, reason: '' });
  }

  /** The next frame arrives, or all of them. */
  next(): void {
    const frame = this.queue.shift();
    if (frame) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  flush(): void {
    while (this.queue.length > 0) this.next();
  }
}

/** Logs, snapshots, answers and frames of a gateway, in one process and at the test's pace. */
export class PageGateway {
  readonly logs = new Map<string, Log>();
  readonly lines: Line[] = [];
  readonly calls: { readonly method: string; readonly path: string; readonly body: unknown }[] = [];
  /** Answers instead of the gateway, where it gives one. */
  instead: (path: string, method: string) => Response | undefined | Promise<Response | undefined> = () =>
    undefined;

  readonly openSocket = (): Line => {
    const line = new Line(this);
    this.lines.push(line);
    return line;
  };

  get line(): Line {
    return this.lines.at(-1) as Line;
  }

  open(session: string, kind: 'conversation' | 'job' = 'conversation', epoch = 'e'): void {
    this.logs.set(session, { script: new Script(session, epoch), machine: unopened(session, kind) });
    this.write(session, { type: 'session.opened', kind, agent: 'a', cwd: '/w' });
  }

  /** Writes what the law allows, and tells who follows. */
  write(session: string, ...drafts: readonly Draft[]): readonly Fact[] {
    const log = this.#log(session);
    return drafts.map((draft) => {
      const fact = log.script.fact(draft);
      if (!accepts(log.machine, fact))
        throw new Error(`${draft.type} is not lawful in ${String(log.machine.value)}`);
      log.machine = after(log.machine, fact);
      for (const line of this.lines) {
        const sent = line.following.get(session);
        if (sent === undefined) continue;
        line.following.set(session, fact.seq);
        line.queue.push({
          type: 'facts',
          session,
          epoch: fact.epoch,
          prev: sent,
          seq: fact.seq,
          facts: [fact],
        });
      }
      return fact;
    });
  }

  /** The log is another one from here on, with the same content. */
  renew(session: string, epoch: string): void {
    const { script } = this.#log(session);
    const drafts = script.facts.map(
      ({ v: _, session: __, epoch: ___, seq: ____, at: _____, ...draft }) => draft,
    );
    for (const line of this.lines) {
      if (line.following.delete(session)) this.resync(line, session, 'epoch');
    }
    this.logs.set(session, {
      script: new Script(session, epoch),
      machine: unopened(session, 'conversation'),
    });
    this.write(session, ...(drafts as Draft[]));
  }

  resync(line: Line, session: string, reason: ResyncReason): void {
    line.following.delete(session);
    line.queue.push({ type: 'resync', session, reason });
  }

  follow(line: Line, session: string, cursor: string): void {
    const log = this.logs.get(session);
    if (!log) {
      line.queue.push({
        type: 'error',
        session,
        code: 'session.unknown',
        detail: 'There is no such session.',
      });
      return;
    }
    const { epoch, seq, facts } = log.script;
    const [asked, place] = cursor.split('.');
    if (asked !== epoch) return this.resync(line, session, 'epoch');
    line.following.set(session, seq);
    const missed = facts.slice(Number(place));
    if (missed.length > 0) {
      line.queue.push({ type: 'facts', session, epoch, prev: Number(place), seq, facts: missed });
    }
    line.queue.push({ type: 'subscribed', session, cursor: `${epoch}.${seq}` });
  }

  snapshot(session: string): SessionSnapshot {
    const { machine, script } = this.#log(session);
    const { owner: _, open: __, epoch, seq, problem: ___, attempt: ____, ...rest } = machine.context;
    return {
      ...rest,
      updatedAt: script.facts.at(-1)?.at ?? 0,
      state: machine.value as SessionState,
      cursor: `${epoch}.${seq}`,
      turns: foldAll(script.facts),
      older: false,
    };
  }

  summary(session: string): SessionSummary {
    const { id, kind, agent, cwd, state, queue, permissions, jobs, createdAt, updatedAt, cursor } =
      this.snapshot(session);
    return {
      ...{ id, kind, agent, cwd, state, createdAt, updatedAt, cursor },
      ...queueLine(queue),
      unread: 0,
      permissions: permissions.length,
      runningJobs: jobs.filter((job) => !job.outcome).length,
    };
  }

  readonly fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const path = String(input).replace(/^.*\/api/, '');
    const method = init.method ?? 'GET';
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    this.calls.push({ method, path, body });
    init.signal?.throwIfAborted();
    const answer = (await this.instead(path, method)) ?? this.#answer(path, method, body);
    init.signal?.throwIfAborted();
    return answer;
  };

  #answer(path: string, method: string, body: { id: string; content: [] } | undefined): Response {
    const summaries = [...this.logs.keys()].map((session) => this.summary(session));
    if (path.startsWith('/sessions?')) {
      return Response.json({ sessions: summaries.filter((line) => line.kind === 'conversation') });
    }
    if (path === '/jobs') return Response.json({ jobs: summaries.filter((line) => line.kind === 'job') });
    if (path === '/agents') {
      return Response.json({ agents: [{ id: 'a', name: 'A', description: 'An agent.', available: true }] });
    }
    const [, session = '', call] = /^\/sessions\/([^/]+)(?:\/(.*))?$/.exec(path) ?? [];
    if (!this.logs.has(session)) {
      const problem = { status: 404, code: 'session.unknown', detail: 'There is no such session.' };
      return Response.json(problem, { status: 404 });
    }
    if (method === 'GET') return Response.json(this.snapshot(session));
    if (call === 'messages' && body) {
      const message = { id: body.id, content: body.content };
      const { revision } = this.#log(session).machine.context.queue;
      this.write(session, { type: 'queue.added', message, delivery: 'queue', revision: revision + 1 });
      return Response.json({ outcome: 'queued', cursor: this.snapshot(session).cursor }, { status: 202 });
    }
    return Response.json({ status: 404, code: 'path.unknown', detail: path }, { status: 404 });
  }

  #log(session: string): Log {
    const log = this.logs.get(session);
    if (!log) throw new Error(`no session ${session}`);
    return log;
  }
}
