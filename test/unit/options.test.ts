import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

/** What a program of this repository says of these options, and the code with which it ends. */
function says(program: string, ...args: readonly string[]) {
  const file = resolve(import.meta.dirname, '..', program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test.each([
  ['model/simulation/simulate.program.ts', ['--runs', '0'], '--runs 0: give a whole number from 1 on.'],
  ['model/simulation/simulate.program.ts', ['--minutes', 'ten'], '--minutes ten: give a number above 0.'],
  ['model/explore.program.ts', ['--kind', 'turn'], '--kind turn: give one of conversation, job.'],
  ['model/explore.program.ts', ['--stops', '1.5'], '--stops 1.5: give a whole number from 0 on.'],
  ['fault/faults.program.ts', ['--pionts', '3'], "Unknown option '--pionts'"],
])('%s %j ends with what is wrong and how it is used', (program, args, what) => {
  const { status, stdout, stderr } = says(program, ...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.split('\n')[0]).toBe(what);
  expect(stderr).toContain('npm run ');
});

test('a program that is asked how it is used says so, and does nothing', () => {
  const { status, stdout, stderr } = says('fault/faults.program.ts', '--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^npm run faults -- /);
});
