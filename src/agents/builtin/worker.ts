import { appendFileSync, existsSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkItem } from './survivor.ts';

/**
 * A process of its own that outlives the gateway: `node worker.ts PLAN OUT` reads the work items in PLAN and appends
 * what it says to OUT, a line of JSON each: first `{worker: {pid}}`, then `{output}`, the last one of type `ended`.
 */
const [plan, out] = process.argv.slice(2);
if (plan === undefined || out === undefined) throw new Error('usage: node worker.ts PLAN OUT');

const say = (line: object) => appendFileSync(out, `${JSON.stringify(line)}\n`);
say({ worker: { pid: process.pid } });
process.on('SIGTERM', () => {
  say({ output: { type: 'ended', stopReason: 'cancelled' } });
  process.exit(0);
});
// A reader that has only the process id cannot tell this worker from a later process: a fresh file can.
setInterval(() => utimesSync(out, new Date(), new Date()), 5000).unref();

const items: readonly WorkItem[] = JSON.parse(readFileSync(plan, 'utf8'));
rmSync(plan);
let ended = false;
for (const item of items) {
  if (ended) break;
  if (item.after) await delay(item.after);
  while (item.file !== undefined && !existsSync(item.file)) await delay(20);
  if (item.output) {
    say({ output: item.output });
    ended = item.output.type === 'ended';
  }
}
if (!ended) say({ output: { type: 'ended', stopReason: 'end_turn' } });
