import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { step } from '../../src/setup/child.mjs';

const child = pathToFileURL(resolve(import.meta.dirname, '../../src/setup/child.mjs')).href;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-child-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Runs `programs` (sources of modules) in the foreground of a process of its own, as the launcher does. */
function launch(...programs: string[]) {
  const commands = programs.map((source, index) => {
    const file = join(dir, `${index}.mjs`);
    writeFileSync(file, source);
    return { command: [process.execPath, file], cwd: dir };
  });
  const source = `import { foreground } from ${JSON.stringify(child)};
    process.exitCode = await foreground(...${JSON.stringify(commands)});`;
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const said = new Map<string, () => void>();
  launcher.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    for (const [text, tell] of said) if (output.includes(text)) tell();
  });
  return {
    launcher,
    says: (text: string) =>
      new Promise<void>((tell) => (output.includes(text) ? tell() : said.set(text, tell))),
    ended: new Promise<{ code: number | null; output: string }>((done) => {
      launcher.on('close', (code) => done({ code, output }));
    }),
  };
}

const gentle = `
  const alive = setInterval(() => {}, 1000);
  process.on('SIGTERM', () => {
    console.log('ending');
    process.stdin.resume();
    setImmediate(() => { console.log('closed'); clearInterval(alive); process.exit(7); });
  });
  console.log('ready');`;

it('passes a signal on once, waits for the program to end cleanly, and takes its exit code', async () => {
  const { launcher, says, ended } = launch(gentle);
  await says('ready');
  launcher.kill('SIGTERM');
  launcher.kill('SIGTERM');
  expect(await ended).toEqual({ code: 7, output: 'ready\nending\nclosed\n' });
});

it('takes the exit code of a program that ends by itself', async () => {
  expect(await launch('process.exit(3);').ended).toEqual({ code: 3, output: '' });
});

it('tells a program that a signal ended by 128 and more', async () => {
  expect((await launch(`process.kill(process.pid, 'SIGKILL');`).ended).code).toBe(137);
});

it('ends the other programs with the first one that ends', async () => {
  const { ended } = launch('process.exit(3);', 'setInterval(() => {}, 1000);');
  expect((await ended).code).toBe(3);
});

it('a step of the set-up that fails says what its program said', async () => {
  const failing = [process.execPath, '-e', `console.error('no such package'); process.exit(4)`];
  await expect(step('trying', failing, { cwd: dir })).rejects.toThrow(
    /^no such package\n\(.* ended with 4\)$/,
  );
});
