/** Which names a request may use for this gateway. A page of another site that points its own name here has none of them. */
export interface HostList {
  /** `host`: the `Host` header. */
  allows(host: string | undefined): boolean;
  /** `origin`: the `Origin` header; only the page that this gateway served is of the same origin. */
  sameOrigin(origin: string, host: string): boolean;
}

const shape = /^(\[[0-9a-f:.]+\]|[^:/?#@\s]+)(?::([0-9]{1,5}))?$/;

/**
 * The loopback names with the gateway's own port, the address that it is bound to, and what the user allows: `name`
 * (any port, for a proxy before the gateway) or `name:port`.
 */
export function createHostList(options: {
  readonly port: number;
  readonly bound: string;
  readonly allowed: readonly string[];
}): HostList {
  const { port } = options;
  const names = ['127.0.0.1', 'localhost', '[::1]'];
  if (!isEveryAddress(options.bound)) names.push(urlHost(options.bound));
  const own = new Set(names.map((name) => name.toLowerCase()));
  const allowed = new Set(options.allowed.map((name) => name.toLowerCase()));

  function isOwn(host: string): boolean {
    const match = shape.exec(host);
    return match !== null && own.has(match[1] as string) && Number(match[2] ?? 80) === port;
  }
  function isAllowed(host: string): boolean {
    const match = shape.exec(host);
    return match !== null && (allowed.has(host) || allowed.has(match[1] as string));
  }

  return {
    allows(host) {
      const name = host?.toLowerCase();
      return name !== undefined && (isOwn(name) || isAllowed(name));
    },
    sameOrigin(origin, host) {
      const name = host.toLowerCase();
      // Behind a proxy of the user's the page may come by https; a loopback name never does.
      return origin === `http://${name}` || (origin === `https://${name}` && isAllowed(name));
    },
  };
}

/** As it stands in a URL: an IPv6 address in brackets. */
export function urlHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

export function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '[::]';
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
