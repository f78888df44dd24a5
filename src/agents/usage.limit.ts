import type { Failure } from '../wire/content.ts';

/** What a server says of the time from which it answers again: seconds, dates, and words. */
export interface Refusal {
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body, or an event of the stream. */
  readonly data: unknown;
  /** In words. */
  readonly said: string | undefined;
}

/** Milliseconds that the server asks to wait, by a header or a field; undefined when it names none. */
export function askedWait({ headers, data }: Refusal, now: number): number | undefined {
  const exact = headers['retry-after-ms'];
  if (exact && Number(exact) >= 0) return Number(exact);
  const after = headers['retry-after'];
  if (after) {
    const ms = Number.isFinite(Number(after)) ? Number(after) * 1000 : Date.parse(after) - now;
    if (!Number.isNaN(ms)) return Math.max(0, ms);
  }
  const reset = Number(headers['anthropic-ratelimit-unified-reset']);
  if (reset > 0) return Math.max(0, reset * 1000 - now);
  for (const fields of objects(data)) {
    const seconds = fields.resets_in_seconds;
    if (typeof seconds === 'number') return Math.max(0, seconds * 1000);
    if (typeof fields.resets_at === 'number') return Math.max(0, fields.resets_at * 1000 - now);
    const delay = typeof fields.retryDelay === 'string' ? /^([\d.]+)s$/.exec(fields.retryDelay) : null;
    if (delay) return Number(delay[1]) * 1000;
  }
  return undefined;
}

/**
 * The same from the words of the server: "usage limit reached … until 2026-11-23T15:00:00Z", "resets at 3pm",
 * "try again in 2h30m". A time without a date is the next one, in local time unless it says UTC.
 */
export function saidWait(said: string | undefined, now: number): number | undefined {
  if (said === undefined) return undefined;
  // How Claude Code says it to programs: "usage limit reached|1764000000".
  const seconds = /limit reached\|(\d{10})\b/i.exec(said);
  if (seconds) return Math.max(0, Number(seconds[1]) * 1000 - now);
  const at =
    /\b(?:until|at|on|after)\s+(\d{4}-\d{2}-\d{2})(?:(?:[T ]| at )(\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?/i.exec(
      said,
    );
  if (at) {
    const zone = at[3] === undefined ? '' : /^(UTC|GMT)$/i.test(at[3]) ? 'Z' : at[3];
    const time = Date.parse(`${at[1]}T${at[2] ?? '00:00'}${zone}`);
    return Number.isNaN(time) ? undefined : Math.max(0, time - now);
  }
  const clock = /\b(?:until|at|resets?)\s+(\d{1,2})(?::(\d{2}))?\s*([ap]\.?m\b\.?)?\s*(UTC|GMT|Z\b)?/i.exec(
    said,
  );
  if (clock && (clock[2] !== undefined || clock[3] !== undefined)) return nextTime(clock, now);
  const span =
    /\b(?:in|for|after)\s+((?:\d+(?:\.\d+)?\s*(?:d|h|m|s|days?|hours?|hrs?|minutes?|mins?|seconds?|secs?)\b[\s,]*(?:and\s+)?)+)/i.exec(
      said.replace(/(\d)(d|h|m|s)(?=\d)/gi, '$1$2 '),
    );
  if (!span) return undefined;
  const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };
  const parts = (span[1] as string).matchAll(/(\d+(?:\.\d+)?)\s*([dhms])/gi);
  return [...parts].reduce(
    (sum, [, n, unit]) => sum + Number(n) * (units[String(unit).toLowerCase()] ?? 0),
    0,
  );
}

function nextTime([, hour, minute = '0', half, zone]: RegExpExecArray, now: number): number | undefined {
  const hours = half ? (Number(hour) % 12) + (/^p/i.test(half) ? 12 : 0) : Number(hour);
  if (hours > 23 || Number(minute) > 59) return undefined;
  const time = new Date(now);
  if (zone) time.setUTCHours(hours, Number(minute), 0, 0);
  else time.setHours(hours, Number(minute), 0, 0);
  const wait = time.getTime() - now;
  return wait > 0 ? wait : wait + 86_400_000;
}

const limitWords =
  /\b(usage|rate|quota|session|weekly|daily|hourly|request|token)s?[ _-]?limits?\b|\bquota\b|too many requests|\blimit (is |was )?(reached|exceeded|hit)|hit your limit/i;

/** A failure that names a limit, and in its words a time: with that time as a number. Others stay as they are. */
export function withUntil(failure: Failure, now: number): Failure {
  if (failure.until !== undefined || !limitWords.test(failure.message)) return failure;
  const wait = saidWait(failure.message, now);
  return wait === undefined ? failure : { ...failure, until: now + wait };
}

/** "15:00", with the day when it is not today; in local time, rounded up to the minute. */
export function untilWords(wait: number, now: number): string {
  const time = new Date(Math.ceil((now + wait) / 60_000) * 60_000);
  const clock = time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (time.toDateString() === new Date(now).toDateString()) return clock;
  return `${time.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })}, ${clock}`;
}

function* objects(data: unknown): Generator<Record<string, unknown>> {
  if (typeof data !== 'object' || data === null) return;
  if (!Array.isArray(data)) yield data as Record<string, unknown>;
  for (const value of Object.values(data)) yield* objects(value);
}
