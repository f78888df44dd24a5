import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Double, play } from '../support/acp-double.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { doubleSettings } from '../support/real-agents.ts';
import { factsOf, snapshotOf, until, wrongWith } from '../support/real-logs.ts';

// Real processes on a machine that may be busy: a bound for what never comes, not a measure.
vi.setConfig({ testTimeout: Number(process.env.SLUICE_PATIENCE_MS ?? 120_000) });

function canLimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return process.platform === 'linux';
  } catch {
    return false;
  }
}

let gateway: GatewayProcess;
let double: Double;

beforeEach(async () => {
  double = new Double();
  gateway = new GatewayProcess(['--settings', doubleSettings(double)]);
  await gateway.start();
});
afterEach(async () => {
  await gateway.remove();
  double.remove();
});

/** No file of the gateway may grow any more; what is open and what reads goes on. */
const fill = () => execFileSync('prlimit', ['--pid', String(gateway.pid), '--fsize=1:']);
const empty = () => execFileSync('prlimit', ['--pid', String(gateway.pid), '--fsize=unlimited:']);
const status = (call: Promise<unknown>) =>
  call.then(
    () => 'taken',
    (error: { status?: number; text?: string }) => `${error.status} ${JSON.parse(error.text ?? '{}').code}`,
  );

describe.runIf(canLimit())('a full disk while agents stream', () => {
  const talk = (name: string) =>
    Array.from({ length: 2_000 }, (_, i) => [{ text: `@${name}@${i} ` }, { wait: 10 }]);

  it('refuses what must be written, stops what is told to stop, and goes on when there is room (I4, I5, I6, I7, I13)', async () => {
    for (const id of ['a', 'b']) {
      await gateway.call('POST', '/api/sessions', { id, agent: 'double' });
      await gateway.call('POST', `/api/sessions/${id}/messages`, play(`${id}1`, talk(id).flat()));
      await until(gateway, id, (now) => (now.turns[0]?.parts.length ?? 0) > 0);
    }
    const start = await snapshotOf(gateway, 'a');
    fill();
    const blocked = await until(gateway, 'a', (now) => now.reason?.includes('Log unavailable') === true);
    expect(blocked.turns[0]?.outcome).toBeUndefined();
    expect(
      await status(gateway.call('POST', '/api/sessions/a/messages', play('a2', [{ text: '@a@ no' }]))),
    ).toBe('503 log.unavailable');
    // The stop is not in the log, and yet it reaches the agent.
    const { turns } = await snapshotOf(gateway, 'a');
    expect(await status(gateway.call('POST', '/api/sessions/a/stop', { turn: turns[0]?.id }))).toBe(
      '503 log.unavailable',
    );
    await expect.poll(() => double.noted('cancel').length).toBe(1);
    expect((await snapshotOf(gateway, 'a')).turns[0]?.outcome).toBeUndefined();

    empty();
    const stopped = await until(gateway, 'a', (now) => now.turns[0]?.outcome !== undefined);
    expect([stopped.state, stopped.turns[0]?.outcome, stopped.queue.held]).toEqual([
      'cancelled',
      'cancelled',
      true,
    ]);
    // The log says that it was stopped, and not only that it ended.
    const types = (await factsOf(gateway, 'a')).map((fact) => fact.type);
    expect(types.slice(types.indexOf('turn.stopping'))).toEqual([
      'turn.stopping',
      'queue.held',
      'turn.ended',
    ]);
    const before = await snapshotOf(gateway, 'b');
    await until(gateway, 'b', (now) => now.cursor !== before.cursor);
    await gateway.call('POST', '/api/sessions/b/stop', { turn: before.turns[0]?.id });
    await until(gateway, 'b', (now) => now.state === 'cancelled');
    await gateway.call('POST', '/api/sessions/a/messages', play('a2', [{ text: '@a@ yes' }]));
    const after = await until(gateway, 'a', (now) => now.state === 'finalized');
    expect(after.turns[1]?.parts).toMatchObject([{ text: '@a@ yes' }]);
    expect(double.noted('cancel')).toHaveLength(2);
    expect(await wrongWith(gateway, 'a', 'a', { start, facts: [] })).toEqual([]);
    expect(await wrongWith(gateway, 'b', 'b')).toEqual([]);
    expect(await gateway.end('SIGTERM')).toBe(0);
  });
});
