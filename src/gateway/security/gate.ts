import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../refusal.ts';
import type { Attempts } from './attempts.ts';
import type { HostList } from './hosts.ts';

/** What the gate looks at: of an HTTP request and of an upgrade alike. */
export interface Caller {
  readonly method: string;
  /** A WebSocket is to be opened. */
  readonly upgrade: boolean;
  readonly api: boolean;
  /** Of the peer of the connection, never of a header. */
  readonly address: string;
  header(name: string): string | undefined;
}

/** Who may come in. Each check gives a refusal, or undefined. */
export interface Gate {
  /** Names, origins and what the browser says about the page that asks: for every request, before anything else. */
  admit(caller: Caller): Refusal | undefined;
  /** The token, by cookie or `Authorization: Bearer`. */
  authorize(caller: Caller): Refusal | undefined;
  /** Trades the token of the printed address for the value of a `Set-Cookie` header. */
  exchange(token: string, address: string): Refusal | { readonly setCookie: string };
}

const changing = (caller: Caller) => caller.upgrade || !['GET', 'HEAD', 'OPTIONS'].includes(caller.method);
const oneYear = 365 * 24 * 60 * 60;
const howToGetIn =
  'Open the address that Sluice printed at its start, or send the token of the data directory as `Authorization: Bearer TOKEN`.';

export function createGate(options: {
  readonly token: string;
  readonly hosts: HostList;
  readonly attempts: Attempts;
}): Gate {
  const { token, hosts, attempts } = options;
  // Browsers send cookies to every port of a host: the name keeps two gateways apart, the value is not the token itself.
  const name = `sluice_${createHash('sha256').update(token).digest('hex').slice(0, 12)}`;
  const value = createHmac('sha256', token).update('sluice page').digest('base64url');

  function refuse(address: string): Refusal {
    const retryAfter = attempts.wrong(address);
    if (retryAfter === 0) return new Refusal(401, 'token.wrong', `This is not the token. ${howToGetIn}`);
    const detail = `Too many wrong tokens from ${address}. Try again in ${retryAfter} s.`;
    return new Refusal(429, 'token.limited', detail, { retryAfter });
  }

  return {
    admit(caller) {
      const host = caller.header('host');
      if (host === undefined || !hosts.allows(host)) {
        return new Refusal(
          403,
          'host.refused',
          `${host === undefined ? 'A request without a Host header' : `The host ${host}`} is not served. ` +
            'Use the printed address, or start with --allow-host NAME.',
        );
      }
      const site = caller.header('sec-fetch-site');
      // Other ports of this host are "same-site", and are other programs.
      if ((caller.api || caller.upgrade) && site !== undefined && site !== 'same-origin' && site !== 'none') {
        return new Refusal(403, 'origin.refused', 'Only pages of Sluice itself may call its API.');
      }
      const origin = caller.header('origin');
      if (changing(caller) && origin !== undefined && !hosts.sameOrigin(origin, host)) {
        return new Refusal(403, 'origin.refused', `Pages of ${origin} may not call this gateway.`);
      }
      return undefined;
    },
    authorize(caller) {
      const authorization = caller.header('authorization');
      if (authorization !== undefined) {
        const bearer = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
        return bearer !== undefined && same(bearer, token) ? undefined : refuse(caller.address);
      }
      const cookie = cookieOf(caller.header('cookie'), name);
      if (cookie === undefined)
        return new Refusal(401, 'token.missing', `The token is missing. ${howToGetIn}`);
      return same(cookie, value) ? undefined : refuse(caller.address);
    },
    exchange(offered, address) {
      if (!same(offered, token)) return refuse(address);
      return { setCookie: `${name}=${value}; Path=/; Max-Age=${oneYear}; HttpOnly; SameSite=Strict` };
    },
  };
}

/** Takes the same time for every wrong text, whatever it shares with the right one. */
function same(offered: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(offered), digest(expected));
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  for (const pair of header?.split(';') ?? []) {
    const text = pair.trim();
    if (text.startsWith(prefix)) return text.slice(prefix.length);
  }
  return undefined;
}
