import { createRenderEffect, onCleanup } from 'solid-js';

/**
 * Writes a value to the DOM by hand, now and whenever it changes. For text that grows: the writer appends what is new
 * instead of replacing what is there.
 */
export function writeLive<T>(read: () => T, write: (value: T) => void, dispose?: () => void): void {
  createRenderEffect(() => write(read()));
  if (dispose) onCleanup(dispose);
}
