import type { InspectLine, Standing, StateValue } from '../wire/inspect.ts';

/** Kept for each actor. */
export const mostEvents = 200;
/** Actors that are gone and still shown. */
const mostGone = 40;

export interface TracedEvent {
  /** Counts up over all actors. */
  readonly n: number;
  readonly event: string;
  readonly detail?: unknown;
  readonly at: number;
  readonly taken?: boolean;
  readonly transitions: readonly string[];
  /** The state before, where it is another than the one after. */
  readonly from?: StateValue;
  readonly state?: StateValue;
}

/** What is known of one actor. Replaced, not changed, whenever something of it changes. */
export interface Traced extends Standing {
  readonly key: string;
  readonly source: string;
  readonly parent?: string;
  readonly machine: string;
  readonly session?: string;
  readonly title?: string;
  readonly since?: number;
  /** False: it has been in its state for longer than it was looked at. */
  readonly exact: boolean;
  readonly gone: boolean;
  /** Newest last. */
  readonly events: readonly TracedEvent[];
  /** Of all events seen, also those that are not kept any more. */
  readonly seen: number;
  readonly refused: number;
  /** The last event that had a transition. */
  readonly last?: TracedEvent;
}

type ActorLine = Extract<InspectLine, { type: 'actor' }>;
type EventLine = Extract<InspectLine, { type: 'event' }>;

/**
 * Actors of all sources by their place in the tree. A place keeps its events when another actor comes into it: after
 * a reconnect, a restart, or a child that is started anew.
 */
export class Trace {
  readonly #actors = new Map<string, Traced>();
  /** `source id` to key. */
  readonly #keys = new Map<string, string>();
  /** What the source's clock has to be moved by to be this page's. */
  readonly #skew = new Map<string, number>();
  readonly #now: () => number;
  #n = 0;
  #changed: () => void = () => {};

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Called after each change. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  get actors(): readonly Traced[] {
    return [...this.#actors.values()];
  }

  get(key: string | undefined): Traced | undefined {
    return key === undefined ? undefined : this.#actors.get(key);
  }

  /** Takes a line of a source: `gateway`, or a page. */
  apply(source: string, line: InspectLine): void {
    if (line.type === 'began') this.#begin(source, line.at);
    else if (line.type === 'actor') this.#add(source, line);
    else if (line.type === 'event') this.#event(source, line);
    else this.#update(source, line.id, (actor) => ({ ...actor, gone: true }));
    this.#changed();
  }

  /** A source that will not be heard again. */
  drop(source: string): void {
    for (const { key } of this.#of(source)) this.#actors.delete(key);
    this.#changed();
  }

  #of(source: string): readonly Traced[] {
    return this.actors.filter((actor) => actor.source === source);
  }

  #begin(source: string, at: number): void {
    this.#skew.set(source, this.#now() - at);
    for (const id of [...this.#keys.keys()]) if (id.startsWith(`${source} `)) this.#keys.delete(id);
    // Those that are still there are told of next.
    for (const actor of this.#of(source)) this.#actors.set(actor.key, { ...actor, gone: true });
    this.#forget();
  }

  #add(source: string, line: ActorLine): void {
    const { type: _, id, parent: parentId, at, since, ...rest } = line;
    const parent = parentId === undefined ? undefined : this.#keys.get(`${source} ${parentId}`);
    const { machine, session } = rest;
    const key = `${parent ?? source}/${machine}${session === undefined || parent?.endsWith(`:${session}`) ? '' : `:${session}`}`;
    this.#keys.set(`${source} ${id}`, key);
    const known = this.#actors.get(key);
    this.#actors.set(key, {
      events: [],
      seen: 0,
      refused: 0,
      ...(known && { events: known.events, seen: known.seen, refused: known.refused }),
      ...rest,
      key,
      source,
      ...(parent !== undefined && { parent }),
      since: this.#local(source, since ?? at),
      exact: since !== undefined,
      gone: rest.status !== 'active' && rest.state === undefined,
    });
    this.#forget();
  }

  #event(source: string, line: EventLine): void {
    const { type: _, id, event, detail, at, taken, transitions = [], ...standing } = line;
    this.#update(source, id, (actor) => {
      const moved = JSON.stringify(actor.state) !== JSON.stringify(standing.state);
      const traced: TracedEvent = {
        n: this.#n++,
        event,
        at: this.#local(source, at),
        transitions,
        ...(detail !== undefined && { detail }),
        ...(taken !== undefined && { taken }),
        ...(moved && actor.state !== undefined && { from: actor.state }),
        ...(standing.state !== undefined && { state: standing.state }),
      };
      const title = event === 'session.changed' ? titleIn(detail) : undefined;
      return {
        ...actor,
        ...standing,
        ...(title !== undefined && { title }),
        ...(moved && { since: traced.at, exact: true }),
        ...(transitions.length > 0 && { last: traced }),
        events: [...actor.events.slice(1 - mostEvents), traced],
        seen: actor.seen + 1,
        refused: actor.refused + (taken === false ? 1 : 0),
      };
    });
  }

  #update(source: string, id: string, change: (actor: Traced) => Traced): void {
    const key = this.#keys.get(`${source} ${id}`);
    const actor = this.get(key);
    if (key === undefined || actor === undefined) return;
    this.#actors.set(key, change(actor));
  }

  /** The oldest of those that are gone make room, with what is below them. */
  #forget(): void {
    const gone = [...this.#actors.values()].filter((actor) => actor.gone);
    for (const actor of gone.slice(0, Math.max(0, gone.length - mostGone))) this.#actors.delete(actor.key);
  }

  #local(source: string, at: number): number {
    return at + (this.#skew.get(source) ?? 0);
  }
}

function titleIn(detail: unknown): string | undefined {
  const title = (detail as { readonly title?: unknown } | undefined)?.title;
  return typeof title === 'string' ? title : undefined;
}
