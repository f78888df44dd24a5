import { afterEach, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../machines/runner.types.ts';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

let world: RunnerWorld;
const { gather } = defaultLimits;

async function prompted(): Promise<void> {
  world = new RunnerWorld();
  await world.quiet();
  world.send('m1');
  await world.quiet();
}

const parts = () => world.turns[0]?.parts ?? [];
const tail = () => world.types.slice(world.types.indexOf('turn.started') + 1);

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
  expect(world.turns.flatMap((turn) => turn.misfits)).toEqual([]);
});

describe('gathering', () => {
  test('joins adjacent text for at most its time into one fact', async () => {
    await prompted();
    for (const text of ['a', 'b', 'c']) {
      world.text(text);
      await world.pass(gather / 4);
    }
    expect(tail()).toEqual([]);
    await world.pass(gather / 4);
    expect(tail()).toEqual(['text.added']);
    expect(world.texts).toEqual(['abc']);
  });

  test('writes 4 KB at once, in facts of at most 4 KB, and cuts no character in two', async () => {
    await prompted();
    const long = `x${'😀'.repeat(5_000)}`;
    world.text(long);
    await world.quiet();
    const texts = world.facts.flatMap((fact) => (fact.type === 'text.added' ? [fact.text] : []));
    expect(texts.length).toBeGreaterThan(2);
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(4096);
    for (const text of texts) expect(text.isWellFormed()).toBe(true);
    expect(world.texts).toEqual([long]);
  });

  test('every other fact is a barrier: it cuts the wait short, and the order stays', async () => {
    await prompted();
    world.text('one');
    world.says({ type: 'tool.started', toolCallId: 'c', title: 'Run' });
    world.text('two');
    world.says({ type: 'thought', text: 'hm' }, { type: 'text', text: 'three' });
    await world.quiet();
    expect(tail().slice(0, 2)).toEqual(['text.added', 'tool.started']);
    await world.pass(gather);
    expect(parts().map((part) => ('text' in part ? part.text : part.type))).toEqual([
      'one',
      'tool',
      'two',
      'hm',
      'three',
    ]);
  });

  test('C9: chunks arriving at any pace give their concatenation', async () => {
    await prompted();
    let whole = '';
    for (let i = 0; i < 60; i++) {
      const chunk = `${i} `;
      whole += chunk;
      world.text(chunk);
      if (i % 3 === 0) await world.pass((i * 7) % 31);
    }
    world.settles();
    await world.quiet();
    expect(world.texts).toEqual([whole]);
  });
});

describe('C48-50: what agents get wrong about tools', () => {
  test('parallel tools of one name are told apart by their call ids', async () => {
    await prompted();
    for (const id of ['a', 'b', 'c']) world.says({ type: 'tool.started', toolCallId: id, title: 'Run' });
    world.says({ type: 'tool.finished', toolCallId: 'b', status: 'failed', exitCode: 1 });
    world.says({ type: 'tool.refused', toolCallId: 'a', reason: 'no' });
    await world.quiet();
    expect(parts()).toMatchObject([
      { id: 'a', status: 'refused', reason: 'no' },
      { id: 'b', status: 'failed', exitCode: 1 },
      { id: 'c', status: 'in_progress' },
    ]);
    expect(world.context.open?.tools).toEqual(['c']);
  });

  test('a finish, a refusal and news without a start make the card first', async () => {
    await prompted();
    world.says({ type: 'tool.finished', toolCallId: 'a', status: 'completed', title: 'Read' });
    world.says({ type: 'tool.refused', toolCallId: 'b', reason: 'no' });
    world.says({ type: 'tool.updated', toolCallId: 'c', output: 'live' });
    await world.quiet();
    expect(parts()).toMatchObject([
      { id: 'a', title: 'Read', status: 'completed' },
      { id: 'b', status: 'refused' },
      { id: 'c', status: 'in_progress', output: 'live' },
    ]);
  });

  test('an id used twice is news of the first while that runs, and dropped after', async () => {
    await prompted();
    world.says({ type: 'tool.started', toolCallId: 'a', title: 'Run' });
    world.says({ type: 'tool.started', toolCallId: 'a', title: 'Run ls' });
    await world.quiet();
    expect(parts()).toMatchObject([{ id: 'a', title: 'Run ls', status: 'in_progress' }]);
    world.says({ type: 'tool.finished', toolCallId: 'a', status: 'completed' });
    world.says({ type: 'tool.started', toolCallId: 'a', title: 'Other' });
    world.says({ type: 'tool.finished', toolCallId: 'a', status: 'failed' });
    await world.quiet();
    expect(parts()).toMatchObject([{ id: 'a', title: 'Run ls', status: 'completed' }]);
    expect(parts()).toHaveLength(1);
    expect(world.runner.getSnapshot().context.dropped).toBe(2);
  });

  test('I12: a tool and a question that the agent leaves open are closed with the end', async () => {
    await prompted();
    const options = [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }] as const;
    world.says({ type: 'tool.started', toolCallId: 'a', title: 'Run' });
    world.says({ type: 'permission.asked', permission: 'q', toolCallId: 'a', title: 'May I?', options });
    world.settles();
    await world.quiet();
    expect(world.types.slice(-3)).toEqual(['tool.finished', 'permission.withdrawn', 'turn.ended']);
    expect(parts()).toMatchObject([
      { type: 'tool', status: 'failed', reason: expect.any(String) },
      { type: 'permission', state: 'withdrawn', reason: expect.any(String) },
    ]);
  });

  test('live output is appended in its order, over facts', async () => {
    await prompted();
    world.says({ type: 'tool.started', toolCallId: 'a', title: 'Run' });
    for (const output of ['1\n', '2\n', '3\n']) {
      world.says({ type: 'tool.updated', toolCallId: 'a', output });
      await world.quiet();
    }
    world.says(
      { type: 'tool.updated', toolCallId: 'a', output: '4\n' },
      { type: 'tool.updated', toolCallId: 'a', output: '5\n' },
    );
    await world.quiet();
    expect(parts()).toMatchObject([{ output: '1\n2\n3\n4\n5\n' }]);
  });
});

