import { run } from '../model/simulation/schedule.ts';

/**
 * Plays the schedules of the seeds FROM, FROM+1, … in this thread, COUNT of them, and stops at the first that breaks an
 * invariant. Each line that it prints is JSON: `{played}` now and then, at last `{played, seed?, invariant?, what?}`.
 */
const [from = 1, count = 1] = process.argv.slice(2).map(Number);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

let rejected: unknown;
process.on('unhandledRejection', (error) => {
  rejected = error;
});

async function play(): Promise<object> {
  for (let played = 0; played < count; played++) {
    const seed = String(from + played);
    const [breach] = (await run(seed)).breaches;
    if (breach) return { played: played + 1, seed, invariant: breach.invariant, what: breach.what };
    if (rejected !== undefined)
      return { played: played + 1, seed, invariant: 'unhandled', what: String(rejected) };
    if (played % 20 === 19) say({ played: played + 1 });
  }
  return { played: count };
}

say(await play());
process.exit();
