import type { RunnerContext } from '../../../machines/runner.types.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import type { Draft, Fact } from '../../../src/wire/facts.ts';
import type { StopRequest } from '../../../src/wire/requests.ts';
import type { Disk } from './disk.ts';
import {
  editIsFresh,
  openTurnOf,
  queueOf,
  retriesTheNamed,
  stopHolds,
  writesInOrder,
} from './gateway.checks.ts';
import { overlook } from './overlook.ts';
import { Owed } from './owed.ts';
import type { Run } from './run.ts';
import type { Life, Scheduler } from './scheduler.ts';
import type { Watch } from './watch.ts';

/** As far as its agent can be seen from outside. */
interface Program {
  readonly survives: boolean;
  readonly isAlive: boolean;
  readonly killedAt: number | undefined;
}

interface Running {
  readonly life: Life;
  readonly run: Run;
  readonly program: Program;
}

type Pen = Pick<RunnerContext, 'commands' | 'batch'>;

/** A stop goes through its ladder (1,000, 600 and 400 ms) and is written, all of it, within these. */
const ladderMs = 3_500;
const killedMs = 1_100;
/** So long an agent that was killed is waited for. */
const endMs = 400;
const writtenMs = 1_000;
const toldMs = 20;

/** Looks on while gateways answer, write, tell their agents and hand facts to their readers. */
export class Gateways {
  /** When somebody last began to write a good end after which the queue would go on. */
  endingAt = Number.NEGATIVE_INFINITY;
  readonly #watch: Watch;
  readonly #disk: Disk;
  readonly #owed: Owed;
  readonly #closing = new Set<string>();
  /** Who runs a turn on the agent's side, and for which gateway. */
  readonly #running = new Map<string, Running>();
  readonly #cancelled = new Set<string>();
  readonly #joined = new Set<string>();
  readonly #prompted = new Set<string>();
  readonly #taken = new Set<string>();
  readonly #askedNow = new Set<string>();
  readonly #unwritten = new Map<string, Life>();
  readonly #pens = new WeakMap<object, Pen>();

  constructor(scheduler: Scheduler, disk: Disk, watch: Watch) {
    this.#disk = disk;
    this.#watch = watch;
    this.#owed = new Owed(scheduler, (invariant, what) => watch.breach(invariant, what));
  }

  /** After each event of the world. */
  look(): void {
    this.#owed.look();
  }

  /** Sees what this gateway is asked, and what it answers. */
  overlook(gateway: Gateway, life: Life): void {
    overlook(gateway, {
      stopped: (session, body, code) => this.#stopped(life, session, body, code),
      edited: (session, body) => this.#say('C26', life, session, (facts) => editIsFresh(facts, body)),
      retries: (session, turn) => this.#askedNow.add(`${session} ${turn}`),
      retried: (session, turn) => this.#say('I1', life, session, (facts) => retriesTheNamed(facts, turn)),
      misled: (session, what) => this.#watch.breach('I6', `a reader of ${session}: ${what}`),
    });
  }

  closes(life: Life): void {
    this.#closing.add(life.name);
  }

