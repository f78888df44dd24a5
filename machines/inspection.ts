import type { ActorRefLike, AnyActorRef, AnyTransitionDefinition, InspectionEvent } from 'xstate';
import type { InspectLine, Standing, StateValue } from '../src/wire/inspect.ts';
import { plain } from './inspection.plain.ts';
import type { OrchestratorContext, OrchestratorEvent } from './orchestrator.machine.ts';
import type { RunnerContext } from './runner.types.ts';
import type { SessionContext } from './session.ts';
import { transitionId } from './transition.id.ts';
import { turnOf } from './turn.logic.ts';

type FactEvent = Extract<OrchestratorEvent, { type: 'fact' }>;

type Listener = (line: InspectLine) => void;

export interface InspectionOptions {
  /** The actors that have no parent, in the order in which they are shown. */
  readonly roots: () => readonly AnyActorRef[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Tells inspectors of actors and their events. While nobody listens nothing is gathered and nothing is kept. */
export class Inspection {
  readonly #options: InspectionOptions;
  readonly #listeners = new Set<Listener>();
  /** Actors that those who listen now have been told of. */
  #told = new WeakSet<ActorRefLike>();
  /** Transitions of the event that an actor is in the middle of. */
  readonly #steps = new WeakMap<ActorRefLike, AnyTransitionDefinition[]>();
  readonly #ignored = new WeakMap<ActorRefLike, OrchestratorContext['ignored']>();

  constructor(options: InspectionOptions) {
    this.#options = options;
  }

  /** Tells of all actors at once, then of their events, until the returned function is called. */
  listen(listener: Listener): () => void {
    listener({ type: 'began', at: this.#options.now() });
    for (const root of this.#options.roots()) this.#show(root, [listener]);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#told = new WeakSet();
    };
  }

  /** Given to each root actor as its `inspect`. Never throws: looking must not harm what is looked at. */
  readonly observe = (event: InspectionEvent): void => {
    if (this.#listeners.size === 0) return;
    if (event.type !== '@xstate.microstep' && event.type !== '@xstate.snapshot') return;
    try {
      // Each token goes through a turn; its session's own event tells of it already.
      if (isTurn(event.actorRef)) return;
      if (event.type === '@xstate.microstep') this.#note(event.actorRef, event._transitions);
      else
        this.#told.has(event.actorRef)
          ? this.#event(event)
          : this.#show(asActor(event.actorRef), this.#all, { since: this.#options.now() });
    } catch (error) {
      const { sessionId: id } = event.actorRef;
      const line = { type: 'event', id, event: 'inspection.failed', status: 'active' } as const;
      this.#tell({ ...line, detail: plain(error), at: this.#options.now() });
    }
  };

  get #all(): readonly Listener[] {
    return [...this.#listeners];
  }

  #note(ref: ActorRefLike, transitions: readonly AnyTransitionDefinition[]): void {
    this.#steps.set(ref, [...(this.#steps.get(ref) ?? []), ...transitions]);
  }

  #event({ actorRef, event }: Extract<InspectionEvent, { type: '@xstate.snapshot' }>): void {
    const ref = asActor(actorRef);
    const steps = this.#steps.get(ref);
    this.#steps.delete(ref);
    const standing = standingOf(ref);
    this.#tell({
      type: 'event',
      id: ref.sessionId,
      event: event.type,
      detail: plain(event),
      at: this.#options.now(),
      ...standing,
      ...(steps && { taken: steps.length > 0, transitions: steps.map(transitionId) }),
    });
    if (machineOf(ref) === 'orchestrator') this.#refusals(ref, event as FactEvent);
    if (standing.status === 'active') return;
    this.#tell({ type: 'stopped', id: ref.sessionId, at: this.#options.now() });
  }

  /** A fact that had no transition never reaches its session's actor; it is shown there all the same. */
  #refusals(ref: AnyActorRef, event: FactEvent): void {
    const { ignored, sessions } = ref.getSnapshot().context as OrchestratorContext;
    const before = this.#ignored.get(ref);
    this.#ignored.set(ref, ignored);
    // Nothing but a fact changes it.
    if (before === ignored) return;
    const session = sessions[event.fact.session]?.ref as AnyActorRef;
    this.#tell({
      type: 'event',
      id: session.sessionId,
      event: event.fact.type,
      detail: plain(event.fact),
      at: this.#options.now(),
      ...standingOf(session),
      taken: false,
      transitions: [],
    });
  }

  #show(ref: AnyActorRef, listeners: readonly Listener[], fresh: { readonly since?: number } = {}): void {
    const snapshot = ref.getSnapshot();
    const machine = machineOf(ref);
    this.#told.add(ref);
    this.#steps.delete(ref);
    if (machine === 'orchestrator') this.#ignored.set(ref, snapshot.context.ignored);
    const line: InspectLine = {
      type: 'actor',
      id: ref.sessionId,
      machine,
      at: this.#options.now(),
      ...parentOf(ref),
      ...subjectOf(ref),
      ...fresh,
      ...standingOf(ref),
    };
    this.#tell(line, listeners);
    const children = Object.values<AnyActorRef | undefined>(snapshot.children ?? {});
    // An ended job is no child any more, and stays readable.
    const kept = machine === 'orchestrator' ? keptBy(snapshot.context) : [];
    for (const child of new Set([...children, ...kept])) {
      if (child && !isTurn(child)) this.#show(child, listeners, fresh);
    }
  }

  /** A listener that fails hears no more. */
  #tell(line: InspectLine, listeners = this.#all): void {
    for (const listener of listeners) {
      try {
        listener(line);
      } catch {
        this.#listeners.delete(listener);
      }
    }
  }
}

