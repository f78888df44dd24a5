import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createAttempts } from '../../src/gateway/security/attempts.ts';
import { createHostList } from '../../src/gateway/security/hosts.ts';
import { openTab, rawRequest, serve, token } from '../support/gateway-server.ts';

const bearer = { authorization: `Bearer ${token}` };

async function cookieOf(url: string): Promise<string> {
  const response = await fetch(`${url}?token=${token}`, { redirect: 'manual' });
  return (response.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
}

/** The status with which an upgrade is refused, or 101. */
function upgrade(port: number, headers: Record<string, string>, path = '/api/live'): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
    socket.on('open', () => {
      socket.close();
      resolve(101);
    });
    socket.on('unexpected-response', (_, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', reject);
  });
}

describe('a name of somebody else that leads here (DNS rebinding)', () => {
  it('is refused on every request, with and without the token', async () => {
    const { port, fake } = await serve();
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      '127.0.0.1:1',
      `localhost.:${port}`,
    ]) {
      for (const path of ['/', '/api/health', '/api/sessions', `/?token=${token}`]) {
        const answer = await rawRequest(port, { path, headers: { ...bearer, host } });
        expect([host, path, answer.status]).toEqual([host, path, 403]);
        expect(JSON.parse(answer.body)).toMatchObject({ code: 'host.refused' });
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    }
    expect(fake.calls).toEqual([]);
  });

  it('is refused on the live channel', async () => {
    const { port } = await serve();
    expect(await upgrade(port, { ...bearer, host: 'evil.example' })).toBe(403);
    expect(await upgrade(port, { ...bearer, host: `localhost:${port}` })).toBe(101);
  });

  it('lets the loopback names and what the user allows through', async () => {
    const { port } = await serve({ allowHosts: ['box.local', 'proxy.example:8443'] });
    const names = [`127.0.0.1:${port}`, `localhost:${port}`, `LocalHost:${port}`, `[::1]:${port}`];
    for (const host of [...names, 'box.local', 'box.local:99', 'proxy.example:8443']) {
      expect([host, (await rawRequest(port, { path: '/api/health', headers: { host } })).status]).toEqual([
        host,
        200,
      ]);
    }
    for (const host of [
      'xbox.local',
      'box.local.evil.example',
      'proxy.example',
      'proxy.example:1',
      'box.local,evil.example',
    ]) {
      expect([host, (await rawRequest(port, { path: '/api/health', headers: { host } })).status]).toEqual([
        host,
        403,
      ]);
    }
  });

  it('takes https only for a name that the user allows', () => {
    const hosts = createHostList({ port: 4747, bound: '192.168.1.5', allowed: ['box.local'] });
    expect(hosts.sameOrigin('https://box.local', 'box.local')).toBe(true);
    expect(hosts.sameOrigin('https://127.0.0.1:4747', '127.0.0.1:4747')).toBe(false);
    expect(hosts.allows('192.168.1.5:4747')).toBe(true);
    expect(createHostList({ port: 4747, bound: '0.0.0.0', allowed: [] }).allows('0.0.0.0:4747')).toBe(false);
  });
});

