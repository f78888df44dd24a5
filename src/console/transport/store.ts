import { createStore, del, set, values } from 'idb-keyval';
import { fromCallback, fromPromise } from 'xstate';
import type { Entries, Entry } from '../../../machines/outbox.entries.ts';
import type { StoreOrder } from '../../../machines/outbox.setup.ts';

/** An entry, and the page that looks after it. */
export interface Kept {
  readonly owner: string;
  readonly entry: Entry;
}

export interface Shelf {
  values(): Promise<readonly Kept[]>;
  set(kept: Kept): Promise<unknown>;
  delete(id: string): Promise<unknown>;
}

/** Which pages are open: each holds its own name. */
export interface Presence {
  /** Holds the name until the signal aborts. */
  hold(name: string, signal: AbortSignal): void;
  held(): Promise<ReadonlySet<string>>;
}

/**
 * The outbox over a reload. Pages of one browser share the shelf; a page takes over only what belongs to no page that
 * is open. Where the browser cannot say which are open, it takes all: ids are kept, so the gateway still does each
 * thing once (I9), and what is spared is only a second request.
 */
export function outboxStore(shelf: Shelf, owner: string, presence: Presence | undefined) {
  const load = fromPromise<Entries>(async () => {
    const [kept, held] = await Promise.all([shelf.values(), presence?.held()]);
    const orphans = kept.filter((one) => one.owner === owner || !held?.has(one.owner));
    return orphans.map(({ entry }) => entry);
  });
  const store = fromCallback<StoreOrder>(({ receive, sendBack }) => {
    const life = new AbortController();
    presence?.hold(owner, life.signal);
    let last: Promise<unknown> = Promise.resolve();
    receive((order) => {
      last = last
        .then(() =>
          order.type === 'save' ? shelf.set({ owner, entry: order.entry }) : shelf.delete(order.id),
        )
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          sendBack({
            type: 'store.failed',
            reason: `What is on its way is not kept over a reload: ${reason}`,
          });
        });
    });
    return () => life.abort();
  });
  return { load, store };
}

export function idbShelf(): Shelf {
  const store = createStore('sluice', 'outbox');
  return {
    values: () => values<Kept>(store),
    set: (kept) => set(kept.entry.id, kept, store),
    delete: (id) => del(id, store),
  };
}

const prefix = 'sluice.page.';

/** By Web Locks, which the browser releases when a page goes, however it goes. Only secure origins have them. */
export function webPresence(
  locks: LockManager | undefined = globalThis.navigator?.locks,
): Presence | undefined {
  if (!locks) return undefined;
  return {
    hold(name, signal) {
      const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      void locks.request(prefix + name, () => gone).catch(() => {});
    },
    async held() {
      const { held = [] } = await locks.query();
      return new Set(held.map(({ name = '' }) => name.slice(prefix.length)));
    },
  };
}
