import { describe, expect, it } from 'vitest';
import { createBuiltin } from '../../src/agents/builtin/builtin.ts';
import { commands } from '../../src/agents/builtin/commands.ts';
import { checkDraft } from '../../src/wire/facts.ts';
import { all, end, OwnedClock, openBuiltin, prompt, reading, script, seenTurn, text } from './builtin.kit.ts';

describe('the builtin agent', () => {
  it('is available without network, key or model, and says so', async () => {
    const agent = createBuiltin();
    expect(await agent.available()).toMatchObject({ available: true, commands: expect.any(Array) });
    expect(agent.description).toContain('needs no network, key or model');
    const { session } = await openBuiltin();
    const help = text(await all(prompt(session, 'What can you do?')));
    expect(help).toContain('not a language model');
    for (const { example } of commands) expect(help).toContain(`\`${example}\``);
  });

  it('tells its commands to the slash menu when it opens', async () => {
    const { aside } = await openBuiltin();
    expect(aside).toHaveLength(1);
    expect(aside[0]).toMatchObject({ type: 'changed' });
    const changed = aside[0] as Extract<(typeof aside)[0], { type: 'changed' }>;
    expect(changed.commands?.map((command) => command.name)).toEqual(commands.map((spec) => spec.name));
    checkDraft({ type: 'session.changed', commands: [...(changed.commands ?? [])] });
  });

  it('answers what it does not understand with the truth and what it can do', async () => {
    const { session } = await openBuiltin();
    const outputs = await all(prompt(session, 'Why is the sky blue?'));
    expect(text(outputs)).toContain('I did not understand that');
    expect(text(outputs)).toContain('not a language model');
    expect(end(outputs)).toBe('end_turn');
    expect(text(await all(prompt(session, 'I would love to see some markdown files')))).toContain(
      '`show markdown`',
    );
  });

  it('plays every command of its help to one end', async () => {
    for (const spec of commands) {
      // These have tests of their own: they run processes, or end only when they are killed.
      if (['run', 'survive', 'stubborn', 'lose', 'cut'].includes(spec.name)) continue;
      const { session } = await openBuiltin();
      const example = spec.example
        .replace(/SECONDS|STEPS/, '3')
        .replace(/\bN\b/, '3')
        .replaceAll(/[[\]]/g, '');
      const stream = reading(prompt(session, example));
      void stream.until('permission.asked').then(
        (asked) =>
          session.answer(asked.permission, {
            outcome: 'selected',
            optionId: asked.options[0]?.optionId ?? '',
          }),
        () => undefined,
      );
      const outputs = await stream.done;
      expect(outputs[0], spec.name).toMatchObject({ type: 'accepted' });
      expect(text(outputs), spec.name).not.toContain('I did not understand');
      expect(
        outputs.filter((output) => output.type === 'ended'),
        spec.name,
      ).toHaveLength(1);
      expect(end(outputs), spec.name).toBeDefined();
    }
  });

  it('understands each command by its name in the slash menu', async () => {
    const { session } = await openBuiltin();
    const rest: Record<string, string> = {
      search: ' x',
      diff: ' a b',
      write: ' a: b',
      edit: ' a: b => c',
      run: ' true',
      read: ' a',
    };
    for (const { name } of commands) {
      if (name === 'survive') continue; // It starts a process, and has tests of its own.
      let said = '';
      for await (const output of prompt(session, `/${name}${rest[name] ?? ''}`)) {
        if (output.type === 'text') said += output.text;
        if (said.length > 20 || output.type === 'permission.asked') break;
      }
      expect(said, name).not.toMatch(/^I did not/);
    }
  });

  it('is forgiving about case, courtesy and phrasing', async () => {
    const { session } = await openBuiltin();
    for (const message of [
      'PLEASE LIST',
      'Could you list the files here, please?',
      'ls',
      'show me all files',
      '/list',
      'What files are here?',
    ]) {
      expect(text(await all(prompt(session, message))), message).toContain('`.`');
    }
  });

  it('takes `/name` for that command alone', async () => {
    const { session } = await openBuiltin();
    const asking = reading(prompt(session, '/run stall 5'));
    expect((await asking.until('permission.asked')).title).toContain('`stall 5`');
    session.cancel();
    await asking.done;
    const outputs = reading(prompt(session, '/nonsense'));
    expect(text(await outputs.done)).toContain('I did not understand');
  });

  it('C33: names a conversation once, by its own first message', async () => {
    const { session } = await openBuiltin();
    const first = await all(prompt(session, `  list\nand a second line that is no title`));
    expect(first.filter((output) => output.type === 'changed')).toEqual([{ type: 'changed', title: 'list' }]);
    expect((await all(prompt(session, 'list'))).filter((output) => output.type === 'changed')).toEqual([]);
    const long = await openBuiltin();
    const [, changed] = await all(prompt(long.session, 'word '.repeat(40)));
    expect(changed).toMatchObject({ type: 'changed', title: expect.stringMatching(/^word .{0,54}…$/) });
    const old = await openBuiltin({
      history: [seenTurn('t0', 'hi', { message: { id: 'm0', content: [{ type: 'text', text: 'hello' }] } })],
    });
    expect((await all(prompt(old.session, 'list'))).filter((output) => output.type === 'changed')).toEqual(
      [],
    );
  });

  it('remembers what was said before it was opened, and does the last of it again', async () => {
    const message = { id: 'm0', content: [{ type: 'text' as const, text: 'count to 2' }] };
    const { session } = await openBuiltin({ history: [seenTurn('t0', '1 2', { message })] });
    expect(text(await all(prompt(session, 'again')))).toContain('Counting to 2');
    expect(text(await all(prompt(session, 'what did I say?')))).toContain('1. count to 2');
  });

  it('I5: a stop before anything was read ends the prompt without an answer', async () => {
    const { session } = await openBuiltin();
    const outputs = prompt(session, 'show markdown');
    session.cancel();
    expect(await all(outputs)).toEqual([{ type: 'ended', stopReason: 'cancelled' }]);
  });

  it('I5: a stop in the middle of a wait ends the prompt at once and leaves no timer', async () => {
    const clock = new OwnedClock();
    const { session } = await openBuiltin({ clock });
    const stream = reading(prompt(session, script({ text: 'a' }, { wait: 60_000 }, { text: 'b' })));
    await clock.advance(59_999);
    expect(clock.sleepers).toBe(1);
    session.cancel();
    session.cancel();
    expect(end(await stream.done)).toBe('cancelled');
    expect(text(stream.seen)).toBe('a');
    expect(clock.sleepers).toBe(0);
  });

  it('ends without a word when nobody reads on', async () => {
    const clock = new OwnedClock();
    const { session } = await openBuiltin({ clock });
    const abort = new AbortController();
    const stream = reading(prompt(session, 'stall', abort.signal));
    await clock.advance(10_000);
    const before = stream.seen.length;
    abort.abort();
    expect(await stream.done).toHaveLength(before);
    expect(end(stream.seen)).toBeUndefined();
    expect(clock.sleepers).toBe(0);
  });

  it('A3: refuses a second prompt during one, which does not disturb the first', async () => {
    const clock = new OwnedClock();
    const { session } = await openBuiltin({ clock });
    const first = reading(prompt(session, script({ wait: 5 }, { text: 'first' })));
    await expect(all(prompt(session, 'list'))).rejects.toMatchObject({ code: 'builtin.busy' });
    await clock.advance(5);
    expect(text(await first.done)).toBe('first');
  });

  it('takes the next prompt as soon as the end was heard', async () => {
    const { session } = await openBuiltin();
    for await (const output of prompt(session, 'hello')) {
      if (output.type === 'ended') expect(text(await all(prompt(session, 'hello')))).toContain('Hello');
    }
  });

  it('refuses prompts after it was closed', async () => {
    const { session } = await openBuiltin();
    await session.close();
    await expect(all(prompt(session, 'hello'))).rejects.toMatchObject({ code: 'builtin.closed' });
  });

  it('does not lose a stop that meets a permission', async () => {
    const { session } = await openBuiltin();
    const stream = reading(prompt(session, 'run echo never'));
    const asked = await stream.until('permission.asked');
    session.answer(asked.permission, { outcome: 'cancelled' });
    session.cancel();
    expect(end(await stream.done)).toBe('cancelled');
    expect(stream.seen.some((output) => output.type === 'tool.updated')).toBe(false);
  });
});
