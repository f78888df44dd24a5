import type { Message } from '../../src/wire/content.ts';
import type { Draft, DraftOf, Fact } from '../../src/wire/facts.ts';

/** A log in a test's hand: gives drafts their envelopes, in order. */
export class Script {
  readonly session: string;
  readonly epoch: string;
  seq: number;
  readonly facts: Fact[] = [];

  constructor(session = 's', epoch = 'e', seq = 0) {
    this.session = session;
    this.epoch = epoch;
    this.seq = seq;
  }

  fact(draft: Draft): Fact {
    this.seq += 1;
    const { session, epoch, seq } = this;
    const fact = { ...draft, v: 1, session, epoch, seq, at: 1_000 + seq } as Fact;
    this.facts.push(fact);
    return fact;
  }

  write(...drafts: readonly Draft[]): Fact[] {
    return drafts.map((draft) => this.fact(draft));
  }
}

export function say(id: string, text = id): Message {
  return { id, content: [{ type: 'text', text }] };
}

export function opened(kind: 'conversation' | 'job' = 'conversation'): DraftOf<'session.opened'> {
  return { type: 'session.opened', kind, agent: 'a', cwd: '/w' };
}

export function started(turn: string, revision = 1, message = say(`m.${turn}`)): DraftOf<'turn.started'> {
  return { type: 'turn.started', turn, message, origin: 'user', revision };
}

export function text(turn: string, offset: number, added: string, part = 'p'): DraftOf<'text.added'> {
  return { type: 'text.added', turn, part, offset, text: added };
}

export function ended(
  turn: string,
  outcome: DraftOf<'turn.ended'>['outcome'] = 'finalized',
): DraftOf<'turn.ended'> {
  const stopReason = {
    finalized: 'end_turn',
    cancelled: 'cancelled',
    failed: 'error',
    interrupted: 'lost',
  } as const;
  return { type: 'turn.ended', turn, outcome, stopReason: stopReason[outcome] };
}

export function tool(turn: string, toolCallId: string, title = 'Run'): DraftOf<'tool.started'> {
  return { type: 'tool.started', turn, toolCallId, title };
}

export function toolDone(turn: string, toolCallId: string): DraftOf<'tool.finished'> {
  return { type: 'tool.finished', turn, toolCallId, status: 'completed' };
}

export function asks(turn: string, permission: string): DraftOf<'permission.asked'> {
  const options = [
    { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
    { optionId: 'no', name: 'No', kind: 'reject_once' },
  ] as const;
  return { type: 'permission.asked', turn, permission, title: 'May I?', options };
}

export function queued(
  id: string,
  revision: number,
  delivery: 'queue' | 'steer' = 'queue',
): DraftOf<'queue.added'> {
  return { type: 'queue.added', message: say(id), delivery, revision };
}
