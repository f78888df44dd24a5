/** Runs generators side by side: what they yield as it comes, and what they return in their order. */
export async function* parallel<T, R>(runs: readonly AsyncGenerator<T, R>[]): AsyncGenerator<T, R[]> {
  const results: R[] = [];
  const next = async (run: AsyncGenerator<T, R>) => ({ run, result: await run.next() });
  const waiting = new Map(runs.map((run) => [run, next(run)]));
  try {
    while (waiting.size > 0) {
      const { run, result } = await Promise.race(waiting.values());
      if (result.done) {
        waiting.delete(run);
        results[runs.indexOf(run)] = result.value;
      } else {
        waiting.set(run, next(run));
        yield result.value;
      }
    }
    return results;
  } finally {
    // One failed, or nobody reads on: the others end as well, and what they say of it is not lost on anybody.
    for (const [run, pending] of waiting) {
      pending.catch(() => {});
      void run.return(undefined as never).catch(() => {});
    }
  }
}
