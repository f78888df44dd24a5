import { afterEach, describe, expect, it } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import type { Entry } from '../../machines/outbox.entries.ts';
import { type OutboxRef, outboxMachine } from '../../machines/outbox.machine.ts';
import type { Posted } from '../../machines/outbox.setup.ts';
import { type Kept, outboxStore, type Presence, type Shelf } from '../../src/console/transport/store.ts';
import { settled } from '../support/outbox.bench.ts';

/** A browser with one shelf and its pages. */
class Browser {
  readonly kept = new Map<string, Kept>();
  readonly #open = new Set<string>();
  readonly order: string[] = [];
  fault: string | undefined;
  readonly posts: string[] = [];

  readonly shelf: Shelf = {
    values: async () => [...this.kept.values()],
    set: async (kept) => {
      this.order.push(`${kept.entry.id} ${kept.entry.state}`);
      if (this.fault) throw new Error(this.fault);
      this.kept.set(kept.entry.id, structuredClone(kept));
    },
    delete: async (id) => {
      this.order.push(`${id} removed`);
      this.kept.delete(id);
    },
  };

  readonly presence: Presence = {
    hold: (name, signal) => {
      this.#open.add(name);
      signal.addEventListener('abort', () => this.#open.delete(name));
    },
    held: async () => new Set(this.#open),
  };

  async page(owner: string, presence: Presence | undefined = this.presence): Promise<OutboxRef> {
    const { load, store } = outboxStore(this.shelf, owner, presence);
    const post = fromPromise<Posted, Entry>(({ input }) => {
      this.posts.push(`${owner} ${input.id}`);
      return new Promise(() => {});
    });
    const outbox = createActor(outboxMachine.provide({ actors: { load, store, post } }), {
      input: { now: () => 0, jitter: () => 0 },
    });
    pages.push(outbox);
    outbox.start();
    await settled();
    return outbox;
  }
}

const pages: OutboxRef[] = [];
afterEach(() => {
  for (const page of pages.splice(0)) page.stop();
});

const send = (page: OutboxRef, id: string) =>
  page.send({
    type: 'ask',
    ask: { id, session: 's', at: 1, kind: 'send', body: { content: [], delivery: 'queue' } },
  });
const ids = (page: OutboxRef) => page.getSnapshot().context.entries.map((entry) => entry.id);

describe('the store of the outbox', () => {
  it('keeps what is on its way over a reload, under the same id (I9)', async () => {
    const browser = new Browser();
    const page = await browser.page('one');
    send(page, 'm');
    await settled();
    page.stop();
    const next = await browser.page('two');
    expect(ids(next)).toEqual(['m']);
    expect(browser.posts).toEqual(['one m', 'two m']);
    await settled();
    expect(browser.kept.get('m')?.owner).toBe('two');
  });

  it('leaves alone what another open page looks after, and takes it over when that page is gone (I9)', async () => {
    const browser = new Browser();
    const one = await browser.page('one');
    send(one, 'm');
    await settled();
    const two = await browser.page('two');
    expect(ids(two)).toEqual([]);
    one.stop();
    two.send({ type: 'restore' });
    await settled();
    expect(ids(two)).toEqual(['m']);
    expect(browser.posts).toEqual(['one m', 'two m']);
  });

  it('takes everything where the browser cannot say which pages are open', async () => {
    const browser = new Browser();
    const one = await browser.page('one', undefined);
    send(one, 'm');
    await settled();
    const bare = outboxStore(browser.shelf, 'two', undefined);
    const actor = createActor(bare.load);
    actor.start();
    await settled();
    expect(actor.getSnapshot().output?.map((entry) => entry.id)).toEqual(['m']);
  });

  it('writes in the order in which things happened', async () => {
    const browser = new Browser();
    const page = await browser.page('one');
    send(page, 'm');
    page.send({ type: 'seen', session: 's', cursor: 'e.1', messages: ['m'] });
    await settled();
    expect(browser.order).toEqual(['m waiting', 'm sent', 'm removed']);
    expect(browser.kept.size).toBe(0);
  });

  it('says when nothing can be kept, and goes on (I13)', async () => {
    const browser = new Browser();
    const page = await browser.page('one');
    browser.fault = 'quota';
    send(page, 'm');
    await settled();
    expect(page.getSnapshot().context.unsaved).toContain('quota');
    expect(browser.posts).toEqual(['one m']);
    browser.fault = undefined;
    send(page, 'n');
    await settled();
    expect([...browser.kept.keys()]).toEqual(['n']);
  });
});
