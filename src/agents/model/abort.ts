/** The promise, or a rejection with the signal's reason if that comes first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The stream with `extra` where it comes in; ends at once when the signal aborts, however long the stream takes. */
export async function* untilAborted<T, E>(
  stream: AsyncIterable<T>,
  signal: AbortSignal,
  extra: Promise<E>,
): AsyncGenerator<T | E, void> {
  const iterator = stream[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<undefined>();
  const abort = () => aborted.resolve(undefined);
  signal.addEventListener('abort', abort);
  const extras = extra.then((value) => ({ extra: value }));
  let waiting: Promise<{ extra: E }>[] = [extras];
  let next: Promise<IteratorResult<T>> | undefined;
  try {
    while (!signal.aborted) {
      next ??= iterator.next();
      next.catch(() => {});
      const result = await Promise.race([...waiting, next, aborted.promise]);
      if (result === undefined || signal.aborted) return;
      if ('extra' in result) {
        waiting = [];
        yield result.extra;
        continue;
      }
      next = undefined;
      if (result.done) return;
      yield result.value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    // Not awaited: the end of the prompt must not wait for the socket.
    iterator.return?.().catch(() => {});
  }
}
