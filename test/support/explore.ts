import { conversationMachine } from '../../machines/conversation.machine.ts';
import { jobMachine } from '../../machines/job.machine.ts';
import { accepts, after, type SessionMachineSnapshot, unopened } from '../../machines/law.ts';
import type { SessionContext } from '../../machines/session.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { asks, ended, opened, queued, say, started, text, tool, toolDone } from './facts.ts';

export type Kind = 'conversation' | 'job';

export function machineOf(kind: Kind) {
  return kind === 'conversation' ? conversationMachine : jobMachine;
}

/** The top-level state. */
export function stateOf(snapshot: SessionMachineSnapshot): string {
  return typeof snapshot.value === 'string' ? snapshot.value : (Object.keys(snapshot.value)[0] ?? '');
}

/**
 * Facts of every type that a writer, a careless one too, might propose here: of the open turn and of another, of tools,
 * permissions and messages that are there and that are not.
 */
export function proposals(context: SessionContext, kind: Kind): readonly Draft[] {
  const { open, queue, seq, permissions, jobs, turns } = context;
  const turn = open?.id ?? turns.at(-1)?.id ?? 't0';
  const next = `t${seq + 1}`;
  const revision = queue.revision + 1;
  const waits = queue.messages[0]?.message ?? say('nobody');
  const call = open?.tools[0] ?? 'nothing';
  const permission = permissions[0]?.id ?? 'nothing';
  const job = jobs.at(-1)?.job ?? 'nothing';
  const request = { agent: 'a', cwd: '/w', message: say('j') };
  return [
    opened(kind),
    { type: 'session.changed', title: 'T' },
    { type: 'session.closed' },
    { type: 'usage.updated', turn, usage: { totalTokens: 1 } },
    { type: 'notice.added', notice: 'n', level: 'info', code: 'c', text: 'x' },
    { type: 'notice.added', turn, notice: 'n', level: 'info', code: 'c', text: 'x' },
    queued(`q${seq}`, revision),
    queued(`g${seq}`, revision, 'steer'),
    queued(waits.id, revision),
    queued(`stale${seq}`, revision - 1),
    { type: 'queue.edited', message: waits, revision },
    { type: 'queue.moved', message: waits.id, to: 0, revision },
    { type: 'queue.moved', message: waits.id, to: 9, revision },
    { type: 'queue.removed', message: waits.id, revision },
    { type: 'queue.held', reason: 'stopped', revision },
    { type: 'queue.held', reason: 'limited', until: 1, retry: turn, revision },
    { type: 'queue.held', reason: 'limited', retry: turn, revision },
    { type: 'queue.held', reason: 'limited', until: 1, retry: 'elsewhere', revision },
    { type: 'queue.released', revision },
    started(next, revision, waits),
    started(next, revision, say(`m${seq}`)),
    started(next, revision, queue.messages.at(-1)?.message ?? say(`n${seq}`)),
    { ...started(next, revision, say(`r${seq}`)), retryOf: turn },
    { type: 'turn.started', turn: next, origin: 'agent', revision },
    { type: 'turn.accepted', turn },
    { type: 'turn.accepted', turn, handle: 'h' },
    { type: 'turn.watching', turn, mode: 'stream', reason: 'r', since: 0 },
    { type: 'turn.watching', turn, mode: 'poll', reason: 'r', since: 0 },
    { type: 'turn.watching', turn, mode: 'silent', reason: 'r', since: 0 },
    { type: 'turn.retrying', turn, attempt: 1, reason: 'r' },
    { type: 'turn.steered', turn, message: waits, confirmed: true, revision },
    { type: 'turn.stopping', turn, stage: 'asked' },
    { type: 'turn.stopping', turn, stage: 'terminated' },
    { type: 'turn.stopping', turn, stage: 'killed' },
    ended(turn),
    ended(turn, 'cancelled'),
    ended(turn, 'failed'),
    ended(turn, 'interrupted'),
    text(turn, 0, 'x'),
    text('elsewhere', 0, 'x'),
    { type: 'thought.added', turn, part: 'q', offset: 0, text: 'x' },
    { type: 'part.replaced', turn, part: 'p', text: 'y' },
    tool(turn, `c${open?.seen.length ?? 0}`),
    tool(turn, call),
    { type: 'tool.updated', turn, toolCallId: call, title: 'T' },
    toolDone(turn, call),
    { type: 'tool.refused', turn, toolCallId: call, reason: 'no' },
    { type: 'plan.updated', turn, entries: [] },
    asks(turn, `p${seq}`),
    asks(turn, permission),
    { type: 'permission.answered', turn, permission, option: 'yes' },
    { type: 'permission.answered', turn, permission, option: 'maybe' },
    { type: 'permission.withdrawn', turn, permission, reason: 'r' },
    { type: 'job.attached', job: `j${jobs.length}`, request },
    { type: 'job.attached', job, request },
    { type: 'job.settled', job, outcome: 'finalized', stopReason: 'end_turn' },
    { type: 'job.progress', turn, text: 'x' },
  ];
}

export function factAt(context: SessionContext, draft: Draft): Fact {
  const { id: session, epoch, seq } = context;
  return { ...draft, v: 1, session, epoch, seq: seq + 1, at: seq + 1 } as Fact;
}

/** Small enough to see everything, large enough for each rule to meet its cases, and any two things each other. */
const most = 2;

function isSmall({ queue, open, permissions, jobs }: SessionContext): boolean {
  const things = queue.messages.length + (open?.seen.length ?? 0) + permissions.length + jobs.length;
  return things <= most;
}

/** What the rules can tell apart; texts, titles and numbers are left out. */
function keyOf(snapshot: SessionMachineSnapshot): string {
  const { queue, open, permissions, jobs, turns } = snapshot.context;
  return JSON.stringify([
    snapshot.value,
    [queue.held, queue.retry !== undefined],
    queue.messages.length,
    turns.length > 0,
    open && [open.tools.length, open.seen.length, open.watching === 'poll', open.stage, open.handle],
    permissions.length,
    jobs.map((job) => job.outcome),
  ]);
}

export interface Explored {
  readonly states: readonly SessionMachineSnapshot[];
  /** For each state, the fact types that some situation in it takes. */
  readonly taken: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Breadth first through the real machine: every situation within the bounds, by every fact that it takes. */
export function explore(kind: Kind): Explored {
  const first = unopened('s', kind);
  const seen = new Map([[keyOf(first), first]]);
  const taken = new Map<string, Set<string>>();
  for (const snapshot of seen.values()) {
    const state = stateOf(snapshot);
    const types = taken.get(state) ?? new Set();
    taken.set(state, types);
    for (const draft of proposals(snapshot.context, kind)) {
      const fact = factAt(snapshot.context, draft);
      if (!accepts(snapshot, fact)) continue;
      types.add(fact.type);
      const next = after(snapshot, fact);
      if (isSmall(next.context) && !seen.has(keyOf(next))) seen.set(keyOf(next), next);
    }
  }
  return { states: [...seen.values()], taken };
}
