import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SendAnswer } from '../../src/wire/requests.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { Double, openGate, play } from '../support/acp-double.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { doubleSettings } from '../support/real-agents.ts';
import { snapshotOf, until, wrongWith } from '../support/real-logs.ts';

// Real processes on a machine that may be busy: a bound for what never comes, not a measure.
vi.setConfig({ testTimeout: Number(process.env.SLUICE_PATIENCE_MS ?? 120_000) });

/** The rules of order, met by a real agent process over the API of a real gateway. */
let gateway: GatewayProcess;
let double: Double;
beforeEach(async () => {
  double = new Double();
  gateway = new GatewayProcess(['--settings', doubleSettings(double)]);
  await gateway.start();
  await gateway.call('POST', '/api/sessions', { id: 'a', agent: 'double' });
});
afterEach(async () => {
  await gateway.remove();
  double.remove();
});

const send = (id: string, steps: Parameters<typeof play>[1], delivery?: 'steer') =>
  gateway.call<SendAnswer>('POST', '/api/sessions/a/messages', {
    ...play(id, steps),
    ...(delivery && { delivery }),
  });
const stop = (body: object) => gateway.call<{ state: string }>('POST', '/api/sessions/a/stop', body);
const resume = () => gateway.call('POST', '/api/sessions/a/resume');
const edit = (body: object) => gateway.call('PATCH', '/api/sessions/a/queue', body);
const refused = (call: Promise<unknown>) =>
  call.then(
    () => 'taken',
    (error: { status: number; text: string }) => `${error.status} ${JSON.parse(error.text).code}`,
  );
const now = () => snapshotOf(gateway, 'a');
const reaches = (fits: (snapshot: SessionSnapshot) => boolean) => until(gateway, 'a', fits);
const begun = (turns: number) =>
  reaches((s) => s.turns.length === turns && (s.turns.at(-1)?.parts.length ?? 0) > 0);
