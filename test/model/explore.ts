import { initialTransition, transition } from 'xstate';
import type { Command } from '../../machines/decide.ts';
import { after, judge, type SessionMachineSnapshot, unopened } from '../../machines/law.ts';
import { runnerMachine } from '../../machines/runner.machine.ts';
import { defaultLimits, type SessionRef } from '../../machines/runner.types.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { fold, openTurn } from '../../src/wire/fold.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { opened, started } from '../support/facts.ts';
import { violations } from '../support/invariants.ts';
import { eventsOf } from './explore.moves.ts';

/**
 * Breadth first through the real runner over the real session machines, as pure transitions. What the outside answers
 * (the log, the agent, a poll, time) is answered by hand: whatever may come next in a situation comes next.
 */
export interface Bounds {
  readonly kind: 'conversation' | 'job';
  readonly messages: number;
  readonly stops: number;
  readonly resumes: number;
  /** Wishes to run the last turn again at a time, and to give that up. */
  readonly retries: number;
  readonly faults: number;
  readonly outputs: number;
  /** Answers to permissions; a second one is that of another page. */
  readonly answers: number;
  /** Situations at most; with more, the search is not complete. */
  readonly states: number;
}

export type Used = Omit<Bounds, 'kind' | 'states'>;

export type RunnerSnapshot = ReturnType<typeof transition<typeof runnerMachine>>[0];

/** A situation: how runner and session stand, and how they came there. */
export interface Situation {
  readonly runner: RunnerSnapshot;
  readonly session: SessionMachineSnapshot;
  readonly turn: Turn | undefined;
  readonly facts: readonly Fact[];
  readonly used: Used;
  /** Cancels that the agent of the open turn was told. */
  readonly cancels: number;
  readonly prompts: readonly string[];
  readonly path: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Every situation within the bounds was met, and everything that may follow it was tried. */
  readonly complete: boolean;
  readonly broken: readonly { readonly what: string; readonly path: readonly string[] }[];
  /** Values of the runner and of the session that were met. */
  readonly met: ReadonlySet<string>;
}

/** The session as the runner sees it: set to that of the situation before each step. */
const shim = { now: undefined as SessionMachineSnapshot | undefined, getSnapshot: () => shim.now };

const nothing: Used = { messages: 0, stops: 0, resumes: 0, retries: 0, faults: 0, outputs: 0, answers: 0 };

function begin(kind: Bounds['kind']): Situation {
  let session = unopened('s', kind);
  let turn: Turn | undefined;
  const facts: Fact[] = [];
  const drafts: Draft[] = kind === 'job' ? [opened(kind), started('t2')] : [opened(kind)];
  for (const draft of drafts) {
    const fact = factOf(session, draft);
    [session, turn] = committed(session, turn, fact);
    facts.push(fact);
  }
  shim.now = session;
  const input = { session: shim as unknown as SessionRef, limits: defaultLimits, now: () => 0 };
  const [runner] = initialTransition(runnerMachine, input);
  const first: Situation = { runner, session, turn, facts, used: nothing, cancels: 0, prompts: [], path: [] };
  return kind === 'job' ? step(first, { name: 'begin', event: { type: 'begin', how: 'prompt' } }) : first;
}

function factOf(session: SessionMachineSnapshot, draft: Draft): Fact {
  const { id, seq } = session.context;
  return { ...draft, v: 1, session: id, epoch: 'e', seq: seq + 1, at: seq + 1 } as Fact;
}

/** The session and its open turn after a committed fact. The turn's own actor is stood in for by what it would hold. */
function committed(
  session: SessionMachineSnapshot,
  turn: Turn | undefined,
  fact: Fact,
): [SessionMachineSnapshot, Turn | undefined] {
  const next = after(session, fact);
  const live = fact.type === 'turn.started' ? openTurn(fact) : turn && fold(turn, fact);
  const { open } = next.context;
  if (!open || !live) return [next, undefined];
  const ref = { getSnapshot: () => ({ context: live }) };
  const context = { ...next.context, open: { ...open, ref } };
  return [{ ...next, context } as unknown as SessionMachineSnapshot, live];
}

export interface Move {
  readonly name: string;
  readonly event: { readonly type: string; readonly [key: string]: unknown };
  readonly used?: Partial<Used>;
  /** What the log takes in with it. */
  readonly commits?: readonly Draft[];
}

