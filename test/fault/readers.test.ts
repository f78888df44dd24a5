import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fact } from '../../src/wire/facts.ts';
import type { ServerFrame } from '../../src/wire/live.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { openTab } from '../support/gateway-server.ts';
import { script } from '../support/local-gateway.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { actorsOf } from '../support/real-inspect.ts';
import { factsOf, snapshotOf, until, wrongWith } from '../support/real-logs.ts';

let gateway: GatewayProcess;
beforeEach(async () => {
  gateway = new GatewayProcess([], {}, { probe: true });
  await gateway.start();
});
afterEach(() => gateway.remove());

const create = (id: string) =>
  gateway.call<SessionSnapshot>('POST', '/api/sessions', { id, agent: 'builtin' });
const send = (id: string, body: unknown) => gateway.call('POST', `/api/sessions/${id}/messages`, body);
const tab = () => openTab(Number(new URL(gateway.url).port), { authorization: `Bearer ${gateway.token}` });
type Tab = Awaited<ReturnType<typeof tab>>;
const factsIn = ({ frames }: Tab, session: string) =>
  frames.flatMap((frame) => (frame.type === 'facts' && frame.session === session ? frame.facts : []));
const isEnd = (frame: ServerFrame) =>
  frame.type === 'facts' && frame.facts.some((fact) => fact.type === 'turn.ended');
const count = (resources: readonly string[], name: string) =>
  resources.filter((resource) => resource === name).length;

describe('readers of a real gateway', () => {
  it('one that stops reading is capped and told to read again; others get every fact, and so does it in the end (I6, I8, I13)', {
    timeout: 120_000,
  }, async () => {
    const { cursor } = await create('a');
    const [slow, quick] = [await tab(), await tab()];
    for (const one of [slow, quick]) one.say({ type: 'subscribe', session: 'a', after: cursor });
    await slow.frame((frame) => frame.type === 'subscribed');
    slow.socket.pause();
    const before = (await gateway.probe({ collect: true })).heapBytes;
    // More than the cap and all buffers of the system between the two.
    const tokens = { count: 2_500, every: 1, prefix: '@a@'.padEnd(5_000, '.') };
    await send('a', script('m1', [{ tokens }]));
    await quick.frame(isEnd);
    const held = (await gateway.probe({ collect: true })).heapBytes - before;
    // The turn itself has 12 MB; a reader's cap is 2 MiB.
    expect(quick.frames.some((frame) => frame.type === 'resync')).toBe(false);
    expect(held).toBeLessThan(90e6);
    slow.socket.resume();
    const { reason } = await slow.frame<Extract<ServerFrame, { type: 'resync' }>>(
      (frame) => frame.type === 'resync',
    );
    expect(reason).toBe('slow');
    const facts = await factsOf(gateway, 'a');
    expect(factsIn(quick, 'a')).toEqual(facts.slice(1));
    // What the slow one has is a beginning of the log; it goes on from there.
    const has = factsIn(slow, 'a');
    expect(has).toEqual(facts.slice(1, 1 + has.length));
    expect(has.length).toBeLessThan(facts.length - 1);
    const last = has.at(-1) as Fact;
    slow.say({ type: 'subscribe', session: 'a', after: `${last.epoch}.${last.seq}` });
    await slow.frame(isEnd);
    expect(factsIn(slow, 'a')).toEqual(facts.slice(1));
    for (const one of [slow, quick]) one.socket.close();
  });

  it('1,000 subscriptions that come and go leave no actor, no handle and no memory behind', {
    timeout: 180_000,
  }, async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `s${i}`);
    for (const id of ids) {
      await create(id);
      await send(id, script(`m-${id}`, [{ text: `@${id}@` }]));
      await until(gateway, id, (now) => now.state === 'finalized');
    }
    const one = await tab();
    const comeAndGo = async (rounds: number) => {
      for (let round = 0; round < rounds; round++) {
        const id = ids[round % ids.length] as string;
        const seen = one.frames.length;
        one.say({ type: 'subscribe', session: id, after: '0.0' });
        await one.frame((frame) => one.frames.indexOf(frame) >= seen && frame.type === 'subscribed');
        one.say({ type: 'unsubscribe', session: id });
        one.frames.length = 0;
      }
    };
    // The first rounds fill what is kept on purpose.
    await comeAndGo(200);
    const before = await gateway.probe({ collect: true });
    const actors = await actorsOf(gateway, 's49');
    await comeAndGo(1_000);
    const after = await gateway.probe({ collect: true });
    expect(await actorsOf(gateway, 's49')).toEqual(actors);
    expect(actors).toMatchObject({ orchestrator: 1, conversation: 40, runner: 40 });
    expect(after.heapBytes / before.heapBytes).toBeLessThan(1.1);
    for (const name of ['TCPSocketWrap', 'Timeout'])
      expect(count(after.resources, name)).toBeLessThanOrEqual(count(before.resources, name));
    one.socket.close();

    // The same over server-sent events, each cut off by its reader.
    for (let round = 0; round < 100; round++) {
      const abort = new AbortController();
      const { cursor } = await snapshotOf(gateway, ids[round % 50] as string);
      const events = gateway.events(ids[round % 50] as string, `${cursor.split('.')[0]}.0`, abort.signal);
      await events.next();
      abort.abort();
      await events.next().catch(() => {});
    }
    // The gateway hears of the last end a moment later.
    await expect.poll(() => actorsOf(gateway, 's49')).toEqual(actors);
    // The test's own requests keep a connection or two.
    await expect
      .poll(async () => count((await gateway.probe()).resources, 'TCPSocketWrap'))
      .toBeLessThanOrEqual(count(before.resources, 'TCPSocketWrap'));
  });

  it('500 conversations that are opened in turn leave at most 40 idle actors, and each is as it was', {
    timeout: 180_000,
  }, async () => {
    const ids = Array.from({ length: 500 }, (_, i) => `c${i}`);
    for (const id of ids) {
      await create(id);
      await send(id, script(`m-${id}`, [{ text: `@${id}@` }]));
    }
    const one = await tab();
    for (const id of ids) {
      one.say({ type: 'subscribe', session: id, after: '0.0' });
      await one.frame((frame) => isEnd(frame) && 'session' in frame && frame.session === id);
      one.say({ type: 'unsubscribe', session: id });
      one.frames.length = 0;
    }
    expect(await actorsOf(gateway, 'c499')).toMatchObject({ orchestrator: 1, conversation: 40, runner: 40 });
    for (const id of ['c0', 'c1', 'c250', 'c498', 'c499']) {
      expect(await wrongWith(gateway, id, id)).toEqual([]);
      expect((await snapshotOf(gateway, id)).turns[0]).toMatchObject({
        outcome: 'finalized',
        parts: [{ text: `@${id}@` }],
      });
    }
    one.socket.close();
  });
});

