import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { script } from '../support/local-gateway.ts';
import { GatewayProcess } from '../support/process-gateway.ts';

let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = new GatewayProcess([], { SLUICE_MODEL_URL: 'http://127.0.0.1:9/v1', SLUICE_MODEL_NAME: 'gone' });
  await gateway.start();
});
afterAll(() => gateway.remove());

const json = { 'content-type': 'application/json' };
const snapshot = (id: string) => gateway.call<SessionSnapshot>('GET', `/api/sessions/${id}`);

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly [extra: string]: unknown;
}

/** The problem document of a request that must be refused; it must say something to a person. */
async function problem(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = json,
): Promise<Problem> {
  const response = await gateway.fetch(path, { method, headers, ...(body !== undefined && { body }) });
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const document = (await response.json()) as Problem;
  expect(document.status).toBe(response.status);
  expect(document.detail.length).toBeGreaterThan(10);
  return document;
}

describe('bad input', () => {
  it('of a request gets a clear error and changes nothing', async () => {
    await gateway.call('POST', '/api/sessions', { id: 'a', agent: 'builtin' });
    const before = await snapshot('a');
    const messages = '/api/sessions/a/messages';
    const message = (extra: object) => JSON.stringify({ ...script('m1', [{ text: 'x' }]), ...extra });
    const refused = [
      await problem('POST', messages, '{"id": "m1", "content": [}'),
      await problem('POST', messages, message({ content: 'just text' })),
      await problem('POST', messages, message({ id: 7 })),
      await problem('POST', messages, message({ delivery: 'later' })),
      await problem('POST', messages, message({ contents: [] })),
      await problem('POST', messages, 'id=m1', { 'content-type': 'application/x-www-form-urlencoded' }),
      await problem(
        'POST',
        messages,
        message({ content: [{ type: 'text', text: 'x'.repeat(9 * 1024 * 1024) }] }),
      ),
      await problem('POST', '/api/sessions/nobody/messages', message({})),
      await problem('POST', '/api/sessions', JSON.stringify({ agent: 'nobody' })),
      await problem('POST', '/api/sessions', JSON.stringify({ agent: 'builtin', cwd: './nowhere' })),
      await problem('POST', '/api/sessions', JSON.stringify({ agent: 'builtin', cwd: '/etc' })),
      await problem('GET', '/api/sessions?limit=many'),
      await problem('GET', '/api/sessions/a/events?after=yesterday'),
      await problem('GET', '/api/nothing'),
      await problem('PUT', '/api/sessions'),
    ];
    expect(refused.map(({ status }) => status)).toEqual([
      400, 400, 400, 400, 400, 415, 413, 404, 400, 400, 403, 400, 400, 404, 405,
    ]);
    expect(new Set(refused.map(({ code }) => code)).has('internal')).toBe(false);
    expect(await snapshot('a')).toEqual(before);
    const { sessions } = await gateway.call<{ sessions: unknown[] }>('GET', '/api/sessions');
    expect(sessions).toHaveLength(1);
  });

  it('of a directory is found through links too', async () => {
    symlinkSync('/etc', join(gateway.root, 'way-out'));
    const { status, code } = await problem(
      'POST',
      '/api/sessions',
      JSON.stringify({ agent: 'builtin', cwd: 'way-out' }),
    );
    expect([status, code]).toEqual([403, 'directory.outside']);
  });

  it('of a stop, an answer or a queue edit that comes too late is refused with what is true now', async () => {
    await gateway.call('POST', '/api/sessions', { id: 'b', agent: 'builtin' });
    const ask = script('m1', [{ permission: 'p1', title: 'May I?' }, { text: 'thanks' }]);
    const { turn } = await gateway.call<{ turn: string }>('POST', '/api/sessions/b/messages', ask);
    await expect.poll(async () => (await snapshot('b')).permissions.length).toBe(1);
    await gateway.call('POST', '/api/sessions/b/messages', script('m2', [{ text: 'next' }]));
    const { queue } = await snapshot('b');
    const move = (revision: number) => JSON.stringify({ revision, remove: { message: 'm2' } });
    const stale = await problem('PATCH', '/api/sessions/b/queue', move(queue.revision - 1));
    expect(stale).toMatchObject({ status: 409, code: 'queue.stale', queue: { revision: queue.revision } });
    expect((await snapshot('b')).queue).toEqual(queue);

    const permissions = '/api/sessions/b/permissions/p1';
    await gateway.call('POST', permissions, { option: 'allow' });
    const second = await problem('POST', permissions, JSON.stringify({ option: 'reject' }));
    expect(second).toMatchObject({ status: 409, code: 'permission.settled', answered: 'allow' });
    await expect.poll(async () => (await snapshot('b')).turns.length).toBe(2);
    await expect.poll(async () => (await snapshot('b')).state).toBe('finalized');
    const late = await problem('POST', '/api/sessions/b/stop', JSON.stringify({ turn }));
    expect(late).toMatchObject({ status: 409, code: 'turn.over', state: 'finalized' });
    const retry = await problem('POST', '/api/sessions/b/retry', JSON.stringify({ turn }));
    expect(retry).toMatchObject({ status: 409, code: 'turn.not_last' });
  });

  it('of a model server that is down ends the turn failed, says which address, and the conversation goes on (C41)', async () => {
    await gateway.call('POST', '/api/sessions', { id: 'c', agent: 'model' });
    await gateway.call('POST', '/api/sessions/c/messages', script('m1', []));
    await expect.poll(async () => (await snapshot('c')).state).toBe('failed');
    const { turns } = await snapshot('c');
    expect(turns[0]?.error?.message).toContain('127.0.0.1:9');
    const again = await gateway.call<{ outcome: string }>(
      'POST',
      '/api/sessions/c/messages',
      script('m2', []),
    );
    expect(again.outcome).toBe('started');
  });
});
