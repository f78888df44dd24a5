import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogCorrupt, LogTooNew } from '../../src/gateway/log/examine.ts';
import { LogConflict, LogUnavailable } from '../../src/gateway/log/log.ts';
import { rebuild } from '../../src/gateway/log/rebuild.ts';
import { migrate, migrations, schemaVersion } from '../../src/gateway/log/schema.ts';
import { SqliteLog, type SqliteLogOptions } from '../../src/gateway/log/sqlite.log.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { headOf, nothing, opened, projectSample, sampleChanges, text } from '../support/log.sample.ts';

let dir: string;
let path: string;
let logs: SqliteLog[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'));
  path = join(dir, 'log.db');
  logs = [];
});
afterEach(async () => {
  for (const log of logs) await log.close();
  rmSync(dir, { recursive: true });
});

function open(options: SqliteLogOptions = {}): SqliteLog {
  const log = new SqliteLog(path, options);
  logs.push(log);
  return log;
}

const create = (log: SqliteLog, id: string) => log.append(id, 0, [opened], { ...nothing, head: headOf(id) });
const more = (log: SqliteLog, id: string, seq: number, size = 1) =>
  log.append(id, seq, [text('t', 0, 'x'.repeat(size))], nothing);

/** Changes the file behind the log's back. */
function tamper<T>(change: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path);
  try {
    return change(db);
  } finally {
    db.close();
  }
}

/** Names and contents of all files of the log. */
const fingerprint = () =>
  readdirSync(dir)
    .filter((name) => statSync(join(dir, name)).size > 0 && !name.endsWith('-shm'))
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(dir, name)))
        .digest('hex'),
    ]);

