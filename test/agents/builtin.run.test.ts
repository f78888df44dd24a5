import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Output } from '../../src/agents/agent.ts';
import { realClock } from '../../src/agents/workspace/clock.ts';
import { isAlive } from '../../src/agents/workspace/groups.ts';
import {
  end,
  LeapingClock,
  type Opened,
  OwnedClock,
  openBuiltin,
  prompt,
  reading,
  text,
} from './builtin.kit.ts';

const shown = (outputs: readonly Output[]) =>
  outputs.map((output) => (output.type === 'tool.updated' ? (output.output ?? '') : '')).join('');
const finished = (outputs: readonly Output[]) => outputs.find((output) => output.type === 'tool.finished');

async function run({ session }: Opened, command: string, optionId = 'allow', signal?: AbortSignal) {
  const stream = reading(prompt(session, `run ${command}`, signal));
  const asked = await stream.until('permission.asked');
  await session.answer(asked.permission, { outcome: 'selected', optionId });
  return { ...stream, asked };
}

/** Text comes at once, while everything about the process takes its real time. */
const brisk = { sleep: (ms: number, signal: AbortSignal) => realClock.sleep(ms < 100 ? 0 : ms, signal) };

describe('the builtin agent running a command', () => {
  it('asks before it runs exactly what was typed, streams its output and reports its exit code', async () => {
    const opened = await openBuiltin({ clock: brisk });
    const command = `printf '%s|' "a  b" '$HOME' *.txt; echo problem >&2; exit 3.`.replace('3.', '3');
    await writeFile(join(opened.cwd, 'x y.txt'), '');
    const { asked, done, seen } = await run(opened, command);
    expect(asked.options.map((option) => option.kind)).toEqual(['allow_once', 'allow_always', 'reject_once']);
    expect(seen.some((output) => output.type === 'tool.updated')).toBe(false);
    const outputs = await done;
    expect(shown(outputs)).toContain('a  b|$HOME|x y.txt|');
    expect(shown(outputs)).toContain('problem\n');
    expect(finished(outputs)).toMatchObject({ toolCallId: asked.toolCallId, status: 'failed', exitCode: 3 });
    expect(text(outputs)).toBe('It failed with exit code 3.');
    expect(end(outputs)).toBe('end_turn');
    expect(opened.processes).toHaveLength(1);
    expect(opened.processes[0]).toMatchObject({ command, survives: false });
    await opened.processes[0]?.ended;
  });

  it('runs nothing when it is not allowed', async () => {
    const opened = await openBuiltin();
    const { done } = await run(opened, 'touch made', 'reject');
    expect(await done).toContainEqual(expect.objectContaining({ type: 'tool.refused' }));
    expect(opened.processes).toEqual([]);
  });

  it('asks no more in a conversation that always allows', async () => {
    const opened = await openBuiltin({ clock: brisk });
    expect(finished(await (await run(opened, 'true', 'always')).done)).toMatchObject({ exitCode: 0 });
    const second = await reading(prompt(opened.session, '$ echo twice')).done;
    expect(second.some((output) => output.type === 'permission.asked')).toBe(false);
    expect(shown(second)).toBe('twice\n');
  });

  it('streams output while the command runs, split inside of a character', async () => {
    const opened = await openBuiltin({ clock: brisk });
    const { until, done } = await run(
      opened,
      `printf 'first\\n\\303'; while [ ! -e go ]; do sleep 0.02; done; printf '\\244'`,
    );
    await until('tool.updated', (output) => output.output?.includes('first') ?? false);
    await writeFile(join(opened.cwd, 'go'), '');
    expect(shown(await done)).toBe('first\nä');
  });

  it('keeps the beginning of endless output, and says that there is more', async () => {
    const opened = await openBuiltin({ clock: brisk });
    const outputs = await (await run(opened, 'head -c 3000000 /dev/zero | tr "\\0" x')).done;
    expect(shown(outputs).length).toBeLessThan(263_000);
    expect(shown(outputs)).toContain('not shown');
    expect(finished(outputs)).toMatchObject({ exitCode: 0 });
  });

  it('I5: a stop ends the command with all of its processes', async () => {
    const opened = await openBuiltin({ clock: brisk });
    const { until, done } = await run(opened, 'sleep 1000 & echo $!; sleep 1000');
    const first = await until('tool.updated', (output) => output.output !== undefined);
    expect(isAlive(Number(first.output))).toBe(true);
    opened.session.cancel();
    const outputs = await done;
    expect(finished(outputs)).toMatchObject({ status: 'failed', exitCode: null });
    expect(end(outputs)).toBe('cancelled');
    await opened.processes[0]?.ended;
    await expect.poll(() => isAlive(Number(first.output))).toBe(false);
  });

  it('I5: kills a command that ignores SIGTERM once its time is over', async () => {
    const clock = new OwnedClock();
    const opened = await openBuiltin({ clock });
    const { until, done, seen } = await run(
      opened,
      `trap 'echo no' TERM; echo ready; while :; do sleep 0.05; done`,
    );
    await until('tool.updated', (output) => output.output?.includes('ready') ?? false);
    opened.session.cancel();
    await clock.advance(1999);
    expect(end(seen)).toBeUndefined();
    await clock.advance(1);
    expect(end(await done)).toBe('cancelled');
    expect(isAlive(opened.processes[0]?.pgid ?? 0)).toBe(false);
    expect(clock.sleepers).toBe(0);
  });

  it('kills the command at once when nobody reads on', async () => {
    const opened = await openBuiltin({ clock: new OwnedClock() });
    const abort = new AbortController();
    const { until, done } = await run(opened, `trap '' TERM; echo ready; sleep 1000`, 'allow', abort.signal);
    await until('tool.updated', (output) => output.output !== undefined);
    abort.abort();
    expect(end(await done)).toBeUndefined();
    await opened.processes[0]?.ended;
    expect(isAlive(opened.processes[0]?.pgid ?? 0)).toBe(false);
  });

  it('ends with the shell, and ends what that leaves in the background', async () => {
    const opened = await openBuiltin({ clock: brisk });
    const outputs = await (await run(opened, 'sleep 1000 & echo $!')).done;
    expect(finished(outputs)).toMatchObject({ exitCode: 0 });
    expect(text(outputs)).toContain('left in the background was ended');
    await expect.poll(() => isAlive(Number(shown(outputs)))).toBe(false);
  });

  it('keeps the settings of the gateway out of the environment of the command', async () => {
    process.env.SLUICE_TEST_SECRET = 'hidden';
    const opened = await openBuiltin({ clock: brisk });
    const outputs = await (await run(opened, 'echo "[$SLUICE_TEST_SECRET][$SLUICE_PROCESS]"')).done;
    delete process.env.SLUICE_TEST_SECRET;
    expect(shown(outputs)).toBe(`[][${opened.processes[0]?.mark}]\n`);
  });

  it('fails in words when the directory is gone', async () => {
    const opened = await openBuiltin({
      clock: new LeapingClock(),
      cwd: '/nonexistent/of/sluice',
      stateDir: '/tmp',
    });
    const outputs = await (await run(opened, 'true')).done;
    expect(finished(outputs)).toMatchObject({ status: 'failed' });
    expect(outputs.at(-1)).toMatchObject({
      type: 'ended',
      stopReason: 'error',
      error: { code: 'builtin.shell' },
    });
  });
});
