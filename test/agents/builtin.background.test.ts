import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Output, Poll } from '../../src/agents/agent.ts';
import { realClock } from '../../src/agents/workspace/clock.ts';
import { isAlive } from '../../src/agents/workspace/groups.ts';
import type { Turn } from '../../src/wire/turn.ts';
import {
  all,
  end,
  type Opened,
  OwnedClock,
  openBuiltin,
  prompt,
  reading,
  script,
  seenTurn,
  text,
} from './builtin.kit.ts';

const signal = new AbortController().signal;

async function poll({ session }: Pick<Opened, 'session'>, handle: string): Promise<Poll> {
  if (!session.poll) throw new Error('it cannot be polled');
  return await session.poll(handle);
}

function reattach({ session }: Pick<Opened, 'session'>, handle: string, seen: Turn): AsyncIterable<Output> {
  if (!session.reattach) throw new Error('it cannot be joined again');
  return session.reattach(handle, seen);
}

function handleOf(outputs: readonly unknown[]): string {
  const accepted = outputs.find((output) => (output as { type: string }).type === 'accepted');
  return (accepted as { handle: string }).handle;
}

describe('the builtin agent with a lost stream', () => {
  it('C10: goes on unseen, tells its progress to polls, and brings the rest once it has ended', async () => {
    const clock = new OwnedClock();
    const opened = await openBuiltin({ clock });
    const stream = reading(prompt(opened.session, 'lose the stream'));
    await clock.advance(1000);
    const outputs = await stream.done;
    expect(outputs.at(-1)).toMatchObject({ type: 'poll' });
    const handle = handleOf(outputs);
    await clock.advance(3000);
    expect(await poll(opened, handle)).toMatchObject({ state: 'running', progress: { done: 3, total: 10 } });
    await clock.advance(10_000);
    const ended = {
      state: 'ended',
      output: [
        { type: 'text', text: 'And this was fetched when all of it was done.' },
        { type: 'ended', stopReason: 'end_turn' },
      ],
    };
    expect(await poll(opened, handle)).toEqual(ended);
    expect(await poll(opened, handle)).toEqual(ended);
    expect(
      text(
        await (async () => {
          const next = reading(prompt(opened.session, 'hello'));
          await clock.advance(5000);
          return next.done;
        })(),
      ),
    ).toContain('Hello');
  });

  it('I5: a stop ends it between two polls', async () => {
    const clock = new OwnedClock();
    const opened = await openBuiltin({ clock });
    const stream = reading(
      prompt(opened.session, script({ text: 'a' }, { poll: 'lost' }, { wait: 1000 }, { text: 'b' })),
    );
    const handle = handleOf(await stream.done);
    opened.session.cancel();
    await clock.advance(0);
    expect(await poll(opened, handle)).toEqual({
      state: 'ended',
      output: [{ type: 'ended', stopReason: 'cancelled' }],
    });
    expect(clock.sleepers).toBe(0);
  });

  it('joins the stream again when it is back, also for a question', async () => {
    const clock = new OwnedClock();
    const opened = await openBuiltin({ clock });
    const steps = [
      { poll: 'lost' },
      { wait: 10 },
      { text: 'b' },
      { rejoin: true },
      { text: 'c' },
      { poll: 'again' },
    ];
    const handle = handleOf(
      await all(prompt(opened.session, script({ text: 'a' }, ...steps, { permission: 'p' }, { text: 'd' }))),
    );
    expect(await poll(opened, handle)).toEqual({ state: 'running' });
    await clock.advance(10);
    const back = await poll(opened, handle);
    if (back.state !== 'stream') throw new Error(back.state);
    expect((await all(back.output)).map((output) => ('text' in output ? output.text : output.type))).toEqual([
      'b',
      'c',
      'poll',
    ]);
    await clock.advance(0);
    const again = await poll(opened, handle);
    if (again.state !== 'stream') throw new Error(again.state);
    const rest = reading(again.output);
    await rest.until('permission.asked');
    opened.session.answer('p', { outcome: 'selected', optionId: 'allow' });
    expect(text(await rest.done)).toBe('d');
    expect(end(rest.seen)).toBe('end_turn');
  });

  it('D4: does not know work that it lost or never had', async () => {
    const opened = await openBuiltin();
    expect(await poll(opened, 'lost:of-an-earlier-process')).toMatchObject({ state: 'unknown' });
    for (const how of [{ cut: true }, { throw: 'broken' }]) {
      const handle = handleOf(await all(prompt(opened.session, script({ poll: 'lost' }, how))));
      await expect.poll(() => poll(opened, handle)).toMatchObject({ state: 'unknown' });
    }
  });
});

