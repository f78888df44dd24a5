import { writeSync } from 'node:fs';
import { SqliteLog } from '../../src/gateway/log/sqlite.log.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { opened, sampleChanges, text } from '../support/log.sample.ts';

/**
 * Writes to several sessions at once until it is killed, and prints the facts of each append as a line of JSON after it
 * was acknowledged.
 */
const [path, seed] = process.argv.slice(2) as [string, string];
const log = new SqliteLog(path);

/** mulberry32 */
let state = Number(seed);
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
}

async function write(session: string): Promise<void> {
  const facts: Fact[] = [];
  const step = async (drafts: readonly Draft[]) => {
    const added = await log.append(session, facts.length, drafts, (next) =>
      sampleChanges(session, facts, next),
    );
    facts.push(...added);
    writeSync(1, `${JSON.stringify(added)}\n`);
  };
  await step([opened]);
  for (let turn = 0; turn < 6; turn++) {
    const id = `t${turn}`;
    const message = { id: `${session}-m${turn}`, content: [{ type: 'text' as const, text: 'go' }] };
    await step([{ type: 'queue.added', message, delivery: 'queue', revision: 2 * turn + 1 }]);
    await step([{ type: 'turn.started', turn: id, message, origin: 'user', revision: 2 * turn + 2 }]);
    let length = 0;
    for (let count = random(4); count >= 0; count--) {
      const drafts: Draft[] = [];
      for (let facts = random(3); facts >= 0; facts--) {
        const added = 'é'.repeat(1 + random(random(8) === 0 ? 9000 : 40));
        drafts.push(text(id, length, added));
        length += added.length;
      }
      await step(drafts);
    }
    await step([{ type: 'turn.ended', turn: id, outcome: 'finalized', stopReason: 'end_turn' }]);
  }
}

async function lane(name: string): Promise<never> {
  for (let count = 0; ; count++) await write(`${seed}-${name}-${count}`);
}

await Promise.all(['a', 'b', 'c'].map(lane));
