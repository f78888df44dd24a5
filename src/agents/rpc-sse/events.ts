import type { EventSourceMessage } from 'eventsource-parser';
import { objectOf } from '../sse.ts';
import { at, type Profile, textAt } from './profile.ts';

export type EventKind = keyof Profile['events'];

/** An event of the back end, whatever names it uses. */
export interface BackEvent {
  readonly kind: EventKind;
  readonly session?: string;
  readonly job?: string;
  /** Our own name for the message, when the back end gives it back. */
  readonly turn?: string;
  readonly text?: string;
  readonly call?: string;
  readonly tool?: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly failed?: boolean;
  readonly reason?: string;
  readonly reply?: string;
  readonly stopReason?: string;
  readonly error?: string;
  readonly progress?: string;
}

/** Undefined for events that say nothing of a turn. */
export function readEvent(profile: Profile, message: EventSourceMessage): BackEvent | undefined {
  const data = objectOf(message.data);
  if (!data) return undefined;
  const { fields } = profile;
  const name = message.event ?? textAt(data, fields.type) ?? '';
  const kind = (Object.keys(profile.events) as EventKind[]).find((one) => profile.events[one].includes(name));
  if (!kind) return undefined;
  const read = {
    session: textAt(data, fields.session),
    job: textAt(data, fields.job),
    turn: textAt(data, fields.turn),
    text: textAt(data, fields.text),
    call: textAt(data, fields.call),
    tool: textAt(data, fields.tool),
    input: at(data, fields.input),
    output: at(data, fields.output),
    failed: at(data, fields.failed) === true || undefined,
    reason: textAt(data, fields.reason),
    reply: textAt(data, fields.reply),
    stopReason: textAt(data, fields.stopReason),
    error: textAt(data, fields.error),
    progress: textAt(data, fields.progress),
  };
  const known = Object.entries(read).filter(([, value]) => value !== undefined && value !== '');
  return { kind, ...Object.fromEntries(known) };
}