/** Says a, waits for a file each time, then b and c. */
const slowly = script({
  survive: [
    { thought: 'hm' },
    { text: 'a' },
    { tool: 't', output: 'one ' },
    { gate: { file: 'go-b' } },
    { tool: 't', output: 'two', status: 'completed' },
    { text: 'b' },
    { progress: 'two of three', done: 2, total: 3 },
    { gate: { file: 'go-c' } },
    { text: 'c' },
  ],
});

describe('the builtin agent with work that survives', () => {
  const pid = (opened: Opened) => opened.processes.at(-1)?.pgid ?? 0;
  const go = (opened: Opened, name: string) => writeFile(join(opened.cwd, `go-${name}`), '');

  it('works in a process of its own, and leaves none behind at its end', async () => {
    const opened = await openBuiltin({ clock: realClock });
    await go(opened, 'b');
    await go(opened, 'c');
    const outputs = await all(prompt(opened.session, slowly));
    expect(text(outputs)).toBe('abc');
    expect(end(outputs)).toBe('end_turn');
    expect(opened.processes).toEqual([expect.objectContaining({ survives: true })]);
    await opened.processes[0]?.ended;
    expect(isAlive(pid(opened))).toBe(false);
  });

  it('I7: is joined again by another process from where the log ends, with nothing lost or doubled', async () => {
    const before = await openBuiltin({ clock: realClock });
    const stream = reading(prompt(before.session, slowly));
    await stream.until('tool.updated');
    const handle = handleOf(stream.seen);
    await before.session.close();
    expect(end(await stream.done)).toBeUndefined();
    expect(isAlive(pid(before))).toBe(true);
    await go(before, 'b');

    const { cwd, stateDir } = before;
    const after = await openBuiltin({ clock: realClock, cwd, stateDir });
    await expect
      .poll(() => poll(after, handle))
      .toEqual({
        state: 'running',
        progress: { text: 'two of three', done: 2, total: 3 },
      });
    const seen = seenTurn('t1', 'a', {
      parts: [
        { type: 'thought', id: 'p1', text: 'h', revision: 0 },
        { type: 'text', id: 'p2', text: 'a', revision: 0 },
        {
          type: 'tool',
          id: 't',
          title: 't',
          kind: 'other',
          status: 'in_progress',
          content: [],
          locations: [],
          output: 'one',
        },
      ],
    });
    const rest = reading(reattach(after, handle, seen));
    await rest.until('text', (output) => output.text === 'b');
    await go(before, 'c');
    expect((await rest.done).filter((output) => output.type !== 'progress')).toEqual([
      { type: 'thought', text: 'm' },
      { type: 'tool.updated', toolCallId: 't', output: ' ' },
      { type: 'tool.updated', toolCallId: 't', output: 'two' },
      { type: 'tool.finished', toolCallId: 't', status: 'completed' },
      { type: 'text', text: 'b' },
      { type: 'text', text: 'c' },
      { type: 'ended', stopReason: 'end_turn' },
    ]);
    await after.processes[0]?.ended;
    expect(await poll(after, handle)).toEqual({
      state: 'ended',
      output: [
        { type: 'replace', kind: 'thought', text: 'hm', reason: 'polled' },
        { type: 'replace', kind: 'text', text: 'abc', reason: 'polled' },
        { type: 'ended', stopReason: 'end_turn' },
      ],
    });
    expect(await all(reattach(after, handle, seenTurn('t1', 'abc')))).toContainEqual({
      type: 'ended',
      stopReason: 'end_turn',
    });
  });

  it('I5: a stop ends the worker, whether it is streamed, joined again or polled', async () => {
    for (const how of ['streamed', 'joined', 'polled']) {
      const opened = await openBuiltin({ clock: realClock });
      const stream = reading(prompt(opened.session, slowly));
      await stream.until('text');
      const handle = handleOf(stream.seen);
      const worker = pid(opened);
      if (how === 'streamed') {
        opened.session.cancel();
        expect(end(await stream.done)).toBe('cancelled');
      } else {
        await opened.session.close();
        const { cwd, stateDir } = opened;
        const again = await openBuiltin({ clock: realClock, cwd, stateDir });
        const rest = how === 'joined' ? reading(reattach(again, handle, seenTurn('t1', ''))) : undefined;
        await (rest ? rest.until('text') : poll(again, handle));
        again.session.cancel();
        if (rest) expect(end(await rest.done)).toBe('cancelled');
        else
          await expect
            .poll(() => poll(again, handle))
            .toMatchObject({
              state: 'ended',
              output: expect.arrayContaining([{ type: 'ended', stopReason: 'cancelled' }]),
            });
      }
      await expect.poll(() => isAlive(worker), { message: how }).toBe(false);
    }
  });

  it('C41: fails in words when the worker is killed, with its text kept', async () => {
    const opened = await openBuiltin({ clock: realClock });
    const stream = reading(prompt(opened.session, slowly));
    await stream.until('tool.updated');
    process.kill(pid(opened), 'SIGKILL');
    expect((await stream.done).at(-1)).toMatchObject({
      stopReason: 'error',
      error: { code: 'builtin.worker_lost' },
    });
    expect(text(stream.seen)).toBe('a');
    expect(await poll(opened, handleOf(stream.seen))).toMatchObject({ state: 'unknown' });
  });

  it('D4: refuses to join work of which there is no trace', async () => {
    const opened = await openBuiltin();
    const handle = 'worker:00000000-0000-4000-8000-000000000000';
    expect(await poll(opened, handle)).toMatchObject({ state: 'unknown' });
    const lost = {
      type: 'ended',
      stopReason: 'lost',
      error: expect.objectContaining({ code: 'builtin.unknown_work' }),
    };
    expect(await all(reattach(opened, handle, seenTurn('t1', '')))).toEqual([lost]);
    expect(await all(reattach(opened, 'lost:in-another-process', seenTurn('t1', '')))).toEqual([lost]);
    const outputs = await all(reattach(opened, 'worker:../../etc/passwd', seenTurn('t1', '')));
    expect(outputs).toEqual([{ ...lost, stopReason: 'error' }]);
    await expect(poll(opened, 'worker:../x')).rejects.toMatchObject({ code: 'builtin.unknown_work' });
  });

  it('removes the files of work that has ended when it opens anew', async () => {
    const opened = await openBuiltin({ clock: realClock });
    await go(opened, 'b');
    await go(opened, 'c');
    const handle = handleOf(await all(prompt(opened.session, slowly)));
    expect(readdirSync(opened.stateDir)).toHaveLength(1);
    const { cwd, stateDir } = opened;
    await openBuiltin({ cwd, stateDir, history: [seenTurn('t0', 'abc', { handle })] });
    expect(readdirSync(stateDir)).toHaveLength(1);
    await openBuiltin({ cwd, stateDir, history: [seenTurn('t0', 'abc', { handle, outcome: 'finalized' })] });
    expect(readdirSync(stateDir)).toHaveLength(0);
    expect(existsSync(stateDir)).toBe(true);
  });

  it('stops a worker at once that a prompt has only begun to start', async () => {
    const opened = await openBuiltin({ clock: realClock });
    const stream = reading(
      opened.session.prompt({ turn: 't1', content: [{ type: 'text', text: 'survive 60' }], signal }),
    );
    await stream.until('accepted');
    opened.session.cancel();
    expect(end(await stream.done)).toBe('cancelled');
    for (const { pgid } of opened.processes) await expect.poll(() => isAlive(pgid)).toBe(false);
  });
});
