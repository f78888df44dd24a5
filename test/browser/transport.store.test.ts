import { afterEach, expect, it } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import type { Entry } from '../../machines/outbox.entries.ts';
import { type OutboxRef, outboxMachine } from '../../machines/outbox.machine.ts';
import type { Posted } from '../../machines/outbox.setup.ts';
import { idbShelf, outboxStore, webPresence } from '../../src/console/transport/store.ts';

const pages: OutboxRef[] = [];
afterEach(async () => {
  for (const page of pages.splice(0)) page.stop();
  const shelf = idbShelf();
  for (const { entry } of await shelf.values()) await shelf.delete(entry.id);
});

async function open(owner: string): Promise<OutboxRef> {
  const { load, store } = outboxStore(idbShelf(), owner, webPresence());
  const post = fromPromise<Posted, Entry>(() => new Promise(() => {}));
  const page = createActor(outboxMachine.provide({ actors: { load, store, post } }), {
    input: { now: () => 0, jitter: () => 0 },
  });
  pages.push(page);
  page.start();
  await expect.poll(() => page.getSnapshot().value).not.toBe('restoring');
  return page;
}

function send(page: OutboxRef, id: string): void {
  const body = { content: [{ type: 'text' as const, text: 'hi' }], delivery: 'queue' as const };
  page.send({ type: 'ask', ask: { id, session: 's', at: 1, kind: 'send', body } });
}

const ids = (page: OutboxRef) => page.getSnapshot().context.entries.map((entry) => entry.id);
const held = async () => [...((await webPresence()?.held()) ?? [])];
const owners = async () => (await idbShelf().values()).map((kept) => kept.owner);

it('keeps messages in IndexedDB until they are known to have arrived, over a reload (I9)', async () => {
  const first = await open('one');
  send(first, 'm');
  await expect.poll(owners).toEqual(['one']);
  first.stop();
  await expect.poll(held).toEqual([]);
  const second = await open('two');
  expect(ids(second)).toEqual(['m']);
  expect(second.getSnapshot().context.entries[0]).toMatchObject({ state: 'sent', attempts: 2, session: 's' });
  second.send({ type: 'seen', session: 's', cursor: 'e.1', messages: ['m'] });
  await expect.poll(owners).toEqual([]);
  expect(second.getSnapshot().context.unsaved).toBeNull();
});

it('leaves to another open page what is its own, by Web Locks (I9)', async () => {
  const first = await open('one');
  send(first, 'm');
  await expect.poll(owners).toEqual(['one']);
  await expect.poll(held).toEqual(['one']);
  const second = await open('two');
  expect(ids(second)).toEqual([]);
  first.stop();
  await expect.poll(held).toEqual(['two']);
  second.send({ type: 'restore' });
  await expect.poll(() => ids(second)).toEqual(['m']);
});
