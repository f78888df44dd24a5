import type { SessionState, SessionSummary } from '../../wire/snapshot.ts';
import { dayTime } from './time.ts';

export type Mood = 'idle' | 'busy' | 'asking' | 'stopping' | 'good' | 'bad' | 'quiet' | 'held';

export interface Word {
  readonly mood: Mood;
  readonly text: string;
}

const words: Readonly<Record<SessionState, Word>> = {
  idle: { mood: 'idle', text: 'New' },
  dispatching: { mood: 'busy', text: 'Waiting for the agent' },
  streaming: { mood: 'busy', text: 'Working' },
  polling: { mood: 'busy', text: 'Checking on the agent' },
  cancelling: { mood: 'stopping', text: 'Stopping' },
  finalized: { mood: 'good', text: 'Done' },
  cancelled: { mood: 'quiet', text: 'Stopped' },
  failed: { mood: 'bad', text: 'Failed' },
  closed: { mood: 'quiet', text: 'Closed' },
};

const running: ReadonlySet<SessionState> = new Set(['dispatching', 'streaming', 'polling', 'cancelling']);
export const isRunning = (state: SessionState): boolean => running.has(state);

export const stateWord = (state: SessionState): Word => words[state];

/** The word for a line of a list: what needs the user comes before what the machine is doing. */
export function summaryWord(
  of: Pick<SessionSummary, 'state' | 'permissions' | 'held' | 'queued' | 'retryAt'>,
  now: number,
): Word {
  if (of.permissions > 0) return { mood: 'asking', text: 'Needs an answer' };
  if (isRunning(of.state)) return words[of.state];
  if (of.retryAt !== undefined) return { mood: 'held', text: triesAgain(of.retryAt, now) };
  if (of.held && of.queued > 0) return { mood: 'held', text: 'Queue held' };
  return words[of.state];
}

/** What the gateway will do by itself, as the list and the conversation say it. */
export const triesAgain = (at: number, now: number): string => `Tries again at ${dayTime(at, now)}`;
