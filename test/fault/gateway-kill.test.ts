import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { script } from '../support/local-gateway.ts';
import { GatewayProcess } from '../support/process-gateway.ts';

let gateway: GatewayProcess;
beforeEach(async () => {
  gateway = new GatewayProcess();
  await gateway.start();
});
afterEach(async () => {
  await gateway.remove();
});

const create = (id: string) =>
  gateway.call<SessionSnapshot>('POST', '/api/sessions', { id, agent: 'builtin' });
const snapshot = (id: string) => gateway.call<SessionSnapshot>('GET', `/api/sessions/${id}`);
const send = (id: string, body: unknown) =>
  gateway.call<{ turn: string; job: string }>('POST', `/api/sessions/${id}/messages`, body);
const tokens = (count: number, prefix = 't') => [{ tokens: { count, every: 2, prefix } }];

/** Reads until the fact that fits, or until the connection is cut. */
async function read(
  session: string,
  after: string | undefined,
  fits: (fact: Fact) => boolean,
): Promise<Fact[]> {
  const facts: Fact[] = [];
  const abort = new AbortController();
  try {
    for await (const fact of gateway.events(session, after, abort.signal)) {
      facts.push(fact);
      if (fits(fact)) break;
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  abort.abort();
  return facts;
}

/** Resolves when the session's snapshot fits; polls the API as a client would. */
async function until(
  session: string,
  fits: (snapshot: SessionSnapshot) => boolean,
): Promise<SessionSnapshot> {
  for (;;) {
    const now = await snapshot(session);
    if (fits(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a gateway that is killed with SIGKILL', () => {
  it('keeps what any reader saw, and ends each open turn once as interrupted (I1, I7, D4)', async () => {
    const ids = ['a', 'b', 'c'];
    const seen = await Promise.all(
      ids.map(async (id, i) => {
        const { cursor } = await create(id);
        await send(id, script(`m-${id}`, tokens(5_000, id)));
        let count = 0;
        return read(id, cursor, () => ++count > 10 + i * 10);
      }),
    );
    await gateway.end('SIGKILL');
    await gateway.start();
    for (const [i, id] of ids.entries()) {
      const all = await read(id, `${seen[i]?.[0]?.epoch}.0`, (fact) => fact.type === 'queue.held');
      const bySeq = new Map(all.map((fact) => [fact.seq, fact]));
      expect(all.map((fact) => fact.seq)).toEqual(all.map((_, at) => at + 1));
      for (const fact of seen[i] ?? []) expect(bySeq.get(fact.seq)).toEqual(fact);
      const now = await snapshot(id);
      expect(now.state).toBe('failed');
      expect(now.turns).toHaveLength(1);
      expect(now.turns[0]).toMatchObject({ outcome: 'interrupted' });
      expect(now.turns).toEqual(foldAll(all));
      expect(all.filter((fact) => fact.type === 'turn.ended')).toHaveLength(1);
      // The next message goes its way (C41).
      await send(id, script(`n-${id}`, [{ text: 'again' }]));
      const after = await until(id, (s) => s.state === 'finalized');
      expect(after.turns[1]?.parts[0]).toMatchObject({ text: 'again' });
    }
  });

  it('joins a job again whose process went on, and brings the whole of its text once', async () => {
    await create('a');
    const { job } = await send('a', {
      id: 'm1',
      content: [{ type: 'text', text: 'survive 3' }],
      delivery: 'background',
    });
    await until(job, (s) => (s.turns[0]?.parts.length ?? 0) > 0);
    await gateway.end('SIGKILL');
    await gateway.start();
    const done = await until(job, (s) => s.turns[0]?.outcome !== undefined);
    expect(done.turns[0]?.outcome).toBe('finalized');
    const facts = await read(job, `${done.cursor.split('.')[0]}.0`, (fact) => fact.type === 'turn.ended');
    expect(facts.some((fact) => fact.type === 'turn.watching' && fact.mode === 'poll')).toBe(true);
    expect(facts.filter((fact) => fact.type === 'turn.started')).toHaveLength(1);
    expect(foldAll(facts)).toEqual(done.turns);
    const parent = await until('a', (s) => s.jobs.every((j) => j.outcome !== undefined));
    expect(parent.jobs[0]?.outcome).toBe('finalized');
  });
});

describe('a gateway that is asked to end', () => {
  it('marks its open turns before it goes, and exits with 0', async () => {
    await create('a');
    await send('a', script('m1', tokens(5_000)));
    await until('a', (s) => (s.turns[0]?.parts.length ?? 0) > 0);
    expect(await gateway.end('SIGINT')).toBe(0);
    await gateway.start();
    const { turns, state } = await snapshot('a');
    expect([state, turns[0]?.outcome]).toEqual(['failed', 'interrupted']);
    expect(turns[0]?.error?.message).toContain('stopped');
  });

  it('refuses a second start on the same data with the address of the first', async () => {
    const second = new GatewayProcess(['--data', gateway.data]);
    await expect(second.start()).rejects.toThrow(gateway.url);
    await second.remove();
  });
});