function asActor(ref: ActorRefLike): AnyActorRef {
  return ref as AnyActorRef;
}

function isTurn(ref: ActorRefLike): boolean {
  return asActor(ref).id.startsWith('turn:');
}

function keptBy(context: OrchestratorContext): readonly AnyActorRef[] {
  return Object.values(context.sessions).map((kept) => kept.ref as AnyActorRef);
}

function isSession(ref: ActorRefLike): boolean {
  return asActor(ref).id.startsWith('session:');
}

function machineOf(ref: AnyActorRef): string {
  if (isSession(ref)) return (ref.getSnapshot().context as SessionContext).kind;
  return (ref as unknown as { readonly logic: { readonly id?: string } }).logic.id ?? ref.id;
}

/** A runner has no parent of its own; it belongs to the session that it writes. */
function parentOf(ref: AnyActorRef): { readonly parent?: string } {
  if (machineOf(ref) === 'runner')
    return { parent: (ref.getSnapshot().context as RunnerContext).session.sessionId };
  const parent = ref._parent;
  return parent ? { parent: parent.sessionId } : {};
}

function subjectOf(
  ref: AnyActorRef,
): Pick<Extract<InspectLine, { type: 'actor' }>, 'session' | 'title' | 'since'> {
  const { context } = ref.getSnapshot();
  if (machineOf(ref) === 'runner')
    return { session: (context as RunnerContext).session.getSnapshot().context.id };
  if (!isSession(ref)) return {};
  const { id, title } = context as SessionContext;
  const since = sinceOf(context);
  return { session: id, ...(title !== undefined && { title }), ...(since > 0 && { since }) };
}

/** The time of the last thing that certainly changed the state of a session. */
function sinceOf({ open, turns, createdAt }: SessionContext): number {
  if (!open) return turns.at(-1)?.endedAt ?? createdAt;
  const { startedAt, watching } = turnOf(open.ref);
  return watching?.since ?? startedAt;
}

function standingOf(ref: AnyActorRef): Standing {
  const snapshot = ref.getSnapshot();
  const counts = countsOf(ref);
  const { error } = snapshot as { error?: unknown };
  return {
    status: snapshot.status,
    ...('value' in snapshot && { state: snapshot.value as StateValue }),
    ...(counts && { counts }),
    ...(snapshot.status === 'error' && { error: String(plain(error)) }),
  };
}

function countsOf(ref: AnyActorRef): Readonly<Record<string, number>> | undefined {
  const counts = Object.entries(counted(ref)).filter(([, count]) => count > 0);
  return counts.length > 0 ? Object.fromEntries(counts) : undefined;
}

function counted(ref: AnyActorRef): Readonly<Record<string, number>> {
  const { context } = ref.getSnapshot();
  if (isSession(ref)) {
    const { ignored } = (ref._parent as AnyActorRef).getSnapshot().context as OrchestratorContext;
    return { ignored: ignored[(context as SessionContext).id] ?? 0 };
  }
  switch (machineOf(ref)) {
    case 'orchestrator': {
      const { ignored, unrouted } = context as OrchestratorContext;
      return { ignored: Object.values(ignored).reduce((sum, count) => sum + count, 0), unrouted };
    }
    case 'runner':
      return { dropped: (context as RunnerContext).dropped };
    default:
      return {};
  }
}