/** One event, and all that follows from it at once. */
function step(from: Situation, move: Move): Situation {
  let { session, turn } = from;
  const facts = [...from.facts];
  for (const draft of move.commits ?? []) {
    const fact = factOf(session, draft);
    [session, turn] = committed(session, turn, fact);
    facts.push(fact);
  }
  shim.now = session;
  const [runner, actions] = transition(runnerMachine, from.runner, move.event as never);
  const starts = move.commits?.some((draft) => draft.type === 'turn.started') ?? false;
  const told = actions.filter((action) => orderOf(action) === 'cancel').length;
  const isPrompted = entersAgent(from.runner, runner);
  const open = session.context.open?.id;
  return {
    runner,
    session,
    turn,
    facts,
    used: { ...from.used, ...move.used },
    cancels: (starts ? 0 : from.cancels) + told,
    prompts: isPrompted && open !== undefined ? [...from.prompts, open] : from.prompts,
    path: [...from.path, move.name],
  };
}

function orderOf(action: unknown): string | undefined {
  const { params } = action as { params?: { event?: { type?: string }; targetId?: string } };
  return params?.targetId === 'agent' || 'event' in (params ?? {}) ? params?.event?.type : undefined;
}

function entersAgent(before: RunnerSnapshot, now: RunnerSnapshot): boolean {
  return !isEngaged(before) && isEngaged(now);
}

export function isEngaged(runner: RunnerSnapshot): boolean {
  const { work } = runner.value as { work: unknown };
  return typeof work === 'object' && work !== null && 'engaged' in work;
}

/** What may happen next depends on this alone. Texts, times and numbers are left out. */
function keyOf({ runner, session, used, cancels, turn }: Situation): string {
  const { context } = runner;
  const { queue, open, permissions } = session.context;
  return JSON.stringify([
    runner.value,
    context.commands.map((command) => [command.type, idOf(command)]),
    context.outputs.map((output) => output.type),
    context.settled,
    context.batch.drafts.map((draft) => draft.type),
    [
      context.batch.outputs,
      context.how,
      Math.min(context.polls, 2),
      context.stopOwed,
      context.closing,
      context.steered,
    ],
    session.value,
    [queue.held, queue.retry !== undefined, queue.messages.map((q) => [q.message.id, q.delivery])],
    open && [open.tools.length, open.seen.length, open.watching, open.retrying, open.stage, open.handle],
    permissions.length,
    [turn?.parts.length === 0, turn?.accepted],
    used,
    cancels,
  ]);
}

function idOf(command: Command): unknown {
  return 'message' in command && typeof command.message === 'object' ? command.message.id : undefined;
}

/** Everything that must hold in a situation, whatever led there. */
function brokenIn(situation: Situation): readonly string[] {
  const { facts, session, runner, cancels, prompts } = situation;
  const open = session.context.open?.id;
  const found = [...violations(facts, open === undefined ? [] : [open])];
  if (cancels > 1) found.push('I5: the agent was told to stop twice');
  if (new Set(prompts).size !== prompts.length) found.push('I3: a turn was prompted twice');
  if (isEngaged(runner) && open === undefined) found.push('I3: an agent works although no turn is open');
  for (const turn of session.context.turns)
    if (turn.misfits.length > 0) found.push('I6: a fact did not fit its turn');
  const verdict = judge(session, runner.context.batch.drafts, 0);
  if (!verdict.lawful)
    found.push(`law: ${verdict.refused.type} is not possible in ${JSON.stringify(session.value)}`);
  return found;
}

export function explore(bounds: Bounds, progress?: (states: number, depth: number) => void): Exploration {
  const first = begin(bounds.kind);
  const seen = new Set([keyOf(first)]);
  const broken: Exploration['broken'][number][] = [];
  const met = new Set<string>();
  let frontier = [first];
  let [transitions, depth] = [0, 0];
  let isCut = false;
  while (frontier.length > 0 && !isCut && broken.length < 5) {
    const next: Situation[] = [];
    for (const situation of frontier) {
      for (const move of eventsOf(situation, bounds)) {
        const there = step(situation, move);
        transitions += 1;
        const what = brokenIn(there)[0];
        if (what !== undefined) {
          broken.push({ what, path: there.path });
          continue;
        }
        const key = keyOf(there);
        if (seen.has(key)) continue;
        if (seen.size >= bounds.states) {
          isCut = true;
          break;
        }
        seen.add(key);
        met.add(JSON.stringify(there.runner.value)).add(`session ${JSON.stringify(there.session.value)}`);
        next.push(there);
      }
      if (isCut || broken.length >= 5) break;
    }
    if (next.length > 0) depth += 1;
    progress?.(seen.size, depth);
    frontier = next;
  }
  const complete = !isCut && broken.length === 0 && frontier.length === 0;
  return { states: seen.size, transitions, depth, complete, broken, met };
}
