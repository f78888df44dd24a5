import { describe, expect, it } from 'vitest';
import type { Draft } from '../../src/wire/facts.ts';
import type { ServerFrame } from '../../src/wire/live.ts';
import { openTab, serve, until } from '../support/gateway-server.ts';

const text = (offset: number, body = 'x'): Draft => ({
  type: 'text.added',
  turn: 't',
  part: 'p',
  offset,
  text: body,
});
const settled: Draft = { type: 'queue.released', revision: 1 };
type FactsFrame = Extract<ServerFrame, { type: 'facts' }>;
const isType = (type: ServerFrame['type']) => (frame: ServerFrame) => frame.type === type;

describe('the live channel', () => {
  it('says hello, answers pings and beats', async () => {
    const { port, clock } = await serve({ heartbeatMs: 5_000 });
    const tab = await openTab(port);
    expect(await tab.frame(isType('hello'))).toEqual({ type: 'hello', version: '1.2.3', heartbeatMs: 5_000 });
    tab.say({ type: 'ping' });
    await tab.frame(isType('pong'));
    clock.increment(5_000);
    expect(await tab.frame(isType('heartbeat'))).toEqual({ type: 'heartbeat', at: 6_000 });
  });

  it('tells every tab when there are other agents than before', async () => {
    const { port, post } = await serve();
    const tabs = await Promise.all([openTab(port), openTab(port)]);
    await Promise.all(tabs.map((tab) => tab.frame(isType('hello'))));
    expect((await post('/api/agents', { name: 'N', command: ['n'] })).status).toBe(201);
    await Promise.all(tabs.map((tab) => tab.frame(isType('agents'))));
  });

  it('brings the facts of many sessions to the tab that asked for them, each frame saying what it covers', async () => {
    const { port, fake } = await serve();
    for (const id of ['a', 'b', 'c']) fake.add(id);
    for (let n = 0; n < 250; n += 1) fake.emit('a', text(n));
    const tab = await openTab(port);
    tab.say({ type: 'subscribe', session: 'a', after: 'E1.0' });
    tab.say({ type: 'subscribe', session: 'b', grade: 'turn' });
    expect(await tab.frame((frame) => frame.type === 'subscribed' && frame.session === 'a')).toMatchObject({
      cursor: 'E1.250',
    });
    await tab.frame((frame) => frame.type === 'subscribed' && frame.session === 'b');
    await tab.frame((frame) => frame.type === 'facts' && frame.seq === 250);
    await until(() => fake.counts().subscribers === 2);
    fake.emit('b', text(0));
    fake.emit('c', settled);
    fake.emit('a', settled);
    await tab.frame((frame) => frame.type === 'facts' && frame.seq === 251);

    const frames = tab.frames.filter(isType('facts')) as FactsFrame[];
    let place = 0;
    for (const frame of frames.filter(({ session }) => session === 'a')) {
      expect(frame.prev).toBe(place);
      place = frame.seq;
    }
    expect(frames.filter(({ session }) => session === 'b')).toMatchObject([{ prev: 0, seq: 1, facts: [] }]);
    expect(frames.some(({ session }) => session === 'c')).toBe(false);
    tab.say({ type: 'unsubscribe', session: 'a' });
    await until(() => fake.counts().subscribers === 1);
  });

  it('gives two tabs equal sequences (C12)', async () => {
    const { port, fake } = await serve();
    fake.add('s');
    const tabs = await Promise.all([openTab(port), openTab(port)]);
    for (const tab of tabs) tab.say({ type: 'subscribe', session: 's', after: 'E1.0' });
    await until(() => fake.counts().subscribers === 2);
    for (let n = 0; n < 50; n += 1) fake.emit('s', text(n));
    for (const tab of tabs) await tab.frame((frame) => frame.type === 'facts' && frame.seq === 50);
    const [one, two] = tabs.map((tab) => tab.frames.filter(isType('facts')));
    expect(one).toEqual(two);
    expect(one).toHaveLength(50);
  });

  it('replaces a subscription that is asked for again, and never delivers twice', async () => {
    const { port, fake } = await serve();
    fake.add('s');
    const tab = await openTab(port);
    for (let n = 0; n < 3; n += 1) tab.say({ type: 'subscribe', session: 's', after: 'E1.0' });
    tab.say({ type: 'ping' });
    await tab.frame(isType('pong'));
    await until(() => fake.counts().subscribers === 1);
    fake.emit('s', settled);
    await tab.frame(isType('facts'));
    tab.say({ type: 'unsubscribe', session: 's' });
    await until(() => fake.counts().subscribers === 0);
    expect(tab.frames.filter(isType('facts'))).toHaveLength(1);
  });

  it('answers what cannot be followed with an error that names the session', async () => {
    const { port, fake } = await serve();
    fake.add('s');
    const tab = await openTab(port);
    tab.say({ type: 'subscribe', session: 'none' });
    tab.say({ type: 'subscribe', session: 's', after: 'nonsense' });
    await tab.frame(
      (frame) => frame.type === 'error' && frame.code === 'session.unknown' && frame.session === 'none',
    );
    await tab.frame(
      (frame) => frame.type === 'error' && frame.code === 'cursor.malformed' && frame.session === 's',
    );
    tab.say({ type: 'subscribe', session: 's', after: 'OLD.1' });
    expect(await tab.frame(isType('resync'))).toEqual({ type: 'resync', session: 's', reason: 'epoch' });
    expect(fake.counts().subscribers).toBe(0);
  });

  it('joins summaries to one frame in 100 ms', async () => {
    const { port, fake, clock } = await serve();
    for (const id of ['a', 'b']) fake.add(id);
    const tab = await openTab(port);
    fake.summarize('a');
    await tab.frame(isType('sessions'));
    fake.summarize('a');
    fake.summarize('b');
    fake.summarize('a');
    clock.increment(99);
    tab.say({ type: 'ping' });
    await tab.frame(isType('pong'));
    expect(tab.frames.filter(isType('sessions'))).toHaveLength(1);
    clock.increment(1);
    const joined = await tab.frame((frame) => frame.type === 'sessions' && frame.changed.length === 2);
    expect(joined).toMatchObject({ changed: [{ id: 'a' }, { id: 'b' }], removed: [] });
  });

  it('caps a tab that does not read: its subscriptions get resync and are dropped, others go on (C14)', async () => {
    const { port, fake, live } = await serve();
    for (const id of ['s', 'other']) fake.add(id);
    const [slow, quick] = await Promise.all([openTab(port), openTab(port)]);
    for (const session of ['s', 'other']) slow.say({ type: 'subscribe', session, after: 'E1.0' });
    quick.say({ type: 'subscribe', session: 's', after: 'E1.0' });
    await until(() => fake.counts().subscribers === 3);
    slow.socket.pause();
    const big = 'x'.repeat(200_000);
    let sent = 0;
    while (fake.counts().subscribers === 3 && sent < 500) {
      fake.emit('s', text(sent, big));
      sent += 1;
      const seq = sent;
      await quick.frame((frame) => frame.type === 'facts' && frame.seq === seq);
    }
    expect(live.counts()).toEqual({ sockets: 2, subscriptions: 1 });
    slow.socket.resume();
    await slow.frame(
      (frame) => frame.type === 'resync' && frame.session === 'other' && frame.reason === 'slow',
    );
    await slow.frame((frame) => frame.type === 'resync' && frame.session === 's' && frame.reason === 'slow');
    fake.emit('s', settled);
    await quick.frame((frame) => frame.type === 'facts' && frame.seq === sent + 1);
    expect(slow.frames.some((frame) => frame.type === 'facts' && frame.seq > sent)).toBe(false);

    slow.say({ type: 'subscribe', session: 's', after: `E1.${sent}` });
    await slow.frame((frame) => frame.type === 'facts' && frame.seq === sent + 1);
  });

  it('reads a long log at the pace of its reader, without a resync', async () => {
    const { port, fake } = await serve();
    fake.add('s');
    const big = 'x'.repeat(20_000);
    for (let n = 0; n < 1_000; n += 1) fake.emit('s', text(n, big));
    const tab = await openTab(port);
    tab.say({ type: 'subscribe', session: 's', after: 'E1.0' });
    await tab.frame((frame) => frame.type === 'facts' && frame.seq === 1_000);
    expect(tab.frames.some(isType('resync'))).toBe(false);
  });

  it('answers malformed frames with an error, and closes on the tenth', async () => {
    const { port } = await serve();
    const tab = await openTab(port);
    for (const frame of ['{', '7', '{"type":"subscribe"}', '{"type":"other"}']) tab.socket.send(frame);
    tab.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    await until(() => tab.frames.filter(isType('error')).length === 5);
    expect(tab.socket.readyState).toBe(tab.socket.OPEN);
    for (let n = 0; n < 5; n += 1) tab.socket.send('{');
    expect(await tab.closed).toEqual({ code: 1008, reason: 'too many malformed frames' });
  });

  it('ends a peer that answers no ping', async () => {
    const { port, clock, fake, live } = await serve({ heartbeatMs: 5_000 });
    fake.add('s');
    const tab = await openTab(port);
    tab.say({ type: 'subscribe', session: 's' });
    await until(() => fake.counts().subscribers === 1);
    tab.socket.pause();
    clock.increment(5_000);
    clock.increment(5_000);
    await until(() => live.counts().sockets === 0);
    expect(fake.counts()).toMatchObject({ subscribers: 0, watchers: 0 });
  });

  it('leaves nothing behind after 100 tabs were opened and closed (C15)', async () => {
    const { port, fake, live } = await serve();
    fake.add('s');
    for (let n = 0; n < 100; n += 1) {
      const tab = await openTab(port);
      tab.say({ type: 'subscribe', session: 's', after: 'E1.0' });
      // Half of them leave before the answer.
      if (n % 2 === 0) await tab.frame(isType('subscribed'));
      if (n % 3 === 0) tab.socket.terminate();
      else tab.socket.close();
      await tab.closed;
    }
    await until(() => live.counts().sockets === 0);
    expect(live.counts()).toEqual({ sockets: 0, subscriptions: 0 });
    await until(() => fake.counts().subscribers === 0);
    expect(fake.counts()).toEqual({ subscribers: 0, watchers: 0, inspectors: 0 });
  });

  it('ends its sockets and streams when the server closes', async () => {
    const server = await serve();
    server.fake.add('s');
    const tab = await openTab(server.port);
    const stream = await server.call('/api/sessions/s/events');
    await server.close();
    expect(await tab.closed).toMatchObject({ code: 1001 });
    await stream.text();
    expect(server.fake.counts()).toEqual({ subscribers: 0, watchers: 0, inspectors: 0 });
  });
});