describe('a page of another site in the browser of the user, whose cookie it sends', () => {
  it('cannot post a form or JSON', async () => {
    const { port, url, fake } = await serve();
    fake.add('s');
    const cookie = await cookieOf(url);
    const body = '{"agent":"builtin"}';
    const others = [
      'https://evil.example',
      'null',
      `http://localhost:${port}`,
      `http://127.0.0.1:${port + 1}`,
    ];
    for (const origin of others) {
      for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
        const headers = { cookie, origin, host: `127.0.0.1:${port}`, 'content-type': type };
        const answer = await rawRequest(port, { path: '/api/sessions', method: 'POST', headers, body });
        expect([origin, type, answer.status]).toEqual([origin, type, 403]);
        expect(JSON.parse(answer.body)).toMatchObject({ code: 'origin.refused' });
      }
    }
    for (const site of ['cross-site', 'same-site']) {
      const headers = { cookie, host: `127.0.0.1:${port}`, 'sec-fetch-site': site };
      for (const method of ['GET', 'POST']) {
        const answer = await rawRequest(port, { path: '/api/sessions/s/resume', method, headers });
        expect([site, method, answer.status]).toEqual([site, method, 403]);
      }
    }
    expect(fake.calls).toEqual([]);
  });

  it('cannot open the live channel', async () => {
    const { port, url, live } = await serve();
    const cookie = await cookieOf(url);
    expect(await upgrade(port, { cookie, origin: 'https://evil.example' })).toBe(403);
    expect(await upgrade(port, { cookie, origin: 'null' })).toBe(403);
    expect(await upgrade(port, { cookie, 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(live.counts().sockets).toBe(0);
    const own = { cookie, origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' };
    expect(await upgrade(port, own)).toBe(101);
  });

  it('is given no leave by a preflight', async () => {
    const { port } = await serve();
    const headers = {
      host: `127.0.0.1:${port}`,
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
    };
    const answer = await rawRequest(port, { path: '/api/sessions', method: 'OPTIONS', headers });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });
});

describe('the token', () => {
  it('is needed for every call but health, on every way in', async () => {
    const { port, url } = await serve();
    for (const path of [
      '/api/sessions',
      '/api/openapi.json',
      '/api/inspect',
      '/api/nothing',
      '/%61pi/sessions',
    ]) {
      const answer = await rawRequest(port, { path, headers: { host: `127.0.0.1:${port}` } });
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers['www-authenticate']).toContain('Bearer');
      expect(JSON.parse(answer.body)).toMatchObject({
        code: 'token.missing',
        detail: expect.stringContaining('printed'),
      });
    }
    expect(await upgrade(port, {})).toBe(401);
    expect(await upgrade(port, { authorization: 'Bearer wrong' })).toBe(401);
    expect((await fetch(`${url}api/sessions?token=${token}`)).status).toBe(401);
    const cookie = await cookieOf(url);
    for (const headers of [bearer, { cookie }, { cookie: `other=1; ${cookie}` }]) {
      expect((await fetch(`${url}api/sessions`, { headers: headers as HeadersInit })).status).toBe(200);
    }
  });

  it('is traded for a cookie that no script reads and no other site sends, and leaves the address', async () => {
    const { url, port } = await serve();
    const response = await fetch(`${url}c/s1?x=1&token=${token}&y=2`, { redirect: 'manual' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/c/s1?x=1&y=2');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const cookie = response.headers.get('set-cookie') ?? '';
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Strict');
    expect(cookie).not.toContain(token);
    const away = await rawRequest(port, {
      path: `//evil.example/x?token=${token}`,
      headers: { host: `127.0.0.1:${port}` },
    });
    expect(String(away.headers.location)).toMatch(/^\/[^/\\]/);
  });

  it('reaches no log, whichever way it came', async () => {
    const { url, call, lines } = await serve();
    await fetch(`${url}?token=${token}`, { redirect: 'manual' });
    await call('/api/sessions');
    await fetch(`${url}?token=guess-of-a-stranger`, { redirect: 'manual' });
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.join('')).not.toContain(token);
    expect(lines.join('')).not.toContain('guess-of-a-stranger');
  });

  it('of another gateway on this machine is not asked about and not taken', async () => {
    const one = await serve();
    const two = await serve({ token: 'another-token-0123456789abcdefghijklmn' });
    const cookie = await cookieOf(one.url);
    const answer = await fetch(`${two.url}api/sessions`, { headers: { cookie } });
    expect(((await answer.json()) as { code: string }).code).toBe('token.missing');
  });

  it('cannot be guessed at will: after ten wrong ones the address has to wait', async () => {
    const { url, call, clock } = await serve();
    const tries = [
      (n: number) => fetch(`${url}api/sessions`, { headers: { authorization: `Bearer guess${n}` } }),
      (n: number) => fetch(`${url}?token=guess${n}`, { redirect: 'manual' }),
      async (n: number) => {
        const [name = ''] = (await cookieOf(url)).split('=');
        return fetch(`${url}api/sessions`, { headers: { cookie: `${name}=guess${n}` } });
      },
    ];
    for (const [index, guess] of tries.entries()) {
      for (let n = 0; n < 10; n += 1) expect((await guess(n)).status).toBe(401);
      const limited = await guess(11);
      expect([index, limited.status]).toEqual([index, 429]);
      expect(Number(limited.headers.get('retry-after'))).toBe(60);
      // Nobody can lock the owner out by guessing.
      expect((await call('/api/sessions')).status).toBe(200);
      clock.increment(60_000);
    }
  });

  it('is guarded in bounded memory, by address', () => {
    let now = 0;
    const attempts = createAttempts(() => now, { limit: 2, windowMs: 1_000, capacity: 3 });
    expect([1, 2, 3].map(() => attempts.wrong('10.0.0.1'))).toEqual([0, 0, 1]);
    expect(attempts.wrong('::ffff:10.0.0.1')).toBe(1);
    expect(attempts.wrong('10.0.0.2')).toBe(0);
    // A whole /64 is one guesser.
    expect(['2001:db8::1', '2001:db8::2', '2001:db8:0:0:9::3'].map((a) => attempts.wrong(a))).toEqual([
      0, 0, 1,
    ]);
    expect(attempts.wrong('2001:db8:1::1')).toBe(0);
    // The fourth address pushed the first one out.
    expect(attempts.wrong('10.0.0.1')).toBe(0);
    now = 1_000;
    expect(attempts.wrong('2001:db8::1')).toBe(0);
  });
});

describe('every answer', () => {
  it('forbids inline script, frames, sniffing and referrers, whatever it is', async () => {
    const { call, url } = await serve();
    const answers = [
      call('/api/sessions'),
      call('/api/none'),
      fetch(url),
      fetch(`${url}none.js`),
      fetch(`${url}?token=x`),
    ];
    for (const answer of await Promise.all(answers)) {
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toContain('unsafe');
      expect(policy).toContain("frame-ancestors 'none'");
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('a tab', () => {
  it('opens with the cookie alone', async () => {
    const { url, port } = await serve();
    const tab = await openTab(port, { cookie: await cookieOf(url), origin: `http://127.0.0.1:${port}` });
    await tab.frame((frame) => frame.type === 'hello');
  });
});

describe('a program to run, as an agent', () => {
  it('is taken from no other site, no form, and nobody without the token', async () => {
    const { port, url, fake } = await serve();
    const cookie = await cookieOf(url);
    const body = JSON.stringify({ name: 'N', command: ['calc'] });
    const host = `127.0.0.1:${port}`;
    const json = { host, 'content-type': 'application/json' };
    const own = { ...json, cookie, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    const cases: [Record<string, string>, number][] = [
      [{ ...own, origin: 'http://evil.example' }, 403],
      [{ ...own, origin: 'null' }, 403],
      [{ ...own, origin: `http://127.0.0.1:${port + 1}` }, 403],
      [{ ...own, 'sec-fetch-site': 'cross-site' }, 403],
      [{ ...own, 'sec-fetch-site': 'same-site' }, 403],
      // What a form can send.
      [{ ...own, 'content-type': 'text/plain' }, 415],
      [{ ...own, 'content-type': 'application/x-www-form-urlencoded' }, 415],
      [{ ...json, 'sec-fetch-site': 'same-origin' }, 401],
    ];
    for (const [headers, status] of cases) {
      const answer = await rawRequest(port, { path: '/api/agents', method: 'POST', headers, body });
      expect([headers, answer.status]).toEqual([headers, status]);
    }
    expect(fake.calls).toEqual([]);
    const mine = await rawRequest(port, { path: '/api/agents', method: 'POST', headers: own, body });
    expect(mine.status).toBe(201);
  });
});
