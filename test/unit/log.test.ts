import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Log, LogConflict, LogUnavailable, type SessionHead } from '../../src/gateway/log/log.ts';
import { MemoryLog } from '../../src/gateway/log/memory.log.ts';
import { SqliteLog } from '../../src/gateway/log/sqlite.log.ts';
import type { Message } from '../../src/wire/content.ts';
import type { Draft } from '../../src/wire/facts.ts';
import type { JobRef, QueuedMessage } from '../../src/wire/snapshot.ts';
import { headOf, nothing, opened, text, turnOf } from '../support/log.sample.ts';

const kinds = [
  { name: 'in memory', open: (_: string, now: () => number): Log => new MemoryLog({ now }) },
  {
    name: 'in SQLite',
    open: (dir: string, now: () => number): Log => new SqliteLog(join(dir, 'log.db'), { now }),
  },
];

describe.each(kinds)('a log $name', ({ open }) => {
  let dir: string;
  let log: Log;
  let time: number;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-log-'));
    time = 1000;
    log = open(dir, () => time);
  });
  afterEach(async () => {
    await log.close();
    rmSync(dir, { recursive: true });
  });

  const create = (id: string, changes: Partial<SessionHead> = {}) =>
    log.append(id, 0, [opened], { ...nothing, head: headOf(id, changes) });
  const ids = async (query: Partial<Parameters<Log['sessions']>[0]> = {}) =>
    (await log.sessions({ limit: 100, ...query })).map((row) => row.head.id);

  describe('facts', () => {
    it('get seqs 1, 2, 3 without a gap, one epoch and the time of the append', async () => {
      const [first] = await create('a');
      time = 2000;
      const more = await log.append('a', 1, [text('t', 0, 'x'), text('t', 1, 'y')], nothing);
      expect(first).toStrictEqual({ v: 1, session: 'a', epoch: first?.epoch, seq: 1, at: 1000, ...opened });
      expect(first?.epoch).toMatch(/^[a-z0-9]{10,}$/);
      expect(more.map(({ seq, at, epoch }) => [seq, at, epoch])).toEqual([
        [2, 2000, first?.epoch],
        [3, 2000, first?.epoch],
      ]);
      expect(await log.head('a')).toEqual({ epoch: first?.epoch, seq: 3 });
    });

    it('are read exactly as the append gave them (I6)', async () => {
      const odd: Draft[] = [
        text('t', 0, 'half a pair \ud83d'),
        text('t', 13, '\ude00 \u0000 \u2028 "'),
        {
          type: 'tool.started',
          turn: 't',
          toolCallId: 'c',
          title: '',
          rawInput: { at: new Date(0), none: undefined },
        },
      ];
      const given = [...(await create('a')), ...(await log.append('a', 1, odd, nothing))];
      expect(await log.read('a', 0)).toStrictEqual(given);
      expect(given[3]).toMatchObject({ rawInput: { at: '1970-01-01T00:00:00.000Z' } });
    });

    it('are read after a cursor, at most as many as asked for', async () => {
      await create('a');
      await log.append('a', 1, [text('t', 0, 'x'), text('t', 1, 'y'), text('t', 2, 'z')], nothing);
      const seqs = async (after: number, limit?: number) =>
        (await log.read('a', after, limit)).map((f) => f.seq);
      expect(await seqs(0)).toEqual([1, 2, 3, 4]);
      expect(await seqs(1, 2)).toEqual([2, 3]);
      expect(await seqs(4)).toEqual([]);
      expect(await log.read('b', 0)).toEqual([]);
      expect(await log.head('b')).toBeUndefined();
    });

    it('come in pages of 1,000 unless told', async () => {
      await create('a');
      await log.append(
        'a',
        1,
        Array.from({ length: 1200 }, (_, i) => text('t', i, 'x')),
        nothing,
      );
      expect((await log.read('a', 0)).at(-1)?.seq).toBe(1000);
    });
  });

  describe('an append', () => {
    it('at another place than the last fact is a conflict and changes nothing', async () => {
      await create('a', { title: 'before' });
      const late = { ...nothing, head: headOf('a', { title: 'after' }), unread: 1 };
      for (const expected of [0, 2]) {
        await expect(log.append('a', expected, [text('t', 0, 'x')], late)).rejects.toThrow(LogConflict);
      }
      await expect(log.append('new', 3, [opened], { ...nothing, head: headOf('new') })).rejects.toThrow(
        LogConflict,
      );
      expect(await log.read('a', 0)).toHaveLength(1);
      expect(await log.session('a')).toMatchObject({ seq: 1, unread: 0, head: { title: 'before' } });
      expect(await log.session('new')).toBeUndefined();
    });

    it('wins alone when two come at once for the same place', async () => {
      await create('a');
      const both = await Promise.allSettled([
        log.append('a', 1, [text('t', 0, 'first')], nothing),
        log.append('a', 1, [text('t', 0, 'second')], nothing),
      ]);
      expect(both.map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
      expect((both[1] as PromiseRejectedResult).reason).toBeInstanceOf(LogConflict);
      expect(await log.read('a', 1)).toMatchObject([{ text: 'first' }]);
    });

    it('that fails takes none of those with it that came at the same time (I8)', async () => {
      await create('a');
      const broken = () => {
        throw new RangeError('cannot be projected');
      };
      const all = await Promise.allSettled([
        create('b'),
        log.append('a', 7, [text('t', 0, 'conflict')], nothing),
        log.append('c', 0, [opened, opened], broken),
        log.append('d', 0, [opened], { ...nothing, head: headOf('a') }),
        log.append('e', 0, [opened], nothing),
        log.append('a', 1, [text('t', 0, 'sound')], nothing),
        create('f'),
      ]);
      const names = all.map((one) => (one.status === 'fulfilled' ? 'kept' : (one.reason as Error).name));
      expect(names).toEqual(['kept', 'LogConflict', 'RangeError', 'TypeError', 'TypeError', 'kept', 'kept']);
      expect((await ids()).sort()).toEqual(['a', 'b', 'f']);
      for (const none of ['c', 'd', 'e']) expect(await log.read(none, 0)).toEqual([]);
      expect(await log.read('a', 1)).toMatchObject([{ text: 'sound' }]);
      expect(await create('c')).toMatchObject([{ seq: 1 }]);
    });

    it('of an unsound draft, of none, with an envelope or without a session is refused', async () => {
      await create('a');
      const bad: [string, Draft[]][] = [
        ['a', []],
        ['', [opened]],
        ['a', [{ ...text('t', 0, 'x'), offset: -1 } as Draft]],
        ['a', [text('t', 0, 'x'), { type: 'text.removed' } as never]],
        ['a', [{ ...text('t', 0, 'x'), seq: 9 } as never]],
        ['a', [{ ...text('t', 0, 'x'), session: 'b' } as never]],
      ];
      for (const [session, drafts] of bad) {
        await expect(log.append(session, 1, drafts, nothing)).rejects.toThrow();
      }
      expect(await log.head('a')).toMatchObject({ seq: 1 });
    });

    it('gives its facts to a projection that asks for them', async () => {
      await create('a');
      time = 3000;
      await log.append('a', 1, [text('t', 0, 'x')], ([fact]) => ({
        ...nothing,
        settled: [turnOf('t', fact?.seq ?? 0, { endedAt: fact?.at ?? 0 })],
      }));
      expect((await log.turns('a', undefined, 9)).turns).toMatchObject([
        { id: 't', firstSeq: 2, endedAt: 3000 },
      ]);
    });

    it('after the log is closed is refused as unavailable', async () => {
      await create('a');
      await log.close();
      await expect(log.append('a', 1, [text('t', 0, 'x')], nothing)).rejects.toThrow(LogUnavailable);
      await expect(log.read('a', 0)).rejects.toThrow(LogUnavailable);
    });
  });

  describe('the projection', () => {
    it('follows the cursor and the time without a new head', async () => {
      await create('a', { title: 'kept', cursor: 'wrong.9', updatedAt: 5, createdAt: 5 });
      time = 2000;
      const [fact] = await log.append('a', 1, [text('t', 0, 'x')], nothing);
      expect(await log.session('a')).toStrictEqual({
        head: headOf('a', { title: 'kept', cursor: `${fact?.epoch}.2`, createdAt: 1000, updatedAt: 2000 }),
        epoch: fact?.epoch,
        seq: 2,
        unread: 0,
      });
    });

    it('is as old as what last happened in it, not as its name or its counts', async () => {
      await create('a');
      const changes: Draft[] = [
        { type: 'session.changed', title: 'renamed' },
        { type: 'usage.updated', usage: { totalTokens: 1 } },
      ];
      time = 2000;
      await log.append('a', 1, changes, nothing);
      expect((await log.session('a'))?.head.updatedAt).toBe(1000);
      time = 3000;
      await log.append('a', 3, [text('t', 0, 'x'), changes[0] as Draft], nothing);
      expect((await log.session('a'))?.head.updatedAt).toBe(3000);
    });

    it('keeps the open turn until an append clears it', async () => {
      await create('a');
      const openTurn = { id: 't', firstSeq: 2 };
      await log.append('a', 1, [text('t', 0, 'x')], { ...nothing, openTurn });
      await log.append('a', 2, [text('t', 1, 'x')], nothing);
      expect((await log.session('a'))?.openTurn).toEqual(openTurn);
      await log.append('a', 3, [text('t', 2, 'x')], { ...nothing, openTurn: null });
      expect(await log.session('a')).not.toHaveProperty('openTurn');
    });

    it('counts ends as unread until the user has looked past them', async () => {
      await create('a');
      await log.append('a', 1, [text('t', 0, 'x')], { ...nothing, unread: 1 });
      await log.append('a', 2, [text('t', 1, 'x')], nothing);
      await log.append('a', 3, [text('t', 2, 'x')], { ...nothing, unread: 2 });
      const unread = async () => (await log.session('a'))?.unread;
      expect(await unread()).toBe(3);
      await log.markSeen('a', 3);
      expect(await unread()).toBe(2);
      await log.markSeen('a', 1);
      expect(await unread()).toBe(2);
      await log.markSeen('a', 999);
      expect(await unread()).toBe(0);
      await log.append('a', 4, [text('t', 3, 'x')], { ...nothing, unread: 1 });
      expect(await unread()).toBe(1);
      await log.markSeen('nobody', 1);
      expect((await log.session('a'))?.head.cursor).toMatch(/\.5$/);
    });

    it('pages through settled turns, oldest first', async () => {
      await create('a');
      const settled = [2, 3, 4, 5, 6].map((seq) => turnOf(`t${seq}`, seq));
      await log.append(
        'a',
        1,
        [2, 3, 4, 5, 6].map((seq) => text('t', seq, 'x')),
        { ...nothing, settled },
      );
      const page = async (before: string | undefined, limit: number) => {
        const { turns, older } = await log.turns('a', before, limit);
        return [turns.map((turn) => turn.id).join(' '), older];
      };
      expect(await page(undefined, 2)).toEqual(['t5 t6', true]);
      expect(await page('t5', 2)).toEqual(['t3 t4', true]);
      expect(await page('t3', 2)).toEqual(['t2', false]);
      expect(await page('t4', 2)).toEqual(['t2 t3', false]);
      expect(await page('t2', 2)).toEqual(['', false]);
      expect(await page('unknown', 2)).toEqual(['', false]);
      expect((await log.turns('a', undefined, 9)).turns).toStrictEqual(settled);
    });

    it('replaces a settled turn that a late fact changed, in its place', async () => {
      await create('a');
      const settled = [turnOf('t2', 2), turnOf('t3', 3)];
      await log.append('a', 1, [text('t', 0, 'x'), text('t', 1, 'x')], { ...nothing, settled });
      const changed = turnOf('t2', 2, { usage: { inputTokens: 7 } });
      await log.append('a', 3, [{ type: 'usage.updated', turn: 't2', usage: { inputTokens: 7 } }], {
        ...nothing,
        settled: [changed],
      });
      expect((await log.turns('a', undefined, 9)).turns).toStrictEqual([changed, turnOf('t3', 3)]);
    });

    it('keeps what a message was answered, with the cursor after its append (I9)', async () => {
      await create('a');
      const messages = [
        { id: 'm', digest: 'd', answer: { outcome: 'started', turn: 't', cursor: '' } as const },
      ];
      const facts = await log.append('a', 1, [text('t', 0, 'x'), text('t', 1, 'x')], {
        ...nothing,
        messages,
      });
      expect(await log.message('a', 'm')).toStrictEqual({
        id: 'm',
        digest: 'd',
        answer: { outcome: 'started', turn: 't', cursor: `${facts[0]?.epoch}.3` },
      });
      expect(await log.message('a', 'n')).toBeUndefined();
      expect(await log.message('b', 'm')).toBeUndefined();
    });
  });

  describe('the list of sessions', () => {
    it('is newest first, and pages by the last line seen', async () => {
      for (const id of ['b', 'a', 'c', 'd']) await create(id);
      time = 2000;
      await log.append('a', 1, [text('t', 0, 'x')], nothing);
      expect(await ids()).toEqual(['a', 'd', 'c', 'b']);
      expect(await ids({ limit: 2 })).toEqual(['a', 'd']);
      expect(await ids({ limit: 2, before: 'd' })).toEqual(['c', 'b']);
      expect(await ids({ limit: 2, before: 'b' })).toEqual([]);
      expect(await ids({ limit: 2, before: 'gone' })).toEqual([]);
    });

    it('is searched by title, without regard to case, with no character special', async () => {
      await create('a', { title: 'Straße ÄRGER 100%' });
      await create('b', { title: 'under_score' });
      await create('c');
      await log.append('c', 1, [{ type: 'session.changed', title: 'Later' }], {
        ...nothing,
        head: headOf('c', { title: 'Later' }),
      });
      expect(await ids({ q: 'ärger' })).toEqual(['a']);
      expect(await ids({ q: '%' })).toEqual(['a']);
      expect(await ids({ q: '_' })).toEqual(['b']);
      expect(await ids({ q: 'LATER' })).toEqual(['c']);
      expect(await ids({ q: "' OR 1" })).toEqual([]);
      expect(await ids({ q: '' })).toHaveLength(3);
    });

    it('can be of one kind', async () => {
      await create('a');
      await create('j', { kind: 'job', parent: 'a', title: 'work' });
      expect(await ids({ kind: 'job' })).toEqual(['j']);
      expect(await ids({ kind: 'conversation', q: 'work' })).toEqual([]);
    });

    it('can be of those that hold certain sessions of an agent’s own', async () => {
      await create('a', { agent: 'x', agentSession: 'one' });
      await create('b', { agent: 'x', agentSession: "t'wo" });
      await create('c', { agent: 'y', agentSession: 'one' });
      await create('d', { agent: 'x' });
      expect(await ids({ holding: { agent: 'x', agentSessions: ['one', 'three'] } })).toEqual(['a']);
      expect(await ids({ holding: { agent: 'x', agentSessions: ["t'wo"] } })).toEqual(['b']);
      expect(await ids({ holding: { agent: 'x', agentSessions: [] } })).toEqual([]);
    });

    it('can be of what the start-up sweep has to look at', async () => {
      const message: Message = { id: 'm', content: [{ type: 'text', text: 'x' }] };
      const queued: QueuedMessage[] = [{ message, delivery: 'queue' }];
      const job: JobRef = { job: 'j', seq: 1, at: 0, request: { agent: 'x', cwd: '/', message } };
      await create('streams', { state: 'streaming' });
      await create('rests', {
        state: 'failed',
        jobs: [{ ...job, outcome: 'finalized' }],
      });
      await create('drains', { state: 'finalized', queue: { held: false, revision: 1, messages: queued } });
      await create('held', { state: 'cancelled', queue: { held: true, revision: 1, messages: queued } });
      await create('closed', { state: 'closed', queue: { held: false, revision: 1, messages: queued } });
      await create('half', { state: 'finalized', jobs: [job] });
      await create('open');
      await log.append('open', 1, [text('t', 0, 'x')], { ...nothing, openTurn: { id: 't', firstSeq: 2 } });
      expect((await ids({ unsettled: true })).sort()).toEqual(['drains', 'half', 'open', 'streams']);
      await log.append('open', 2, [text('t', 1, 'x')], { ...nothing, openTurn: null });
      await log.append('half', 1, [text('t', 1, 'x')], { ...nothing, head: headOf('half') });
      expect((await ids({ unsettled: true })).sort()).toEqual(['drains', 'streams']);
    });
  });

  it('forgets a removed session whole, and a new one of its name begins another epoch (I8)', async () => {
    const messages = [{ id: 'm', digest: 'd', answer: { outcome: 'queued', cursor: '' } as const }];
    const settled = [turnOf('t', 1)];
    const full = (id: string) => ({ head: headOf(id), settled, messages, unread: 1 });
    const [first] = await log.append('a', 0, [opened], full('a'));
    await log.append('b', 0, [opened], full('b'));
    await log.remove('a');
    expect(await log.session('a')).toBeUndefined();
    expect(await log.message('a', 'm')).toBeUndefined();
    expect(await log.turns('a', undefined, 9)).toEqual({ turns: [], older: false });
    await expect(log.append('a', 1, [text('t', 0, 'x')], nothing)).rejects.toThrow(LogConflict);
    const [again] = await create('a');
    expect(again?.seq).toBe(1);
    expect(again?.epoch).not.toBe(first?.epoch);
    expect(await log.session('a')).toMatchObject({ unread: 0, seq: 1 });
    expect(await log.session('b')).toMatchObject({ unread: 1, seq: 1 });
    expect(await log.message('b', 'm')).toBeDefined();
    expect((await log.turns('b', undefined, 9)).turns).toHaveLength(1);
  });
});

describe('the log in memory', () => {
  it('refuses an append that the test makes fail, and takes the next', async () => {
    const log = new MemoryLog();
    log.beforeAppend = () => {
      throw new LogUnavailable('the disk is full');
    };
    const create = () => log.append('a', 0, [opened], { ...nothing, head: headOf('a') });
    await expect(create()).rejects.toThrow(LogUnavailable);
    expect(await log.head('a')).toBeUndefined();
    log.beforeAppend = undefined;
    expect(await create()).toHaveLength(1);
  });

  it('compares after the delay that the test gives an append', async () => {
    const log = new MemoryLog();
    const gate = Promise.withResolvers<void>();
    log.beforeAppend = () => gate.promise;
    const create = () => log.append('a', 0, [opened], { ...nothing, head: headOf('a') });
    const slow = create();
    log.beforeAppend = undefined;
    await create();
    gate.resolve();
    await expect(slow).rejects.toThrow(LogConflict);
  });
});