describe('a half-open connection', () => {
  it('of a client that is stopped is given up after two missed beats, and costs nobody else anything (I8)', {
    timeout: 120_000,
  }, async () => {
    const { cursor } = await create('a');
    const program = resolve(import.meta.dirname, 'reader.program.ts');
    const args = ['--disable-warning=ExperimentalWarning', program, gateway.url, gateway.token, 'a', cursor];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const lines = createInterface({ input: child.stdout });
      const heard: string[] = [];
      lines.on('line', (line) => heard.push(line));
      await expect.poll(() => heard).toContain('subscribed');
      const other = await tab();
      other.say({ type: 'subscribe', session: 'a', after: cursor });
      await other.frame((frame) => frame.type === 'subscribed');
      child.kill('SIGSTOP');
      await send('a', script('m1', [{ tokens: { count: 500, every: 5, prefix: '@a@' } }]));
      await other.frame(isEnd);
      expect(factsIn(other, 'a')).toEqual((await factsOf(gateway, 'a')).slice(1));
      // Two beats of 15 s. What the test's own requests have left open goes too: the other tab is all that stays.
      await expect
        .poll(async () => count((await gateway.probe()).resources, 'TCPSocketWrap'), { timeout: 60_000 })
        .toBe(1);
      expect(other.socket.readyState).toBe(other.socket.OPEN);
      expect(heard).not.toContain('closed');
      child.kill('SIGCONT');
      await expect.poll(() => heard).toContain('closed');
      other.socket.close();
    } finally {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
  });
});
