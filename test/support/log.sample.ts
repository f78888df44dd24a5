import type { Projection, SessionHead } from '../../src/gateway/log/log.ts';
import type { ProjectedSession } from '../../src/gateway/log/rows.ts';
import type { Draft, Fact, UnknownFact } from '../../src/wire/facts.ts';
import type { Turn } from '../../src/wire/turn.ts';

export const nothing: Projection = { settled: [], messages: [], unread: 0 };

export const opened: Draft = { type: 'session.opened', kind: 'conversation', agent: 'builtin', cwd: '/w' };

export function headOf(id: string, changes: Partial<SessionHead> = {}): SessionHead {
  return {
    id,
    kind: 'conversation',
    agent: 'builtin',
    cwd: '/w',
    createdAt: 0,
    updatedAt: 0,
    state: 'idle',
    cursor: '',
    queue: { held: false, revision: 0, messages: [] },
    permissions: [],
    jobs: [],
    notices: [],
    usage: {},
    ...changes,
  };
}

export function turnOf(id: string, firstSeq: number, changes: Partial<Turn> = {}): Turn {
  return {
    id,
    origin: 'user',
    startedAt: 0,
    firstSeq,
    seq: firstSeq,
    parts: [],
    accepted: false,
    misfits: [],
    ...changes,
  };
}

export function text(turn: string, offset: number, added: string): Draft {
  return { type: 'text.added', turn, part: 'p', offset, text: added };
}

/** A small fold of its own, so that the log is tested without the one that the gateway uses. */
export function projectSample(session: string, facts: readonly (Fact | UnknownFact)[]): ProjectedSession {
  let head = headOf(session);
  let open: Turn | undefined;
  const settled: Turn[] = [];
  const messages: ProjectedSession['messages'][number][] = [];
  const ends: number[] = [];
  for (const fact of facts as readonly Fact[]) {
    switch (fact.type) {
      case 'queue.added':
        head = { ...head, queue: { ...head.queue, messages: [...head.queue.messages, fact] } };
        messages.push({
          id: fact.message.id,
          digest: `digest of ${fact.message.id}`,
          answer: { outcome: 'queued', cursor: `${fact.epoch}.${fact.seq}` },
        });
        break;
      case 'turn.started':
        head = {
          ...head,
          state: 'dispatching',
          queue: { ...head.queue, messages: head.queue.messages.slice(1) },
        };
        open = turnOf(fact.turn, fact.seq, { startedAt: fact.at });
        break;
      case 'text.added': {
        const before = open?.parts[0]?.type === 'text' ? open.parts[0].text : '';
        head = { ...head, state: 'streaming' };
        if (open) {
          open = {
            ...open,
            seq: fact.seq,
            parts: [{ type: 'text', id: 'p', text: before + fact.text, revision: 0 }],
          };
        }
        break;
      }
      case 'turn.ended':
        head = { ...head, state: 'finalized' };
        if (open) settled.push({ ...open, seq: fact.seq, endedAt: fact.at, outcome: fact.outcome });
        open = undefined;
        ends.push(fact.seq);
        break;
      default:
        break;
    }
  }
  return {
    head,
    ...(open && { openTurn: { id: open.id, firstSeq: open.firstSeq } }),
    settled,
    messages,
    ends,
  };
}

/** What the append of `added` after `before` changes. */
export function sampleChanges(session: string, before: readonly Fact[], added: readonly Fact[]): Projection {
  const old = projectSample(session, before);
  const now = projectSample(session, [...before, ...added]);
  return {
    head: now.head,
    openTurn: now.openTurn ?? null,
    settled: now.settled.slice(old.settled.length),
    messages: now.messages.slice(old.messages.length),
    unread: now.ends.length - old.ends.length,
  };
}
