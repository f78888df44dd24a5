import { expect, test } from 'vitest';
import { ended, opened, Script, started, text } from '../support/facts.ts';
import { quiet, SessionsWorld, snapshotOf } from '../support/sessions-world.ts';

/** A job as its readers see it. */
test('C30: a job is known as one before it is read, and says when it has been', async () => {
  const log = new Script('j');
  log.write(opened('job'), started('t'), text('t', 0, 'work'));
  const world = new SessionsWorld();
  world.open('j', 'job');
  expect(world.ref('j').getSnapshot().context).toMatchObject({ id: 'j', kind: 'job' });
  await world.load(snapshotOf(log.facts));
  expect(world.emitted).toEqual([{ type: 'ready', session: 'j', cursor: 'e.3' }]);
  expect([world.state('j'), world.text('j')]).toEqual(['streaming', 'work']);
});

test('C10: a job says how its turn ended, and no more than there is to say', () => {
  for (const outcome of ['finalized', 'cancelled', 'failed', 'interrupted'] as const) {
    const world = new SessionsWorld();
    const log = world.begin('j', 'job');
    const end = ended('t', outcome);
    world.feed(...log.write(started('t'), text('t', 0, 'work'), end));
    expect(world.ref('j').getSnapshot()).toMatchObject({ status: 'done' });
    expect(world.ref('j').getSnapshot().output).toStrictEqual({
      session: 'j',
      outcome,
      stopReason: end.stopReason,
    });
  }
});

test('C10, I13: a job that failed says why', () => {
  const world = new SessionsWorld();
  const log = world.begin('j', 'job');
  const error = { code: 'model.refused', message: 'No.' };
  world.feed(...log.write(started('t'), { ...ended('t', 'failed'), error }));
  expect(world.ref('j').getSnapshot().output).toMatchObject({ outcome: 'failed', error });
});

test('D4: a job of which there is no log is lost', async () => {
  const world = new SessionsWorld();
  world.open('j', 'job');
  const unknown = Object.assign(new Error('gone'), { code: 'session.unknown' });
  const ref = world.ref('j');
  for (let i = 0; i < 9; i++) {
    await world.failLoad('j', unknown);
    world.clock.advance(15_000);
    await quiet();
  }
  expect(ref.getSnapshot()).toMatchObject({
    status: 'done',
    value: 'closed',
    output: { session: 'j', outcome: 'interrupted', stopReason: 'lost' },
  });
});
