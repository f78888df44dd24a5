import { createEffect, createRenderEffect, on, onCleanup } from 'solid-js';

/**
 * Writes a value to the DOM by hand, now and whenever it changes. For text that grows: the writer appends what is new
 * instead of replacing what is there.
 */
export function writeLive<T>(read: () => T, write: (value: T) => void): void {
  createRenderEffect(() => write(read()));
}

/** Tells the outside of the page's wishes: `run` is called now and whenever `read` changes; `end` when it is left. */
export function follow<T>(read: () => T, run: (value: T) => void, end?: () => void): void {
  createRenderEffect(on(read, (value) => run(value)));
  if (end) onCleanup(end);
}

/** Hears events for as long as the calling component is shown. */
export function listen<K extends keyof DocumentEventMap>(
  target: Document,
  type: K,
  hear: (event: DocumentEventMap[K]) => void,
): void {
  target.addEventListener(type, hear);
  onCleanup(() => target.removeEventListener(type, hear));
}

/** As `follow`, after the page has been written. */
export function afterwards<T>(read: () => T, run: (value: T) => void): void {
  createEffect(on(read, (value) => run(value)));
}