describe('the file of the log', () => {
  it('has everything again after it is opened anew, in the same epoch', async () => {
    const first = open();
    const given = [...(await create(first, 'a')), ...(await more(first, 'a', 1))];
    const row = await first.session('a');
    await first.close();
    const second = open();
    expect(await second.read('a', 0)).toStrictEqual(given);
    expect(await second.session('a')).toStrictEqual(row);
    expect(await more(second, 'a', 2)).toMatchObject([{ seq: 3, epoch: given[0]?.epoch }]);
  });

  it('has what was asked for before the log was closed', async () => {
    const log = open();
    const asked = create(log, 'a');
    await log.close();
    await asked;
    expect(await open().head('a')).toMatchObject({ seq: 1 });
  });

  it('can be read by its user alone', async () => {
    await create(open(), 'a');
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o077, name).toBe(0);
  });

  it('keeps facts of types that this version does not know', async () => {
    const log = open();
    const [fact] = await create(log, 'a');
    tamper((db) => {
      db.exec(`INSERT INTO facts VALUES ('a', 2, 5, 'turn.dreamt', '{"turn":"t","of":["sheep"]}')`);
      db.exec('UPDATE sessions SET seq = 2');
    });
    expect(await log.read('a', 1)).toStrictEqual([
      {
        v: 1,
        session: 'a',
        epoch: fact?.epoch,
        seq: 2,
        at: 5,
        type: 'turn.dreamt',
        turn: 't',
        of: ['sheep'],
      },
    ]);
    expect(await more(log, 'a', 2)).toMatchObject([{ seq: 3 }]);
  });

  it('lets one of two writers win, and tells the other', async () => {
    const [one, other] = [open(), open()];
    await create(one, 'a');
    await more(other, 'a', 1);
    await expect(more(one, 'a', 1)).rejects.toThrow(LogConflict);
    expect(await one.head('a')).toMatchObject({ seq: 2 });
  });

  it('is refused when a newer version wrote it, and left as it is', async () => {
    await create(open(), 'a');
    await logs[0]?.close();
    tamper((db) => db.exec(`PRAGMA user_version = ${schemaVersion + 1}`));
    const before = fingerprint();
    expect(() => open()).toThrow(LogTooNew);
    expect(() => open()).toThrow(/newer version of Sluice.*Nothing was changed.*--data/s);
    expect(fingerprint()).toEqual(before);
  });

  it('is brought up to date from an older version, with what it holds', async () => {
    const log = open();
    await create(log, 'a');
    const next = [
      ...migrations,
      'ALTER TABLE sessions ADD COLUMN colour TEXT; CREATE TABLE later (x) STRICT',
    ];
    await log.close();
    expect(() => tamper((db) => migrate(db, next))).toThrow(/later/);
    expect(tamper((db) => db.prepare('PRAGMA user_version').get())).toEqual({ user_version: schemaVersion });
    expect(() => tamper((db) => db.prepare('SELECT colour FROM sessions').all())).toThrow(/no such column/);
    next[next.length - 1] = "ALTER TABLE sessions ADD COLUMN colour TEXT NOT NULL DEFAULT 'green'";
    tamper((db) => migrate(db, next));
    tamper((db) => migrate(db, next));
    expect(tamper((db) => db.prepare('SELECT id, colour FROM sessions').all())).toEqual([
      { id: 'a', colour: 'green' },
    ]);
    expect(tamper((db) => db.prepare('PRAGMA user_version').get())).toEqual({
      user_version: schemaVersion + 1,
    });
  });

  it('that is no database is reported with what to do, and left as it is', () => {
    writeFileSync(path, 'my shopping list\n'.repeat(500));
    const before = fingerprint();
    expect(() => open()).toThrow(LogCorrupt);
    expect(() => open()).toThrow(/Nothing was changed.*backup.*\.recover/s);
    expect(fingerprint()).toEqual(before);
  });

  it('of another program is reported, and left as it is', () => {
    tamper((db) => db.exec('CREATE TABLE recipes (name)'));
    const before = fingerprint();
    expect(() => open()).toThrow(/another program/);
    expect(fingerprint()).toEqual(before);
  });

  it('that was cut short is reported, and left as it is', async () => {
    await fill(open());
    await logs[0]?.close();
    writeFileSync(path, readFileSync(path).subarray(0, 40_000));
    const before = fingerprint();
    expect(() => open()).toThrow(LogCorrupt);
    expect(fingerprint()).toEqual(before);
  });

  it('with a damaged page is reported, its journal not replayed over it', async () => {
    const log = open();
    await fill(log);
    await log.close();
    const bytes = readFileSync(path);
    // The journal of a run that did not end well, for the same file.
    const crashed = open();
    await more(crashed, 'a', 41);
    const journal = readFileSync(`${path}-wal`);
    await crashed.close();
    for (let page = 4; page < bytes.length / 4096; page += 3)
      bytes.fill(0xa5, page * 4096, page * 4096 + 200);
    writeFileSync(path, bytes);
    writeFileSync(`${path}-wal`, journal);
    const before = fingerprint();
    expect(before.map(([name]) => name)).toEqual(['log.db', 'log.db-wal']);
    expect(() => open()).toThrow(LogCorrupt);
    expect(fingerprint()).toEqual(before);
  });

  it('in a directory that does not exist is unavailable', () => {
    path = join(dir, 'none', 'log.db');
    expect(() => open()).toThrow(LogUnavailable);
  });

  async function fill(log: SqliteLog): Promise<void> {
    await create(log, 'a');
    for (let seq = 1; seq <= 40; seq++) await more(log, 'a', seq, 3000);
  }
});

