import { type Actor, createActor, fromPromise } from 'xstate';
import { conversationMachine } from '../../../machines/conversation.machine.ts';
import { directoryMachine, type Loaded } from '../../../machines/directory.machine.ts';
import { jobMachine } from '../../../machines/job.machine.ts';
import { linkMachine } from '../../../machines/link.machine.ts';
import { orchestratorMachine } from '../../../machines/orchestrator.machine.ts';
import type { Ask, Entry } from '../../../machines/outbox.entries.ts';
import { outboxMachine } from '../../../machines/outbox.machine.ts';
import type { SessionRef } from '../../../machines/runner.types.ts';
import { cursorOf, type SessionContext } from '../../../machines/session.ts';
import type { Api } from '../../../src/console/transport/api.ts';
import { connect, standing } from '../../../src/console/transport/connect.ts';
import { postLogic } from '../../../src/console/transport/post.ts';
import { socketLogic } from '../../../src/console/transport/socket.ts';
import { type Kept, outboxStore, type Presence } from '../../../src/console/transport/store.ts';
import type { SessionSnapshot } from '../../../src/wire/snapshot.ts';
import type { Coverage } from './coverage.ts';
import type { Disk } from './disk.ts';
import { Hearing } from './link.watch.ts';
import type { Network } from './network.ts';
import { Posts } from './posts.watch.ts';
import type { Random } from './random.ts';
import { Life, type Scheduler } from './scheduler.ts';
import type { When } from './steps.ts';
import type { Watch } from './watch.ts';

/** What the pages of one browser share, and what a reload keeps. */
export class Browser {
  readonly kept = new Map<string, Kept>();
  readonly open = new Set<string>();
  /** Messages, and the page whose user asked for them. */
  readonly asked = new Map<string, string>();
  /** What has left a page, whichever. */
  readonly left = new Set<string>();

