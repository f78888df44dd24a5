import { execFileSync } from 'node:child_process';
import { LogUnavailable } from '../../src/gateway/log/log.ts';
import { SqliteLog } from '../../src/gateway/log/sqlite.log.ts';
import { headOf, nothing, opened, text } from '../support/log.sample.ts';

/** Appends under a limit on the size of files until the log refuses, has the limit lifted, and goes on. Prints JSON. */
const log = new SqliteLog(process.argv[2] as string);
await log.append('a', 0, [opened], { ...nothing, head: headOf('a') });
let seq = 1;
const append = () =>
  log.append('a', seq, [text('t', 0, 'x'.repeat(30_000))], nothing).then(
    () => {
      seq += 1;
      return 'kept';
    },
    (error: unknown) => (error instanceof LogUnavailable ? 'unavailable' : String(error)),
  );

let first = 'kept';
while (first === 'kept' && seq < 10_000) first = await append();
const full = seq;
const readable = (await log.read('a', 0)).length;
const second = await append();
execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:unlimited']);
const third = await append();
process.stdout.write(JSON.stringify({ first, full, readable, second, third, seq }), () => {
  process.kill(process.pid, 'SIGKILL');
});
