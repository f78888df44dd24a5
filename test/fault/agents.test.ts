import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { Double, openGate, play } from '../support/acp-double.ts';
import { script } from '../support/local-gateway.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { livingWith } from '../support/processes.ts';
import { doubleSettings } from '../support/real-agents.ts';
import { until, wrongWith } from '../support/real-logs.ts';

// Real processes on a machine that may be busy: a bound for what never comes, not a measure.
vi.setConfig({ testTimeout: 120_000 });

const mark = randomUUID();
let gateway: GatewayProcess;
let double: Double;

beforeEach(async () => {
  double = new Double();
  gateway = new GatewayProcess(['--settings', doubleSettings(double)], { FAULT_RUN: mark });
  await gateway.start();
});
afterEach(async () => {
  await gateway.remove();
  for (const { pid } of livingWith('FAULT_RUN', mark)) process.kill(pid, 'SIGKILL');
  double.remove();
});

const create = (id: string, agent = 'double') =>
  gateway.call<SessionSnapshot>('POST', '/api/sessions', { id, agent });
const send = (id: string, body: unknown) =>
  gateway.call<{ turn: string; job: string }>('POST', `/api/sessions/${id}/messages`, body);
const agents = () => livingWith('FAULT_RUN', mark).filter(({ pid }) => pid !== gateway.pid);

describe('an agent process that is killed', () => {
  it('fails its own turn with a reason, harms no other, and is there for the next message (I1, I8, I12, I13, C41)', async () => {
    await create('a');
    await create('b');
    await send('a', play('a1', [{ text: '@a@' }, { tool: 't1' }, { hang: true }]));
    await send('a', play('a2', [{ text: '@a@ never' }]));
    await send('b', play('b1', [{ text: '@b@' }, { gate: { file: 'go' } }, { text: '@b@ done' }]));
    await until(gateway, 'a', (now) => now.turns[0]?.parts.some((part) => part.type === 'tool') === true);
    await until(gateway, 'b', (now) => (now.turns[0]?.parts.length ?? 0) > 0);
    const killed = double.noted('prompt').find((noted) => JSON.stringify(noted).includes('@a@'))?.pid ?? 0;
    process.kill(killed, 'SIGKILL');
    const failed = await until(gateway, 'a', (now) => now.state === 'failed');
    expect(failed.turns[0]?.error?.message).toMatch(/ended|gone|stopped/i);
    expect(failed.queue).toMatchObject({ held: true, messages: [{ message: { id: 'a2' } }] });
    openGate(gateway.root, 'go');
    const other = await until(gateway, 'b', (now) => now.state === 'finalized');
    expect(other.turns[0]?.outcome).toBe('finalized');
    await gateway.call('POST', '/api/sessions/a/resume');
    const again = await until(gateway, 'a', (now) => now.state === 'finalized');
    expect(again.turns).toHaveLength(2);
    for (const id of ['a', 'b']) expect(await wrongWith(gateway, id, id)).toEqual([]);
    expect(agents().some(({ pid }) => pid === killed)).toBe(false);
  });
});

describe('an agent process that outlives its gateway', () => {
  it('is ended by the next gateway when it was not meant to, and its turn is interrupted (I1, D4)', async () => {
    await create('a');
    await send('a', play('a1', [{ text: '@a@' }, { stubborn: true }, { leave: true }, { hang: true }]));
    await until(gateway, 'a', (now) => (now.turns[0]?.parts.length ?? 0) > 0);
    await expect.poll(() => agents().some(({ command }) => command.startsWith('sleep'))).toBe(true);
    await gateway.end('SIGKILL');
    expect(agents().length).toBeGreaterThan(0);
    await gateway.start();
    expect(agents()).toEqual([]);
    const now = await until(gateway, 'a', ({ state }) => state === 'failed');
    expect(now.turns[0]?.outcome).toBe('interrupted');
    expect(await wrongWith(gateway, 'a', 'a')).toEqual([]);
  });

  it('is joined again when it was meant to, and what it said meanwhile comes once, to its job alone (I1, I6, I14)', async () => {
    await create('a', 'builtin');
    const steps = [{ text: '@a@ one ' }, { gate: { file: 'go' } }, { text: '@a@ two' }];
    const { job } = await send('a', { ...script('j', [{ survive: steps }]), delivery: 'background' });
    await until(gateway, job, (now) => (now.turns[0]?.parts.length ?? 0) > 0);
    await gateway.end('SIGKILL');
    expect(agents()).toHaveLength(1);
    // It speaks its last word while no gateway runs.
    openGate(gateway.root, 'go');
    await expect.poll(() => agents()).toEqual([]);
    await gateway.start();
    const done = await until(gateway, job, (now) => now.turns[0]?.outcome !== undefined);
    expect(done.turns[0]).toMatchObject({ outcome: 'finalized', parts: [{ text: '@a@ one @a@ two' }] });
    const parent = await until(gateway, 'a', (now) => now.jobs.every((one) => one.outcome));
    expect([parent.turns, parent.jobs[0]?.outcome]).toEqual([[], 'finalized']);
    for (const id of ['a', job]) expect(await wrongWith(gateway, id, 'a')).toEqual([]);
  });
});
