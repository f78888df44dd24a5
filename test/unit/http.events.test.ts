import { EventSourceParserStream } from 'eventsource-parser/stream';
import { describe, expect, it } from 'vitest';
import type { Draft } from '../../src/wire/facts.ts';
import { serve, until } from '../support/gateway-server.ts';

const text = (offset: number, body = 'x'): Draft => ({
  type: 'text.added',
  turn: 't',
  part: 'p',
  offset,
  text: body,
});
const settled: Draft = { type: 'queue.released', revision: 1 };

/** Reads server-sent events one at a time, as they are asked for. */
function follow(response: Response) {
  const reader = response.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ onComment: (comment) => comments.push(comment) }))
    .getReader();
  const comments: string[] = [];
  return {
    comments,
    next: async () => (await reader?.read())?.value,
    isOver: async () => (await reader?.read())?.done,
    cancel: () => reader?.cancel(),
  };
}

describe('server-sent events', () => {
  it('sends the facts after the cursor and then each new one, with its cursor as id', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    for (let n = 0; n < 250; n += 1) fake.emit('s', text(n));
    const response = await call('/api/sessions/s/events?after=E1.0');
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = follow(response);
    for (let seq = 1; seq <= 250; seq += 1) {
      const event = await events.next();
      expect(event).toMatchObject({ id: `E1.${seq}`, event: undefined });
      expect(JSON.parse(event?.data ?? '')).toMatchObject({ seq, type: 'text.added' });
    }
    await until(() => fake.counts().subscribers === 1);
    fake.emit('s', settled);
    expect(await events.next()).toMatchObject({ id: 'E1.251' });
    await events.cancel();
    await until(() => fake.counts().subscribers === 0);
  });

  it('goes on from Last-Event-ID, which wins over the query', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    for (let n = 0; n < 3; n += 1) fake.emit('s', text(n));
    const events = follow(
      await call('/api/sessions/s/events?after=E1.0', { headers: { 'last-event-id': 'E1.2' } }),
    );
    expect(await events.next()).toMatchObject({ id: 'E1.3' });
  });

  it('moves the place of the reader over facts that its grade leaves out', async () => {
    const { fake, url } = await serve();
    fake.add('s');
    fake.emit('s', settled);
    for (let n = 0; n < 3; n += 1) fake.emit('s', text(n));
    const { token } = await import('../support/gateway-server.ts');
    const stream = await fetch(`${url}api/sessions/s/events?after=E1.0&grade=turn`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes('id: E1.4')) seen += (await reader?.read())?.value ?? '';
    expect(seen.match(/^data: /gm)).toHaveLength(1);
    expect(seen).toContain('id: E1.1\ndata: ');
    expect(seen.endsWith('id: E1.4\n\n')).toBe(true);
    await reader?.cancel();
  });

  it('sends heartbeats as comments', async () => {
    const { fake, call, clock } = await serve({ heartbeatMs: 5_000 });
    fake.add('s');
    const events = follow(await call('/api/sessions/s/events'));
    clock.increment(5_000);
    clock.increment(5_000);
    fake.emit('s', settled);
    expect(await events.next()).toMatchObject({ id: 'E1.1' });
    expect(events.comments.map((comment) => comment.trim())).toEqual(['heartbeat', 'heartbeat']);
  });

  it('says resync and closes when the log does not go on from the cursor', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    const events = follow(await call('/api/sessions/s/events?after=OLD.3'));
    expect(await events.next()).toMatchObject({ event: 'resync', data: '{"reason":"epoch"}' });
    expect(await events.isOver()).toBe(true);
  });

  it('caps a reader that does not read, tells it to resync, and lets the others go on', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    const slow = await call('/api/sessions/s/events');
    const quick = follow(await call('/api/sessions/s/events'));
    await until(() => fake.counts().subscribers === 2);
    const big = 'x'.repeat(200_000);
    let sent = 0;
    while (fake.counts().subscribers === 2 && sent < 500) {
      fake.emit('s', text(sent, big));
      sent += 1;
      expect(await quick.next()).toMatchObject({ id: `E1.${sent}` });
    }
    expect(fake.counts().subscribers).toBe(1);
    const events = follow(slow);
    let last = await events.next();
    for (let next = last; next !== undefined; next = await events.next()) last = next;
    expect(last).toMatchObject({ event: 'resync', data: '{"reason":"slow"}' });
    fake.emit('s', settled);
    expect(await quick.next()).toMatchObject({ id: `E1.${sent + 1}` });
  });

  it('answers 404 for an unknown session, and keeps nothing of a HEAD request', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    expect((await call('/api/sessions/none/events')).status).toBe(404);
    expect((await call('/api/sessions/s/events', { method: 'HEAD' })).status).toBe(200);
    expect((await call('/api/inspect', { method: 'HEAD' })).status).toBe(200);
    expect(fake.counts()).toEqual({ subscribers: 0, watchers: 0, inspectors: 0 });
  });

  it('leaves no subscription behind after 100 streams were opened and closed (C15)', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    for (let n = 0; n < 100; n += 1) {
      const response = await call('/api/sessions/s/events');
      await response.body?.cancel();
    }
    await until(() => fake.counts().subscribers === 0);
    expect(fake.calls.filter(({ name }) => name === 'subscribe')).toHaveLength(100);
  });
});

