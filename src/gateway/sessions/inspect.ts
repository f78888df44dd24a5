import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { InspectLine } from '../service.ts';

/** Actors and their events for the inspector. Nothing is gathered while nobody listens. */
export class Inspection {
  readonly #listeners = new Set<(line: InspectLine) => void>();
  readonly #known = new Map<AnyActorRef, unknown>();
  readonly #roots: () => readonly AnyActorRef[];
  readonly #now: () => number;

  constructor(roots: () => readonly AnyActorRef[], now: () => number) {
    this.#roots = roots;
    this.#now = now;
  }

  listen(listener: (line: InspectLine) => void): () => void {
    if (this.#listeners.size === 0) this.#known.clear();
    this.#listeners.add(listener);
    for (const root of this.#roots()) this.#show(root, undefined, listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#known.clear();
    };
  }

  /** Given to each root actor as its `inspect`. */
  readonly observe = (event: InspectionEvent): void => {
    if (this.#listeners.size === 0 || event.type !== '@xstate.snapshot') return;
    const { actorRef, snapshot } = event;
    const ref = actorRef as AnyActorRef;
    // Tokens are the fold's: their session's own event tells of them already.
    if (machineOf(ref) === 'turn') return;
    if (!this.#known.has(ref))
      for (const listener of this.#listeners) this.#show(ref, parentOf(ref), listener);
    const before = this.#known.get(ref);
    this.#known.set(ref, snapshot);
    const state = 'value' in snapshot ? snapshot.value : snapshot.status;
    this.#tell({
      type: 'event',
      id: ref.sessionId,
      event: event.event.type,
      detail: plain(event.event),
      at: this.#now(),
      state,
      taken: before !== snapshot,
    });
    if (snapshot.status !== 'active') {
      this.#known.delete(ref);
      this.#tell({ type: 'stopped', id: ref.sessionId, at: this.#now() });
    }
  };

  #show(ref: AnyActorRef, parent: AnyActorRef | undefined, listener: (line: InspectLine) => void): void {
    const snapshot = ref.getSnapshot();
    this.#known.set(ref, snapshot);
    const at = this.#now();
    listener({
      type: 'actor',
      id: ref.sessionId,
      ...(parent && { parent: parent.sessionId }),
      machine: nameOf(ref),
      at,
    });
    if (snapshot && 'value' in snapshot) {
      listener({
        type: 'event',
        id: ref.sessionId,
        event: 'inspection.began',
        at,
        state: snapshot.value,
        taken: false,
      });
    }
    for (const child of Object.values(
      (snapshot?.children ?? {}) as Record<string, AnyActorRef | undefined>,
    )) {
      if (child && machineOf(child) !== 'turn') this.#show(child, ref, listener);
    }
  }

  #tell(line: InspectLine): void {
    for (const listener of this.#listeners) listener(line);
  }
}

function parentOf(ref: AnyActorRef): AnyActorRef | undefined {
  return ref._parent as AnyActorRef | undefined;
}

/** `conversation`, `job`, `runner`, `orchestrator` … with the id that tells it from others of its kind. */
function nameOf(ref: AnyActorRef): string {
  return `${machineOf(ref)} ${ref.id}`.trim();
}

function machineOf(ref: AnyActorRef): string {
  if (ref.id.startsWith('turn:')) return 'turn';
  if (ref.id.startsWith('session:')) return ref.getSnapshot()?.context?.kind ?? 'session';
  return (ref as { logic?: { id?: string } }).logic?.id ?? '';
}

const longest = 500;

/** The event as plain data, long texts cut: an inspector reads, it does not store. */
function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.length > longest ? `${value.slice(0, longest)}…` : value;
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? undefined : value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (depth > 4) return '…';
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => plain(item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'input')
      .map(([key, item]) => [key, plain(item, depth + 1)]),
  );
}
