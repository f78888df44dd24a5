import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openTab, rawRequest, serve, token } from '../support/gateway-server.ts';

/** Sends bytes as they are, and gives what comes back until the connection ends. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('what is too large', () => {
  it('is refused as a body beyond 8 MiB, before it is parsed', async () => {
    const { port, fake } = await serve();
    fake.add('s');
    const message = (size: number) =>
      JSON.stringify({ id: 'm', content: [{ type: 'text', text: 'x'.repeat(size) }] });
    const send = (body: string) =>
      rawRequest(port, {
        path: '/api/sessions/s/messages',
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
        },
        body,
      });
    expect((await send(message(8 * 1024 * 1024 - 200))).status).toBe(202);
    const refused = await send(message(8 * 1024 * 1024));
    expect(refused.status).toBe(413);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'body.large' });
    expect(fake.calls.filter(({ name }) => name === 'send')).toHaveLength(1);
  });

  it('is not read as a body by somebody without the token', async () => {
    const { port } = await serve();
    const answer = await rawRequest(port, {
      path: '/api/sessions',
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': String(9 * 1024 * 1024) },
      body: 'x'.repeat(9 * 1024 * 1024),
    });
    expect(answer.status).toBe(401);
  });

  it('ends the live channel as a frame beyond 64 KiB, and no other tab', async () => {
    const { port, live } = await serve();
    const [loud, other] = await Promise.all([openTab(port), openTab(port)]);
    loud.say({ type: 'ping', padding: 'x'.repeat(64 * 1024) });
    expect(await loud.closed).toMatchObject({ code: 1009 });
    other.say({ type: 'ping' });
    await other.frame((frame) => frame.type === 'pong');
    expect(live.counts().sockets).toBe(1);
  });

  it('is refused as headers beyond 16 KiB, with a problem document', async () => {
    const { port } = await serve();
    const answer = await exchange(
      port,
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"code":"headers.large"');
  });
});

describe('what is not HTTP', () => {
  it('gets a problem document and the end of the connection', async () => {
    const { port, call } = await serve();
    const answer = await exchange(port, 'HELO there\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"request.malformed"');
    expect((await call('/api/health')).status).toBe(200);
  });
});

describe('a gateway that is about to end', () => {
  it('still answers reads, and takes no more changes', async () => {
    const server = await serve();
    server.fake.add('s');
    server.refuseChanges();
    expect((await server.call('/api/sessions/s')).status).toBe(200);
    const refused = await server.post('/api/sessions', { agent: 'builtin' });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'gateway.closing' });
    expect(server.fake.calls.some(({ name }) => name === 'create')).toBe(false);
  });
});
