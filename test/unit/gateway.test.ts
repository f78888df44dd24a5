import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogConflict } from '../../src/gateway/log/log.ts';
import type { MemoryLog } from '../../src/gateway/log/memory.log.ts';
import { Refusal } from '../../src/gateway/refusal.ts';
import { foldAll } from '../../src/wire/fold.ts';
import { text } from '../support/committed.ts';
import { type Followed, type Local, localGateway, script } from '../support/local-gateway.ts';

let local: Local;
let session: string;
let followed: Followed;

beforeEach(async () => {
  local = await localGateway();
  session = (await local.gateway.create({ agent: 'builtin' })).id;
  followed = await local.follow(session);
});
afterEach(async () => {
  await local.close();
});

const ends = () => followed.facts.filter((f) => f.type === 'turn.ended');
const ended = (turn: string | undefined) => followed.until((f) => f.type === 'turn.ended' && f.turn === turn);
const refused = (call: Promise<unknown>) =>
  call.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(Refusal);
      return error as Refusal;
    },
  );
const steps = [{ tokens: { count: 200, every: 5, prefix: 't' } }];

describe('a conversation in the gateway', () => {
  it('gives the same rows live, from the log and in the snapshot (I6)', async () => {
    const { turn } = await local.gateway.send(session, text('m1', 'show markdown'));
    await followed.until((f) => f.type === 'text.added');
    await local.gateway.stop(session, { turn: String(turn) });
    await ended(turn);
    const next = await local.gateway.send(
      session,
      script('m2', [{ text: 'a' }, { thought: 'b' }, { text: 'c' }]),
    );
    await ended(next.turn);
    const snapshot = await local.gateway.snapshot(session);
    const log = (await local.log.read(session, 0)) as typeof followed.facts;
    expect(foldAll(followed.facts)).toEqual(snapshot.turns);
    expect(foldAll(log)).toEqual(snapshot.turns);
    expect((await local.log.turns(session, undefined, 10)).turns).toEqual(snapshot.turns);
    expect(followed.facts.map((f) => f.seq)).toEqual(log.map((f) => f.seq));
  });

  it('answers a message for the background the same again, also when the session goes on meanwhile (I9)', async () => {
    const message = { ...script('j1', [{ text: 'beside' }]), delivery: 'background' } as const;
    // The job's log is opened after the parent's fact: just then the parent moves on.
    const append = local.log.append.bind(local.log);
    local.log.append = async (id, ...rest) => {
      if (id !== session && rest[0] === 0) await local.gateway.change(session, { title: 'moved on' });
      return append(id, ...rest);
    };
    const first = await local.gateway.send(session, message);
    expect(await local.gateway.send(session, message)).toEqual(first);
  });

  it('tells the runner once how a turn ended, also of an agent that goes on after its end (I1)', async () => {
    const told: string[] = [];
    const other = await localGateway({
      observe: (event) => {
        if (event.type === '@xstate.event' && event.event.type === 'agent.settled')
          told.push(String((event.event as { turn?: string }).turn));
      },
    });
    const { id } = await other.gateway.create({ agent: 'builtin' });
    const { turn } = await other.gateway.send(id, script('m1', [{ text: 'a' }, { end: 'max_tokens' }]));
    const reader = await other.follow(id);
    await reader.until((fact) => fact.type === 'turn.ended');
    reader.close();
    await other.close();
    expect(told).toEqual([turn]);
  });

  it('fails a turn whose stream ends without an end, and keeps what came (I1, I13)', async () => {
    const { turn } = await local.gateway.send(session, script('m1', [{ text: 'half' }, { cut: true }]));
    await ended(turn);
    expect((await local.gateway.snapshot(session)).turns[0]).toMatchObject({
      outcome: 'failed',
      error: { code: 'stream.ended_early' },
      parts: [{ text: 'half' }],
    });
  });

  it('kills the agent of a session that another gateway writes, also one that would survive (I7)', async () => {
    const signals: string[] = [];
    const other = await localGateway({
      signal: (pgid, signal) => {
        signals.push(signal);
        process.kill(-pgid, signal);
      },
    });
    const { id } = await other.gateway.create({ agent: 'builtin' });
    const reader = await other.follow(id);
    const steps = [{ survive: [{ tokens: { count: 2_000, every: 5 } }] }];
    await other.gateway.send(id, script('m1', steps));
    await reader.until((fact) => fact.type === 'text.added');
    const fenced = Promise.withResolvers<void>();
    other.log.append = async () => {
      fenced.resolve();
      throw new LogConflict('another writer');
    };
    await fenced.promise;
    await expect.poll(() => signals).toContain('SIGKILL');
    await other.close();
  });

  it('starts one turn for a message id, however often and however fast it is sent (I9)', async () => {
    const message = script('m1', [{ text: 'once' }]);
    const answers = await Promise.all([1, 2, 3].map(() => local.gateway.send(session, message)));
    await ended(answers[0]?.turn);
    answers.push(await local.gateway.send(session, message));
    expect(new Set(answers.map((a) => JSON.stringify(a))).size).toBe(1);
    expect(followed.facts.filter((f) => f.type === 'turn.started')).toHaveLength(1);
    expect(await refused(local.gateway.send(session, script('m1', [{ text: 'other' }])))).toMatchObject({
      status: 409,
      code: 'message.conflict',
    });
  });

  it('keeps the queue whole and held after a stop, and drains it in order when resumed (I3, I4, C46)', async () => {
    const { turn } = await local.gateway.send(session, script('m1', steps));
    for (const id of ['a', 'b', 'c']) await local.gateway.send(session, script(id, [{ text: id }]));
    await followed.until((f) => f.type === 'text.added');
    await local.gateway.stop(session, { turn: String(turn) });
    const stopping = followed.facts.findIndex((f) => f.type === 'turn.stopping');
    await ended(turn);
    const later = followed.facts.slice(stopping).filter((f) => 'turn' in f && f.turn === turn);
    expect(later.map((f) => f.type)).toEqual(['turn.stopping', 'turn.ended']);
    const { state, queue } = await local.gateway.snapshot(session);
    expect([state, queue.held, queue.messages.map((q) => q.message.id)]).toEqual([
      'cancelled',
      true,
      ['a', 'b', 'c'],
    ]);
    await local.gateway.resume(session);
    await followed.until(() => ends().length === 4);
    const started = followed.facts.filter((f) => f.type === 'turn.started');
    expect(started.map((f) => f.message?.id)).toEqual(['m1', 'a', 'b', 'c']);
  });

  it('says what runs now when a stop comes too late, and holds the queue all the same (I4)', async () => {
    const first = await local.gateway.send(session, script('m1', [{ text: 'short' }]));
    await ended(first.turn);
    const second = await local.gateway.send(session, script('m2', steps));
    const refusal = await refused(local.gateway.stop(session, { turn: String(first.turn) }));
    expect(refusal).toMatchObject({ status: 409, code: 'turn.over', extra: { turn: second.turn } });
    expect((await local.gateway.snapshot(session)).queue.held).toBe(true);
    expect(await refused(local.gateway.stop(session, { turn: 't999' }))).toMatchObject({ status: 404 });
    await local.gateway.stop(session, { message: 'm2' });
    await ended(second.turn);
  });

  it('runs a send of a held session next and alone (I3)', async () => {
    const { turn } = await local.gateway.send(session, script('m1', steps));
    await local.gateway.send(session, script('a', [{ text: 'a' }]));
    await local.gateway.stop(session, { turn: String(turn) });
    // While the stop is under way: it starts as soon as that is through.
    const next = await local.gateway.send(session, script('n', [{ text: 'n' }]));
    expect(next.outcome).toBe('started');
    await ended(next.turn);
    const { state, queue } = await local.gateway.snapshot(session);
    expect([state, queue.held, queue.messages.length]).toEqual(['finalized', true, 1]);
  });

  it('lets the queue go on when it is resumed while the stop is still under way (I3)', async () => {
    const { turn } = await local.gateway.send(session, script('m1', steps));
    await local.gateway.send(session, script('a', [{ text: 'a' }]));
    const [, resumed] = await Promise.all([
      local.gateway.stop(session, { turn: String(turn) }),
      local.gateway.resume(session),
    ]);
    expect(resumed.queue.held).toBe(false);
    await followed.until(() => ends().length === 2);
    const { state, queue } = await local.gateway.snapshot(session);
    expect([state, queue.held, queue.messages.length]).toEqual(['finalized', false, 0]);
  });

  it('edits, moves and removes what waits, and refuses a stale revision with the queue as it is', async () => {
    const { turn } = await local.gateway.send(session, script('m1', steps));
    for (const id of ['a', 'b', 'c']) await local.gateway.send(session, text(id, id));
    const { revision } = (await local.gateway.snapshot(session)).queue;
    const moved = await local.gateway.editQueue(session, { revision, move: { message: 'c', to: 0 } });
    expect(moved.messages.map((q) => q.message.id)).toEqual(['c', 'a', 'b']);
    const stale = await refused(local.gateway.editQueue(session, { revision, remove: { message: 'a' } }));
    expect(stale).toMatchObject({ status: 409, code: 'queue.stale', extra: { queue: moved } });
    const edited = await local.gateway.editQueue(session, {
      revision: moved.revision,
      edit: { message: 'a', content: text('a', 'other').content },
    });
    expect(edited).toMatchObject({ held: true, reason: 'edited' });
    const removed = await local.gateway.editQueue(session, {
      revision: edited.revision,
      remove: { message: 'b' },
    });
    expect(removed.messages.map((q) => q.message)).toEqual([text('c', 'c'), text('a', 'other')]);
    // I9: what was removed is not sent again by sending its id again.
    await local.gateway.send(session, text('b', 'b'));
    expect((await local.gateway.snapshot(session)).queue.messages).toHaveLength(2);
    await local.gateway.stop(session, { turn: String(turn) });
  });

  it('takes the first answer to a permission and refuses the second with the winner (first answer wins)', async () => {
    await local.gateway.send(session, text('m1', 'run echo hello'));
    const asked = await followed.until((f) => f.type === 'permission.asked');
    if (asked.type !== 'permission.asked') return;
    const allow = asked.options.find((o) => o.kind === 'allow_once')?.optionId ?? '';
    expect(await refused(local.gateway.answer(session, asked.permission, 'nonsense'))).toMatchObject({
      status: 400,
    });
    await local.gateway.answer(session, asked.permission, allow);
    expect(await refused(local.gateway.answer(session, asked.permission, allow))).toMatchObject({
      status: 409,
      extra: { answered: allow },
    });
    expect(await refused(local.gateway.answer(session, 'p999', allow))).toMatchObject({ status: 404 });
    const { turn } = asked;
    await ended(turn);
    const snapshot = await local.gateway.snapshot(session);
    const tool = snapshot.turns[0]?.parts.find((p) => p.type === 'tool');
    expect(tool).toMatchObject({ status: 'completed', exitCode: 0, output: 'hello\n' });
  });

  it('withdraws an open permission when the turn is stopped, and tells a late answer so (I12)', async () => {
    const { turn } = await local.gateway.send(session, text('m1', 'run echo hello'));
    const asked = await followed.until((f) => f.type === 'permission.asked');
    await local.gateway.stop(session, { turn: String(turn) });
    await ended(turn);
    if (asked.type !== 'permission.asked') return;
    const late = await refused(
      local.gateway.answer(session, asked.permission, asked.options[0]?.optionId ?? ''),
    );
    expect(late).toMatchObject({ status: 409, extra: { withdrawn: expect.any(String) } });
  });

  it('runs a background job beside the conversation, with its own log, stop and end (I14, C40)', async () => {
    const { turn } = await local.gateway.send(session, script('m1', steps));
    const answer = await local.gateway.send(session, { ...script('j1', steps), delivery: 'background' });
    expect(answer.outcome).toBe('job');
    const job = await local.follow(String(answer.job));
    await job.until((f) => f.type === 'text.added');
    await local.gateway.stopJob(String(answer.job));
    await followed.until((f) => f.type === 'job.settled');
    expect((await local.gateway.job(String(answer.job))).state).toBe('cancelled');
    expect(await refused(local.gateway.stopJob(String(answer.job)))).toMatchObject({
      status: 409,
      code: 'turn.over',
    });
    await ended(turn);
    expect(foldAll(followed.facts)[0]?.outcome).toBe('finalized');
    expect(followed.facts.some((f) => f.session !== session)).toBe(false);
  });

  it('has a job from the moment on at which its parent announces it', async () => {
    // The job's log is opened after the parent's fact: just then a reader asks for the job.
    const append = local.log.append.bind(local.log);
    const made = Promise.withResolvers<void>();
    local.log.append = async (id, ...rest) => {
      if (id !== session && rest[0] === 0) await made.promise;
      return append(id, ...rest);
    };
    const sent = local.gateway.send(session, { ...script('j1', steps), delivery: 'background' });
    const attached = await followed.until((f) => f.type === 'job.attached');
    const job = attached.type === 'job.attached' ? attached.job : '';
    const asked = [local.gateway.snapshot(job), local.gateway.turns(job, undefined, 5), local.follow(job)];
    made.resolve();
    await Promise.all(asked);
    expect(await sent).toMatchObject({ outcome: 'job', job });
  });

  it('opens a session no more that is being deleted, and has it again when it could not be deleted', async () => {
    const remove = local.log.remove.bind(local.log);
    local.log.remove = async (id) => {
      expect(await refused(local.gateway.resume(id))).toMatchObject({ code: 'session.unknown' });
      throw new Error('the disk does not answer');
    };
    await expect(local.gateway.remove(session)).rejects.toThrow('does not answer');
    expect(await refused(local.gateway.resume(session))).toMatchObject({ code: 'session.closed' });
    local.log.remove = remove;
    expect((await local.gateway.snapshot(session)).state).toBe('closed');
  });

  it('takes the name of a session that was deleted for a new one, which runs', async () => {
    await local.gateway.remove(session);
    await local.gateway.create({ id: session, agent: 'builtin' });
    const sent = await local.gateway.send(session, script('m1', [{ text: 'x' }]));
    expect(sent).toMatchObject({ outcome: 'started' });
    await expect.poll(async () => (await local.gateway.snapshot(session)).state).toBe('finalized');
    expect((await local.gateway.snapshot(session)).turns).toHaveLength(1);
  });

  it('runs the last turn again as a new turn, and no other (I3)', async () => {
    const first = await local.gateway.send(session, script('m1', [{ text: 'x' }, { fail: 'It broke.' }]));
    await ended(first.turn);
    expect((await local.gateway.snapshot(session)).state).toBe('failed');
    const again = await local.gateway.retry(session, { turn: String(first.turn) });
    await ended(again.turn);
    const { turns } = await local.gateway.snapshot(session);
    expect(turns.map((t) => [t.outcome, t.retryOf])).toEqual([
      ['failed', undefined],
      ['failed', first.turn],
    ]);
    expect(await refused(local.gateway.retry(session, { turn: String(first.turn) }))).toMatchObject({
      status: 409,
    });
  });

  it('refuses to delete a running session, and deletes a resting one for all readers', async () => {
    const { turn } = await local.gateway.send(session, script('m1', steps));
    expect(await refused(local.gateway.remove(session))).toMatchObject({ status: 409, code: 'session.busy' });
    await local.gateway.stop(session, { turn: String(turn) });
    await ended(turn);
    await local.gateway.remove(session);
    expect(await refused(local.gateway.snapshot(session))).toMatchObject({ status: 404 });
    expect(await local.gateway.list({ limit: 10 })).toEqual([]);
  });

  it('stops the agent although the log cannot be written, and ends the turn when it can (full disk)', async () => {
    const log = local.log as MemoryLog;
    const { turn } = await local.gateway.send(session, script('m1', steps));
    await followed.until((f) => f.type === 'text.added');
    log.beforeAppend = () => {
      throw Object.assign(new Error('disk full'), { name: 'LogUnavailable' });
    };
    expect(await refused(local.gateway.stop(session, { turn: String(turn) }))).toMatchObject({ status: 503 });
    expect((await local.gateway.snapshot(session)).reason).toContain('Log unavailable');
    delete (log as { beforeAppend?: unknown }).beforeAppend;
    await ended(turn);
    const { state, turns } = await local.gateway.snapshot(session);
    expect([state, turns[0]?.outcome]).toEqual(['cancelled', 'cancelled']);
  });
});