describe('what agents get wrong about questions', () => {
  const options = [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }] as const;

  test('A6: one for a call that was never announced makes its card', async () => {
    await prompted();
    world.says({
      type: 'permission.asked',
      permission: 'q',
      toolCallId: 'x',
      title: 'Write a file',
      options,
    });
    await world.quiet();
    expect(parts()).toMatchObject([
      { type: 'tool', id: 'x', title: 'Write a file' },
      { type: 'permission', id: 'q', toolCallId: 'x', state: 'open' },
    ]);
  });

  test('asked twice it is one; withdrawn without being asked it is nothing', async () => {
    await prompted();
    world.says({ type: 'permission.asked', permission: 'q', title: 'May I?', options });
    world.says({ type: 'permission.asked', permission: 'q', title: 'May I?', options });
    world.says({ type: 'permission.withdrawn', permission: 'other', reason: 'r' });
    await world.quiet();
    expect(world.context.permissions).toHaveLength(1);
    expect(world.runner.getSnapshot().context.dropped).toBe(2);
  });

  test('the first answer wins; a second, and one with an option that was not offered, are refused', async () => {
    await prompted();
    world.says({ type: 'permission.asked', permission: 'q', title: 'May I?', options });
    await world.quiet();
    const wrong = world.ask({ type: 'answer', permission: 'q', option: 'maybe' });
    const first = world.ask({ type: 'answer', permission: 'q', option: 'yes' });
    const second = world.ask({ type: 'answer', permission: 'q', option: 'yes' });
    const unknown = world.ask({ type: 'answer', permission: 'z', option: 'yes' });
    await world.quiet();
    expect(world.replies.get(wrong)).toMatchObject({ refused: { status: 400 } });
    expect(world.replies.get(first)).toMatchObject({ type: 'answered' });
    expect(world.replies.get(second)).toMatchObject({ refused: { status: 409, extra: { answered: 'yes' } } });
    expect(world.replies.get(unknown)).toMatchObject({ refused: { status: 404 } });
    expect(world.prompt.orders).toEqual([
      { type: 'answer', permission: 'q', answer: { outcome: 'selected', optionId: 'yes' } },
    ]);
  });
});

