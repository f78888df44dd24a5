import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SqliteLog } from '../../src/gateway/log/sqlite.log.ts';
import { type Fact, parseFact } from '../../src/wire/facts.ts';
import { projectSample } from '../support/log.sample.ts';

const kills = 100;
const writer = fileURLToPath(new URL('./log.writer.program.ts', import.meta.url));
const seed = Number(process.env.SLUICE_SEED ?? Math.floor(Math.random() * 1e9));
const running = new Set<ChildProcess>();
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-kill-'));
});
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(dir, { recursive: true });
});

it(`keeps each acknowledged fact through ${kills} kills of the writer, none torn, no gap (I7)`, async () => {
  console.log(`again with SLUICE_SEED=${seed}`);
  // Two at a time, each on a file of its own, because a start of Node takes longest.
  const totals = await Promise.all([0, 1].map((lane) => killAgainAndAgain(lane)));
  expect(totals.reduce((sum, total) => sum + total.kills, 0)).toBe(kills);
  // The kills did fall among writes: most of them hit a session in the middle of a turn.
  expect(totals.reduce((sum, total) => sum + total.open, 0)).toBeGreaterThan(kills);
}, 600_000);

async function killAgainAndAgain(lane: number): Promise<{ kills: number; open: number }> {
  const path = join(dir, `log-${lane}.db`);
  let open = 0;
  const ever = new Map<string, number>();
  for (let round = lane; round < kills; round += 2) {
    const acknowledged = await writeUntilKilled(path, seed + round);
    expect(acknowledged.size).toBeGreaterThan(0);
    const log = new SqliteLog(path);
    try {
      for (const [session, facts] of acknowledged) {
        open += await check(log, session, facts);
        ever.set(session, facts.length);
      }
      // Nor do later kills take from what earlier runs wrote.
      for (const [session, count] of ever) {
        expect((await log.head(session))?.seq, session).toBeGreaterThanOrEqual(count);
      }
      // Also sessions whose first fact was kept but not yet acknowledged.
      for (const session of await log.sessionIds()) {
        if (session.startsWith(`${seed + round}-`) && !acknowledged.has(session))
          await check(log, session, []);
      }
    } finally {
      await log.close();
    }
  }
  return { kills: kills / 2, open };
}

/** Kills after a number of acknowledgements that the seed gives; the writer is by then further on. */
async function writeUntilKilled(path: string, round: number): Promise<Map<string, Fact[]>> {
  const child = spawn(process.execPath, ['--no-warnings', writer, path, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const ended = once(child, 'exit');
  const killAfter = 1 + ((round * 7919) % 211);
  const acknowledged = new Map<string, Fact[]>();
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    // The last line may be torn: its append was committed, but this reader was not told the whole of it.
    const facts = parseLine(line);
    const session = facts[0]?.session;
    if (session === undefined) continue;
    acknowledged.set(session, [...(acknowledged.get(session) ?? []), ...facts]);
    lines += 1;
    if (lines === killAfter) child.kill('SIGKILL');
  }
  expect(await ended).toEqual([null, 'SIGKILL']);
  running.delete(child);
  return acknowledged;
}

function parseLine(line: string): readonly Fact[] {
  try {
    return JSON.parse(line) as Fact[];
  } catch {
    return [];
  }
}

/** Returns 1 when the session was cut in the middle of a turn. */
async function check(log: SqliteLog, session: string, acknowledged: readonly Fact[]): Promise<number> {
  const facts = await log.read(session, 0);
  expect(facts.slice(0, acknowledged.length)).toStrictEqual(acknowledged);
  expect(facts.map((fact) => fact.seq)).toEqual(facts.map((_, index) => index + 1));
  for (const fact of facts) expect(parseFact(fact).kind).toBe('known');

  const row = await log.session(session);
  const { head, openTurn, settled, messages, ends } = projectSample(session, facts);
  const last = facts.at(-1);
  expect(row).toStrictEqual({
    head: { ...head, createdAt: facts[0]?.at, updatedAt: last?.at, cursor: `${last?.epoch}.${last?.seq}` },
    epoch: last?.epoch,
    seq: facts.length,
    ...(openTurn && { openTurn }),
    unread: ends.length,
  });
  expect((await log.turns(session, undefined, 99)).turns).toStrictEqual(settled);
  for (const message of messages) expect(await log.message(session, message.id)).toStrictEqual(message);
  return openTurn ? 1 : 0;
}
