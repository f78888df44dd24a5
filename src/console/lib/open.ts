import type { OrchestratorRef } from '../../../machines/orchestrator.machine.ts';
import { follow } from './live.ts';

export interface Wanted {
  readonly session: string;
  readonly kind: 'conversation' | 'job';
}

/** How many views look at a session: it is let go when none does. */
const looking = new WeakMap<OrchestratorRef, Map<string, number>>();

function countsOf(root: OrchestratorRef): Map<string, number> {
  const known = looking.get(root) ?? new Map<string, number>();
  looking.set(root, known);
  return known;
}

function take(root: OrchestratorRef, { session, kind }: Wanted): void {
  const counts = countsOf(root);
  const before = counts.get(session) ?? 0;
  counts.set(session, before + 1);
  if (before === 0) root.send({ type: 'open', session, kind });
}

/** Later, since a view that follows at once often looks at the same session. */
function letGo(root: OrchestratorRef, session: string): void {
  queueMicrotask(() => {
    const counts = countsOf(root);
    const left = (counts.get(session) ?? 1) - 1;
    if (left > 0) {
      counts.set(session, left);
      return;
    }
    counts.delete(session);
    root.send({ type: 'release', session });
  });
}

/** Keeps the actors of these sessions open for as long as the calling component is shown. */
export function keepOpen(root: OrchestratorRef, wanted: () => readonly Wanted[]): void {
  let held: readonly Wanted[] = [];
  follow(
    wanted,
    (next) => {
      for (const one of next) if (!held.some((old) => old.session === one.session)) take(root, one);
      for (const old of held) if (!next.some((one) => one.session === old.session)) letGo(root, old.session);
      held = next;
    },
    () => {
      for (const old of held) letGo(root, old.session);
    },
  );
}