describe('a question that asks for values', () => {
  const form = { properties: { n: { type: 'integer', title: 'N', minimum: 1 } }, required: ['n'] } as const;
  const options = [
    { optionId: 'accept', name: 'Send', kind: 'allow_once' },
    { optionId: 'decline', name: 'Decline', kind: 'reject_once' },
  ] as const;
  const asked = { type: 'permission.asked', permission: 'q', title: 'How many?', options, form } as const;
  const answer = (option: string, content?: Record<string, number | string>) =>
    world.ask({ type: 'answer', permission: 'q', option, ...(content && { content }) });

  test('takes those that fit, and gives them to the agent; the first answer wins', async () => {
    await prompted();
    world.says(asked);
    await world.quiet();
    expect(world.context.permissions).toMatchObject([{ form }]);
    const wrong = [answer('accept'), answer('accept', { n: 0 }), answer('accept', { n: 1, m: 2 })];
    const first = answer('accept', { n: 2 });
    const second = answer('accept', { n: 3 });
    await world.quiet();
    const refused = wrong.map((one) => world.replies.get(one));
    expect(refused).toMatchObject([
      {
        refused: {
          status: 400,
          code: 'permission.wrong_content',
          extra: { fields: { n: 'This is needed.' } },
        },
      },
      { refused: { status: 400, detail: 'n: At least 1.' } },
      { refused: { status: 400, extra: { fields: { m: expect.any(String) } } } },
    ]);
    expect(world.replies.get(first)).toMatchObject({ type: 'answered' });
    expect(world.replies.get(second)).toMatchObject({ refused: { status: 409 } });
    expect(parts()).toMatchObject([{ form, state: 'answered', option: 'accept', content: { n: 2 } }]);
    expect(world.prompt.orders).toEqual([
      {
        type: 'answer',
        permission: 'q',
        answer: { outcome: 'selected', optionId: 'accept', content: { n: 2 } },
      },
    ]);
  });

  test('is declined without values, and a stop withdraws it (I4, I12)', async () => {
    await prompted();
    world.says(asked, { ...asked, permission: 'r' });
    await world.quiet();
    const values = answer('decline', { n: 2 });
    const declined = answer('decline');
    world.ask({ type: 'stop', turn: world.context.open?.id ?? '' });
    await world.quiet();
    expect(world.replies.get(values)).toMatchObject({ refused: { code: 'permission.no_form' } });
    expect(world.replies.get(declined)).toMatchObject({ type: 'answered' });
    expect(world.prompt.orders).toContainEqual({
      type: 'answer',
      permission: 'r',
      answer: { outcome: 'cancelled' },
    });
    expect(parts()).toMatchObject([{ state: 'answered', option: 'decline' }, { state: 'withdrawn' }]);
  });
});

describe('text that is taken back', () => {
  test('is the whole part from then on, and text goes on behind it', async () => {
    await prompted();
    world.text('wrong');
    world.says({ type: 'replace', kind: 'text', text: 'right' });
    world.text('!');
    await world.pass(gather);
    expect(parts()).toMatchObject([{ type: 'text', text: 'right!', revision: 1 }]);
  });

  test('without anything to take back is just text', async () => {
    await prompted();
    world.says({ type: 'replace', kind: 'text', part: 'm', text: 'all new' });
    await world.pass(gather);
    expect(parts()).toMatchObject([{ type: 'text', id: 'm', text: 'all new', revision: 0 }]);
  });

  test('is of its own kind, although text and thought have one key', async () => {
    await prompted();
    world.says({ type: 'text', part: 'm', text: 'answer' }, { type: 'thought', part: 'm', text: 'idea' });
    await world.pass(gather);
    world.says({ type: 'replace', kind: 'thought', part: 'm', text: 'better idea' });
    world.says({ type: 'text', part: 'm', text: '!' }, { type: 'thought', part: 'm', text: '?' });
    await world.pass(gather);
    expect(parts()).toMatchObject([
      { type: 'text', text: 'answer!' },
      { type: 'thought', text: 'better idea?' },
    ]);
  });
});

describe('late output', () => {
  test('I2, C51: of an ended turn, or of one that never was, changes nothing and is counted', async () => {
    await prompted();
    const first = world.prompt.turn;
    world.settles();
    await world.quiet();
    world.send('m2');
    await world.quiet();
    const facts = world.facts.length;
    for (const turn of [first, 'nobody']) {
      world.runner.send({
        type: 'output',
        turn,
        outputs: [
          { type: 'text', text: 'late' },
          { type: 'tool.started', toolCallId: 'z', title: 'Z' },
          { type: 'plan', entries: [] },
        ],
      });
    }
    await world.pass(gather * 10);
    expect(world.facts).toHaveLength(facts);
    expect(world.runner.getSnapshot().context.dropped).toBe(6);
  });

  test('C23: said after the agent settled, while its end is on the way, is dropped and counted', async () => {
    await prompted();
    world.text('said');
    await world.pass(gather);
    world.gated = true;
    world.settles();
    await world.quiet();
    world.says({ type: 'text', text: ' late' });
    world.gated = false;
    world.land();
    await world.pass(gather);
    expect(world.texts).toEqual(['said']);
    expect(world.runner.getSnapshot().context.dropped).toBe(1);
  });
});