const order = (s: SessionSnapshot) => s.turns.map((turn) => turn.message?.id);
const waiting = (s: SessionSnapshot) => s.queue.messages.map((q) => q.message.id);
const sayAndWait = (file: string) => [{ text: '@a@' }, { gate: { file } }];
/** Each prompt that reached the agent, by the word that it carries. */
const prompts = () => double.noted('prompt').map((noted) => /#(\w+)/.exec(JSON.stringify(noted))?.[1]);
const says = (word: string) => [{ text: `@a@ #${word}` }];

describe('order, with a real agent', () => {
  it('the queue goes on one by one, in its order, each after the end before it (I3, C46)', async () => {
    await send('m1', sayAndWait('go'));
    for (const id of ['m2', 'm3', 'm4']) expect((await send(id, says(id))).outcome).toBe('queued');
    await begun(1);
    const { queue } = await now();
    expect(queue.messages.map((q) => q.message.id)).toEqual(['m2', 'm3', 'm4']);
    await edit({ revision: queue.revision, move: { message: 'm4', to: 0 } });
    // Whoever saw an older queue is told so.
    expect(await refused(edit({ revision: queue.revision, remove: { message: 'm2' } }))).toBe(
      '409 queue.stale',
    );
    openGate(gateway.root, 'go');
    const done = await reaches((s) => s.turns.length === 4 && s.state === 'finalized');
    expect(order(done)).toEqual(['m1', 'm4', 'm2', 'm3']);
    expect(prompts().slice(1)).toEqual(['m4', 'm2', 'm3']);
    expect(double.noted('overlap')).toEqual([]);
    expect(await wrongWith(gateway, 'a', 'a')).toEqual([]);
  });

  it('a stop holds the queue until it is resumed, and a second one is not passed on (I4, I5, C42)', async () => {
    const { turn } = await send('m1', [
      { text: '@a@' },
      { permission: 'p1', tool: 't1' },
      { text: '@a@ late' },
    ]);
    await send('m2', says('m2'));
    await send('m3', says('m3'));
    await reaches((s) => s.permissions.length === 1);
    // Those that come too late are refused.
    await Promise.allSettled([stop({ turn }), stop({ turn }), stop({ message: 'm1' })]);
    const stopped = await reaches((s) => s.state === 'cancelled');
    expect([stopped.turns.length, stopped.queue.held, waiting(stopped), stopped.permissions]).toEqual([
      1,
      true,
      ['m2', 'm3'],
      [],
    ]);
    expect(double.noted('cancel')).toHaveLength(1);
    // Too late: it says so, and what runs now.
    expect(await refused(stop({ turn }))).toBe('409 turn.over');
    // A message that overtakes a held queue is the user's own.
    expect((await send('m4', says('m4'))).outcome).toBe('started');
    const after = await reaches((s) => s.turns.length === 2 && s.state === 'finalized');
    expect(waiting(after)).toEqual(['m2', 'm3']);
    await resume();
    const done = await reaches((s) => s.turns.length === 4 && s.state === 'finalized');
    expect(order(done)).toEqual(['m1', 'm4', 'm2', 'm3']);
    expect(await wrongWith(gateway, 'a', 'a')).toEqual([]);
  });

  it('a stop of a message that waits stops no turn, and nothing starts by itself after it (I3, I4)', async () => {
    await send('m1', sayAndWait('go'));
    await send('m2', says('m2'));
    await begun(1);
    expect((await stop({ message: 'm2' })).state).toBe('streaming');
    openGate(gateway.root, 'go');
    const rests = await reaches((s) => s.state === 'finalized');
    expect([order(rests), rests.queue.held, waiting(rests)]).toEqual([['m1'], true, ['m2']]);
    await resume();
    const done = await reaches((s) => s.turns.length === 2 && s.state === 'finalized');
    expect(order(done)).toEqual(['m1', 'm2']);
    expect(double.noted('cancel')).toEqual([]);
    expect(await wrongWith(gateway, 'a', 'a')).toEqual([]);
  });

  it('a failed turn holds the queue, and is tried again as a turn of its own (I1, I3, I9)', async () => {
    const { turn } = await send('m1', [
      { text: '@a@' },
      { tool: 't1' },
      { gate: { file: 'go' } },
      { fail: 'no' },
    ]);
    await send('m2', says('m2'));
    await begun(1);
    openGate(gateway.root, 'go');
    const failed = await reaches((s) => s.state === 'failed');
    expect([failed.turns.length, failed.queue.held, waiting(failed)]).toEqual([1, true, ['m2']]);
    const again = await gateway.call<{ turn: string }>('POST', '/api/sessions/a/retry', { turn });
    expect(again.turn).not.toBe(turn);
    const twice = await reaches((s) => s.turns.length === 2 && s.state === 'failed');
    expect(twice.turns[1]).toMatchObject({ retryOf: turn, outcome: 'failed' });
    expect(await refused(gateway.call('POST', '/api/sessions/a/retry', { turn }))).toBe('409 turn.not_last');
    await resume();
    const done = await reaches((s) => s.state === 'finalized');
    expect(order(done).at(-1)).toBe('m2');
    expect(await wrongWith(gateway, 'a', 'a')).toEqual([]);
  });

  it('guidance that the agent cannot take goes first, in its own order (D2)', async () => {
    await send('m1', sayAndWait('go'));
    await begun(1);
    await send('m2', says('m2'));
    await send('s1', says('s1'), 'steer');
    await send('s2', says('s2'), 'steer');
    expect(waiting(await now())).toEqual(['s1', 's2', 'm2']);
    openGate(gateway.root, 'go');
    const done = await reaches((s) => s.turns.length === 4 && s.state === 'finalized');
    expect(order(done)).toEqual(['m1', 's1', 's2', 'm2']);
    expect(await wrongWith(gateway, 'a', 'a')).toEqual([]);
  });

  it('an agent that ignores the stop is killed within its bound, and the turn ends cancelled (I4, I5, I12)', async () => {
    const { turn } = await send('m1', [{ tool: 't1' }, { stubborn: true }, { text: '@a@' }, { hang: true }]);
    await reaches((s) => (s.turns[0]?.parts.length ?? 0) > 1);
    const agent = double.noted('prompt')[0]?.pid ?? 0;
    // Each press is answered, and the agent hears of one.
    for (let press = 0; press < 3; press++) expect((await stop({ turn })).state).toBe('cancelling');
    const done = await reaches((s) => s.state === 'cancelled');
    expect(double.noted('cancel')).toHaveLength(1);
    expect(done.turns[0]).toMatchObject({ outcome: 'cancelled', stopping: expect.any(String) });
    expect(() => process.kill(agent, 0)).toThrow('ESRCH');
    expect((await send('m2', says('m2'))).outcome).toBe('started');
    await reaches((s) => s.state === 'finalized');
    expect(await wrongWith(gateway, 'a', 'a')).toEqual([]);
  });
});
