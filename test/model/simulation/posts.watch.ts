import type { fromPromise } from 'xstate';
import type { Ask, Entries, Entry } from '../../../machines/outbox.entries.ts';
import type { Posted } from '../../../machines/outbox.setup.ts';
import type { SessionContext } from '../../../machines/session.ts';
import type { Fact } from '../../../src/wire/facts.ts';
import type { Browser } from './page.ts';
import {
  factsEndSends,
  isOpen as isOwed,
  keepsOrder,
  keptGoesFirst,
  oneAtATime,
  oneEntryEach,
  refusedForAReason,
  type Sent,
  shownUntilRead,
  stopFollowsSend,
  takenBackBy,
} from './posts.checks.ts';
import type { Watch } from './watch.ts';

type Post = ReturnType<typeof fromPromise<Posted, Entry>>;

interface Around {
  readonly page: string;
  /** Names this life of the page. */
  readonly life: string;
  readonly now: () => number;
  readonly browser: Browser;
  readonly watch: Watch;
  readonly entries: () => Entries;
  readonly view: (session: string) => SessionContext | undefined;
  readonly facts: (session: string) => readonly Fact[];
}

/** What may be read late, before the page goes on without it. */
const readingMs = 3_000;

/** Looks on while a page asks the gateway: knows what its user asked, what left, and what came back. */
export class Posts {
  readonly #around: Around;
  readonly #sent = new Map<string, Sent>();
  readonly #asked = new Set<string>();
  readonly #takenBack = new Set<string>();
  readonly #met = new Set<string>();
  /** What an earlier page had left when this one was opened. */
  readonly #orphans: readonly { readonly owner: string; readonly entry: Entry }[];
  readonly #openedAt: number;
  #before: Entries = [];
  #connectedAt = Number.NEGATIVE_INFINITY;

  constructor(around: Around) {
    this.#around = around;
    this.#openedAt = around.now();
    const { kept, open } = around.browser;
    this.#orphans = [...kept.values()].filter(({ owner, entry }) => !open.has(owner) && isOwed(entry));
  }

  /** The page's own requests, seen on their way. */
  logic(post: Post): Post {
    return {
      ...post,
      start: (state, scope) => {
        if (state.status === 'active' && state.input) this.#leaves(state.input);
        post.start?.(state, scope);
      },
      transition: (state, event, scope) => {
        if (state.status === 'active' && state.input) this.#back(state.input.id, event);
        return post.transition(state, event, scope);
      },
    };
  }

  /** The user asks this page, now. */
  asks(ask: Ask): void {
    this.#asked.add(ask.id);
    if (ask.kind === 'send') this.#around.browser.asked.set(ask.id, this.#around.life);
    const back = takenBackBy(ask, this.#around.entries(), (id) => this.#mayHaveLeft(id));
    for (const { id } of back) this.#takenBack.add(id);
  }

  connected(): void {
    this.#connectedAt = this.#around.now();
  }

  /** What the page's sessions have just been told. */
  heard(session: string, facts: readonly Fact[]): void {
    const view = this.#around.view(session);
    if (view) this.#say('I9', factsEndSends(facts, view, this.#around.entries()));
  }

  /** The entries of the outbox, whenever they have changed. */
  became(entries: Entries): void {
    const before = this.#before;
    if (entries === before) return;
    this.#before = entries;
    this.#say('I9', oneEntryEach(entries));
    for (const entry of entries) {
      this.#met.add(entry.id);
      const old = before.find((one) => one.id === entry.id);
      if (!old || old.state === 'refused' || entry.state !== 'refused') continue;
      const { id, session } = entry;
      const facts = this.#around.facts(session);
      const found = refusedForAReason(entry, this.#sent.get(id), this.#mayHaveLeft(id), facts);
      this.#say(entry.code === 'turn.over' ? 'C42' : entry.code === 'outbox.stopped' ? 'I4' : 'I9', found);
    }
    for (const old of before) {
      if (entries.some((entry) => entry.id === old.id)) continue;
      this.#say('I13', shownUntilRead(old, this.#around.view(old.session)));
      // A store that forgets late may give it back: that is a wish of its own then.
      this.#sent.delete(old.id);
    }
  }

  /** It left some page, or nobody knows: it came from the store. */
  #mayHaveLeft(id: string): boolean {
    return this.#around.browser.left.has(id) || !this.#asked.has(id);
  }

  #leaves(entry: Entry): void {
    const { browser, entries, life, now } = this.#around;
    const { id } = entry;
    const sent = this.#sent.get(id) ?? { times: 0, isOut: false, unheardAt: undefined, isRefused: false };
    const all = entries();
    this.#say('I9', oneAtATime(entry, sent, now(), this.#connectedAt));
    this.#say('I3', keepsOrder(all, entry));
    this.#say('C42', stopFollowsSend(all, entry));
    if (now() - this.#openedAt < readingMs) this.#say('I3', keptGoesFirst(entry, this.#unread));
    if (this.#takenBack.has(id)) this.#say('I4', [`${id} leaves, and a stop had taken it back`]);
    const first = browser.asked.get(id);
    if (first !== undefined && first !== life && browser.open.has(first))
      this.#say('I9', [`${id} leaves, and belongs to ${first}, which is open`]);
    this.#sent.set(id, { times: sent.times + 1, isOut: true, unheardAt: undefined, isRefused: false });
    browser.left.add(id);
  }

  /** Of an earlier page, still there, and not met here. */
  get #unread(): Entries {
    const { kept } = this.#around.browser;
    return this.#orphans
      .filter(({ owner, entry }) => {
        const now = kept.get(entry.id);
        return !this.#met.has(entry.id) && now?.owner === owner && isOwed(now.entry);
      })
      .map(({ entry }) => entry);
  }

  #back(id: string, event: { readonly type: string; readonly data?: unknown }): void {
    const sent = this.#sent.get(id);
    if (!sent) return;
    sent.isOut = false;
    if (event.type !== 'xstate.promise.reject') return;
    const status = (event.data as { readonly status?: number } | undefined)?.status;
    if (status === undefined || status >= 502) sent.unheardAt = this.#around.now();
    else sent.isRefused = true;
  }

  #say(invariant: string, found: readonly string[]): void {
    for (const what of found) this.#around.watch.breach(invariant, `${this.#around.page}: ${what}`);
  }
}
