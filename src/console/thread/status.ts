import type { Turn } from '../../wire/turn.ts';
import { count, dayTime, span } from '../lib/time.ts';

export type Tone = 'working' | 'waiting' | 'asking' | 'stopping' | 'done' | 'warning' | 'error';

/** What a turn is doing or how it ended, in words. `next` is what the user may reasonably do about it. */
export interface Status {
  readonly tone: Tone;
  readonly label: string;
  readonly detail?: string;
  readonly next?: 'retry' | 'continue';
}

function stopping(stage: Turn['stopping'] | undefined): Status {
  if (stage === 'terminated') {
    return {
      tone: 'stopping',
      label: 'Stopping…',
      detail: 'The agent did not react; its process was asked to end.',
    };
  }
  if (stage === 'killed') {
    return { tone: 'stopping', label: 'Stopping…', detail: 'The agent’s process is being killed.' };
  }
  return { tone: 'stopping', label: 'Stopping…' };
}

function working(turn: Turn): Status {
  const tool = turn.parts.findLast((part) => part.type === 'tool' && part.status === 'in_progress');
  if (tool?.type === 'tool') return { tone: 'working', label: 'Using a tool', detail: tool.title };
  const newest = turn.parts.at(-1);
  if (newest?.type === 'text') return { tone: 'working', label: 'Writing' };
  if (newest?.type === 'thought') return { tone: 'working', label: 'Thinking' };
  return { tone: 'working', label: 'Working' };
}

function open(turn: Turn, now: number, stopAsked: boolean): Status {
  if (turn.stopping || stopAsked) return stopping(turn.stopping);
  const asked = turn.parts.filter((part) => part.type === 'permission' && part.state === 'open');
  if (asked.length > 0) {
    const permits = asked.every((part) => !('form' in part || 'url' in part));
    return { tone: 'asking', label: `Waiting for your ${permits ? 'permission' : 'answer'}` };
  }
  if (turn.retrying) {
    const { attempt, reason, next } = turn.retrying;
    const wait = next !== undefined && next > now ? `in ${span(next - now)}` : 'now';
    return { tone: 'warning', label: `Trying again ${wait} (attempt ${attempt})`, detail: reason };
  }
  const watching = turn.watching;
  if (watching?.mode === 'poll') {
    const detail = turn.progress ? turn.progress.text : watching.reason;
    return { tone: 'waiting', label: `Checking on the agent for ${span(now - watching.since)}`, detail };
  }
  if (watching?.mode === 'silent') {
    return { tone: 'warning', label: `No output for ${span(now - watching.since)}`, detail: watching.reason };
  }
  if (!turn.accepted && turn.parts.length === 0) return { tone: 'waiting', label: 'Waiting for the agent' };
  if (turn.progress) return { tone: 'working', label: 'Working', detail: turn.progress.text };
  return working(turn);
}

const answered = (turn: Turn) => turn.parts.some((part) => part.type === 'text');

function finalized(turn: Turn): Status {
  switch (turn.stopReason) {
    case 'max_tokens':
      return { tone: 'warning', label: 'Cut off at the length limit', next: 'continue' };
    case 'max_turn_requests':
      return { tone: 'warning', label: 'Paused at the limit of steps for one turn', next: 'continue' };
    case 'refusal':
      return { tone: 'warning', label: 'The agent declined to answer' };
    case 'job':
      return { tone: 'done', label: 'Goes on in the background' };
    default:
      return answered(turn)
        ? { tone: 'done', label: 'Done' }
        : { tone: 'warning', label: 'Finished without a reply', next: 'retry' };
  }
}

/** A usage limit has a time of its own: what is said of it changes when that has come. */
function limited(until: number, now: number): string {
  const time = dayTime(until, now);
  return until > now ? `Usage limit until ${time}` : `Usage limit, over since ${time}`;
}

function ended(turn: Turn, now: number): Status {
  if (turn.imported && turn.outcome === 'interrupted') {
    const detail = 'The agent’s own history does not say how it ended.';
    return { tone: 'warning', label: 'Cut off', detail, next: 'retry' };
  }
  switch (turn.outcome) {
    case 'cancelled':
      return { tone: 'done', label: 'Stopped', next: 'retry' };
    case 'failed':
      return {
        tone: 'error',
        label: turn.error?.until === undefined ? 'Failed' : limited(turn.error.until, now),
        detail: turn.error?.message ?? 'The agent gave no reason.',
        next: 'retry',
      };
    case 'interrupted':
      return {
        tone: 'error',
        label: 'Interrupted',
        detail: turn.error?.message ?? interrupted(turn),
        next: 'retry',
      };
    default:
      return finalized(turn);
  }
}

const interrupted = (turn: Turn) =>
  turn.accepted || turn.parts.length > 0
    ? 'Sluice was closed while the agent worked. What it had said is kept.'
    : 'Sluice was closed before the agent answered. The message may not have reached it.';

/** `stopAsked`: the user asked for a stop that is not yet a fact. */
export function statusOf(turn: Turn, now: number, stopAsked = false): Status {
  return turn.outcome === undefined ? open(turn, now, stopAsked) : ended(turn, now);
}

/** `12 s, 1,204 tokens`: what a finished turn took. */
export function costOf(turn: Turn): string {
  const pieces: string[] = [];
  if (turn.endedAt !== undefined && !turn.imported) pieces.push(span(turn.endedAt - turn.startedAt));
  const total = turn.usage?.totalTokens ?? turn.usage?.outputTokens;
  if (total !== undefined) pieces.push(count(total, 'token'));
  if (turn.usage?.costUsd !== undefined) pieces.push(`$${turn.usage.costUsd.toFixed(2)}`);
  return pieces.join(' · ');
}
