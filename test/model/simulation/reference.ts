import { after, type SessionMachineSnapshot, unopened } from '../../../machines/law.ts';
import type { SessionContext } from '../../../machines/session.ts';
import { turnOf } from '../../../machines/turn.logic.ts';
import type { Fact } from '../../../src/wire/facts.ts';
import { fold, openTurn } from '../../../src/wire/fold.ts';
import type { Turn } from '../../../src/wire/turn.ts';

interface At {
  readonly snapshot: SessionMachineSnapshot;
  readonly turns: readonly Turn[];
}

/** What a log means, at each of its facts: folded from the log alone, by no actor and no gateway (I6). */
export class Reference {
  readonly epoch: string;
  readonly #session: string;
  readonly #at: At[] = [];

  constructor(first: Fact) {
    this.epoch = first.epoch;
    this.#session = first.session;
    const kind = first.type === 'session.opened' ? first.kind : 'conversation';
    this.#at.push({ snapshot: unopened(this.#session, kind), turns: [] });
  }

  get length(): number {
    return this.#at.length - 1;
  }

  get last(): At {
    return this.#at.at(-1) as At;
  }

  add(fact: Fact): void {
    const { snapshot, turns } = this.last;
    this.#at.push({ snapshot: after(snapshot, fact), turns: folded(turns, fact) });
  }

  at(seq: number): At | undefined {
    return this.#at[seq];
  }
}

function folded(turns: readonly Turn[], fact: Fact): readonly Turn[] {
  if (fact.type === 'turn.started') return [...turns, openTurn(fact)];
  const last = turns.at(-1);
  if (!last) return turns;
  const next = fold(last, fact);
  return next === last ? turns : [...turns.slice(0, -1), next];
}

const own = new Set(['open', 'owner', 'turns', 'older', 'problem', 'attempt', 'epoch']);

/** Where an actor differs from what the log says at its place; undefined where it does not. */
export function difference(snapshot: SessionMachineSnapshot, at: At): string | undefined {
  const { context } = snapshot;
  const wanted = at.snapshot.context;
  if (snapshot.value !== at.snapshot.value) {
    return `state ${JSON.stringify(snapshot.value)} instead of ${JSON.stringify(at.snapshot.value)}`;
  }
  for (const key of new Set([...Object.keys(context), ...Object.keys(wanted)]) as Set<keyof SessionContext>) {
    if (own.has(key) || isSame(context[key], wanted[key])) continue;
    return `${key}: ${show(context[key])} instead of ${show(wanted[key])}`;
  }
  const settled = at.turns.filter((turn) => turn.outcome);
  const known = settled.slice(settled.length - context.turns.length);
  for (const [index, turn] of context.turns.entries()) {
    if (!isSame(turn, known[index])) return `turn ${turn.id}: ${show(turn)} instead of ${show(known[index])}`;
  }
  if (!context.older && context.turns.length !== settled.length) {
    return `${context.turns.length} settled turns instead of ${settled.length}`;
  }
  const last = at.turns.at(-1);
  const open = last && !last.outcome ? last : undefined;
  if (context.open?.id !== open?.id) return `open turn ${context.open?.id} instead of ${open?.id}`;
  if (!context.open || !open || !wanted.open) return undefined;
  const { ref, ...rest } = context.open;
  const { ref: _, ...wantedRest } = wanted.open;
  if (!isSame(rest, wantedRest)) return `open turn: ${show(rest)} instead of ${show(wantedRest)}`;
  const live = turnOf(ref);
  return isSame(live, open) ? undefined : `open turn ${show(live)} instead of ${show(open)}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 700 ? `${text.slice(0, 700)}…` : text;
}

/** Values that were found the same once stay so: they are never changed in place. */
const pairs = new WeakMap<object, object>();

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (pairs.get(a) === b) return true;
  const found = Array.isArray(a) ? sameArrays(a, b) : sameObjects(a, b);
  if (found) pairs.set(a, b);
  return found;
}

function sameArrays(a: readonly unknown[], b: object): boolean {
  return Array.isArray(b) && a.length === b.length && a.every((value, index) => isSame(value, b[index]));
}

function sameObjects(a: object, b: object): boolean {
  if (Array.isArray(b)) return false;
  // Absent and undefined are the same on the wire.
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isSame(a[key as never], b[key as never]));
}
