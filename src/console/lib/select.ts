import {
  type Accessor,
  batch,
  createMemo,
  createRenderEffect,
  createSignal,
  on,
  onCleanup,
  untrack,
} from 'solid-js';
import { frames } from './frame.ts';

/** The part of an XState `ActorRef` that the view needs: it reads snapshots and nothing else. */
export interface Readable<T> {
  getSnapshot(): T;
  subscribe(next: (snapshot: T) => void): { unsubscribe(): void };
}

frames.within((run) => batch(run));

/**
 * What `select` finds in the actor's latest snapshot. Changes are shown in the next frame, all of one frame together,
 * so two views never disagree; a value that `equals` the one shown changes nothing.
 *
 * `actor` may be an accessor; when it names another actor the value follows at once.
 */
export function createSelector<S, T>(
  actor: Readable<S> | (() => Readable<S>),
  select: (snapshot: S) => T,
  equals: (a: T, b: T) => boolean = Object.is,
): Accessor<T> {
  const current = typeof actor === 'function' ? actor : () => actor;
  const [version, bump] = createSignal(undefined, { equals: false });
  // Asked first: a memo that is asked again has all that depend on it looked at, each row of a long thread, for nothing.
  const changed = () => {
    const next = untrack(() => select(current().getSnapshot()));
    if (!equals(untrack(value), next)) bump();
  };
  const value = createMemo(
    () => {
      version();
      return select(current().getSnapshot());
    },
    undefined as T,
    { equals },
  );
  createRenderEffect(
    on(current, (ref) => {
      const subscription = ref.subscribe(() => frames.mark(changed));
      onCleanup(() => {
        subscription.unsubscribe();
        frames.forget(changed);
      });
    }),
  );
  return value;
}

const absent: Readable<undefined> = {
  getSnapshot: () => undefined,
  subscribe: () => ({ unsubscribe() {} }),
};

/** As `createSelector`, for an actor that may be absent: undefined then. */
export function createOptional<S, T>(
  actor: () => Readable<S> | undefined,
  select: (snapshot: S) => T,
  equals: (a: T | undefined, b: T | undefined) => boolean = Object.is,
): Accessor<T | undefined> {
  return createSelector<S | undefined, T | undefined>(
    () => (actor() as Readable<S | undefined> | undefined) ?? absent,
    (snapshot) => (snapshot === undefined ? undefined : select(snapshot)),
    equals,
  );
}
