import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../src/agents/workspace/clock.ts';
import { all, end, OwnedClock, openBuiltin, prompt, reading, script, text } from './builtin.kit.ts';

describe('a script of the builtin agent', () => {
  it('says tokens at the pace that it names, and nothing else', async () => {
    const clock = new OwnedClock();
    const { session } = await openBuiltin({ clock });
    const stream = reading(prompt(session, script({ tokens: { count: 1000, every: 5, prefix: 'a' } })));
    await clock.advance(50);
    expect(text(stream.seen)).toBe('a0 a1 a2 a3 a4 a5 a6 a7 a8 a9');
    await clock.advance(4950);
    const outputs = await stream.done;
    expect(text(outputs)).toBe(Array.from({ length: 1000 }, (_, n) => `a${n}`).join(' '));
    expect(outputs.filter((output) => output.type === 'text')).toHaveLength(1000);
    expect(clock.now).toBe(5000);
  });

  it('plays each kind of step as the output of its name', async () => {
    const { session } = await openBuiltin();
    const outputs = await all(
      prompt(
        session,
        script(
          { thought: 'hm', part: 'p1' },
          { text: 'one', part: 'p2' },
          { tool: 't1', title: 'Tool', kind: 'fetch' },
          { tool: 't1', output: 'half' },
          { tool: 't1', output: ' all', status: 'completed', exitCode: 0 },
          { tool: 't2', status: 'pending' },
          { refuse: 't2', reason: 'no' },
          { replace: 'two', part: 'p2', reason: 'again' },
          { retrying: 2, reason: 'lost' },
          { plan: [{ content: 'a', priority: 'low', status: 'pending' }] },
          { progress: 'half', done: 1, total: 2 },
          { notice: 'look', level: 'warning', code: 'x' },
          { usage: { inputTokens: 1 } },
          { title: 'Named' },
          { withdraw: 'p9', reason: 'late' },
          { repeat: 2, every: 10, steps: [{ text: '!' }] },
          { raw: { type: 'tool.finished', toolCallId: 'never-started', status: 'completed' } },
          { end: 'max_tokens' },
          { text: 'never' },
        ),
      ),
    );
    expect(outputs).toEqual([
      { type: 'accepted' },
      { type: 'changed', title: 'Script' },
      { type: 'thought', text: 'hm', part: 'p1' },
      { type: 'text', text: 'one', part: 'p2' },
      { type: 'tool.started', toolCallId: 't1', title: 'Tool', kind: 'fetch', status: 'in_progress' },
      { type: 'tool.updated', toolCallId: 't1', output: 'half' },
      { type: 'tool.updated', toolCallId: 't1', output: ' all' },
      { type: 'tool.finished', toolCallId: 't1', status: 'completed', exitCode: 0 },
      { type: 'tool.started', toolCallId: 't2', title: 't2', status: 'pending' },
      { type: 'tool.refused', toolCallId: 't2', reason: 'no' },
      { type: 'replace', kind: 'text', text: 'two', part: 'p2', reason: 'again' },
      { type: 'retrying', attempt: 2, reason: 'lost' },
      { type: 'plan', entries: [{ content: 'a', priority: 'low', status: 'pending' }] },
      { type: 'progress', progress: { text: 'half', done: 1, total: 2 } },
      { type: 'notice', level: 'warning', code: 'x', text: 'look' },
      { type: 'usage', usage: { inputTokens: 1 } },
      { type: 'changed', title: 'Named' },
      { type: 'permission.withdrawn', permission: 'p9', reason: 'late' },
      { type: 'text', text: '!' },
      { type: 'text', text: '!' },
      { type: 'tool.finished', toolCallId: 'never-started', status: 'completed' },
      { type: 'ended', stopReason: 'max_tokens' },
    ]);
  });

  it('waits at a gate until the test opens it, and at a file until it is there', async () => {
    const { session, gates, cwd } = await openBuiltin({ clock: realClock });
    const stream = reading(
      prompt(
        session,
        script({ text: 'a' }, { gate: 'g' }, { text: 'b' }, { gate: { file: 'go' } }, { text: 'c' }),
      ),
    );
    await stream.until('text');
    expect(text(stream.seen)).toBe('a');
    gates.open('g');
    await stream.until('text', (output) => output.text === 'b');
    expect(text(stream.seen)).toBe('ab');
    await writeFile(join(cwd, 'go'), '');
    expect(text(await stream.done)).toBe('abc');
  });

  it('I5: a stop ends it at a gate, before it was accepted', async () => {
    const { session } = await openBuiltin();
    const stream = reading(prompt(session, script({ gate: 'never' }, { accepted: true }, { text: 'x' })));
    session.cancel();
    expect((await stream.done).map((output) => output.type)).toEqual(['ended']);
  });

  it('accepts where a step says so', async () => {
    const { session } = await openBuiltin();
    const outputs = await all(
      prompt(session, `script: {"title": "T", "steps": [{"text": "a"}, {"accepted": true}]}`),
    );
    expect(outputs.map((output) => output.type)).toEqual(['changed', 'text', 'accepted', 'ended']);
    expect(outputs[0]).toEqual({ type: 'changed', title: 'T' });
  });

  it('asks, and goes on by the answer', async () => {
    const { session } = await openBuiltin();
    const on = { allow: [{ text: 'yes' }, { end: 'end_turn' }], reject: [{ text: 'no' }] };
    const stream = reading(
      prompt(session, script({ permission: 'p1', title: 'May I?', tool: 't1', on }, { text: '!' })),
    );
    expect(await stream.until('permission.asked')).toMatchObject({
      permission: 'p1',
      title: 'May I?',
      toolCallId: 't1',
    });
    session.answer('another', { outcome: 'selected', optionId: 'allow' });
    session.answer('p1', { outcome: 'selected', optionId: 'reject' });
    expect(text(await stream.done)).toBe('no!');
  });

  it('asks for values and says them, as a form or with a page to go to', async () => {
    const { session } = await openBuiltin();
    const form = { properties: { n: { type: 'integer' } } };
    const on = { accept: [{ text: ' yes' }] };
    const stream = reading(
      prompt(session, script({ permission: 'p1', form, on }, { permission: 'p2', url: 'https://a.example' })),
    );
    const first = await stream.until('permission.asked');
    expect(first).toMatchObject({ form, options: [{ optionId: 'accept' }, { optionId: 'decline' }] });
    session.answer('p1', { outcome: 'selected', optionId: 'accept', content: { n: 1 } });
    await stream.until('permission.asked', (asked) => asked.url === 'https://a.example');
    session.answer('p2', { outcome: 'selected', optionId: 'decline' });
    expect(text(await stream.done)).toBe('{"n":1} yes');
  });

  it('ends in each way that an agent can', async () => {
    const { session, exits } = await openBuiltin();
    const ending = async (step: unknown) =>
      all(prompt(session, script({ text: 'a' }, step, { text: 'never' })));
    expect((await ending({ fail: 'oh', code: 'x' })).at(-1)).toEqual({
      type: 'ended',
      stopReason: 'error',
      error: { code: 'x', message: 'oh' },
    });
    expect((await ending({ end: 'refusal' })).at(-1)).toEqual({ type: 'ended', stopReason: 'refusal' });
    expect((await ending({ cut: true })).at(-1)).toEqual({ type: 'text', text: 'a' });
    const repeated = await ending({ repeat: 3, steps: [{ text: 'b' }, { cut: true }] });
    expect(text(repeated)).toBe('ab');
    expect(exits).toEqual([]);
    expect((await ending({ crash: 'gone' })).at(-1)).toEqual({ type: 'text', text: 'a' });
    expect(exits).toEqual([{ code: 'agent.exited', message: 'gone' }]);
    await expect(ending({ text: 'b' })).rejects.toMatchObject({ code: 'agent.exited' });
  });

  it('breaks its stream where it is told to', async () => {
    const { session } = await openBuiltin();
    const stream = reading(prompt(session, script({ text: 'a' }, { throw: 'broken' })));
    await expect(stream.done).rejects.toThrow('broken');
    expect(text(stream.seen)).toBe('a');
    expect(text(await all(prompt(session, script({ text: 'next' }))))).toBe('next');
  });

  it('I5: ignores stops from where it says so, until nobody reads on', async () => {
    const clock = new OwnedClock();
    const { session } = await openBuiltin({ clock });
    const abort = new AbortController();
    const steps = [{ stubborn: true }, { repeat: 1000, every: 10, steps: [{ text: 'x' }] }];
    const stream = reading(prompt(session, script(...steps), abort.signal));
    await clock.advance(15);
    session.cancel();
    await clock.advance(20);
    expect(text(stream.seen)).toBe('xxxx');
    abort.abort();
    expect(end(await stream.done)).toBeUndefined();
    expect(clock.sleepers).toBe(0);
  });

  it('D2: takes guidance only while it waits for it', async () => {
    const { session, gates } = await openBuiltin();
    const guide = (said: string) => session.steer?.([{ type: 'text', text: said }]);
    const stream = reading(
      prompt(session, script({ gate: 'g' }, { steer: 'you said ' }, { text: '.' }, { gate: 'h' })),
    );
    await stream.until('changed');
    expect(await guide('early')).toBe(false);
    gates.open('g');
    await expect.poll(() => guide('faster')).toBe(true);
    expect(await guide('twice')).toBe(false);
    await stream.until('text', (output) => output.text === '.');
    gates.open('h');
    expect(text(await stream.done)).toBe('you said faster.');
    expect(await guide('late')).toBe(false);
  });

  it('speaks outside of prompts, during one only when told to', async () => {
    const clock = new OwnedClock();
    const { session, aside } = await openBuiltin({ clock });
    aside.length = 0;
    const steps = [{ text: 'woken' }, { end: 'end_turn' }];
    await all(
      prompt(
        session,
        script({ later: steps, after: 10 }, { later: [{ text: 'rude' }], after: 10, idle: false }),
      ),
    );
    const second = reading(prompt(session, script({ wait: 100 })));
    await clock.advance(50);
    expect(aside).toEqual([{ type: 'text', text: 'rude' }]);
    await clock.advance(50);
    await second.done;
    await clock.advance(0);
    expect(aside.slice(1)).toEqual([
      { type: 'text', text: 'woken' },
      { type: 'ended', stopReason: 'end_turn' },
    ]);
  });

  it('says where a script is wrong, and plays nothing of it', async () => {
    const { session } = await openBuiltin();
    const wrong: [string, RegExp][] = [
      ['script:[{"text":"a"},', /not JSON/],
      ['script:[{"text":"a"},{"txet":"b"}]', /a step needs one of: .*text.*\n.*\[1\]/],
      ['script:[{"tokens":{"count":"many"}}]', /expected number.*\n.*\[0\]\.tokens\.count/],
      ['script:[{"text":"a","delay":5}]', /Unrecognized key: "delay"/],
      ['script:[{"repeat":2,"steps":[{"wait":-1}]}]', /\[0\]\.steps\[0\]\.wait/],
      ['script:[{"survive":[{"permission":"p"}]}]', /`permission` cannot be in `survive`/],
      ['script:[{"later":[{"gate":"g"}]}]', /`gate` without a file cannot be in `later`/],
      ['script:{"step":[]}', /steps/],
    ];
    for (const [message, expected] of wrong) {
      const outputs = await all(prompt(session, message));
      expect(text(outputs), message).toMatch(expected);
      expect(outputs.at(-1), message).toMatchObject({
        stopReason: 'error',
        error: { code: 'builtin.script' },
      });
      expect(
        outputs.filter((output) => output.type === 'text'),
        message,
      ).toHaveLength(1);
    }
  });
});
