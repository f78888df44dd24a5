import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../support/gateway-server.ts';

const main = resolve(import.meta.dirname, '../../src/gateway/main.ts');

/** The program as a person starts it. */
function launch(...args: readonly string[]) {
  const { INIT_CWD: _, ...env } = process.env;
  const child: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, ...args],
    {
      cwd: temporaryDirectory(),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const seen = { out: '', err: '' };
  const ended = new Promise<{ code: number | null; out: string; err: string }>((done) => {
    child.on('close', (code) => done({ code, ...seen }));
  });
  child.stderr?.on('data', (chunk) => {
    seen.err += chunk;
  });
  const line = new Promise<string>((found, missing) => {
    child.stdout?.on('data', (chunk) => {
      seen.out += chunk;
      if (seen.out.includes('\n')) found(seen.out);
    });
    void ended.then(({ err }) => missing(new Error(err)));
  });
  line.catch(() => {});
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, line, ended };
}

function addressOf(line: string): URL {
  const address = /^Sluice is running at (http:\S+\?token=\S+)\n$/.exec(line)?.[1];
  expect(address, line).toBeDefined();
  return new URL(address ?? '');
}

/** Another program on a port. */
async function occupy(port: number, host = '127.0.0.1'): Promise<number | undefined> {
  const server = createServer();
  onTestFinished(() => void server.close());
  return new Promise((done) => {
    server.on('error', () => done(undefined));
    server.listen(port, host, () => done((server.address() as { port: number }).port));
  });
}

describe('the program', () => {
  it('prints one line whose address lets in, refuses a second start with the address of the first, ends cleanly', async () => {
    const data = temporaryDirectory();
    const first = launch('--port', '0', '--data', data);
    const address = addressOf(await first.line);
    expect((await fetch(address, { redirect: 'manual' })).status).toBe(303);
    const health = await fetch(new URL('/api/health', address));
    expect(await health.json()).toMatchObject({ name: 'sluice' });

    const second = await launch('--port', '0', '--data', data).ended;
    expect(second).toMatchObject({ code: 1, out: '' });
    expect(second.err).toContain(address.origin);
    expect(second.err).not.toContain(address.searchParams.get('token'));

    first.child.kill('SIGTERM');
    const { code, out, err } = await first.ended;
    expect({ code, err, lines: out.split('\n').length }).toEqual({ code: 0, err: '', lines: 2 });
    expect(readFileSync(join(data, 'sluice.log'), 'utf8')).not.toContain(address.searchParams.get('token'));

    const third = launch('--port', '0', '--data', data);
    expect(addressOf(await third.line).searchParams.get('token')).toBe(address.searchParams.get('token'));
  });

  it('says which port is taken when the user named it, and takes the next free one by default', async () => {
    const taken = await occupy(0);
    const named = await launch('--port', String(taken), '--data', temporaryDirectory()).ended;
    expect(named).toMatchObject({ code: 1, out: '' });
    expect(named.err).toContain(`Port ${taken} is in use by another program`);

    // Taken by this test or by somebody else: it is taken.
    await occupy(4747);
    const other = launch('--data', temporaryDirectory());
    expect(Number(addressOf(await other.line).port)).toBeGreaterThan(4747);
  });

  it('begins nothing when the port is taken: a queue does not drain into a start that fails (I3)', async () => {
    const taken = await occupy(0);
    const data = temporaryDirectory();
    const refused = await launch('--port', String(taken), '--data', data).ended;
    expect(refused.code).toBe(1);
    expect(existsSync(join(data, 'log.db'))).toBe(false);
  });

  it('exits with 2 for a flag that it does not know, and with 1 for what cannot be, each with a sentence', async () => {
    const file = join(temporaryDirectory(), 'settings.json');
    writeFileSync(file, '{"models": 7}');
    const twice = join(temporaryDirectory(), 'twice.json');
    const baseUrl = 'http://127.0.0.1:1/v1';
    writeFileSync(
      twice,
      JSON.stringify({ models: [{ id: 'same', baseUrl }], agents: [{ id: 'same', command: ['a'] }] }),
    );
    const data = temporaryDirectory();
    const cases: [readonly string[], number, string][] = [
      [['--prot', '1'], 2, '--prot'],
      [['--root', '/no/such/place', '--data', data], 1, '/no/such/place'],
      [['--settings', file, '--data', data], 1, file],
      [
        ['--settings', twice, '--data', data],
        1,
        `Two agents have the id "same": give one of them another id in ${twice}`,
      ],
      [['--host', '192.0.2.1', '--data', data], 1, '192.0.2.1'],
      [['--data', join(file, 'sub')], 1, file],
    ];
    for (const [args, code, part] of cases) {
      const ended = await launch(...args).ended;
      expect([args, ended.code, ended.out]).toEqual([args, code, '']);
      expect(ended.err).toContain(part);
      expect(ended.err).not.toMatch(/\n\s+at /);
    }
  });

  it('warns when it can be reached from elsewhere', async () => {
    const open = launch('--host', '0.0.0.0', '--port', '0', '--data', temporaryDirectory());
    const address = addressOf(await open.line);
    expect(address.hostname).toBe('127.0.0.1');
    open.child.kill('SIGINT');
    const { code, err } = await open.ended;
    expect(code).toBe(0);
    expect(err).toContain('Warning: Sluice listens on 0.0.0.0');
    expect(err).toContain('--allow-host');
  });

  it('marks a turn that runs when it is ended, and shows it so at the next start', async () => {
    const data = temporaryDirectory();
    const first = launch('--port', '0', '--data', data);
    const address = addressOf(await first.line);
    const call = async (base: URL, path: string, body?: unknown) => {
      const response = await fetch(new URL(path, base), {
        headers: {
          authorization: `Bearer ${address.searchParams.get('token')}`,
          'content-type': 'application/json',
        },
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      });
      return (await response.json()) as Record<string, unknown>;
    };
    await call(address, '/api/sessions', { id: 's', agent: 'builtin' });
    const content = [{ type: 'text', text: 'demo stall' }];
    await call(address, '/api/sessions/s/messages', { id: 'm', content });
    first.child.kill('SIGINT');
    expect((await first.ended).code).toBe(0);

    const second = launch('--port', '0', '--data', data);
    const snapshot = await call(addressOf(await second.line), '/api/sessions/s');
    expect(snapshot).toMatchObject({ turns: [{ message: { id: 'm' }, outcome: 'interrupted' }] });
  });
});
