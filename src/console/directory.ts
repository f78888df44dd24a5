import { type ActorRefFrom, fromTransition } from 'xstate';
import type { Failure } from '../wire/content.ts';
import type { SessionSummary } from '../wire/snapshot.ts';
import type { AgentChoice } from './view.ts';

/** What the page knows of all sessions: the gateway's list, kept up to date by the live channel. */
export interface Directory {
  readonly sessions: Readonly<Record<string, SessionSummary>>;
  readonly agents: readonly AgentChoice[];
  readonly loaded: boolean;
  /** Why the list could not be read, while it cannot. */
  readonly problem: Failure | null;
}

export type DirectoryEvent =
  | { readonly type: 'loaded'; readonly sessions: readonly SessionSummary[] }
  | { readonly type: 'agents'; readonly agents: readonly AgentChoice[] }
  | {
      readonly type: 'changed';
      readonly changed: readonly SessionSummary[];
      readonly removed: readonly string[];
    }
  | { readonly type: 'failed'; readonly problem: Failure };

const first: Directory = { sessions: {}, agents: [], loaded: false, problem: null };

/** A list is read while changes arrive: what is newer in either stays. */
function merged(known: Directory['sessions'], list: readonly SessionSummary[]): Directory['sessions'] {
  const newer = list.map((summary) => {
    const old = known[summary.id];
    return [summary.id, old && old.updatedAt > summary.updatedAt ? old : summary] as const;
  });
  return Object.fromEntries(newer);
}

export const directoryLogic = fromTransition<Directory, DirectoryEvent, never, undefined>(
  (directory, event) => {
    switch (event.type) {
      case 'loaded':
        return {
          ...directory,
          sessions: merged(directory.sessions, event.sessions),
          loaded: true,
          problem: null,
        };
      case 'agents':
        return { ...directory, agents: event.agents };
      case 'changed': {
        const sessions = { ...directory.sessions };
        for (const summary of event.changed) sessions[summary.id] = summary;
        for (const id of event.removed) delete sessions[id];
        return { ...directory, sessions };
      }
      case 'failed':
        return { ...directory, problem: event.problem };
    }
  },
  first,
);

export type DirectoryRef = ActorRefFrom<typeof directoryLogic>;