  readonly #scheduler: Scheduler;
  readonly #random: Random;
  /** How it keeps things: some do it late, some not at all, and some do not even say so. */
  readonly #way: 'soon' | 'late' | 'fails' | 'hangs' | 'refuses';

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#way = random.weighted([
      [8, 'soon'],
      [3, 'late'],
      [1, 'fails'],
      [0.5, 'hangs'],
      [0.3, 'refuses'],
    ] as const);
  }

  readonly shelf = {
    values: async (): Promise<readonly Kept[]> => {
      await this.#access();
      // By their ids, as a browser's database gives them.
      const ids = [...this.kept.keys()].sort();
      return ids.map((id) => structuredClone(this.kept.get(id) as Kept));
    },
    set: async (kept: Kept): Promise<void> => {
      await this.#access();
      this.kept.set(kept.entry.id, structuredClone(kept));
    },
    delete: async (id: string): Promise<void> => {
      await this.#access();
      this.kept.delete(id);
    },
  };

  async #access(): Promise<void> {
    if (this.#way === 'fails' || this.#way === 'refuses') throw new Error('the browser keeps nothing');
    if (this.#way === 'hangs') await new Promise(() => {});
    if (this.#way === 'late') await this.#scheduler.sleep(this.#random.int(1, 60));
  }

  readonly presence: Presence = {
    hold: (name, signal) => {
      if (this.#way === 'refuses') throw new Error('this page may not');
      this.open.add(name);
      signal.addEventListener('abort', () => this.open.delete(name));
    },
    held: async () => this.open,
  };
}

interface Parts {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly browser: Browser;
  readonly random: Random;
  readonly watch: Watch;
  readonly disk: Disk;
  readonly coverage: Coverage | undefined;
}

/** A page: the real actors, put together as the console puts them together, on the world's wire. */
export class Page {
  readonly name: string;
  readonly life: Life;
  readonly api: Api;
  readonly root: Actor<typeof orchestratorMachine>;
  readonly link: Actor<typeof linkMachine>;
  readonly outbox: Actor<typeof outboxMachine>;
  readonly directory: Actor<typeof directoryMachine>;
  readonly #posts: Posts;
  readonly #hearing: Hearing;
  readonly #part: () => void;

  constructor(tab: number, opened: number, parts: Parts) {
    const { scheduler, network, browser, random, watch, disk, coverage } = parts;
    this.name = `page${tab}`;
    const life = new Life(scheduler, `${this.name}.${opened}`);
    this.life = life;
    const api = network.api(this.name, life);
    this.api = api;
    const load = fromPromise<SessionSnapshot, { session: string }>(({ input, signal }) =>
      api.snapshot(input.session, signal),
    );
    const clock = life.clock as never;
    const options = { clock, ...(coverage && { inspect: coverage.observe }) };
    const now = () => scheduler.now;
    const jitter = random.next;
    let lines = 0;
    this.root = createActor(
      orchestratorMachine.provide({
        actors: {
          conversation: conversationMachine.provide({ actors: { load } }),
          job: jobMachine.provide({ actors: { load } }),
        },
      }),
      { ...options, input: { limit: random.fork('limit').pick([0, 2, 2]) } },
    );
    const cursorAt = (session: string) => {
      const context = standing(this.root, session);
      return context && cursorOf(context);
    };
    this.link = createActor(
      linkMachine.provide({
        actors: {
          socket: socketLogic(() => {
            lines += 1;
            return network.connect(this.name, life, opened * 1_000 + lines, this.#hearing);
          }),
        },
      }),
      { ...options, input: { now, jitter, cursorOf: cursorAt } },
    );
    const view = (session: string) => this.view(session);
    this.#posts = new Posts({
      page: this.name,
      life: life.name,
      now,
      browser,
      watch,
      entries: () => this.entries,
      view,
      facts: (session) => disk.facts.get(session) ?? [],
    });
    this.#hearing = new Hearing({ page: this.name, now, watch, link: this.link, root: this.root, view });
    const post = this.#posts.logic(postLogic(api));
    const store = outboxStore(browser.shelf, life.name, browser.presence);
    this.outbox = createActor(outboxMachine.provide({ actors: { post, ...store } }), {
      ...options,
      input: { now, jitter },
    });
    this.outbox.subscribe(({ context }) => this.#posts.became(context.entries));
    this.link.on('connected', () => this.#posts.connected());
    this.directory = createActor(
      directoryMachine.provide({
        actors: {
          load: fromPromise<Loaded>(async ({ signal }) => {
            const [sessions, jobs, agents] = await Promise.all([
              api.sessions({}, signal),
              api.jobs(signal),
              api.agents(signal),
            ]);
            return { sessions: [...sessions, ...jobs], agents, more: false };
          }),
        },
      }),
      options,
    );
    this.#part = connect({
      root: this.root,
      link: this.link,
      outbox: this.outbox,
      directory: this.directory,
    });
    this.link.on('facts', ({ frame }) => this.#posts.heard(frame.session, frame.facts));
    for (const actor of [this.root, this.directory, this.outbox, this.link]) actor.start();
  }

  open(session: string, kind: 'conversation' | 'job' = 'conversation'): void {
    this.root.send({ type: 'open', session, kind });
  }

  release(session: string): void {
    this.root.send({ type: 'release', session });
  }

  ask(ask: Ask): void {
    this.#posts.asks(ask);
    this.outbox.send({ type: 'ask', ask });
  }

  /** Once, a moment after the page shows it. */
  when(when: When, act: () => void): void {
    const { scheduler } = this.life;
    const { unsubscribe } =
      when === 'connected'
        ? this.link.on('connected', () => run())
        : this.link.subscribe((snapshot) => snapshot.matches('stale') && run());
    let isDone = false;
    const run = () => {
      if (isDone) return;
      isDone = true;
      unsubscribe();
      scheduler.after(when === 'connected' ? 0 : 100, act, this.life);
    };
  }

  get entries(): readonly Entry[] {
    return this.outbox.getSnapshot().context.entries;
  }

  view(session: string): SessionContext | undefined {
    return standing(this.root, session);
  }

  get sessions(): readonly (readonly [string, SessionRef])[] {
    return Object.entries(this.root.getSnapshot().context.sessions).map(([id, kept]) => [id, kept.ref]);
  }

  /** After each event of the world. */
  look(): void {
    this.#hearing.look();
  }

  /** The user closes or reloads the tab. */
  close(browser: Browser): void {
    this.#part();
    for (const actor of [this.link, this.outbox, this.directory, this.root]) actor.stop();
    this.life.isOver = true;
    browser.open.delete(this.life.name);
  }
}
