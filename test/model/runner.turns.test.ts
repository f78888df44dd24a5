import { afterEach, describe, expect, test } from 'vitest';
import { violations } from '../support/invariants.ts';
import { RunnerWorld } from '../support/runner-world.ts';

let world: RunnerWorld;

async function start(): Promise<RunnerWorld> {
  world = new RunnerWorld();
  await world.quiet();
  return world;
}

/** A turn runs, and has said `text`. */
async function running(text = 'half'): Promise<RunnerWorld> {
  await start();
  world.send('m1');
  await world.quiet();
  world.text(text);
  await world.pass(20);
  return world;
}

afterEach(() => {
  expect(world.unlawful).toEqual([]);
  expect(violations(world.facts, world.context.open ? [world.context.open.id] : [])).toEqual([]);
  expect(world.replayed()).toEqual(world.turns);
  for (const { turn } of world.prompts) expect(world.prompts.filter((p) => p.turn === turn)).toHaveLength(1);
});

describe('a turn', () => {
  test('I3, I7: the agent is prompted only after the claim is committed', async () => {
    await start();
    world.gated = true;
    world.send('m1');
    await world.quiet();
    expect(world.waiting.map((append) => append.drafts.map((d) => d.type))).toEqual([
      ['session.changed', 'turn.started'],
    ]);
    expect(world.prompts).toEqual([]);
    expect(world.replies.size).toBe(0);
    world.land();
    await world.quiet();
    expect(world.prompts).toMatchObject([{ turn: 't3', how: 'prompt', content: [{ text: 'm1' }] }]);
    expect(world.replies.get('c1')).toMatchObject({
      type: 'answered',
      answer: { outcome: 'started', turn: 't3' },
    });
  });

  test('C2: what is said before and after the agent accepts is all shown', async () => {
    await start();
    world.send('m1');
    await world.quiet();
    world.text('before ');
    world.says({ type: 'accepted' }, { type: 'accepted', handle: 'h' }, { type: 'text', text: 'after' });
    world.settles();
    await world.quiet();
    expect(world.texts).toEqual(['before after']);
    expect(world.state).toBe('finalized');
  });

  test('C39: a whole answer before its end, or an end alone: one end, the same text', async () => {
    await running('the whole reply');
    world.settles();
    // Said twice, by a careless agent.
    world.settles();
    await world.quiet();
    expect(world.types.filter((type) => type === 'turn.ended')).toHaveLength(1);
    expect(world.texts).toEqual(['the whole reply']);
    world.send('m2');
    await world.quiet();
    world.settles();
    await world.quiet();
    expect(world.state).toBe('finalized');
    expect(world.texts).toEqual(['the whole reply', '']);
  });

  test.each([
    ['before', []],
    ['amid', ['par']],
    ['after', ['par', 'tial']],
  ])(
    'C41: an error %s the text fails the turn, keeps what came, and the next send works',
    async (_, texts) => {
      await start();
      world.send('m1');
      await world.quiet();
      for (const text of texts) world.text(text);
      const error = { code: 'model.refused', message: 'No.' };
      world.settles({ stopReason: 'error', error });
      await world.quiet();
      expect(world.state).toBe('failed');
      expect(world.texts).toEqual([texts.join('')]);
      expect(world.turns[0]).toMatchObject({ outcome: 'failed', stopReason: 'error', error });
      world.send('m2');
      await world.quiet();
      world.text('well');
      world.settles();
      await world.quiet();
      expect(world.state).toBe('finalized');
      expect(world.texts).toEqual([texts.join(''), 'well']);
    },
  );

  test.each([
    [{ stopReason: 'end_turn' }, 'finalized'],
    [{ stopReason: 'max_tokens' }, 'finalized'],
    [{ stopReason: 'max_turn_requests' }, 'finalized'],
    [{ stopReason: 'refusal' }, 'finalized'],
    [{ stopReason: 'job' }, 'finalized'],
    [{ stopReason: 'cancelled' }, 'cancelled'],
    [{ stopReason: 'error', error: { code: 'c', message: 'm' } }, 'failed'],
    [{ stopReason: 'lost' }, 'failed'],
    [{ stopReason: 'lost', interrupted: true }, 'interrupted'],
  ] as const)('D1, C23: an end %j is typed, leaves no timer and no buffer', async (settled, outcome) => {
    await running('said');
    world.text(' last');
    world.settles(settled);
    await world.quiet();
    expect(world.turns[0]).toMatchObject({ outcome, stopReason: settled.stopReason });
    expect(world.texts).toEqual(['said last']);
    expect(world.clock.pending).toBe(0);
    const facts = world.facts.length;
    await world.pass(600_000);
    expect(world.facts).toHaveLength(facts);
  });

  test('C5: a final text at the last moment of the wait is the text, whatever the timers do later', async () => {
    for (const at of [0, 1, 19, 20, 21, 59]) {
      await start();
      world.send('m1');
      await world.quiet();
      world.text('draft');
      await world.pass(at);
      world.says({ type: 'replace', kind: 'text', text: 'final' });
      world.settles();
      await world.pass(600);
      expect(world.texts).toEqual(['final']);
      expect(world.clock.pending).toBe(0);
    }
  });

  test('C33: the title is set once, from the first message of its own conversation', async () => {
    await running();
    world.send('m2');
    world.settles();
    await world.quiet();
    expect(world.context.title).toBe('m1');
    expect(world.types.filter((type) => type === 'session.changed')).toHaveLength(1);
  });

  test('D4, I3: a turn that a crash left open ends interrupted, and its message is not sent again', async () => {
    await running();
    const facts = world.facts.length;
    world.runner.send({ type: 'shutdown', reason: 'The gateway was stopped.' });
    await world.quiet();
    expect(world.prompt.left).toBe(true);
    expect(world.turns[0]).toMatchObject({
      outcome: 'interrupted',
      error: { message: 'The gateway was stopped.' },
    });
    expect(world.types.slice(facts)).toEqual(['turn.ended', 'queue.held']);
    await world.pass(60_000);
    expect(world.prompts).toHaveLength(1);
    expect(world.clock.pending).toBe(0);
  });

  test('an end that is known when the gateway goes down is written as it was', async () => {
    await running();
    world.gated = true;
    world.settles();
    await world.quiet();
    world.runner.send({ type: 'shutdown', reason: 'The gateway was stopped.' });
    world.land();
    await world.quiet();
    expect(world.turns[0]).toMatchObject({ outcome: 'finalized' });
  });
});

