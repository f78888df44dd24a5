import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import type { Entry } from '../../machines/outbox.entries.ts';
import { createApi } from '../../src/console/transport/api.ts';
import { postLogic } from '../../src/console/transport/post.ts';
import { ProblemError } from '../../src/console/transport/problem.ts';

interface Call {
  readonly method: string | undefined;
  readonly url: string;
  readonly type: string | undefined;
  readonly body: unknown;
}

function bench(answer: () => Response = () => Response.json({ cursor: 'e.1' })) {
  const calls: Call[] = [];
  const api = createApi({
    base: 'http://gateway',
    fetch: (async (url: string, init: RequestInit) => {
      const headers = init.headers as Record<string, string>;
      const body = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
      calls.push({ method: init.method, url, type: headers['content-type'], body });
      init.signal?.throwIfAborted();
      return answer();
    }) as typeof fetch,
  });
  return { api, calls };
}

describe('the calls of a page', () => {
  it('go where the gateway listens, as JSON', async () => {
    const { api, calls } = bench();
    await api.sessions({ q: 'a b', limit: 10, before: 's/1' });
    await api.snapshot('s/1');
    await api.create({ agent: 'a' });
    await api.change('s', { seen: 'e.3' });
    await api.remove('s');
    await api.turns('s', 't9', 20);
    await api.send('s', { id: 'm', content: [{ type: 'text', text: 'hi' }], delivery: 'steer' });
    await api.stop('s', { message: 'm' });
    await api.resume('s');
    await api.retry('s', 't1');
    await api.editQueue('s', { revision: 2, remove: { message: 'm' } });
    await api.answer('s', 'p 1', { option: 'allow' });
    await api.jobs();
    await api.job('j');
    await api.stopJob('j');
    await api.agents();
    await api.health();
    const json = 'application/json';
    const bare = { type: undefined, body: undefined };
    const at = (method: string, path: string, body?: unknown) =>
      body === undefined
        ? { method, url: `http://gateway/api${path}`, ...bare }
        : { method, url: `http://gateway/api${path}`, type: json, body };
    expect(calls).toEqual([
      at('GET', '/sessions?q=a+b&limit=10&before=s%2F1'),
      at('GET', '/sessions/s%2F1'),
      at('POST', '/sessions', { agent: 'a' }),
      at('PATCH', '/sessions/s', { seen: 'e.3' }),
      at('DELETE', '/sessions/s'),
      at('GET', '/sessions/s/turns?before=t9&limit=20'),
      at('POST', '/sessions/s/messages', {
        id: 'm',
        content: [{ type: 'text', text: 'hi' }],
        delivery: 'steer',
      }),
      at('POST', '/sessions/s/stop', { message: 'm' }),
      at('POST', '/sessions/s/resume'),
      at('POST', '/sessions/s/retry', { turn: 't1' }),
      at('PATCH', '/sessions/s/queue', { revision: 2, remove: { message: 'm' } }),
      at('POST', '/sessions/s/permissions/p%201', { option: 'allow' }),
      at('GET', '/jobs'),
      at('GET', '/jobs/j'),
      at('POST', '/jobs/j/stop'),
      at('GET', '/agents'),
      at('GET', '/health'),
    ]);
  });

  it('reject with the problem document, and with all that it says besides', async () => {
    const queue = { held: true, revision: 4, messages: [] };
    const { api } = bench(() =>
      Response.json(
        {
          type: 'about:blank',
          title: 'Conflict',
          status: 409,
          code: 'queue.stale',
          detail: 'Look again.',
          queue,
        },
        { status: 409, headers: { 'content-type': 'application/problem+json' } },
      ),
    );
    const error: unknown = await api.resume('s').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({
      status: 409,
      code: 'queue.stale',
      detail: 'Look again.',
      extra: { queue },
    });
    expect(String(error)).toContain('Look again.');
  });

  it('reject with the status alone when something on the way answered in words of its own', async () => {
    const { api } = bench(() => new Response('<h1>Bad Gateway</h1>', { status: 502 }));
    await expect(api.jobs()).rejects.toMatchObject({ status: 502, code: 'http.502' });
  });

  it('reject without a status when nothing was heard, or it was not understood', async () => {
    const lost = bench(() => {
      throw new TypeError('Failed to fetch');
    });
    await expect(lost.api.jobs()).rejects.not.toHaveProperty('status');
    const garbled = bench(() => new Response('{"sessions":'));
    await expect(garbled.api.sessions()).rejects.not.toHaveProperty('status');
  });

  it('take an empty answer as one', async () => {
    const { api } = bench(() => new Response(null, { status: 204 }));
    await expect(api.remove('s')).resolves.toBeUndefined();
  });

  it('are given up when nobody wants the answer any more', async () => {
    const { api } = bench();
    const life = new AbortController();
    life.abort();
    await expect(api.snapshot('s', life.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a request of the outbox', () => {
  const common = { session: 's', at: 1, state: 'sent', attempts: 1, nextAt: null } as const;
  const content = [{ type: 'text' as const, text: 'hi' }];

  it.each<readonly [Entry, string, unknown]>([
    [
      { ...common, id: 'm', kind: 'send', body: { content, delivery: 'queue' } },
      '/sessions/s/messages',
      { id: 'm', content, delivery: 'queue' },
    ],
    [{ ...common, id: 'x', kind: 'stop', body: { turn: 't' } }, '/sessions/s/stop', { turn: 't' }],
    [{ ...common, id: 'x', kind: 'stop', body: { message: 'm' } }, '/sessions/s/stop', { message: 'm' }],
    [{ ...common, id: 'x', kind: 'stop', body: { job: 's' } }, '/jobs/s/stop', undefined],
    [
      { ...common, id: 'x', kind: 'answer', body: { permission: 'p', option: 'o' } },
      '/sessions/s/permissions/p',
      { option: 'o' },
    ],
  ])('becomes one call: $0.kind $0.body', async (entry, path, body) => {
    const { api, calls } = bench();
    const output = await new Promise((resolve, reject) => {
      const actor = createActor(postLogic(api), { input: entry });
      actor.subscribe({ complete: () => resolve(actor.getSnapshot().output), error: reject });
      actor.start();
    });
    expect(output).toEqual({ cursor: 'e.1' });
    expect(calls).toMatchObject([{ method: 'POST', url: `http://gateway/api${path}`, body }]);
  });
});
