import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type DataDirectory,
  DataInUse,
  DataUnusable,
  defaultDataDirectory,
  openData,
} from '../../src/gateway/data.ts';

const holder = fileURLToPath(new URL('../support/data.holder.program.ts', import.meta.url));
let dir: string;
let path: string;
let opened: DataDirectory[];
let children: ChildProcess[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-data-'));
  path = join(dir, 'deep', 'sluice');
  opened = [];
  children = [];
});
afterEach(async () => {
  for (const data of opened) data.release();
  for (const child of children) await kill(child);
  rmSync(dir, { recursive: true });
});

function open(): DataDirectory {
  const data = openData(path);
  opened.push(data);
  return data;
}

function refusal(): unknown {
  try {
    open();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Another process that has the directory. */
async function hold(...args: string[]): Promise<{ child: ChildProcess; token: string }> {
  const child = spawn(process.execPath, ['--no-warnings', holder, path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [token] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, token };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

it('makes a directory and a token that only the user can read', () => {
  const data = open();
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(path, 'token')).mode & 0o777).toBe(0o600);
  expect(data.token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(data.logFile).toBe(join(path, 'log.db'));
});

it('has the same token at the next start, and another one elsewhere', () => {
  const first = open();
  first.release();
  const again = open();
  expect(again.token).toBe(first.token);
  again.release();
  path = join(dir, 'other');
  expect(open().token).not.toBe(first.token);
});

it('takes away what others may read of a token, and refuses an empty one', () => {
  open().release();
  chmodSync(join(path, 'token'), 0o644);
  open().release();
  expect(statSync(join(path, 'token')).mode & 0o777).toBe(0o600);
  writeFileSync(join(path, 'token'), '\n');
  expect(refusal()).toBeInstanceOf(DataUnusable);
  expect(String(refusal())).toMatch(/token.*delete it/);
  rmSync(join(path, 'token'));
  expect(open().token).toHaveLength(43);
});

it('refuses a second start with the address of the first', async () => {
  const { child, token } = await hold('http://127.0.0.1:4747/');
  const error = refusal();
  expect(error).toBeInstanceOf(DataInUse);
  expect(error).toMatchObject({ address: 'http://127.0.0.1:4747/', pid: child.pid });
  expect((error as Error).message).toMatch(/in use by a gateway that runs at http:\/\/127.0.0.1:4747\//);
  expect(readFileSync(join(path, 'token'), 'utf8').trim()).toBe(token);
});

it('is free at once when its holder was killed, and does not name the dead one', async () => {
  const { child } = await hold('http://127.0.0.1:1/');
  await kill(child);
  const data = open();
  const inside = refusal();
  expect(inside).toBeInstanceOf(DataInUse);
  expect(inside).toMatchObject({ address: undefined, pid: process.pid });
  data.setAddress('http://127.0.0.1:2/');
  expect(refusal()).toMatchObject({ address: 'http://127.0.0.1:2/' });
  data.release();
  expect(existsSync(join(path, 'gateway.json'))).toBe(false);
  await hold('http://127.0.0.1:3/');
  expect(refusal()).toMatchObject({ address: 'http://127.0.0.1:3/' });
});

it('does not pass on an address that an earlier, dead holder left', async () => {
  await hold();
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  writeFileSync(
    join(path, 'gateway.json'),
    JSON.stringify({ pid: gone.pid, address: 'http://127.0.0.1:9/' }),
  );
  expect(refusal()).toMatchObject({ name: 'DataInUse', address: undefined, pid: undefined });
});

it('says why a directory cannot be used', () => {
  writeFileSync(join(dir, 'file'), '');
  path = join(dir, 'file', 'data');
  expect(refusal()).toBeInstanceOf(DataUnusable);
  expect(String(refusal())).toContain(path);
});

it('lies where the platform keeps the data of programs', () => {
  expect(defaultDataDirectory({}, 'linux', '/home/u')).toBe('/home/u/.local/share/sluice');
  expect(defaultDataDirectory({ XDG_DATA_HOME: '/x' }, 'linux', '/home/u')).toBe('/x/sluice');
  expect(defaultDataDirectory({ XDG_DATA_HOME: 'x' }, 'linux', '/home/u')).toBe(
    '/home/u/.local/share/sluice',
  );
  expect(defaultDataDirectory({}, 'darwin', '/Users/u')).toBe('/Users/u/Library/Application Support/sluice');
  expect(defaultDataDirectory({ LOCALAPPDATA: '/l' }, 'win32', '/u')).toBe('/l/sluice');
});