describe('the queue', () => {
  test('C46: three queued are sent once each, in order, each after the end of the one before is committed', async () => {
    await running();
    for (const id of ['a', 'b', 'c']) world.send(id);
    await world.quiet();
    expect(world.prompts).toHaveLength(1);
    for (const id of ['a', 'b', 'c']) {
      world.gated = true;
      world.settles();
      await world.quiet();
      // The end is on its way, and nothing has begun.
      expect(world.waiting.map((append) => append.drafts.map((d) => d.type))).toEqual([['turn.ended']]);
      world.gated = false;
      world.land();
      await world.quiet();
      expect(world.prompt.content).toEqual([{ type: 'text', text: id }]);
    }
    world.settles();
    await world.quiet();
    expect(world.context.queue.messages).toEqual([]);
    expect(world.prompts).toHaveLength(4);
  });

  test('C46, C45: an end that is ignored drains nothing', async () => {
    await running();
    world.send('a');
    world.send('b');
    await world.quiet();
    world.settles();
    await world.quiet();
    const first = world.prompts[0]?.turn ?? '';
    world.runner.send({ type: 'agent.settled', turn: first, settled: { stopReason: 'end_turn' } });
    world.runner.send({ type: 'agent.settled', turn: 'nobody', settled: { stopReason: 'end_turn' } });
    await world.quiet();
    expect(world.prompts).toHaveLength(2);
    expect(world.context.queue.messages.map((q) => q.message.id)).toEqual(['b']);
  });

  test('waiting commands go before the drain', async () => {
    await running();
    world.send('a');
    await world.quiet();
    world.gated = true;
    world.settles();
    await world.quiet();
    // While the end is being written, the user takes the message back.
    const { revision } = world.context.queue;
    world.ask({ type: 'editQueue', edit: { revision, remove: { message: 'a' } } });
    world.gated = false;
    world.land();
    await world.quiet();
    expect(world.prompts).toHaveLength(1);
    expect(world.context.queue.messages).toEqual([]);
    expect(world.replies.get('c3')).toMatchObject({ type: 'answered' });
  });

  test.each(['stop', 'failure', 'edit'])(
    'I3: a %s holds the queue; resume drains it in order',
    async (why) => {
      await running();
      world.send('a');
      world.send('b');
      await world.quiet();
      if (why === 'edit') {
        const { revision } = world.context.queue;
        const content = [{ type: 'text', text: 'A' }] as const;
        world.ask({ type: 'editQueue', edit: { revision, edit: { message: 'a', content: [...content] } } });
      }
      if (why === 'stop') world.ask({ type: 'stop', turn: world.prompt.turn });
      await world.quiet();
      world.settles(why === 'failure' ? { stopReason: 'lost' } : { stopReason: 'end_turn' });
      await world.pass(60_000);
      expect(world.prompts).toHaveLength(1);
      expect(world.context.queue).toMatchObject({ held: true });
      expect(world.context.queue.messages).toHaveLength(2);
      world.ask({ type: 'resume' });
      await world.quiet();
      expect(world.prompt.content).toMatchObject([{ text: why === 'edit' ? 'A' : 'a' }]);
      world.settles();
      await world.quiet();
      expect(world.prompt.content).toMatchObject([{ text: 'b' }]);
    },
  );

  test('a send while held runs next and alone; the held ones wait for resume', async () => {
    await running();
    world.send('a');
    await world.quiet();
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    world.settles();
    await world.quiet();
    world.send('now');
    await world.quiet();
    expect(world.prompt.content).toMatchObject([{ text: 'now' }]);
    world.settles();
    await world.pass(60_000);
    expect(world.prompts).toHaveLength(2);
    expect(world.context.queue).toMatchObject({ held: true, messages: [{ message: { id: 'a' } }] });
  });

  test('a send during a stop starts right after it', async () => {
    await running();
    world.ask({ type: 'stop', turn: world.prompt.turn });
    await world.quiet();
    const id = world.send('next');
    await world.quiet();
    expect(world.replies.has(id)).toBe(false);
    expect(world.state).toBe('cancelling');
    world.settles();
    await world.quiet();
    expect(world.replies.get(id)).toMatchObject({ type: 'answered', answer: { outcome: 'started' } });
    expect(world.prompt.content).toMatchObject([{ text: 'next' }]);
    expect(world.state).toBe('dispatching');
  });

  test('retry is a new turn of the last message, asked by the user, under a name of its own', async () => {
    await running();
    world.settles({ stopReason: 'lost' });
    await world.quiet();
    const first = world.prompt.turn;
    world.ask({ type: 'retry', turn: 'nobody' });
    world.ask({ type: 'retry', turn: first });
    await world.quiet();
    expect(world.replies.get('c2')).toMatchObject({
      type: 'refused',
      refused: { status: 409, code: 'turn.not_last' },
    });
    expect(world.turns[1]).toMatchObject({ retryOf: first, message: { content: [{ text: 'm1' }] } });
    expect(world.turns[1]?.message?.id).not.toBe('m1');
    world.ask({ type: 'retry', turn: world.prompt.turn });
    await world.quiet();
    expect(world.replies.get('c4')).toMatchObject({
      type: 'refused',
      refused: { status: 409, code: 'turn.running' },
    });
  });

  test('an edit that names an old revision is refused with the queue, and changes nothing', async () => {
    await running();
    world.send('a');
    await world.quiet();
    const facts = world.facts.length;
    const id = world.ask({ type: 'editQueue', edit: { revision: 0, remove: { message: 'a' } } });
    await world.quiet();
    expect(world.replies.get(id)).toMatchObject({
      type: 'refused',
      refused: {
        status: 409,
        code: 'queue.stale',
        extra: { queue: { messages: [{ message: { id: 'a' } }] } },
      },
    });
    expect(world.facts).toHaveLength(facts);
  });
});

