import { randomUUID } from 'node:crypto';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { Double, openGate, play } from '../support/acp-double.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { livingWith } from '../support/processes.ts';
import { doubleSettings } from '../support/real-agents.ts';
import { factsOf, snapshotOf, until, wrongWith } from '../support/real-logs.ts';

// Real processes on a machine that may be busy: a bound for what never comes, not a measure.
vi.setConfig({ testTimeout: Number(process.env.SLUICE_PATIENCE_MS ?? 120_000) });

const marks = [randomUUID(), randomUUID()] as const;
let double: Double;
let first: GatewayProcess;
let second: GatewayProcess;

beforeEach(async () => {
  double = new Double();
  const flags = ['--settings', doubleSettings(double)];
  first = new GatewayProcess(flags, { FAULT_RUN: marks[0] });
  await first.start();
  // A data directory of its own, so that the lock does not refuse it, and the other's log in it.
  second = new GatewayProcess([...flags, '--root', first.root], { FAULT_RUN: marks[1] });
  mkdirSync(second.data, { recursive: true });
  symlinkSync(join(first.data, 'log.db'), join(second.data, 'log.db'));
});
afterEach(async () => {
  await first.remove();
  await second.remove();
  for (const { pid } of marks.flatMap((mark) => livingWith('FAULT_RUN', mark))) process.kill(pid, 'SIGKILL');
  double.remove();
});

const talk = (count: number) =>
  Array.from({ length: count }, (_, i) => [{ text: `@a@${i} ` }, { wait: 20 }]).flat();

it('two gateways on one log, one of which is writing: whoever comes second to a place is fenced, and the turn ends once (I1, I2)', {
  timeout: 60_000,
}, async () => {
  await first.call('POST', '/api/sessions', { id: 'a', agent: 'double' });
  await first.call('POST', '/api/sessions/a/messages', play('m1', talk(150)));
  await until(first, 'a', (now) => (now.turns[0]?.parts.length ?? 0) > 0);
  const start = await snapshotOf(first, 'a');
  await second.start();
  // Both read the log anew when they are asked after they were fenced.
  const ended = await until(first, 'a', (now) => now.turns[0]?.outcome !== undefined);
  expect(['finalized', 'interrupted']).toContain(ended.turns[0]?.outcome);
  const facts = await factsOf(first, 'a');
  expect(facts.filter((fact) => fact.type === 'turn.ended')).toHaveLength(1);
  expect(await wrongWith(first, 'a', 'a', { start, facts: [] })).toEqual([]);
  await expect
    .poll(() => livingWith('FAULT_RUN', marks[1]).filter(({ pid }) => pid !== second.pid))
    .toEqual([]);
});

it('two gateways on one log: the one that comes too late is fenced, stops its agent, and writes nothing more (I1, I2, I9)', async () => {
  await first.call('POST', '/api/sessions', { id: 'a', agent: 'double' });
  const steps = [{ text: '@a@' }, { gate: { file: 'go' } }, ...talk(400)];
  await first.call('POST', '/api/sessions/a/messages', play('m1', steps));
  await until(first, 'a', (now) => (now.turns[0]?.parts.length ?? 0) > 0);
  const seen = await snapshotOf(first, 'a');

  // The second finds an open turn that nobody seems to run, and ends it.
  await second.start();
  const ended = await until(second, 'a', (now) => now.state === 'failed');
  expect(ended.turns[0]?.outcome).toBe('interrupted');
  openGate(first.root, 'go');

  // The first meets another writer at its next append: its agent is gone, its session is read anew from the log.
  await expect
    .poll(() => livingWith('FAULT_RUN', marks[0]).filter(({ pid }) => pid !== first.pid))
    .toEqual([]);
  const same = await until(first, 'a', (now) => now.state === 'failed');
  expect(same.turns).toEqual(ended.turns);
  const facts = await factsOf(first, 'a');
  expect(facts.filter((fact) => fact.type === 'turn.ended')).toHaveLength(1);
  expect(await wrongWith(second, 'a', 'a', { start: seen, facts: [] })).toEqual([]);

  // From now on both write in turn: whoever is behind is refused, reads again, and never writes over the other.
  const answers = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) => {
      const gateway = i % 2 === 0 ? first : second;
      const body = play(`both-${i}`, [{ text: '@a@' }]);
      return gateway.call<SessionSnapshot>('POST', '/api/sessions/a/messages', body);
    }),
  );
  const taken = answers.flatMap((answer, i) => (answer.status === 'fulfilled' ? [`both-${i}`] : []));
  expect(taken.length).toBeGreaterThan(0);
  // What is left open by the one that was fenced is put in order by the next start.
  await first.end('SIGKILL');
  await second.end('SIGKILL');
  await first.start();
  expect(await wrongWith(first, 'a', 'a')).toEqual([]);
  const all = await factsOf(first, 'a');
  const messages = all.flatMap((fact) =>
    fact.type === 'turn.started' || fact.type === 'queue.added' ? [fact.message?.id] : [],
  );
  for (const id of taken) expect(messages).toContain(id);
});