describe('when the log cannot be written', () => {
  it('a full disk refuses what does not fit, keeps the rest, and is over when there is room', async () => {
    const log = open({ maxPages: 60 });
    await create(log, 'a');
    await create(log, 'big');
    let seq = 1;
    const fill = async (): Promise<never> => {
      for (;;) {
        await more(log, 'big', seq, 20_000);
        seq += 1;
      }
    };
    await expect(fill()).rejects.toThrow(LogUnavailable);
    expect(seq).toBeGreaterThan(3);
    const together = await Promise.allSettled([
      more(log, 'a', 1),
      more(log, 'big', seq, 20_000),
      create(log, 'b'),
    ]);
    expect(together.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((together[1] as PromiseRejectedResult).reason).toBeInstanceOf(LogUnavailable);
    expect(await log.head('big')).toMatchObject({ seq });
    expect((await log.read('big', 0)).map((fact) => fact.seq)).toEqual(
      Array.from({ length: seq }, (_, i) => i + 1),
    );
    await log.remove('big');
    expect(await more(log, 'a', 2, 20_000)).toMatchObject([{ seq: 3 }]);
    await log.close();
    expect(await open().head('a')).toMatchObject({ seq: 3 });
  });

  it('a file that was moved away refuses appends until it is back', async () => {
    const log = open();
    await create(log, 'a');
    renameSync(path, `${path}.away`);
    await expect(more(log, 'a', 1)).rejects.toThrow(/moved or deleted/);
    await expect(more(log, 'a', 1)).rejects.toThrow(LogUnavailable);
    writeFileSync(path, '');
    await expect(more(log, 'a', 1)).rejects.toThrow(LogUnavailable);
    renameSync(`${path}.away`, path);
    expect(await more(log, 'a', 1)).toMatchObject([{ seq: 2 }]);
  });

  it('a file that somebody else has locked refuses the append, and takes it later', async () => {
    const log = open();
    await create(log, 'a');
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(more(log, 'a', 1)).rejects.toThrow(LogUnavailable);
    other.exec('ROLLBACK');
    other.close();
    expect(await more(log, 'a', 1)).toMatchObject([{ seq: 2 }]);
  });
});

describe('the projections', () => {
  const write = async (log: SqliteLog, session: string) => {
    const facts: Fact[] = [];
    const step = async (...drafts: Parameters<SqliteLog['append']>[2]) => {
      facts.push(
        ...(await log.append(session, facts.length, drafts, (added) => sampleChanges(session, facts, added))),
      );
    };
    await step(opened);
    for (const turn of ['t1', 't2', 't3']) {
      const message = { id: `m-${turn}`, content: [{ type: 'text' as const, text: 'go' }] };
      await step({ type: 'queue.added', message, delivery: 'queue', revision: 1 });
      await step({ type: 'turn.started', turn, message, origin: 'user', revision: 2 }, text(turn, 0, 'he'));
      if (turn !== 't3') {
        await step(text(turn, 2, 'llo'), {
          type: 'turn.ended',
          turn,
          outcome: 'finalized',
          stopReason: 'end_turn',
        });
      }
    }
    return facts;
  };
  const all = async (log: SqliteLog, session: string) => ({
    row: await log.session(session),
    turns: await log.turns(session, undefined, 99),
    messages: await Promise.all(['m-t1', 'm-t2', 'm-t3', 'm'].map((id) => log.message(session, id))),
    unsettled: (await log.sessions({ limit: 9, unsettled: true })).map((row) => row.head.id),
  });

  it('are the same when they are rebuilt from the facts', async () => {
    const log = open();
    await write(log, 'a');
    await write(log, 'b');
    await log.markSeen('a', 6);
    const before = [await all(log, 'a'), await all(log, 'b')];
    expect(before.map((one) => one.row?.unread)).toEqual([1, 2]);
    expect(before[0]?.turns.turns).toHaveLength(2);
    tamper((db) => {
      db.exec(
        "DELETE FROM turns; DELETE FROM messages; UPDATE sessions SET open_turn = NULL, state = 'idle'",
      );
      db.exec(`UPDATE heads SET head = '${JSON.stringify(headOf('wrong'))}'`);
    });
    expect([await all(log, 'a'), await all(log, 'b')]).not.toEqual(before);
    expect(await rebuild(log, projectSample)).toBe(2);
    expect([await all(log, 'a'), await all(log, 'b')]).toStrictEqual(before);
  });

  it('keep what messages were answered when they are rebuilt (I9)', async () => {
    const log = open();
    await write(log, 'a');
    const before = await all(log, 'a');
    await rebuild(log, (session, facts) => {
      const projected = projectSample(session, facts);
      return {
        ...projected,
        messages: [{ id: 'm-t1', digest: 'other', answer: { outcome: 'started', cursor: '' } }],
      };
    });
    expect(await all(log, 'a')).toStrictEqual(before);
  });

  it('need a rebuild when the fold is of another version, until one is complete', async () => {
    const first = open({ foldVersion: 1 });
    await write(first, 'a');
    await write(first, 'b');
    expect(first.needsRebuild).toBe(false);
    await first.close();
    const second = open({ foldVersion: 2 });
    expect(second.needsRebuild).toBe(true);
    const torn = rebuild(second, (session, facts) => {
      if (session === 'b') throw new RangeError('cannot fold');
      return projectSample(session, facts);
    });
    await expect(torn).rejects.toThrow(RangeError);
    expect(second.needsRebuild).toBe(true);
    await second.close();
    const third = open({ foldVersion: 2 });
    expect(third.needsRebuild).toBe(true);
    await rebuild(third, projectSample);
    expect(third.needsRebuild).toBe(false);
    await third.close();
    expect(open({ foldVersion: 2 }).needsRebuild).toBe(false);
  });

  it('are not replaced when the session went on meanwhile', async () => {
    const log = open();
    await create(log, 'a');
    const overtaken = rebuild(log, async (session, facts) => {
      await more(log, 'a', 1);
      return projectSample(session, facts);
    });
    await expect(overtaken).rejects.toThrow(LogConflict);
  });
});
