import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * `recorder POINTER PROGRAM ARG …`: runs an agent program, hands on what is said in both directions, and writes it down
 * first, into the file that the file POINTER names at its start.
 */
const [pointer = '', program = '', ...args] = process.argv.slice(2);
const record = readFileSync(pointer, 'utf8');

/** The first number that no other process of this scene has. */
function claim(): number {
  for (let p = 0; ; p += 1) {
    try {
      mkdirSync(`${record}.${p}`);
      return p;
    } catch {
      // Another process has it.
    }
  }
}
const p = claim();

function note(what: object): void {
  appendFileSync(record, `${JSON.stringify({ p, ...what })}\n`);
}

const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
child.stdin.on('error', () => {});
let asked = false;
// The group gets it, and the program with it.
process.on('SIGTERM', () => {
  asked = true;
});
createInterface({ input: process.stdin })
  .on('line', (line) => {
    note({ to: JSON.parse(line) });
    child.stdin.write(`${line}\n`);
  })
  .on('close', () => {
    asked = true;
    child.stdin.end();
  });
createInterface({ input: child.stdout }).on('line', (line) => {
  try {
    note({ from: JSON.parse(line) });
  } catch {
    note({ from: { noise: line.length } });
  }
  process.stdout.write(`${line}\n`);
});
child.on('close', (code) => {
  if (!asked) note({ exit: code ?? 1 });
  process.exit(code ?? 1);
});
