import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { SqliteLog } from '../../src/gateway/log/sqlite.log.ts';

const program = fileURLToPath(new URL('./log.limited.program.ts', import.meta.url));

function canLimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return process.platform === 'linux';
  } catch {
    return false;
  }
}

it.runIf(canLimit())(
  'a write that the system refuses keeps every earlier fact, and later ones are taken again',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-full-'));
    try {
      const path = join(dir, 'log.db');
      const run = spawnSync(
        'prlimit',
        ['--fsize=1000000:', process.execPath, '--no-warnings', program, path],
        {
          encoding: 'utf8',
        },
      );
      expect(run.stderr).toBe('');
      expect(run.signal).toBe('SIGKILL');
      const told = JSON.parse(run.stdout) as { full: number; seq: number };
      expect(told).toMatchObject({
        first: 'unavailable',
        readable: told.full,
        second: 'unavailable',
        third: 'kept',
      });
      expect(told.full).toBeGreaterThan(10);
      const log = new SqliteLog(path);
      const facts = await log.read('a', 0);
      await log.close();
      expect(facts.map((fact) => fact.seq)).toEqual(Array.from({ length: told.seq }, (_, i) => i + 1));
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
);
