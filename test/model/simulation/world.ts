import type { Agents } from './agents.ts';
import { Agents as AllAgents } from './agents.ts';
import { Check } from './check.ts';
import type { Coverage } from './coverage.ts';
import { Disk } from './disk.ts';
import { Network } from './network.ts';
import { Browser, Page } from './page.ts';
import { isDelivered, isDraining, judgeQuiet, retriesOf, runningOf } from './quiet.ts';
import { Random } from './random.ts';
import { drain, Scheduler } from './scheduler.ts';
import { Server } from './server.ts';
import { situationOf } from './situation.ts';
import { type Step, sessions, tabs } from './steps.ts';
import { Users } from './users.ts';
import { Watch } from './watch.ts';
import { weatherOf } from './weather.ts';

/** Everything at once: gateways over one log, agents, pages, users, and what lies between them. */
export class World {
  readonly scheduler = new Scheduler();
  readonly watch: Watch;
  readonly disk: Disk;
  readonly agents: Agents;
  readonly network: Network;
  readonly users: Users;
  readonly check: Check;
  readonly servers: Server[] = [];
  readonly pages: Page[] = [];
  readonly browser: Browser;
  readonly #random: Random;
  readonly #coverage: Coverage | undefined;
  #started = 0;
  #opened = 0;
  /** Events that were carried out. */
  events = 0;

