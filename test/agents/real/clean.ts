import { hostname, userInfo } from 'node:os';
import { renamed } from './outline.ts';
import type { Line, Wired } from './transcript.ts';

/** Characters of a string; a longer one becomes `{{fill N}}`, so that what weighs much weighs as much in a replay. */
const longest = 2_000;
const filler = /^\{\{fill (\d+)\}\}$/;

/** Takes out what is of one machine and one run: paths, hosts, users, ports, times, and ids, which get numbers. */
export function clean(lines: readonly Line[], places: Readonly<Record<string, string>>): Line[] {
  const ids = new Map<string, string>();
  const numbered = (kind: string) => (whole: string) => {
    const known = ids.get(whole) ?? `${kind}${ids.size + 1}`;
    ids.set(whole, known);
    return known;
  };
  const text = (given: string) => {
    const plain = renamed(given, places)
      .replaceAll(hostname(), 'host')
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:1')
      .replace(/\/(tmp|root|home)\/[\w./-]*/g, '/$1/x')
      .replace(new RegExp(`\\b${userInfo().username}\\b`, 'g'), 'user')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\b)/g, '2026-01-01T00:00:00.000Z')
      .replace(/\b1[78]\d{11}\b/g, '1767225600000')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, numbered('uuid-'))
      .replace(/\b(ses|msg|prt|per|que|tool|toolu|chatcmpl|session)_[A-Za-z0-9]{12,}\b/g, numbered('id-'));
    return plain.length > longest ? `{{fill ${plain.length}}}` : plain;
  };
  return lines.map((line) => {
    if ('to' in line) return { p: line.p, to: wired(line.to, text) };
    if ('from' in line) return { p: line.p, from: wired(line.from, text) };
    return line;
  });
}

function wired({ id, method, params, result, error }: Wired, text: (given: string) => string): Wired {
  const known = { id, method, params, result, error };
  return through(
    Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    (one) =>
      typeof one === 'string' ? text(one) : Number(one) > 1_700_000_000_000 ? 1_767_225_600_000 : one,
  ) as Wired;
}

/** The same, with the long strings as long as they were. */
export function filled(value: unknown): unknown {
  return through(value, (one) =>
    typeof one === 'string' ? one.replace(filler, (_, size) => 'x'.repeat(Number(size))) : one,
  );
}

/** Applies `change` to each string and number in it, and to the names of members. */
export function through(value: unknown, change: (one: string | number) => unknown): unknown {
  if (typeof value === 'string' || typeof value === 'number') return change(value);
  if (Array.isArray(value)) return value.map((one) => through(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [String(change(name)), through(one, change)]),
  );
}
