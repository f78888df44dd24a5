import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { markVariable, type ProcessRecord, ProcessRecords } from '../../src/gateway/processes.ts';

// What other systems say about processes, /proc aside, is too little for these tests.
describe.runIf(process.platform === 'linux')('the records of process groups', () => {
  let dir: string;
  let groups: number[];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-processes-'));
    groups = [];
  });
  afterEach(() => {
    for (const pgid of groups) {
      try {
        process.kill(-pgid, 'SIGKILL');
      } catch {
        // It is gone, as it should be.
      }
    }
    rmSync(dir, { recursive: true });
  });

  /** A group of its own that runs a script until it is killed; resolves when it has printed its first line. */
  async function start(
    script: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ child: ChildProcess; line: string }> {
    const child = spawn('sh', ['-c', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, ...env },
    });
    groups.push(child.pid as number);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return { child, line };
  }

  const sleeper = 'echo up; exec sleep 1000';
  const stubborn = `trap '' TERM; echo up; while :; do sleep 1000 & wait $!; done`;

  function record(pgid: number | undefined, more: { survives?: boolean; mark?: string } = {}): ProcessRecord {
    return new ProcessRecords(dir).add({
      pgid: pgid as number,
      command: 'sh',
      session: 's',
      survives: false,
      ...more,
    });
  }

  function rewrite(pgid: number | undefined, change: Partial<ProcessRecord>): void {
    const file = join(dir, `${pgid}.json`);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }));
  }

  /** Zombies are not: where nobody reaps them, they stay. */
  function isAlive(pid: number): boolean {
    const stat = `/proc/${pid}/stat`;
    return existsSync(stat) && !readFileSync(stat, 'utf8').includes(') Z ');
  }

  it('lists what was added until it is removed, over a restart too', async () => {
    const { child } = await start(sleeper);
    const records = new ProcessRecords(dir);
    const added = records.add({
      pgid: child.pid as number,
      command: 'sleep 1000',
      session: 's',
      survives: true,
    });
    expect(added.kernelStart).toMatch(/^[0-9a-f-]{36}:\d+$/);
    expect(new ProcessRecords(dir).list()).toEqual([added]);
    expect(statSync(join(dir, `${child.pid}.json`)).mode & 0o077).toBe(0);
    records.remove(child.pid as number);
    records.remove(child.pid as number);
    expect(records.list()).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('records no group whose signals would reach the gateway or everything', () => {
    for (const pgid of [0, 1, -1, -5, 1.5, Number.NaN]) expect(() => record(pgid)).toThrow(TypeError);
    expect(new ProcessRecords(dir).list()).toEqual([]);
  });

  it('ends the whole group that an earlier run left, and forgets it', async () => {
    const { child, line } = await start('sleep 1000 & echo $!; wait');
    const before = record(child.pid);
    const ended = once(child, 'exit');
    expect(await new ProcessRecords(dir).killSurvivors()).toEqual([{ record: before, fate: 'terminated' }]);
    expect((await ended)[1]).toBe('SIGTERM');
    expect(isAlive(Number(line))).toBe(false);
    expect(new ProcessRecords(dir).list()).toEqual([]);
  });

  it('kills what ignores the request to end', async () => {
    const { child } = await start(stubborn);
    record(child.pid);
    const ended = once(child, 'exit');
    expect(await new ProcessRecords(dir).killSurvivors({ graceMs: 300 })).toMatchObject([{ fate: 'killed' }]);
    expect((await ended)[1]).toBe('SIGKILL');
  });

  it('never touches a process that got the number of a recorded one', async () => {
    const { child } = await start(sleeper);
    record(child.pid);
    rewrite(child.pid, { kernelStart: '00000000-0000-0000-0000-000000000000:1' });
    expect(await new ProcessRecords(dir).killSurvivors()).toMatchObject([{ fate: 'reused' }]);
    expect(isAlive(child.pid as number)).toBe(true);
    expect(new ProcessRecords(dir).list()).toEqual([]);
  });

  it('never touches its own group, whatever a record says', async () => {
    const own = Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[2]);
    record(own);
    expect(await new ProcessRecords(dir).killSurvivors()).toMatchObject([{ fate: 'reused' }]);
  });

  it('leaves what is meant to survive, and keeps its record', async () => {
    const { child } = await start(sleeper);
    const kept = record(child.pid, { survives: true });
    expect(await new ProcessRecords(dir).killSurvivors()).toEqual([{ record: kept, fate: 'kept' }]);
    expect(isAlive(child.pid as number)).toBe(true);
    expect(new ProcessRecords(dir).list()).toEqual([kept]);
  });

  it('ends what is meant to survive when nobody can join it any more', async () => {
    const { child } = await start(sleeper);
    record(child.pid, { survives: true });
    const survivors = await new ProcessRecords(dir).killSurvivors({ wanted: async () => false });
    expect(survivors).toMatchObject([{ fate: 'terminated' }]);
    expect(new ProcessRecords(dir).list()).toEqual([]);
  });

  it('leaves what this run started', async () => {
    const { child } = await start(sleeper);
    const records = new ProcessRecords(dir);
    records.add({ pgid: child.pid as number, command: 'sleep', session: 's', survives: false });
    expect(await records.killSurvivors()).toEqual([]);
    expect(isAlive(child.pid as number)).toBe(true);
  });

  it('forgets what has ended by itself', async () => {
    const { child } = await start(sleeper);
    record(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await new ProcessRecords(dir).killSurvivors()).toMatchObject([{ fate: 'gone' }]);
    expect(new ProcessRecords(dir).list()).toEqual([]);
  });

  it('knows a group whose leader is gone by its mark, and leaves it alone without one', async () => {
    const script = 'sleep 1000 >/dev/null & echo $!; read _ </dev/null; exit 0';
    const mark = ProcessRecords.newMark();
    const marked = await start(script, { [markVariable]: mark });
    const unmarked = await start(script);
    for (const { child } of [marked, unmarked]) {
      if (child.exitCode === null) await once(child, 'exit');
    }
    record(marked.child.pid, { mark });
    record(unmarked.child.pid, { mark });
    const fates = await new ProcessRecords(dir).killSurvivors();
    const fateOf = (pgid: number | undefined) => fates.find((one) => one.record.pgid === pgid)?.fate;
    expect(fateOf(marked.child.pid)).toBe('terminated');
    expect(fateOf(unmarked.child.pid)).toBe('unsure');
    expect(isAlive(Number(unmarked.line))).toBe(true);
  });
});
