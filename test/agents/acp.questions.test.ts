import { describe, expect, it } from 'vitest';
import { bench, textOf } from './acp.fixture.ts';

const properties = {
  name: { type: 'string', title: 'Name', description: null, minLength: 1 },
  kind: { type: 'string', oneOf: [{ const: 'a', title: 'An A', _meta: { x: 1 } }], default: 'a' },
  parts: { type: 'array', items: { anyOf: [{ const: 'p', title: 'P' }] }, maxItems: 1 },
  sure: { type: 'boolean', default: true },
};
const form = { type: 'object', title: 'Release', properties, required: ['name'] };

describe('an ACP agent that asks for values', () => {
  it('gets those that the user gives, and its form is shown without what says nothing', async () => {
    const { send, first, local, ended, turn, double } = await bench();
    const id = await send([{ elicit: 'What is it called?', form }, { text: ' thanks' }]);
    const asked = await first('permission.asked');
    expect(asked).toMatchObject({ title: 'What is it called?', options: [{ optionId: 'accept' }, {}] });
    expect(asked.form).toEqual({
      title: 'Release',
      properties: {
        ...properties,
        name: { type: 'string', title: 'Name', minLength: 1 },
        kind: { type: 'string', oneOf: [{ const: 'a', title: 'An A' }], default: 'a' },
      },
      required: ['name'],
    });
    const content = { name: 'x', sure: false, parts: ['p'] };
    await local.gateway.answer('s', asked.permission, 'accept', content);
    await ended(id);
    expect(double.noted('elicited')).toMatchObject([{ answer: { action: 'accept', content } }]);
    expect(textOf(await turn(id))).toBe(`${JSON.stringify(content)} thanks`);
  });

  it('is told that they were declined, and by a stop that all is cancelled (I4)', async () => {
    const { send, first, local, ended, double } = await bench();
    const id = await send([{ elicit: 'One?', form }, { text: 'and ' }, { elicit: 'Two?', form }]);
    await local.gateway.answer('s', (await first('permission.asked')).permission, 'decline');
    await first('permission.asked', (fact) => fact.title === 'Two?');
    await local.gateway.stop('s', { turn: id });
    await ended(id);
    await expect
      .poll(() => double.noted('elicited'))
      .toMatchObject([{ answer: { action: 'decline' } }, { answer: { action: 'cancel' } }]);
  });

  it('may do so when nobody asked it for anything: the question has a row of its own', async () => {
    const { run, first, local, ended, turn, double } = await bench();
    await run([{ text: 'hi' }, { later: [{ elicit: 'By the way?', form }] }]);
    const asked = await first('permission.asked');
    expect((await turn(asked.turn)).origin).toBe('agent');
    await local.gateway.answer('s', asked.permission, 'accept', { name: 'y' });
    await expect.poll(() => double.noted('elicited')).toMatchObject([{ answer: { content: { name: 'y' } } }]);
    await ended(asked.turn);
  });

  it('stands in the card of its call if that is known, and alone if not', async () => {
    const { send, first, local, ended, turn } = await bench();
    const id = await send([
      { tool: 't1', status: 'in_progress' },
      { elicit: 'Known?', form, tool: 't1' },
      { elicit: 'Unknown?', form, tool: 'other' },
      { tool: 't1', status: 'completed' },
    ]);
    const known = await first('permission.asked');
    expect(known.toolCallId).toBe('t1');
    await local.gateway.answer('s', known.permission, 'decline');
    const unknown = await first('permission.asked', (fact) => fact.title === 'Unknown?');
    expect(unknown.toolCallId).toBeUndefined();
    await local.gateway.answer('s', unknown.permission, 'decline');
    await ended(id);
    // To decline is not to refuse the call.
    expect((await turn(id)).parts[0]).toMatchObject({ id: 't1', status: 'completed' });
  });

  it('is told what cannot be shown, and the user, too (I13)', async () => {
    const { run, double } = await bench();
    const ask = (params: object) => ({ ask: 'elicitation/create', params: { message: 'M?', ...params } });
    const strange = { properties: { a: { type: 'colour' } } };
    const turn = await run([
      ask({ mode: 'form', requestedSchema: { ...strange, required: ['a'] } }),
      ask({ mode: 'hologram' }),
      ask({ mode: 'url', url: 'javascript:alert(1)', elicitationId: 'e' }),
    ]);
    expect(turn.outcome).toBe('finalized');
    expect(textOf(turn).match(/-32602/g)).toHaveLength(3);
    const notices = turn.parts.flatMap((part) => (part.type === 'notice' ? [part.text] : []));
    expect(notices).toEqual([
      expect.stringContaining('a field a of an unknown kind'),
      expect.stringContaining('mode hologram'),
      expect.stringContaining('not of the web'),
    ]);
    expect(turn.parts.filter((part) => part.type === 'permission')).toEqual([]);
    expect(double.noted('initialize')).toMatchObject([
      { params: { clientCapabilities: { elicitation: { form: {}, url: {} } } } },
    ]);
  });
});

describe('an ACP agent that sends its user to a page', () => {
  const url = 'https://login.example/device?code=1';

  it('says when that is done, after the answer', async () => {
    const { send, first, local, ended, turn, double } = await bench();
    const id = await send([{ elicit: 'Log in', url, on: { accept: [{ visited: 'v' }, { text: 'in' }] } }]);
    const asked = await first('permission.asked');
    expect(asked.url).toBe(url);
    await local.gateway.answer('s', asked.permission, 'accept');
    await ended(id);
    expect(double.noted('elicited')).toEqual([expect.objectContaining({ answer: { action: 'accept' } })]);
    const { parts } = await turn(id);
    expect(parts.map((part) => part.type)).toEqual(['permission', 'notice', 'text']);
    expect(parts[1]).toMatchObject({ level: 'info', text: expect.stringContaining('Log in') });
  });

  it('or before it: the question is withdrawn, and counts as accepted', async () => {
    const { run, double } = await bench();
    const turn = await run([
      { meanwhile: [{ wait: 50 }, { visited: 'strange' }, { visited: 'v' }] },
      { elicit: 'Log in', url, on: { accept: [{ text: 'in' }] } },
      // By now it knows this one.
      { elicit: 'Log in there, too', url, visit: 'strange' },
    ]);
    const accepted = { answer: { action: 'accept' } };
    expect(double.noted('elicited')).toMatchObject([accepted, accepted]);
    expect(turn.parts).toMatchObject([
      { type: 'permission', state: 'withdrawn', reason: 'The agent says that it is done.' },
      { type: 'text', text: 'in' },
    ]);
  });
});
