import { type Accessor, createMemo, mapArray } from 'solid-js';
import type { DirectoryRef } from '../../../machines/directory.machine.ts';
import type { OrchestratorRef } from '../../../machines/orchestrator.machine.ts';
import { queueLine } from '../../../machines/session.ts';
import type { SessionSummary } from '../../wire/snapshot.ts';
import { sameList } from './equal.ts';
import { createOptional, createSelector } from './select.ts';

type Live = Pick<SessionSummary, 'state' | 'queued' | 'held' | 'retryAt' | 'permissions' | 'runningJobs'> & {
  readonly title?: string;
};
const fields = ['state', 'queued', 'held', 'retryAt', 'permissions', 'runningJobs', 'title'] as const;

const same = (a: Live | null | undefined, b: Live | null | undefined) =>
  a === b || (!!a && !!b && fields.every((field) => a[field] === b[field]));

/**
 * The lines of all sessions. The list is told of a change a moment after the session's own page is; where this page
 * has the session's actor, its line says what the actor says, so that no two views ever differ (C54-56).
 */
export function readLines(
  root: OrchestratorRef,
  directory: DirectoryRef,
): Accessor<readonly SessionSummary[]> {
  const told = createSelector(directory, ({ context }) => context.sessions);
  const open = createSelector(root, ({ context }) => Object.keys(context.sessions), sameList);
  const live = mapArray(open, (id) => {
    const ref = createSelector(root, ({ context }) => context.sessions[id]?.ref);
    const line = createOptional(
      ref,
      ({ value, context }): Live | null =>
        typeof value !== 'string'
          ? null
          : {
              state: value,
              ...queueLine(context.queue),
              permissions: context.permissions.length,
              runningJobs: context.jobs.filter((job) => !job.outcome).length,
              ...(context.title !== undefined && { title: context.title }),
            },
      same,
    );
    return { id, line };
  });
  return createMemo<readonly SessionSummary[]>(
    () => {
      const lines = { ...told() };
      for (const { id, line } of live()) {
        const [known, now] = [lines[id], line()];
        if (!known || !now) continue;
        // A retry that the actor no longer knows of is over.
        const { retryAt: _, ...rest } = known;
        const said = { ...rest, ...now };
        if (!same(known, said)) lines[id] = said;
      }
      return Object.values(lines);
    },
    [],
    { equals: sameList },
  );
}