describe('D2: guidance', () => {
  test('the agent that takes it has it once, and the queue no more', async () => {
    await running();
    world.send('g', 'steer');
    await world.quiet();
    expect(world.prompt.orders).toMatchObject([{ type: 'steer', message: 'g' }]);
    expect(world.context.queue.messages).toMatchObject([{ delivery: 'steer' }]);
    world.runner.send({ type: 'agent.steered', message: 'g', taken: true });
    world.runner.send({ type: 'agent.steered', message: 'g', taken: true });
    await world.quiet();
    expect(world.context.queue.messages).toEqual([]);
    world.settles();
    await world.quiet();
    expect(world.prompts).toHaveLength(1);
    expect(world.turns[0]?.parts.filter((part) => part.type === 'steer')).toHaveLength(1);
  });

  test('not taken, it is the next turn, before what was queued', async () => {
    await running();
    world.send('a');
    world.send('g1', 'steer');
    world.send('g2', 'steer');
    await world.quiet();
    world.runner.send({ type: 'agent.steered', message: 'g1', taken: false });
    world.settles();
    await world.quiet();
    expect(world.prompt.content).toMatchObject([{ text: 'g1' }]);
    expect(world.context.queue.messages.map((q) => q.message.id)).toEqual(['g2', 'a']);
  });

  test.each(['before it is written', 'while the end is written', 'after the stop'])(
    'taken or in the queue, never both and never lost: %s',
    async (when) => {
      await running();
      world.gated = true;
      if (when === 'before it is written') world.settles();
      const id = world.send('g', 'steer');
      await world.quiet();
      if (when === 'while the end is written') {
        world.settles();
        world.land();
        await world.quiet();
      }
      world.gated = false;
      world.land();
      await world.quiet();
      if (when === 'after the stop') {
        world.ask({ type: 'stop', turn: world.prompt.turn });
        await world.quiet();
        world.runner.send({ type: 'agent.steered', message: 'g', taken: true });
        world.settles({ stopReason: 'cancelled' });
        await world.quiet();
        expect(world.context.queue).toMatchObject({ held: true, messages: [{ message: { id: 'g' } }] });
        return;
      }
      expect(world.replies.get(id)).toMatchObject({ type: 'answered' });
      expect(world.prompts.map((prompt) => prompt.content)).toMatchObject([
        [{ text: 'm1' }],
        [{ text: 'g' }],
      ]);
      expect(world.context.queue.messages).toEqual([]);
    },
  );
});

