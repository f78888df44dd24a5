import { createActor, fromPromise } from 'xstate';
import { type DirectoryRef, directoryMachine, type Loaded } from '../../machines/directory.machine.ts';
import type { SessionSummary } from '../../src/wire/snapshot.ts';
import { TestClock } from './clock.ts';

interface Question {
  readonly before?: string;
  readonly answer: (loaded: Partial<Loaded>) => void;
  readonly fail: (error: Error) => void;
}

export function directoryBench() {
  const clock = new TestClock();
  const asked: Question[] = [];
  const searched: {
    readonly query: string;
    readonly answer: (lines: readonly SessionSummary[]) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const ask = (before?: string) =>
    new Promise<Loaded>((resolve, reject) => {
      const answer = (loaded: Partial<Loaded>) =>
        resolve({ sessions: [], agents: [], more: false, ...loaded });
      asked.push({ answer, fail: reject, ...(before !== undefined && { before }) });
    });
  const directory: DirectoryRef = createActor(
    directoryMachine.provide({
      actors: {
        load: fromPromise<Loaded>(() => ask()),
        page: fromPromise<Pick<Loaded, 'sessions' | 'more'>, { readonly before: string }>(({ input }) =>
          ask(input.before),
        ),
        find: fromPromise<readonly SessionSummary[], { readonly query: string }>(
          ({ input }) =>
            new Promise((answer, fail) => {
              searched.push({ query: input.query, answer, fail });
            }),
        ),
      },
    }),
    { clock },
  ).start();
  const titles = () =>
    Object.values(directory.getSnapshot().context.sessions).map((line) => `${line.id} ${line.cursor}`);
  return { clock, asked, searched, directory, titles };
}

export function line(id: string, seq: number, more: Partial<SessionSummary> = {}): SessionSummary {
  return {
    ...{ id, kind: 'conversation', agent: 'a', cwd: '/w', state: 'idle' },
    ...{ queued: 0, held: false, unread: 0, permissions: 0, runningJobs: 0 },
    ...{ createdAt: 0, updatedAt: seq, cursor: `e.${seq}` },
    ...more,
  };
}
