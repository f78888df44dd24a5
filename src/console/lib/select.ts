import { type Accessor, batch, createRenderEffect, createSignal, on, onCleanup, untrack } from 'solid-js';
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
  const read = () => select(untrack(current).getSnapshot());
  const [value, setValue] = createSignal(untrack(read), { equals });
  const write = () => {
    setValue(() => read());
  };
  createRenderEffect(
    on(current, (ref) => {
      write();
      const subscription = ref.subscribe(() => frames.mark(write));
      onCleanup(() => {
        subscription.unsubscribe();
        frames.forget(write);
      });
    }),
  );
  return value;
}

/** As `createSelector`, for an actor that may be absent. */
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

const absent: Readable<undefined> = {
  getSnapshot: () => undefined,
  subscribe: () => ({ unsubscribe() {} }),
};
