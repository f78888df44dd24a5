import { expect, it, onTestFinished } from 'vitest';
import type { Fact } from '../../src/wire/facts.ts';
import type { SessionSnapshot, SessionSummary } from '../../src/wire/snapshot.ts';
import { Double } from '../support/acp-double.ts';
import { violations } from '../support/invariants.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { doubleSettings } from '../support/real-agents.ts';

it('a gateway that is killed while it imports leaves the session whole or not at all, and the same request makes it (I1, I7, I9, A8)', {
  timeout: 60_000,
}, async () => {
  const double = new Double();
  onTestFinished(() => double.remove());
  const gateway = new GatewayProcess(['--settings', doubleSettings(double, { continues: 'load' })]);
  onTestFinished(() => gateway.remove());
  await gateway.start();
  const said = Array.from({ length: 200 }, (_, n) => [
    { role: 'user', text: `Question ${n}` },
    { role: 'agent', text: `Answer ${n}. ${'word '.repeat(200)}` },
  ]).flat();
  double.plant('old', { cwd: gateway.root, said });
  const body = { id: 's', agent: 'double', continue: 'old' };
  const create = () => gateway.call<SessionSnapshot>('POST', '/api/sessions', body);
  for (const point of ['start', 'load'] as const) {
    const before = double.noted(point).length;
    const lost = create().catch(() => 'lost');
    await expect.poll(() => double.noted(point).length, { timeout: 10_000 }).toBeGreaterThan(before);
    await gateway.end('SIGKILL');
    expect(await lost).toBe('lost');
    await gateway.start();
    const { sessions } = await gateway.call<{ sessions: SessionSummary[] }>('GET', '/api/sessions');
    expect(sessions.map(({ id, state }) => [id, state])).toEqual([]);
  }
  const { cursor } = await create();
  // Once more, after its answer was lost: a crash right behind the commit.
  await gateway.end('SIGKILL');
  await gateway.start();
  expect((await create()).cursor).toBe(cursor);
  const { turns } = await gateway.call<{ turns: readonly object[] }>(
    'GET',
    '/api/sessions/s/turns?limit=200',
  );
  expect(turns).toHaveLength(200);
  const facts: Fact[] = [];
  const over = new AbortController();
  const end = Number(cursor.split('.')[1]);
  for await (const fact of gateway.events('s', `${cursor.split('.')[0]}.0`, over.signal)) {
    facts.push(fact);
    if (fact.seq === end) break;
  }
  over.abort();
  expect(violations(facts)).toEqual([]);
});
