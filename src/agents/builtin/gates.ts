/** Named gates that hold a script until somebody opens them. A gate that is open stays open. */
export interface Gates {
  open(name: string): void;
  /** Resolves once the gate is open; rejects when `signal` aborts. */
  wait(name: string, signal: AbortSignal): Promise<void>;
}

export function createGates(): Gates {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const gate = (name: string) => {
    let found = gates.get(name);
    if (!found) {
      found = Promise.withResolvers<void>();
      gates.set(name, found);
    }
    return found;
  };
  return {
    open: (name) => gate(name).resolve(),
    wait: (name, signal) => orAbort(gate(name).promise, signal),
  };
}

/** The promise, or a rejection with the signal's reason if that comes first. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