  /** D4: what a gateway before it left open, and nobody can join, is ended before anything is served. */
  starts(life: Life): () => void {
    const left = [...this.#disk.facts].flatMap(([session, facts]) => {
      const turn = openTurnOf(facts);
      return turn && !turn.handle ? [{ session, turn: turn.id }] : [];
    });
    const since = this.#owed.now;
    return () => {
      if (this.#watch.hasRaced || this.#disk.failedAt > since - 400) return;
      for (const { session, turn } of left) {
        if (openTurnOf(this.#disk.facts.get(session) ?? [])?.id === turn)
          this.#watch.breach('D4', `${life.name} serves, and ${session} ${turn} is still open`);
      }
    };
  }

  isAskedNow(session: string, turn: string): boolean {
    return this.#askedNow.has(`${session} ${turn}`);
  }

  /** What the agent's side does for a gateway. */
  runs(session: string, turn: string, running: Running, how: 'prompted' | 'joined'): void {
    const key = `${session}:${turn}`;
    this.#running.set(key, running);
    if (how === 'prompted') this.#prompted.add(key);
    else {
      this.#joined.add(`${key} by ${running.life.name}`);
      for (const fact of this.#disk.facts.get(session) ?? [])
        if (fact.type === 'permission.answered' && fact.permission === running.run.awaits)
          this.#answers(running.life, fact);
    }
  }

  cancels(key: string, life: Life): void {
    this.#cancelled.add(`${key} by ${life.name}`);
  }

  /** Guidance that the agent has taken, by its text. */
  takes(session: string, text: string): void {
    this.#taken.add(`${session} ${text}`);
  }

  /** I1: what its agent has ended is over soon; what is being stopped, when its stop is. */
  over(session: string, turn: string, life: Life): void {
    if (this.#running.get(`${session}:${turn}`)?.life !== life) return;
    this.#owe(
      life,
      session,
      writtenMs,
      'I1',
      `${session} ${turn} is open, and its agent has ended it`,
      () => this.#isOver(session, turn) || this.#isStopping(session, turn),
    );
  }

  /** I7: another gateway writes this log: what runs here is ended, and nothing of it is shown any more. */
  fenced(life: Life, session: string, programs: readonly Program[], isShown: () => boolean): void {
    const what = `${session} goes on in ${life.name}, and another gateway writes it`;
    const isOut = () => isShown() || programs.some((one) => one.isAlive && one.killedAt === undefined);
    this.#owed.add(50, 'I7', what, () => life.isOver || !isOut());
  }

  /** I4, C46: what the pen of a runner takes up. */
  pen(runner: object, pen: Pen): void {
    const before = this.#pens.get(runner);
    this.#pens.set(runner, pen);
    if (!before || before === pen) return;
    for (const what of writesInOrder(before, pen)) this.#watch.breach('I4', what);
  }

  /** D4: a gateway that ends begins no turn by itself. */
  begins(life: Life, session: string, drafts: readonly Draft[]): void {
    const { waiting, held } = queueOf(this.#disk.facts.get(session) ?? []);
    const isGood = drafts.some((draft) => draft.type === 'turn.ended' && draft.outcome === 'finalized');
    if (isGood && !held && waiting.length > 0) this.endingAt = this.#owed.now;
    if (!this.#closing.has(life.name)) return;
    const started = drafts.find((draft) => draft.type === 'turn.started');
    if (started?.message && waiting.includes(started.message.id))
      this.#watch.breach('D4', `${session} ${started.turn} begins by itself while ${life.name} ends`);
  }

  /** A gateway knows that it has written this. */
  wrote(life: Life, session: string, facts: readonly Fact[]): void {
    if (this.#watch.hasRaced) return;
    for (const fact of facts) {
      if (fact.type === 'turn.stopping') this.#stops(life, fact);
      if (fact.type === 'permission.answered') this.#answers(life, fact);
      if (fact.type === 'turn.ended') this.#ends(life, fact);
      if (fact.type === 'turn.steered' && fact.confirmed) {
        const [id] = [fact.message.id];
        if (![id, `${id} edited`].some((text) => this.#taken.has(`${session} ${text}`)))
          this.#watch.breach('D2', `${session}: ${id} left the queue, and the agent has not taken it`);
      }
      if (fact.type === 'job.settled') {
        const job = this.#disk.facts.get(fact.job);
        if (job && openTurnOf(job)) this.#watch.breach('I1', `${fact.job} is settled, and it runs`);
      }
    }
  }

  #stops(life: Life, { session, turn, stage }: Extract<Fact, { type: 'turn.stopping' }>): void {
    const ms = stage === 'killed' ? killedMs : ladderMs;
    if (stage !== 'terminated')
      this.#owe(life, session, ms, 'I5', `${session} ${turn} is open, and it was stopped (${stage})`, () =>
        this.#isOver(session, turn),
      );
    if (stage === 'asked') this.#oweCancel(life, session, turn, 'I5');
  }

  #oweCancel(life: Life, session: string, turn: string, invariant: string): void {
    const key = `${session}:${turn}`;
    const running = this.#running.get(key);
    if (running?.life !== life || running.run.isOver) return;
    // One that closes leaves it to the next gateway, which finds the stop in the log.
    const isPaid = () =>
      life.isOver ||
      this.#closing.has(life.name) ||
      running.run.isOver ||
      this.#cancelled.has(`${key} by ${life.name}`);
    this.#owed.add(toldMs, invariant, `${key} was stopped, and its agent was not told`, isPaid);
  }

  /** C24: an answer reaches the agent that waits for it. */
  #answers(life: Life, fact: Extract<Fact, { type: 'permission.answered' }>): void {
    const { session, turn, permission } = fact;
    const { run } = this.#running.get(`${session}:${turn}`) ?? {};
    if (!run || run.isOver) return;
    this.#owe(
      life,
      session,
      writtenMs,
      'C24',
      `the agent of ${session} ${turn} waits for ${permission}`,
      () => {
        const isHere = this.#running.get(`${session}:${turn}`)?.life === life;
        return !isHere || run.isOver || this.#isOver(session, turn) || run.isAnswered(permission);
      },
    );
  }

  #ends(life: Life, fact: Extract<Fact, { type: 'turn.ended' }>): void {
    const { session, turn, outcome, error } = fact;
    const key = `${session}:${turn}`;
    const facts = this.#disk.facts.get(session) ?? [];
    const start = facts.find((one) => one.type === 'turn.started' && one.turn === turn);
    const isOfUser = start?.type === 'turn.started' && start.origin === 'user' && !start.imported;
    if (outcome === 'finalized' && isOfUser && !this.#prompted.has(key))
      this.#watch.breach('I3', `${key} ended well, and its agent was never prompted`);
    if (this.#closing.has(life.name)) return;
    const isStopped = facts.some((one) => one.type === 'turn.stopping' && one.turn === turn);
    if (this.#unwritten.get(key) === life && !isStopped)
      this.#watch.breach('D3', `${key} ended, and its stop was never written`);
    const running = this.#running.get(key);
    if (running?.life === life && this.#isEnding(running.program))
      this.#watch.breach('I5', `${key} ended, and its agent, which was killed, has not yet`);
    if (outcome !== 'interrupted' || error?.code !== 'gateway.restarted' || !running) return;
    const { run, program } = running;
    const canGoOn = program.isAlive && program.survives && program.killedAt === undefined && !run.isOver;
    const isKnown = facts.some((one) => one.type === 'turn.accepted' && one.turn === turn && one.handle);
    if (canGoOn && isKnown && !this.#joined.has(`${key} by ${life.name}`))
      this.#watch.breach('D4', `${key} was interrupted by ${life.name}, and its agent goes on`);
  }

  #isEnding({ isAlive, killedAt }: Program): boolean {
    return isAlive && killedAt !== undefined && this.#owed.now - killedAt < endMs;
  }

  #stopped(life: Life, session: string, body: StopRequest, code: string | undefined): void {
    this.#say('I4', life, session, (facts) => stopHolds(facts, body, code));
    const open = openTurnOf(this.#disk.facts.get(session) ?? []);
    if (code !== 'log.unavailable' || !open || this.#watch.hasRaced) return;
    if ('turn' in body ? body.turn !== open.id : body.message !== open.message) return;
    if (this.#running.get(`${session}:${open.id}`)?.life !== life) return;
    // D3: a full disk never stops a stop.
    this.#oweCancel(life, session, open.id, 'D3');
    this.#unwritten.set(`${session}:${open.id}`, life);
  }

  /** Unless something else is the matter: then it is not owed. */
  #owe(
    life: Life,
    session: string,
    ms: number,
    invariant: string,
    what: string,
    isPaid: () => boolean,
  ): void {
    const since = this.#owed.now;
    const excused = () =>
      this.#watch.hasRaced ||
      life.isOver ||
      this.#closing.has(life.name) ||
      !this.#disk.facts.has(session) ||
      this.#disk.failedAt > since - 400;
    this.#owed.add(ms, invariant, what, () => excused() || isPaid());
  }

  #isStopping(session: string, turn: string): boolean {
    const facts = this.#disk.facts.get(session) ?? [];
    return facts.some((fact) => fact.type === 'turn.stopping' && fact.turn === turn);
  }

  #isOver(session: string, turn: string): boolean {
    return openTurnOf(this.#disk.facts.get(session) ?? [])?.id !== turn;
  }

  #say(
    invariant: string,
    life: Life,
    session: string,
    check: (facts: readonly Fact[]) => readonly string[],
  ): void {
    const facts = this.#disk.facts.get(session);
    if (!facts || life.isOver || this.#watch.hasRaced) return;
    for (const what of check(facts)) this.#watch.breach(invariant, `${session}: ${what}`);
  }
}
