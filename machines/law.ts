import { type AnyActorScope, type AnyMachineSnapshot, createEmptyActor, initialTransition } from 'xstate';
import type { Draft, Fact } from '../src/wire/facts.ts';
import { type ConversationSnapshot, conversationMachine } from './conversation.machine.ts';
import { type JobSnapshot, jobMachine } from './job.machine.ts';
import { isKnown, isNext } from './session.ts';

export type SessionMachineSnapshot = ConversationSnapshot | JobSnapshot;

/** What a run of facts would lead to, without doing anything: no actor is started, nothing is sent. */
export type Verdict =
  | { readonly lawful: true; readonly next: SessionMachineSnapshot; readonly facts: readonly Fact[] }
  | {
      readonly lawful: false;
      readonly next: SessionMachineSnapshot;
      readonly refused: Draft;
      readonly index: number;
    };

/** The machine of a session's kind before its first fact. */
export function unopened(session: string, kind: 'conversation' | 'job'): SessionMachineSnapshot {
  return kind === 'conversation'
    ? initialTransition(conversationMachine, { session })[0]
    : initialTransition(jobMachine, { session })[0];
}

/** True when the machine has a transition for the fact in this state. */
export function accepts(snapshot: SessionMachineSnapshot, fact: Fact): boolean {
  // A machine that is over still has its transitions, and a gap has one too (to read again): neither takes a fact.
  if (snapshot.status !== 'active' || !isKnown(fact)) return false;
  return isNext(snapshot.context, fact) && snapshot.can(fact);
}

/**
 * A scope in which nothing happens: XState's own `transition` makes an actor for each call, which costs several times
 * what the transition does.
 */
const self = createEmptyActor();
const nothing = () => {};
const inert: AnyActorScope = {
  self,
  id: self.id,
  sessionId: self.sessionId,
  system: self.system,
  logger: nothing,
  defer: nothing,
  emit: nothing,
  stopChild: nothing,
  actionExecutor: nothing,
};

/** The state after one committed fact; a fact without a transition leaves it as it was. */
export function after(snapshot: SessionMachineSnapshot, fact: Fact): SessionMachineSnapshot {
  if (snapshot.status !== 'active') return snapshot;
  const { machine } = snapshot as AnyMachineSnapshot;
  return machine.transition(snapshot, fact, inert) as SessionMachineSnapshot;
}

/** Judges drafts one after the other, as they would be committed: all are lawful, or none is written. */
export function judge(snapshot: SessionMachineSnapshot, drafts: readonly Draft[], at: number): Verdict {
  let next = snapshot;
  const facts: Fact[] = [];
  for (const [index, draft] of drafts.entries()) {
    const { id: session, epoch, seq } = next.context;
    const fact = { ...draft, v: 1, session, epoch, seq: seq + 1, at } as Fact;
    if (!accepts(next, fact)) return { lawful: false, next: snapshot, refused: draft, index };
    next = after(next, fact);
    facts.push(fact);
  }
  return { lawful: true, next, facts };
}
