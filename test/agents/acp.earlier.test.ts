import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AcpOptions } from '../../src/agents/acp/options.ts';
import { MemoryLog } from '../../src/gateway/log/memory.log.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { Double, type DoubleOptions } from '../support/acp-double.ts';
import { violations } from '../support/invariants.ts';
import { type Local, localGateway } from '../support/local-gateway.ts';

interface Past {
  readonly local: Local;
  readonly double: Double;
  /** The agent's own name for the session that it had with these messages. */
  readonly agentSession: string;
}

/** An agent with a session of its own from another time: of a gateway whose log is gone. */
async function past(
  options: DoubleOptions,
  messages: readonly string[] = ['What is two and two?'],
  acp: Partial<AcpOptions> = {},
): Promise<Past> {
  const double = new Double(options, {}, acp);
  onTestFinished(() => double.remove());
  const directory = mkdtempSync(join(tmpdir(), 'sluice-past-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const more = { connectors: [double.connector], roots: [directory] };
  const before = await localGateway(more);
  await before.gateway.create({ id: 'then', agent: 'double' });
  const followed = await before.follow('then');
  for (const [index, text] of messages.entries()) {
    const { turn } = await before.gateway.send('then', {
      id: `m${index}`,
      content: [{ type: 'text', text }],
    });
    await followed.until((fact) => fact.type === 'turn.ended' && fact.turn === turn);
  }
  const { agentSession = '' } = await before.gateway.snapshot('then');
  await before.close();
  const local = await localGateway({ ...more, roots: [directory] });
  onTestFinished(() => local.close());
  return { local, double, agentSession };
}

const factsOf = async ({ log }: Local, session: string) => (await log.read(session, 0)) as Fact[];

describe('the earlier sessions of an agent', () => {
  it('are listed with title and time, and marked where a session here continues them', async () => {
    const { local, agentSession } = await past({ lists: 10, continues: 'load' });
    const { sessions, next } = await local.gateway.earlier('double', {});
    expect(next).toBeUndefined();
    expect(sessions).toEqual([
      {
        id: agentSession,
        title: 'What is two and two?',
        cwd: expect.any(String),
        updatedAt: expect.any(Number),
      },
    ]);
    await local.gateway.create({ id: 's', agent: 'double', continue: agentSession });
    const again = await local.gateway.earlier('double', {});
    expect(again.sessions).toMatchObject([{ id: agentSession, session: 's' }]);
  });

  it('are asked for once, by however many', async () => {
    const { local, double } = await past({ lists: 10 });
    const ask = () => local.gateway.earlier('double', {});
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(second).toEqual(first);
    expect(double.noted('list')).toHaveLength(1);
    await ask();
    expect(double.noted('list')).toHaveLength(2);
  });

  it('come page by page', async () => {
    const { local, double } = await past({ lists: 1 });
    await local.gateway.create({ id: 'a', agent: 'double' });
    const followed = await local.follow('a');
    await local.gateway.send('a', { id: 'm', content: [{ type: 'text', text: 'hi' }] });
    await followed.until((fact) => fact.type === 'turn.ended');
    const first = await local.gateway.earlier('double', {});
    const second = await local.gateway.earlier('double', { cursor: String(first.next) });
    expect(second.next).toBeUndefined();
    const ids = [...first.sessions, ...second.sessions].map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(double.noted('list')).toHaveLength(2);
  });

  it('are shown only below the roots, after links are followed', async () => {
    const { local, double } = await past({ lists: 10 });
    const outside = mkdtempSync(join(tmpdir(), 'sluice-outside-'));
    onTestFinished(() => rmSync(outside, { recursive: true, force: true }));
    mkdirSync(join(outside, 'inner'));
    const { sessions } = await local.gateway.earlier('double', {});
    const cwd = String(sessions[0]?.cwd);
    symlinkSync(outside, join(cwd, 'link'));
    double.plant('away', { cwd: outside, said: [] });
    double.plant('linked', { cwd: join(cwd, 'link', 'inner'), said: [] });
    double.plant('gone', { cwd: join(cwd, 'no-such-directory'), said: [] });
    expect((await local.gateway.earlier('double', {})).sessions).toHaveLength(1);
    const asked = local.gateway.earlier('double', { cwd: outside });
    await expect(asked).rejects.toMatchObject({ status: 403, code: 'directory.outside' });
  });

  it('leave no process behind', async () => {
    const { local, double } = await past({ lists: 10 });
    await local.gateway.earlier('double', {});
    const [pid] = double
      .noted('start')
      .map((noted) => noted.pid)
      .slice(-1);
    await expect.poll(() => isAlive(Number(pid))).toBe(false);
  });

  it.each([
    ['one that cannot list says so', {}, 'agent.no_list', 'Double does not list its earlier sessions'],
    ['one that cannot start says why', { lists: 1, start: 'crash' as const }, 'agent.exited', 'exit code 1'],
  ])('%s', async (_name, options, code, text) => {
    const double = new Double(options);
    onTestFinished(() => double.remove());
    const local = await localGateway({ connectors: [double.connector] });
    onTestFinished(() => local.close());
    const asked = local.gateway.earlier('double', {});
    await expect(asked).rejects.toMatchObject({ status: 409, code, message: expect.stringContaining(text) });
  });
});

it('an agent that keeps none says so, and one that is not known is named (builtin)', async () => {
  const local = await localGateway();
  onTestFinished(() => local.close());
  const none = { status: 409, code: 'agent.no_sessions' };
  await expect(local.gateway.earlier('builtin', {})).rejects.toMatchObject(none);
  const made = local.gateway.create({ agent: 'builtin', continue: 'x' });
  await expect(made).rejects.toMatchObject(none);
  const unknown = { status: 404, code: 'agent.unknown' };
  await expect(local.gateway.earlier('nobody', {})).rejects.toMatchObject(unknown);
});

describe('a session that continues one of the agent’s own', () => {
  it('begins with its turns, marked, settled and lawful; hidden text and a running tool are not taken for live ones (A8, I12)', async () => {
    const { local, double, agentSession } = await past({ continues: 'load' }, ['one', 'two']);
    const snapshot = await local.gateway.create({ id: 's', agent: 'double', continue: agentSession });
    expect(snapshot).toMatchObject({ title: 'one', continues: agentSession, agentSession, state: 'failed' });
    expect(snapshot.turns).toMatchObject([
      {
        imported: true,
        outcome: 'finalized',
        message: { content: [{ text: 'one' }] },
        parts: [{ text: 'one' }],
      },
      {
        imported: true,
        outcome: 'interrupted',
        message: { content: [{ text: 'two' }] },
        parts: [{ text: 'two' }, { type: 'tool', id: 'ghost', status: 'failed' }],
      },
    ]);
    expect(violations(await factsOf(local, 's'))).toEqual([]);
    expect(JSON.stringify(snapshot)).not.toContain('hidden');
    // Nothing of it is news.
    expect(await local.gateway.list({ limit: 10 })).toMatchObject([{ id: 's', unread: 0 }]);
    // It goes on where it was, and what is replayed then makes no rows (A1).
    const followed = await local.follow('s');
    const { turn } = await local.gateway.send('s', { id: 'm', content: [{ type: 'text', text: 'three' }] });
    await followed.until((fact) => fact.type === 'turn.ended' && fact.turn === turn);
    const { turns } = await local.gateway.snapshot('s');
    expect(turns.map((one) => one.imported)).toEqual([true, true, undefined]);
    expect(double.noted('prompt').at(-1)).toMatchObject({
      sessionId: agentSession,
      content: [{ text: 'three' }],
    });
    expect(double.noted('new')).toHaveLength(1);
  });

  it('with resume alone takes nothing over, and says so', async () => {
    const { local, agentSession, double } = await past({ continues: 'resume' });
    const snapshot = await local.gateway.create({ agent: 'double', continue: agentSession });
    expect(snapshot).toMatchObject({ turns: [], state: 'idle', agentSession });
    expect(snapshot.notices).toMatchObject([
      { code: 'import.lacking', text: expect.stringContaining('does not tell what was said') },
    ]);
    const followed = await local.follow(snapshot.id);
    await local.gateway.send(snapshot.id, { id: 'm', content: [{ type: 'text', text: 'on' }] });
    await followed.until((fact) => fact.type === 'turn.ended');
    expect(double.noted('prompt').at(-1)).toMatchObject({ sessionId: agentSession });
  });

  it.each([
    ['an agent that can neither load nor resume', {}, 'agent.cannot_continue'],
    [
      'an agent that ends in the middle of the replay',
      { continues: 'load', diesInLoad: true },
      'agent.exited',
    ],
  ] as const)('is not made by %s: nothing is left of it', async (_name, options, code) => {
    const { local, agentSession } = await past(options);
    const made = local.gateway.create({ id: 's', agent: 'double', continue: agentSession });
    await expect(made).rejects.toMatchObject({ status: 409, code });
    expect(await local.log.head('s')).toBeUndefined();
  });

  it('is not made of a session that the agent does not know', async () => {
    const { local } = await past({ continues: 'load' });
    const made = local.gateway.create({ id: 's', agent: 'double', continue: 'no-such' });
    await expect(made).rejects.toMatchObject({ status: 409, code: 'agent.error' });
    expect(await local.log.head('s')).toBeUndefined();
  });

  it('is one, however often and in whatever order it is asked for (I9)', async () => {
    const { local, agentSession, double } = await past({ continues: 'load' });
    const body = { id: 's', agent: 'double', continue: agentSession };
    const [first, second] = await Promise.all([local.gateway.create(body), local.gateway.create(body)]);
    expect(second).toEqual(first);
    expect(double.noted('load')).toHaveLength(1);
    const other = local.gateway.create({ ...body, id: 'other' });
    await expect(other).rejects.toMatchObject({
      status: 409,
      code: 'session.continued',
      extra: { session: 's' },
    });
    const changed = local.gateway.create({ id: 's', agent: 'double' });
    await expect(changed).rejects.toMatchObject({ status: 409, code: 'session.exists' });
    // Free again, once that one is gone.
    await local.gateway.remove('s');
    expect((await local.gateway.create({ ...body, id: 'other' })).turns).toHaveLength(1);
  });

  it('is written as a whole or not at all: a log that fails leaves nothing half open (I1, I7)', async () => {
    const { double, agentSession, local } = await past({ continues: 'load' }, ['one', 'two', 'three']);
    class Failing extends MemoryLog {
      fails = true;
      override append(...args: Parameters<MemoryLog['append']>) {
        if (this.fails) return Promise.reject(new Error('no space left'));
        return super.append(...args);
      }
    }
    const log = new Failing();
    const { sessions } = await local.gateway.earlier('double', {}).catch(() => ({ sessions: [] }));
    expect(sessions).toEqual([]);
    const again = await localGateway({ log, connectors: [double.connector] });
    onTestFinished(() => again.close());
    const body = { id: 's', agent: 'double', continue: agentSession };
    await expect(again.gateway.create(body)).rejects.toThrow('no space left');
    expect(await log.head('s')).toBeUndefined();
    log.fails = false;
    expect((await again.gateway.create(body)).turns).toHaveLength(3);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
