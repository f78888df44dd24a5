import { describe, expect, it } from 'vitest';
import { formProblems, initialContent } from '../../src/wire/form.ts';
import { all, end, OwnedClock, openBuiltin, prompt, reading, text } from './builtin.kit.ts';

describe('the builtin agent on request', () => {
  it('streams Markdown in small pieces at a natural pace', async () => {
    const clock = new OwnedClock();
    const { session } = await openBuiltin({ clock });
    const stream = reading(prompt(session, 'show markdown'));
    await clock.advance(2000);
    const pieces = stream.seen.filter((output) => output.type === 'text');
    expect(pieces.length).toBeGreaterThan(40);
    expect(pieces.length).toBeLessThan(140);
    await clock.advance(60_000);
    const whole = text(await stream.done);
    for (const construct of ['# A tour', '| State', '```ts', '- [x]', '> >', '](https://'])
      expect(whole).toContain(construct);
    expect(whole.endsWith('the tour.\n')).toBe(true);
    expect(stream.seen.every((output) => output.type !== 'text' || output.text.isWellFormed())).toBe(true);
  });

  it('thinks before it answers, and says that the thoughts are staged', async () => {
    const { session } = await openBuiltin();
    const outputs = await all(prompt(session, 'Think about the sea.'));
    expect(text(outputs, 'thought')).toContain('“the sea”');
    expect(text(outputs)).toContain('staged');
    const kinds = outputs.map((output) => output.type);
    expect(kinds.lastIndexOf('thought')).toBeLessThan(kinds.indexOf('text'));
  });

  it('works through a plan until all of it is completed', async () => {
    const { session } = await openBuiltin();
    const plans = (await all(prompt(session, 'plan'))).flatMap((output) =>
      output.type === 'plan' ? [output.entries] : [],
    );
    expect(plans).toHaveLength(5);
    expect(plans[1]?.map((entry) => entry.status)).toEqual([
      'completed',
      'in_progress',
      'pending',
      'pending',
    ]);
    expect(plans.at(-1)?.every((entry) => entry.status === 'completed')).toBe(true);
  });

  it('asks for values and says them, and for a visit to a page', async () => {
    const { session } = await openBuiltin();
    const stream = reading(prompt(session, 'form'));
    const asked = await stream.until('permission.asked');
    const content = { name: 'Beryl', channel: 'beta', platforms: ['linux'] };
    expect(asked.form && formProblems(asked.form, { ...initialContent(asked.form), ...content })).toEqual({});
    session.answer(asked.permission, { outcome: 'selected', optionId: 'accept', content });
    expect(text(await stream.done)).toContain('"name": "Beryl"');
    const visit = reading(prompt(session, 'visit'));
    const { permission, url } = await visit.until('permission.asked');
    expect(url).toMatch(/^https:/);
    session.answer(permission, { outcome: 'selected', optionId: 'decline' });
    expect(text(await visit.done)).toContain('declined');
  });

  it('C48: runs three tools at once that end out of order, each in its own way', async () => {
    const { session } = await openBuiltin();
    const outputs = await all(prompt(session, 'tools'));
    const lifecycle = outputs.flatMap((output) =>
      output.type === 'tool.started' || output.type === 'tool.finished' || output.type === 'tool.refused'
        ? [`${output.type} ${output.toolCallId}`]
        : [],
    );
    expect(lifecycle).toEqual([
      'tool.started first',
      'tool.started second',
      'tool.started third',
      'tool.refused third',
      'tool.finished second',
      'tool.finished first',
    ]);
  });

  it('falls silent for as long as it says, then goes on', async () => {
    const clock = new OwnedClock();
    const { session } = await openBuiltin({ clock });
    const stream = reading(prompt(session, 'stall 90 seconds'));
    await clock.advance(10_000);
    const before = stream.seen.length;
    await clock.advance(80_000);
    expect(stream.seen).toHaveLength(before);
    await clock.advance(10_000);
    expect(text(await stream.done)).toMatch(/nothing for 90 seconds.*And on it goes\.$/);
  });

  it('takes back what it said when it tries again', async () => {
    const { session } = await openBuiltin();
    const outputs = await all(prompt(session, 'retry'));
    expect(outputs).toContainEqual(expect.objectContaining({ type: 'retrying', attempt: 2 }));
    expect(text(outputs)).toBe(
      'The second attempt went through. What the first had said was taken back, not doubled.',
    );
  });

  it('ends in an error, in a refusal, too long, early, and without a word', async () => {
    const { session } = await openBuiltin();
    const played = async (message: string) => all(prompt(session, message));
    expect((await played('fail')).at(-1)).toMatchObject({
      stopReason: 'error',
      error: { code: 'builtin.demo' },
    });
    expect(end(await played('refuse'))).toBe('refusal');
    expect(end(await played('max tokens'))).toBe('max_tokens');
    const cut = await played('cut');
    expect(end(cut)).toBeUndefined();
    expect(text(cut)).toMatch(/said its e$/);
    expect(await played('say nothing')).toEqual([
      { type: 'accepted' },
      { type: 'ended', stopReason: 'end_turn' },
    ]);
  });

  it('leaves a tool open at its end', async () => {
    const { session } = await openBuiltin();
    const types = (await all(prompt(session, 'leave a tool open'))).map((output) => output.type);
    expect(types).toContain('tool.started');
    expect(types).not.toContain('tool.finished');
    expect(types.at(-1)).toBe('ended');
  });

  it('A6: asks for a tool that it never announced, with all four kinds of answers', async () => {
    const { session } = await openBuiltin();
    const stream = reading(prompt(session, 'orphan permission'));
    const asked = await stream.until('permission.asked');
    expect(stream.seen.some((output) => output.type === 'tool.started')).toBe(false);
    expect(asked.options.map((option) => option.kind)).toEqual([
      'allow_once',
      'allow_always',
      'reject_once',
      'reject_always',
    ]);
    session.answer(asked.permission, { outcome: 'selected', optionId: 'never' });
    expect(text(await stream.done)).toContain('You chose `never`');
  });

  it('I5: ignores a stop when told to, until nobody reads on', async () => {
    const clock = new OwnedClock();
    const { session } = await openBuiltin({ clock });
    const abort = new AbortController();
    const stream = reading(prompt(session, 'ignore stop', abort.signal));
    await clock.advance(2000);
    session.cancel();
    await clock.advance(3000);
    expect(text(stream.seen)).toMatch(/from here on\.\n\n(\d )+$/);
    expect(text(stream.seen)).toContain('5 6 ');
    abort.abort();
    expect(end(await stream.done)).toBeUndefined();
    expect(clock.sleepers).toBe(0);
  });

  it('A4: tells its usage after the end, with the turn that it belongs to, and that it is made up', async () => {
    const clock = new OwnedClock();
    const { session, aside } = await openBuiltin({ clock });
    aside.length = 0;
    const answer = session.prompt({
      turn: 'the-turn',
      content: [{ type: 'text', text: 'late usage' }],
      signal: new AbortController().signal,
    });
    const stream = reading(answer);
    await clock.advance(3000);
    expect(text(await stream.done)).toContain('made up');
    await clock.advance(1000);
    expect(aside).toEqual([expect.objectContaining({ type: 'usage', turn: 'the-turn' })]);
  });

  it('A6: speaks up by itself, but not into a prompt that runs', async () => {
    const clock = new OwnedClock();
    const { session, aside } = await openBuiltin({ clock });
    aside.length = 0;
    const first = reading(prompt(session, 'wake me in 5 seconds'));
    await clock.advance(4000);
    await first.done;
    const second = reading(prompt(session, 'stall 20'));
    await clock.advance(10_000);
    expect(aside).toEqual([]);
    session.cancel();
    await second.done;
    await clock.advance(0);
    expect(aside.map((output) => output.type)).toEqual(['text', 'ended']);
  });

  it('wakes nobody after it was closed', async () => {
    const clock = new OwnedClock();
    const { session, aside } = await openBuiltin({ clock });
    const first = reading(prompt(session, 'wake me in 5 seconds'));
    await clock.advance(4000);
    await first.done;
    await session.close();
    expect(clock.sleepers).toBe(0);
    expect(aside.some((output) => output.type === 'text')).toBe(false);
  });

  it('counts with progress', async () => {
    const { session } = await openBuiltin();
    const outputs = await all(prompt(session, 'Count to 3'));
    expect(text(outputs)).toBe('Counting to 3:\n\n1 2 3\n\nDone.');
    expect(outputs.flatMap((output) => (output.type === 'progress' ? [output.progress] : []))).toEqual([
      { text: '1 of 3', done: 1, total: 3 },
      { text: '2 of 3', done: 2, total: 3 },
      { text: '3 of 3', done: 3, total: 3 },
    ]);
  });

  it('D2: follows guidance while it counts; what it takes at any instant, it answers', async () => {
    for (let at = 0; at <= 4000; at += 100) {
      const clock = new OwnedClock();
      const { session } = await openBuiltin({ clock });
      const stream = reading(prompt(session, 'count to 5'));
      await clock.advance(at);
      const taken = await session.steer?.([{ type: 'text', text: 'to 8' }]);
      await clock.advance(10_000);
      const said = text(await stream.done);
      expect(said.includes('You said “to 8”'), `at ${at} ms`).toBe(taken);
      expect(said.includes(' 8'), `at ${at} ms`).toBe(taken);
    }
  });
});
