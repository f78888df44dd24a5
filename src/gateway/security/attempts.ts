import { isIPv6 } from 'node:net';

/**
 * Counts wrong tokens by address, in bounded memory. The token has 256 bits, so guessing is hopeless anyway: the limit
 * keeps a guesser from filling the log, and tells a program with an old token to wait. The right token always passes;
 * else whoever may connect could lock the owner out.
 */
export interface Attempts {
  /** Notes a wrong token. 0, or the seconds after which the address may try again. */
  wrong(address: string): number;
}

export interface AttemptLimits {
  /** Wrong tokens in `windowMs` before an address has to wait. */
  readonly limit: number;
  readonly windowMs: number;
  /** Addresses that are remembered. */
  readonly capacity: number;
}

const attemptLimits: AttemptLimits = { limit: 10, windowMs: 60_000, capacity: 1_000 };

export function createAttempts(now: () => number, limits: AttemptLimits = attemptLimits): Attempts {
  const seen = new Map<string, { since: number; count: number }>();

  return {
    wrong(address) {
      const key = network(address);
      const at = now();
      let entry = seen.get(key);
      if (entry === undefined || at - entry.since >= limits.windowMs) {
        seen.delete(key);
        entry = { since: at, count: 0 };
        seen.set(key, entry);
        // A map keeps the order of insertion: the first is the oldest window.
        for (const oldest of seen.keys()) {
          if (seen.size <= limits.capacity) break;
          seen.delete(oldest);
        }
      }
      entry.count += 1;
      if (entry.count <= limits.limit) return 0;
      return Math.max(1, Math.ceil((entry.since + limits.windowMs - at) / 1_000));
    },
  };
}

/** One person has a whole /64 of IPv6 addresses. */
function network(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('%', 1)[0]?.split('::') ?? [];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined ? left : [...left, ...Array(8 - left.length - right.length).fill('0'), ...right];
  return groups.slice(0, 4).join(':');
}
