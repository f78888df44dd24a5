import { describe, expect, it } from 'vitest';
import { allRoutes } from '../../src/gateway/http/app.ts';
import type { Outside } from '../../src/gateway/http/outside.ts';
import { Refusal } from '../../src/gateway/refusal.ts';
import { rawRequest, serve, token } from '../support/gateway-server.ts';

type Problem = { status: number; code: string; detail: string; title: string; type: string };

async function problemOf(response: Response): Promise<Problem & Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body = (await response.json()) as Problem & Record<string, unknown>;
  expect(body).toMatchObject({
    status: response.status,
    code: expect.any(String),
    title: expect.any(String),
  });
  expect(body.detail.length).toBeGreaterThan(10);
  return body;
}

const message = { id: 'm1', content: [{ type: 'text', text: 'hello' }] };

describe('the API', () => {
  it('hands each call to the service and answers with its status', async () => {
    const { fake, call, post } = await serve();
    fake.add('s');
    fake.add('j', 'job');
    const asked: [string, Promise<Response>, number][] = [
      ['agents', call('/api/agents'), 200],
      ['earlier', call('/api/agents/builtin/sessions?cwd=%2Fw&cursor=2'), 200],
      ['addAgent', post('/api/agents', { name: 'N', command: ['n', '--acp'] }), 201],
      ['removeAgent', call('/api/agents/n', { method: 'DELETE' }), 204],
      ['list', call('/api/sessions?q=x&limit=3&before=b'), 200],
      ['create', post('/api/sessions', { agent: 'builtin', id: 'new' }), 201],
      ['snapshot', call('/api/sessions/s'), 200],
      ['change', post('/api/sessions/s', { title: 'T' }, 'PATCH'), 200],
      ['turns', call('/api/sessions/s/turns?before=t&limit=9'), 200],
      ['send', post('/api/sessions/s/messages', message), 202],
      ['stop', post('/api/sessions/s/stop', { turn: 't' }), 202],
      ['resume', call('/api/sessions/s/resume', { method: 'POST' }), 202],
      ['retry', post('/api/sessions/s/retry', { turn: 't' }), 202],
      ['editQueue', post('/api/sessions/s/queue', { revision: 1, remove: { message: 'm' } }, 'PATCH'), 200],
      ['answer', post('/api/sessions/s/permissions/p', { option: 'allow' }), 200],
      ['jobs', call('/api/jobs'), 200],
      ['job', call('/api/jobs/j'), 200],
      ['stopJob', call('/api/jobs/j/stop', { method: 'POST' }), 202],
    ];
    for (const [name, response, status] of asked)
      expect([name, (await response).status]).toEqual([name, status]);
    expect(fake.calls.map(({ name }) => name).sort()).toEqual(asked.map(([name]) => name).sort());
    expect(fake.calls.find(({ name }) => name === 'list')?.args).toEqual([{ q: 'x', limit: 3, before: 'b' }]);
    expect(fake.calls.find(({ name }) => name === 'earlier')?.args).toEqual([
      'builtin',
      { cwd: '/w', cursor: '2' },
    ]);
    expect(fake.calls.find(({ name }) => name === 'answer')?.args).toEqual(['s', 'p', 'allow']);
    expect((await call('/api/sessions/s', { method: 'DELETE' })).status).toBe(204);
    expect((await call('/api/sessions/s')).status).toBe(404);
  });

  it('answers health without a token, with no more than name and version', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}api/health`);
    expect(await response.json()).toEqual({ name: 'sluice', version: '1.2.3' });
  });

  it('gives a problem document with a stable code for every kind of bad input, and calls nothing', async () => {
    const { fake, call, post, port } = await serve({ bodyBytes: 1_000 });
    fake.add('s');
    const json = { 'content-type': 'application/json' };
    const cases: [string, Promise<Response>, number][] = [
      ['body.invalid', post('/api/agents', { name: 'N', command: [] }), 400],
      ['body.invalid', post('/api/agents', { name: 'N', command: 'rm -rf' }), 400],
      ['body.invalid', post('/api/agents', { name: 'N', command: ['n'], env: { 'A B': '' } }), 400],
      ['body.invalid', post('/api/agents', { name: 'N', command: [' '] }), 400],
      ['body.type', call('/api/agents', { method: 'POST', body: '{}' }), 415],
      ['body.malformed', call('/api/sessions', { method: 'POST', body: '{"agent":', headers: json }), 400],
      ['body.invalid', post('/api/sessions', { agent: 7 }), 400],
      ['body.invalid', post('/api/sessions', []), 400],
      ['body.invalid', post('/api/sessions', { agent: 'builtin', tilte: 'typo' }), 400],
      ['body.invalid', post('/api/sessions/s/messages', { ...message, id: '../x' }), 400],
      ['body.invalid', post('/api/sessions/s/resume', { turn: 't' }), 400],
      ['body.type', call('/api/sessions', { method: 'POST', body: 'agent=builtin' }), 415],
      ['body.type', call('/api/sessions/s/resume', { method: 'POST', body: 'x' }), 415],
      ['body.large', post('/api/sessions', { agent: 'x'.repeat(2_000) }), 413],
      ['query.invalid', call('/api/sessions?limit=0'), 400],
      ['query.invalid', call('/api/sessions?limit=201'), 400],
      ['query.invalid', call('/api/sessions?limit=many'), 400],
      ['query.invalid', call('/api/sessions?lmit=3'), 400],
      ['query.invalid', call('/api/sessions/s/events?wait=61'), 400],
      ['cursor.malformed', call('/api/sessions/s/events?after=here'), 400],
      ['cursor.malformed', call('/api/sessions/s/events', { headers: { 'last-event-id': '12' } }), 400],
      ['id.unknown', call(`/api/sessions/${'x'.repeat(201)}`), 404],
      ['route.unknown', call('/api/nothing'), 404],
      ['route.unknown', call('/api'), 404],
      ['method.refused', call('/api/sessions', { method: 'PUT' }), 405],
      ['method.refused', call('/api/jobs/j', { method: 'DELETE' }), 405],
      ['method.refused', call('/anything', { method: 'POST' }), 405],
      ['upgrade.missing', call('/api/live'), 426],
    ];
    for (const [code, response, status] of cases) {
      const answer = await response;
      expect([code, answer.status]).toEqual([code, status]);
      expect((await problemOf(answer)).code).toBe(code);
    }
    const chunked = await rawRequest(port, {
      path: '/api/sessions',
      method: 'POST',
      headers: { ...json, authorization: `Bearer ${token}`, 'transfer-encoding': 'chunked' },
      body: JSON.stringify({ agent: 'x'.repeat(2_000) }),
    });
    expect(chunked.status).toBe(413);
    expect(fake.calls).toEqual([]);
  });

  it('names the fields that are wrong, and the methods that are allowed', async () => {
    const { post, call } = await serve();
    const wrong = await problemOf(await post('/api/sessions', { agent: 7, title: '' }));
    expect(wrong.errors).toEqual([
      { path: 'agent', message: expect.stringContaining('string') },
      { path: 'title', message: expect.any(String) },
    ]);
    const method = await call('/api/sessions/s/queue', { method: 'DELETE' });
    expect(method.headers.get('allow')).toBe('PATCH');
  });

  it('passes a refusal of the service on with its further members', async () => {
    const { fake, post } = await serve();
    const queue = { held: true, revision: 4, messages: [] };
    fake.instead.set('editQueue', () => {
      throw new Refusal(409, 'queue.stale', 'The queue has changed. Look at it again.', {
        queue,
        status: 200,
      });
    });
    const stale = await post('/api/sessions/s/queue', { revision: 1, remove: { message: 'm' } }, 'PATCH');
    expect(await problemOf(stale)).toMatchObject({ status: 409, code: 'queue.stale', queue });
  });

  it('answers an unexpected error with an id that is in the log, and with nothing of the error', async () => {
    const { fake, call, lines } = await serve();
    fake.instead.set('jobs', () => {
      throw new Error('the inner workings at /secret/path');
    });
    const response = await call('/api/jobs');
    expect(response.status).toBe(500);
    const text = await response.clone().text();
    expect(text).not.toContain('inner workings');
    expect(text).not.toContain('.ts');
    const { id } = await problemOf(response);
    expect(id).toEqual(expect.stringMatching(/^[0-9a-f-]{36}$/));
    expect(lines.filter((line) => line.includes(String(id)) && line.includes('inner workings'))).toHaveLength(
      1,
    );
  });

  it('keeps answers of the API out of every cache', async () => {
    const { call } = await serve();
    expect((await call('/api/sessions')).headers.get('cache-control')).toBe('no-store');
    expect((await call('/api/nothing')).headers.get('cache-control')).toBe('no-store');
  });
});

type Schema = { $ref?: string; [key: string]: unknown };
interface Document {
  openapi: string;
  paths: Record<
    string,
    Record<string, { responses: Record<string, unknown>; parameters: { name: string }[] }>
  >;
  components: { schemas: Record<string, Schema> };
}

describe('the OpenAPI document', () => {
  it('has every route that is served, and serves every route that it has', async () => {
    const { call } = await serve();
    const document = (await (await call('/api/openapi.json')).json()) as Document;
    const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    const served = allRoutes({} as Outside).map(
      ({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`,
    );
    expect(documented.sort()).toEqual(served.sort());
    expect(documented).toContain('get /api/sessions/{id}/events');
    for (const route of documented) {
      const [method = '', path = ''] = route.split(' ');
      const answer = await call(path.replaceAll(/\{\w+\}/g, 'x'), { method: method.toUpperCase() });
      const isProblem = answer.headers.get('content-type') === 'application/problem+json';
      const { code } = isProblem ? ((await answer.json()) as Problem) : { code: undefined };
      await answer.body?.cancel().catch(() => {});
      expect([route, code === 'route.unknown' || code === 'method.refused']).toEqual([route, false]);
    }
  });

  it('describes every fact and frame, and each reference leads somewhere', async () => {
    const { call } = await serve();
    const text = await (await call('/api/openapi.json')).text();
    const { components } = JSON.parse(text) as Document;
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      expect(Object.keys(components.schemas)).toContain(name);
    }
    expect(text).not.toContain('"$ref":"__');
    const { factTypes } = await import('../../src/wire/facts.ts');
    for (const type of factTypes)
      expect(components.schemas[`fact.${type}`]).toMatchObject({ type: 'object' });
    const names = [
      'clientFrame',
      'serverFrame',
      'inspectLine',
      'problem',
      'sessionSnapshot',
      'sessionSummary',
    ];
    expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(names));
  });
});
