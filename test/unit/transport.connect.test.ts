import { expect, onTestFinished, test } from 'vitest';
import { createActor, fromCallback, fromPromise } from 'xstate';
import { directoryMachine, type Loaded } from '../../machines/directory.machine.ts';
import { linkMachine, type SocketOrder } from '../../machines/link.machine.ts';
import type { Entries, Entry } from '../../machines/outbox.entries.ts';
import { outboxMachine } from '../../machines/outbox.machine.ts';
import type { Posted, StoreOrder } from '../../machines/outbox.setup.ts';
import { connect } from '../../src/console/transport/connect.ts';
import { ended, opened, Script, say, started } from '../support/facts.ts';
import { quiet, SessionsWorld, snapshotOf } from '../support/sessions-world.ts';

const never = new Promise<never>(() => {});

/** The actors of a page that reads a session, with these entries in its outbox. */
async function page(kept: Entries) {
  const world = new SessionsWorld();
  const input = { now: () => 0, jitter: () => 0 };
  const actors = {
    post: fromPromise<Posted, Entry>(async () => ({ cursor: 'e.2' })),
    load: fromPromise<Entries>(async () => kept),
    store: fromCallback<StoreOrder>(() => {}),
  };
  const outbox = createActor(outboxMachine.provide({ actors }), { input }).start();
  let hello = () => {};
  const socket = fromCallback<SocketOrder>(({ sendBack }) => {
    hello = () =>
      sendBack({ type: 'socket.frame', frame: { type: 'hello', version: '0', heartbeatMs: 15_000 } });
  });
  const link = createActor(linkMachine.provide({ actors: { socket } }), {
    input: { ...input, cursorOf: () => undefined },
  }).start();
  const load = fromPromise<Loaded>(() => never);
  const directory = createActor(directoryMachine.provide({ actors: { load } })).start();
  const part = connect({ root: world.orchestrator, link, outbox, directory });
  onTestFinished(() => {
    part();
    for (const actor of [link, outbox, directory, world.orchestrator]) actor.stop();
  });
  world.open('s');
  await quiet();
  return { world, connected: () => hello(), entries: () => outbox.getSnapshot().context.entries };
}

const message = (state: Entry['state']): Entry => ({
  id: 'g',
  session: 's',
  at: 0,
  kind: 'send',
  body: { content: [], delivery: 'steer' },
  state,
  attempts: 1,
  nextAt: null,
});

test('I9: guidance that a page reads in a snapshot, inside of its turn, is not given back beside it', async () => {
  const { world, entries } = await page([message('refused')]);
  expect(entries()).toHaveLength(1);
  const log = new Script().write(
    opened(),
    started('t'),
    { type: 'queue.added', message: say('g'), delivery: 'steer', revision: 2 },
    { type: 'turn.steered', turn: 't', message: say('g'), confirmed: true, revision: 3 },
    ended('t'),
  );
  await world.load(snapshotOf(log));
  expect(world.state('s')).toBe('finalized');
  expect(entries()).toEqual([]);
});

test('I13: a message is not shown as on its way for ever, when its session is deleted before the page has read it', async () => {
  const { world, entries } = await page([message('waiting')]);
  expect(entries()).toMatchObject([{ state: 'accepted' }]);
  await world.failLoad('s', Object.assign(new Error('gone'), { code: 'session.unknown' }));
  expect(world.state('s')).toBe('closed');
  expect(entries()).toEqual([]);
});

test('a session that could not be read without a network is read as soon as there is a connection', async () => {
  const { world, connected } = await page([]);
  await world.failLoad('s', new TypeError('Failed to fetch'));
  expect(world.loads).toEqual([]);
  connected();
  await world.load(snapshotOf(new Script().write(opened())));
  expect(world.state('s')).toBe('idle');
});
