import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { SimulatedClock } from 'xstate';
import { type ServerOptions, startServer } from '../../src/gateway/server.ts';
import type { ServerFrame } from '../../src/wire/live.ts';
import { createFakeService } from './fake-service.ts';

export const token = 'right-token-0123456789abcdefghijklmnopqrstuv';

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A clock that moves when the test says so. */
function testClock(now = 1_000) {
  const clock = new SimulatedClock();
  clock.set(now);
  return clock;
}

/** A real server on a free port, before a service in memory; closed with the test. */
export async function serve(options: Partial<ServerOptions> = {}) {
  const fake = createFakeService();
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const clock = testClock();
  const server = await startServer({
    open: async () => fake.service,
    version: '1.2.3',
    token,
    logger: pino({ level: 'debug' }, sink),
    pages: join(temporaryDirectory(), 'none'),
    port: 0,
    clock: {
      now: () => clock.now(),
      setTimeout: (fn, ms) => clock.setTimeout(fn, ms),
      clearTimeout: (id) => clock.clearTimeout(id),
    },
    ...options,
  });
  onTestFinished(() => server.close());
  const call = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, server.url), {
      redirect: 'manual',
      ...init,
      headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
    });
  return {
    ...server,
    fake,
    clock,
    lines,
    call,
    post: (path: string, body: unknown, method = 'POST') =>
      call(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  };
}

/** A request with exactly these headers, as no browser and no `fetch` would send them. */
export function rawRequest(
  port: number,
  options: { path: string; method?: string; headers?: Record<string, string>; body?: string },
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const { path, method = 'GET', headers = {}, body } = options;
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk) => {
        text += chunk;
      });
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A tab on the live channel: its frames, in order, and a way to wait for one. */
export async function openTab(
  port: number,
  headers: Record<string, string> = { authorization: `Bearer ${token}` },
) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/live`, { headers });
  const frames: ServerFrame[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    frames.push(JSON.parse(String(data)) as ServerFrame);
    for (const look of waiting) look();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_, response) =>
      reject(new Error(`refused with ${response.statusCode}`)),
    );
    socket.once('error', reject);
  });
  socket.on('error', () => {});

  /** The first frame, seen or to come, that fits. */
  function frame<F extends ServerFrame>(fits: (frame: ServerFrame) => boolean): Promise<F> {
    return new Promise((resolve) => {
      const look = () => {
        const found = frames.find(fits);
        if (!found) return;
        waiting.delete(look);
        resolve(found as F);
      };
      waiting.add(look);
      look();
    });
  }
  return { socket, frames, frame, closed, say: (value: unknown) => socket.send(JSON.stringify(value)) };
}

/** Waits until a condition of another process or turn of the loop holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
