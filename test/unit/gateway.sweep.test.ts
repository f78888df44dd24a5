import { afterEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../src/gateway/log/memory.log.ts';
import { projectSession } from '../../src/gateway/sessions/project.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { commit, opened, text } from '../support/committed.ts';
import { type Local, localGateway, script } from '../support/local-gateway.ts';

let local: Local | undefined;
afterEach(async () => {
  await local?.close();
  local = undefined;
});

const running: readonly Draft[] = [
  opened,
  { type: 'turn.started', turn: 't2', message: text('m1', 'list'), origin: 'user', revision: 1 },
  { type: 'text.added', turn: 't2', part: 'p3', offset: 0, text: 'half an ans' },
  { type: 'tool.started', turn: 't2', toolCallId: 'c1', title: 'List' },
  {
    type: 'permission.asked',
    turn: 't2',
    permission: 'q1',
    title: 'May I?',
    options: [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }],
  },
];

describe('a gateway that starts after a crash', () => {
  it('ends an open turn as interrupted, closes its tool and permission, keeps its text and holds the queue (D4, I1, I12)', async () => {
    const log = new MemoryLog();
    await commit(log, 's', 'conversation', [
      ...running,
      { type: 'queue.added', message: text('m2', 'help'), delivery: 'queue', revision: 2 },
    ]);
    local = await localGateway({ log });
    const { state, reason, turns, queue, permissions } = await local.gateway.snapshot('s');
    expect(state).toBe('failed');
    expect(reason).toContain('What the agent had said is kept');
    expect(turns[0]).toMatchObject({ outcome: 'interrupted', error: { code: 'gateway.restarted' } });
    expect(
      turns[0]?.parts.map((p) => [p.type, 'status' in p ? p.status : 'state' in p ? p.state : p.type]),
    ).toEqual([
      ['text', 'text'],
      ['tool', 'failed'],
      ['permission', 'withdrawn'],
    ]);
    expect(turns[0]?.parts[0]).toMatchObject({ text: 'half an ans' });
    expect(permissions).toEqual([]);
    expect(queue).toMatchObject({ held: true, reason: 'interrupted' });
    expect(queue.messages.map((q) => q.message.id)).toEqual(['m2']);
  });

  it('does not know whether a turn that nobody has answered has reached its agent (D4)', async () => {
    const log = new MemoryLog();
    await commit(log, 's', 'conversation', running.slice(0, 2));
    local = await localGateway({ log });
    const { state, reason } = await local.gateway.snapshot('s');
    expect(state).toBe('failed');
    expect(reason).toContain('may not have reached the agent');
  });

  it('ends a turn that was being stopped as cancelled (I4)', async () => {
    const log = new MemoryLog();
    await commit(log, 's', 'conversation', [
      ...running,
      { type: 'turn.stopping', turn: 't2', stage: 'asked' },
      { type: 'queue.held', reason: 'stopped', revision: 2 },
    ]);
    local = await localGateway({ log });
    const { state, turns } = await local.gateway.snapshot('s');
    expect(state).toBe('cancelled');
    expect(turns[0]).toMatchObject({ outcome: 'cancelled', stopReason: 'cancelled' });
  });

  it('drains a queue that nothing holds, each message once and in order (I3, C46)', async () => {
    const log = new MemoryLog();
    await commit(log, 's', 'conversation', [
      ...running.slice(0, 3),
      { type: 'queue.added', message: script('m2', [{ text: 'two' }]), delivery: 'queue', revision: 2 },
      { type: 'queue.added', message: script('m3', [{ text: 'three' }]), delivery: 'queue', revision: 3 },
      { type: 'turn.ended', turn: 't2', outcome: 'finalized', stopReason: 'end_turn' },
    ]);
    local = await localGateway({ log });
    const followed = await local.follow('s');
    await followed.until(
      (f) => f.type === 'turn.ended' && followed.facts.filter((g) => g.type === 'turn.ended').length === 3,
    );
    const started = followed.facts.filter((f) => f.type === 'turn.started');
    expect(started.map((f) => f.message?.id)).toEqual(['m1', 'm2', 'm3']);
  });

  it('makes the same rows and the same state anew from a log that holds a fact of a newer version (I6)', async () => {
    const log = new MemoryLog();
    await commit(log, 's', 'conversation', running.slice(0, 3));
    const known = (await log.read('s', 0)) as Fact[];
    const newer = { ...known[0], seq: 4, type: 'turn.dreamt' } as unknown as Fact;
    const ended = {
      ...known[0],
      seq: 5,
      type: 'turn.ended',
      turn: 't2',
      outcome: 'finalized',
      stopReason: 'end_turn',
    } as unknown as Fact;
    const { head, settled } = projectSession('s', [...known, newer, ended]);
    expect([head.state, head.cursor, settled.length]).toEqual(['finalized', `${known[0]?.epoch}.5`, 1]);
  });

  it('starts a job whose own log was never written, and settles one whose parent was never told', async () => {
    const log = new MemoryLog();
    const request = { agent: 'builtin', cwd: process.cwd(), message: script('m1', [{ text: 'done' }]) };
    await commit(log, 's', 'conversation', [
      opened,
      { type: 'job.attached', job: 's.j2', request },
      { type: 'job.attached', job: 's.j3', request: { ...request, message: script('m2', [{ text: 'x' }]) } },
    ]);
    await commit(log, 's.j3', 'job', [
      { ...opened, kind: 'job', parent: 's' } as Draft,
      { type: 'turn.started', turn: 't2', message: text('m2', 'x'), origin: 'user', revision: 1 },
      {
        type: 'turn.ended',
        turn: 't2',
        outcome: 'failed',
        stopReason: 'error',
        error: { code: 'x', message: 'It broke.' },
      },
    ]);
    local = await localGateway({ log });
    const followed = await local.follow('s');
    await followed.until((f) => f.type === 'job.settled' && f.job === 's.j2');
    const { jobs } = await local.gateway.snapshot('s');
    expect(jobs.map((j) => [j.job, j.outcome])).toEqual([
      ['s.j2', 'finalized'],
      ['s.j3', 'failed'],
    ]);
    expect((await local.gateway.job('s.j2')).turns[0]?.parts[0]).toMatchObject({ text: 'done' });
  });

  it('waits on for the time at which a turn is to be run again, and runs it when that has passed (D5, I3, I9)', async () => {
    const limited = { code: 'model.usage_limit', message: 'Not now.', until: 5 } as const;
    const facts: readonly Draft[] = [
      opened,
      { type: 'turn.started', turn: 't2', message: text('m1', 'list'), origin: 'user', revision: 1 },
      { type: 'turn.ended', turn: 't2', outcome: 'failed', stopReason: 'error', error: limited },
      { type: 'queue.held', reason: 'failed', revision: 2 },
    ];
    const later = Date.now() + 3_600_000;
    const log = new MemoryLog();
    const wish = (until: number) =>
      ({ type: 'queue.held', reason: 'limited', until, retry: 't2', revision: 3 }) as const;
    await commit(log, 'due', 'conversation', [...facts, wish(5)]);
    await commit(log, 'later', 'conversation', [...facts, wish(later)]);
    local = await localGateway({ log });
    const followed = await local.follow('due');
    await followed.until((fact) => fact.type === 'turn.ended' && fact.turn !== 't2');
    const { turns, queue } = await local.gateway.snapshot('due');
    expect(turns.map((turn) => turn.retryOf)).toEqual([undefined, 't2']);
    expect(queue).toMatchObject({ held: false, messages: [] });
    expect((await local.gateway.snapshot('later')).queue).toMatchObject({ retry: 't2', until: later });
    const { gateway } = local;
    const line = async () => (await gateway.list({ limit: 9 })).find(({ id }) => id === 'later');
    expect(await line()).toMatchObject({ state: 'failed', held: true, retryAt: later });
    expect(await local.gateway.retry('later', { turn: 't2', at: null })).not.toHaveProperty('turn');
    expect(await line()).not.toHaveProperty('retryAt');
    expect((await local.gateway.snapshot('later')).queue).toMatchObject({ held: true, reason: 'failed' });
  });
});