describe('the long poll', () => {
  const json = { headers: { accept: 'application/json' } };

  it('answers at once with the facts that are there', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    fake.emit('s', settled);
    fake.emit('s', text(0));
    const answer = (await (await call('/api/sessions/s/events?after=E1.1&wait=60', json)).json()) as Record<
      string,
      unknown
    >;
    expect(answer).toMatchObject({ cursor: 'E1.2', facts: [{ seq: 2 }] });
    const now = (await (await call('/api/sessions/s/events?after=E1.0', json)).json()) as Record<
      string,
      unknown
    >;
    expect(now).toMatchObject({ cursor: 'E1.2', facts: [{ seq: 1 }, { seq: 2 }] });
    expect(fake.counts().subscribers).toBe(0);
  });

  it('answers when a fact arrives', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    const waiting = call('/api/sessions/s/events?after=E1.0&wait=60', json);
    await until(() => fake.counts().subscribers === 1);
    fake.emit('s', settled);
    expect(await (await waiting).json()).toMatchObject({ cursor: 'E1.1', facts: [{ seq: 1 }] });
    expect(fake.counts().subscribers).toBe(0);
  });

  it('answers with an empty list when the time is up, and at once without a wait', async () => {
    const { fake, call, clock } = await serve();
    fake.add('s');
    fake.emit('s', text(0));
    expect(await (await call('/api/sessions/s/events?after=E1.1', json)).json()).toEqual({
      cursor: 'E1.1',
      facts: [],
    });
    expect(await (await call('/api/sessions/s/events?after=E1.0&grade=turn', json)).json()).toEqual({
      cursor: 'E1.1',
      facts: [],
    });
    const waiting = call('/api/sessions/s/events?wait=20', json);
    await until(() => fake.counts().subscribers === 1);
    clock.increment(20_000);
    expect(await (await waiting).json()).toEqual({ cursor: 'E1.1', facts: [] });
  });

  it('refuses with the reason when the log does not go on from the cursor', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    const response = await call('/api/sessions/s/events?after=OLD.3&wait=60', json);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'events.resync', reason: 'epoch' });
  });

  it('ends with its caller', async () => {
    const { fake, call } = await serve();
    fake.add('s');
    const controller = new AbortController();
    const waiting = call('/api/sessions/s/events?wait=60', { ...json, signal: controller.signal });
    await until(() => fake.counts().subscribers === 1);
    controller.abort();
    await expect(waiting).rejects.toThrow();
    await until(() => fake.counts().subscribers === 0);
  });
});

describe('the feed of the inspector', () => {
  it('gathers only while somebody reads it', async () => {
    const { fake, call } = await serve();
    expect(fake.counts().inspectors).toBe(0);
    const events = follow(await call('/api/inspect'));
    await until(() => fake.counts().inspectors === 1);
    const line = { type: 'actor', id: 'a', machine: 'conversation', status: 'active', at: 5 } as const;
    fake.inspected(line);
    expect(JSON.parse((await events.next())?.data ?? '')).toEqual(line);
    await events.cancel();
    await until(() => fake.counts().inspectors === 0);
  });
});