  constructor(seed: string, tracing: boolean, coverage: Coverage | undefined) {
    this.#random = new Random(seed);
    this.#coverage = coverage;
    const { scheduler } = this;
    this.browser = new Browser(scheduler, this.#random.fork('browser'));
    this.disk = new Disk(scheduler, this.#random.fork('disk'));
    this.watch = new Watch(scheduler, this.disk, tracing);
    this.disk.onAppend = this.watch.gateways;
    this.agents = new AllAgents(scheduler, this.#random.fork('agents'), this.watch);
    const weather = weatherOf(this.#random.fork('weather'));
    this.network = new Network(
      scheduler,
      this.#random.fork('network'),
      this.watch,
      weather,
      () => this.servers,
    );
    this.users = new Users(scheduler, this.watch, (tab) => this.pages[tab] as Page);
    this.check = new Check(this.disk, this.agents, this.watch);
  }

  get isBroken(): boolean {
    return this.watch.breaches.length > 0;
  }

  async begin(): Promise<void> {
    for (let i = 0; i < sessions; i++) {
      const opened = { type: 'session.opened', kind: 'conversation', agent: 'sim', cwd: '/' } as const;
      await this.disk.write(`s${i}`, 'conversation', [opened]);
    }
    this.#serve();
    await this.pass(200);
    for (let tab = 0; tab < tabs; tab++) {
      this.pages[tab] = this.#page(tab);
      for (let i = 0; i <= tab; i++) this.pages[tab]?.open(`s${i}`);
    }
    await this.pass(this.#random.fork('begin').pick([0, 40, 400]));
  }

  /** Lets time pass, one event after the other, and looks at the world after each. */
  async pass(ms: number): Promise<void> {
    const until = this.scheduler.now + ms;
    while (!this.isBroken && this.scheduler.step(until)) await this.#settle();
  }

  /** Lets time pass up to a moment in which things meet, or for `ms`. */
  async #until(ms: number, isIt: () => boolean): Promise<void> {
    const { scheduler } = this;
    const until = scheduler.now + ms;
    while (!this.isBroken && !isIt() && scheduler.step(until)) await this.#settle();
  }

  async do(step: Step): Promise<void> {
    await this.pass(step.after);
    if (this.isBroken) return;
    const done = await this.#do(step);
    if (done) this.watch.hit(`step: ${step.do}`);
    await this.#settle();
  }

  async #settle(): Promise<void> {
    this.events += 1;
    await drain();
    this.check.everything(this.servers, this.pages);
    this.#coverage?.situations.add(situationOf(this));
  }

  async #do(step: Step): Promise<boolean> {
    const { scheduler, disk, network, agents, watch } = this;
    const page = 'tab' in step ? `page${step.tab}` : '';
    if (!('tab' in step) || ['cut', 'half open', 'away', 'slow', 'reload'].includes(step.do)) {
      watch.line('world', page === '' ? 'world' : page, () => JSON.stringify(step));
    }
    switch (step.do) {
      case 'wait':
        await this.pass(step.ms);
        return true;
      case 'reload': {
        const random = this.#random.fork(`reload/${step.id}`);
        if (random.chance(0.5)) await this.#until(1_000, () => this.#owes(step.tab));
        const next = random.pick(['nothing', 'send', 'stop message'] as const);
        if (next !== 'nothing') scheduler.after(random.int(1, 60), () => this.users.hastens(step, next));
        this.#forget(this.pages[step.tab]);
        this.pages[step.tab]?.close(this.browser);
        this.pages[step.tab] = this.#page(step.tab);
        this.pages[step.tab]?.open('s0');
        return true;
      }
      case 'cut':
        return network.cut(page);
      case 'half open':
        if (!network.halfOpen(page)) return false;
        this.users.do(step);
        await this.pass(step.ms);
        return true;
      case 'slow':
        if (!network.slow(page, step.ms)) return false;
        if (step.wait) await this.pass(step.ms + 500);
        return true;
      case 'away': {
        network.away.add(page);
        network.cut(page);
        this.pages[step.tab]?.link.send({ type: 'offline' });
        scheduler.after(step.ms, () => {
          network.away.delete(page);
          this.pages[step.tab]?.link.send({ type: 'online' });
        });
        return true;
      }
      case 'crash':
        this.#crash();
        scheduler.after(step.down, () => this.#serve());
        return true;
      case 'restart': {
        const since = scheduler.now;
        if (this.#random.fork(`restart/${step.id}`).chance(0.5))
          await this.#until(3_000, () => watch.gateways.endingAt >= since);
        const up = this.servers.filter((server) => server.isUp);
        for (const server of up) {
          void server.close().then(() => scheduler.after(step.down, () => this.#serve()));
        }
        return up.length > 0;
      }
      case 'race': {
        watch.hasRaced = true;
        const old = this.servers.filter((server) => server.isUp);
        this.#start();
        for (const part of step.moves ? [0.2, 0.5, 0.8] : []) {
          scheduler.after(step.ms * part, () => {
            for (const { name } of this.pages) network.cut(name);
          });
        }
        // Until one of them writes, it does not know of the other: after a race the gateway is started anew.
        scheduler.after(step.ms, () => {
          this.#crash();
          agents.killOrphans();
          this.#serve();
        });
        return old.length > 0;
      }
      case 'restore':
        this.#crash();
        watch.hasRaced = true;
        await disk.restore(step.keep);
        scheduler.after(step.down, () => this.#serve());
        return true;
      case 'disk full':
        disk.isFull = true;
        scheduler.after(step.ms, () => {
          disk.isFull = false;
        });
        return true;
      case 'append fails':
        if (this.#random.fork(`append fails/${step.id}`).chance(0.5)) disk.stopFailures += 1;
        else disk.failures += step.times;
        return true;
      case 'agent dies':
        return agents.die(`s${step.session}`, step.job);
      case 'agent wakes':
        return agents.wake(`s${step.session}`, step.job, step.pieces);
      default:
        return this.users.do(step);
    }
  }

  /** A page has more than one message that is not delivered. */
  #owes(tab: number): boolean {
    const open = this.pages[tab]?.entries.filter(({ kind, state }) => kind === 'send' && state !== 'refused');
    return (open?.length ?? 0) > 1;
  }

  /** What its browser has not kept when a page goes is gone with it; that is said while it is so. */
  #forget(page: Page | undefined): void {
    for (const entry of page?.entries ?? []) {
      if (this.browser.kept.has(entry.id)) continue;
      for (const one of this.users.asked) if (one.id === entry.id) one.isLost = true;
    }
  }

  #page(tab: number): Page {
    this.#opened += 1;
    const random = this.#random.fork(`page${this.#opened}`);
    const { scheduler, network, watch, disk } = this;
    const [browser, coverage] = [this.browser, this.#coverage];
    return new Page(tab, this.#opened, { scheduler, network, browser, random, watch, disk, coverage });
  }

  #crash(): void {
    for (const server of this.servers) server.crash();
    this.#sweepServers();
  }

  #sweepServers(): void {
    const alive = this.servers.filter((server) => !server.life.isOver);
    this.servers.splice(0, this.servers.length, ...alive);
  }

  /** Starts a gateway, unless one is there: agents of the one before are ended first. */
  #serve(): void {
    this.#sweepServers();
    if (this.servers.length > 0) return;
    this.agents.killSurvivors();
    this.#start();
  }

  #start(): void {
    this.#started += 1;
    const { scheduler, disk, agents, watch } = this;
    const server = new Server(this.#started, { scheduler, disk, agents, watch, coverage: this.#coverage });
    this.servers.push(server);
    server.start().catch((error: unknown) => {
      watch.hit(`start fails: ${error instanceof Error ? error.name : String(error)}`);
      server.crash();
      scheduler.after(1_000, () => this.#serve());
    });
  }

  /** All faults end; everything that was asked comes to its end, or the world says what does not. */
  async calm(): Promise<void> {
    const { disk, network, agents } = this;
    disk.isFull = false;
    disk.failures = 0;
    disk.stopFailures = 0;
    network.calm();
    agents.isCalm = true;
    if (this.servers.filter((server) => !server.life.isOver).length > 1) {
      this.#crash();
      agents.killOrphans();
    }
    await this.pass(2_000);
    this.#serve();
    await this.pass(500);
    for (const page of this.pages) {
      page.link.send({ type: 'online' });
      page.link.send({ type: 'retry' });
      page.open('s0');
      page.open('s1');
    }
    await this.pass(3_000);
    // What is to be run again at its time, a minute away at most, is waited for; what would still come then is taken back.
    if (retriesOf(this).length > 0) await this.pass(62_000);
    for (const [session, turn] of retriesOf(this)) {
      const up = this.servers.find((server) => server.isUp)?.gateway;
      up?.retry(session, { turn, at: null }).catch(() => {});
    }
    for (let round = 0; round < 12 && !this.isBroken; round++) {
      const isBusy = runningOf(this).length > 0 || isDraining(this) || !isDelivered(this);
      if (!isBusy && round > 1) break;
      await this.pass(round < 2 ? 2_500 : 6_000);
      if (round === 0) continue;
      const gateway = this.servers.find((server) => server.isUp)?.gateway;
      for (const { session, turn } of runningOf(this)) gateway?.stop(session, { turn }).catch(() => {});
    }
    await this.pass(1_000);
    if (!this.isBroken) judgeQuiet(this);
    const server = this.servers.find((one) => one.isUp);
    if (this.isBroken || !server) return;
    const closed = server.close();
    await this.pass(9_000);
    if (this.isBroken) return;
    // Nothing would ever end the wait for it.
    if (!server.life.isOver) return this.watch.breach('close', 'the gateway did not close within 9 s');
    await closed;
    for (const { pgid, session, isAlive, survives } of agents.programs) {
      if (isAlive && !survives) this.watch.breach('close', `agent ${pgid} of ${session} was left running`);
    }
  }
}
