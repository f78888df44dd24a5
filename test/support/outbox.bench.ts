import { createActor, fromCallback, fromPromise } from 'xstate';
import type { Ask, Entries, Entry } from '../../machines/outbox.entries.ts';
import { type OutboxRef, outboxMachine } from '../../machines/outbox.machine.ts';
import type { Posted, StoreOrder } from '../../machines/outbox.setup.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { TestClock } from './clock.ts';
import { Script, started } from './facts.ts';

/** A refusal as the page's transport throws it. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly extra: Record<string, unknown>;

  constructor(status: number, code: string, detail = code, extra: Record<string, unknown> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.extra = extra;
  }
}

export interface Request {
  readonly tab: number;
  readonly entry: Entry;
  readonly answer: (posted?: Posted) => void;
  readonly fail: (error: Error) => void;
  /** Its page still waits for the answer. */
  open: boolean;
}

export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A gateway that knows each message once and answers the same to the same id. */
export class Ledger {
  readonly accepted: string[] = [];
  readonly stops: string[] = [];
  readonly facts: Fact[] = [];
  readonly #answers = new Map<string, Posted>();
  readonly #scripts = new Map<string, Script>();

  take(entry: Entry): Posted {
    const known = this.#answers.get(entry.id);
    if (known) return known;
    const script = this.#scripts.get(entry.session) ?? new Script(entry.session);
    this.#scripts.set(entry.session, script);
    if (entry.kind === 'send') {
      this.accepted.push(entry.id);
      const message = { id: entry.id, content: [...entry.body.content] };
      this.facts.push(script.fact(started(`t.${entry.id}`, 1, message)));
    } else if (entry.kind === 'stop') {
      const turn =
        'message' in entry.body ? `t.${entry.body.message}` : 'turn' in entry.body ? entry.body.turn : 't';
      this.stops.push(turn);
      this.facts.push(script.fact({ type: 'turn.stopping', turn, stage: 'asked' }));
    }
    const posted = { cursor: `e.${script.seq}` };
    this.#answers.set(entry.id, posted);
    return posted;
  }
}

/** Pages that share a store and a gateway; the test decides what becomes of each request. */
export class Bench {
  readonly clock = new TestClock();
  readonly store = new Map<string, Entry>();
  readonly ledger = new Ledger();
  readonly requests: Request[] = [];
  readonly tabs: OutboxRef[] = [];
  /** What the stores were told, by all pages. */
  readonly orders: StoreOrder[] = [];
  /** The store takes nothing. */
  full = false;
  /** The store breaks with the next order. */
  broken = false;
  /** What is kept is read when this is fulfilled. */
  reading: Promise<unknown> = Promise.resolve();
  /** From 0 to 1: how long of a wait is waited. */
  jitter = 1;
  /** How many of the ledger's facts each page has seen. */
  readonly #seen: number[] = [];
  #ids = 0;

  /** A page: opened anew in place of the one that was there, it reads what is kept. */
  open(tab = 0): OutboxRef {
    this.tabs[tab]?.stop();
    for (const request of this.requests) if (request.tab === tab) request.open = false;
    const post = fromPromise<Posted, Entry>(
      ({ input: entry, signal }) =>
        new Promise((resolve, reject) => {
          const request: Request = {
            tab,
            entry,
            open: true,
            answer: (posted = {}) => {
              request.open = false;
              resolve(posted);
            },
            fail: (error) => {
              request.open = false;
              reject(error);
            },
          };
          signal.addEventListener('abort', () => {
            request.open = false;
          });
          this.requests.push(request);
        }),
    );
    const store = fromCallback<StoreOrder>(({ receive, sendBack }) => {
      receive((order) => {
        this.orders.push(order);
        if (this.broken) throw new Error('The store is broken.');
        if (this.full) sendBack({ type: 'store.failed', reason: 'The disk is full.' });
        else if (order.type === 'save') this.store.set(order.entry.id, structuredClone(order.entry));
        else if (order.type === 'remove') this.store.delete(order.id);
      });
    });
    const load = fromPromise<Entries>(async () => {
      await this.reading;
      return [...this.store.values()].map((entry) => structuredClone(entry));
    });
    const actor = createActor(outboxMachine.provide({ actors: { post, store, load } }), {
      clock: this.clock,
      input: { now: () => this.clock.now(), jitter: () => this.jitter },
    });
    this.tabs[tab] = actor;
    this.#seen[tab] = this.ledger.facts.length;
    actor.start();
    return actor;
  }

  send(session = 'a', tab = 0, delivery: 'queue' | 'steer' | 'background' = 'queue'): string {
    const id = `m${++this.#ids}`;
    const content = [{ type: 'text' as const, text: id }];
    this.ask({ id, session, at: this.#ids, kind: 'send', body: { content, delivery } }, tab);
    return id;
  }

  stop(body: Extract<Ask, { kind: 'stop' }>['body'], session = 'a', tab = 0): string {
    const id = `s${++this.#ids}`;
    this.ask({ id, session, at: this.#ids, kind: 'stop', body }, tab);
    return id;
  }

  answer(permission: string, option: string, session = 'a', tab = 0): string {
    const id = `p${++this.#ids}`;
    this.ask({ id, session, at: this.#ids, kind: 'answer', body: { permission, option } }, tab);
    return id;
  }

  ask(ask: Ask, tab = 0): void {
    this.tabs[tab]?.send({ type: 'ask', ask });
  }

  entry(id: string, tab = 0): Entry | undefined {
    return this.tabs[tab]?.getSnapshot().context.entries.find((entry) => entry.id === id);
  }

  get pending(): Request[] {
    return this.requests.filter((request) => request.open);
  }

  state(tab = 0): unknown {
    return this.tabs[tab]?.getSnapshot().value;
  }

  /** What the gateway has written since reaches the page. */
  deliver(tab = 0): void {
    const facts = this.ledger.facts.slice(this.#seen[tab]);
    this.#seen[tab] = this.ledger.facts.length;
    for (const fact of facts) this.tabs[tab]?.send({ type: 'fact', fact });
  }
}