describe('C10: a job that is over, or runs', () => {
  test('refuses in words what it cannot take, and writes nothing', async () => {
    world = new RunnerWorld({ kind: 'job' });
    await world.quiet();
    world.send('m1');
    await world.quiet();
    const busy = world.send('m2');
    world.settles();
    await world.quiet();
    const facts = world.facts.length;
    const late = world.send('m3');
    const retried = world.ask({ type: 'retry', turn: world.prompt.turn });
    const named = world.ask({ type: 'change', title: 'x' });
    const stopped = world.ask({ type: 'stop', turn: world.prompt.turn });
    const closed = world.ask({ type: 'close' });
    world.says({ type: 'usage', usage: { totalTokens: 1 } }, { type: 'text', text: 'late' });
    world.unasked({ type: 'changed', title: 'x' });
    await world.pass(60_000);
    expect(world.replies.get(busy)).toMatchObject({ refused: { status: 409, code: 'job.busy' } });
    for (const id of [late, retried, named]) {
      expect(world.replies.get(id)).toMatchObject({ refused: { status: 409, code: 'job.over' } });
    }
    expect(world.replies.get(stopped)).toMatchObject({ refused: { status: 409, code: 'turn.over' } });
    expect(world.replies.get(closed)).toMatchObject({ type: 'answered' });
    expect(world.facts).toHaveLength(facts);
    expect(world.prompts).toHaveLength(1);
  });
});

test('a closed conversation takes nothing more', async () => {
  await start();
  world.ask({ type: 'close' });
  await world.quiet();
  const facts = world.facts.length;
  const sent = world.send('m1');
  world.unasked({ type: 'text', text: 'woke' }, { type: 'changed', title: 'x' });
  await world.pass(60_000);
  expect(world.state).toBe('closed');
  expect(world.replies.get(sent)).toMatchObject({ refused: { status: 409, code: 'session.closed' } });
  expect(world.facts).toHaveLength(facts);
});
