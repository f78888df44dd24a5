import { judge, unopened } from '../../../machines/law.ts';
import { type Log, LogUnavailable, type MessageRow } from '../../../src/gateway/log/log.ts';
import { MemoryLog } from '../../../src/gateway/log/memory.log.ts';
import { project, projectSession } from '../../../src/gateway/sessions/project.ts';
import type { Draft, Fact } from '../../../src/wire/facts.ts';
import type { Random } from './random.ts';
import type { Life, Scheduler } from './scheduler.ts';
import { sessions } from './steps.ts';

/** What survives every crash: the log. Each gateway has a handle of its own, which ends with it. */
export class Disk {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #slow: boolean;
  #store: MemoryLog;
  #epochs = 0;
  /** The committed facts of each session, for the checks. */
  readonly facts = new Map<string, Fact[]>();
  /** How far those who write a session, and each of them, have been told of what they wrote. */
  readonly acknowledged = new Map<string, number>();
  /** Nothing can be written. */
  isFull = false;
  /** So many appends fail from now on. */
  failures = 0;
  /** So many appends fail that would write a stop. */
  stopFailures = 0;
  /** When it last refused to write. */
  failedAt = Number.NEGATIVE_INFINITY;
  /** Told of what a gateway is about to write, and has written. */
  onAppend:
    | {
        begins(life: Life, session: string, drafts: readonly Draft[]): void;
        wrote(life: Life, session: string, facts: readonly Fact[]): void;
      }
    | undefined;
  /** What was committed, one after the other. */
  #order: { readonly session: string; readonly facts: number }[] = [];

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#slow = random.chance(0.3);
    this.#store = this.#empty();
  }

  /** The log as a gateway sees it. An append that was under way when its gateway died may be committed or not. */
  handle(life: Life): Log {
    const random = this.#random.fork(life.name);
    const pause = (): number => (this.#slow ? random.int(0, 40) : random.chance(0.2) ? random.int(1, 8) : 0);
    const look = async <T>(read: () => Promise<T>): Promise<T> => {
      // A log may be far away: what it says can be old when it is heard.
      if (random.chance(this.#slow ? 0.5 : 0.1)) await life.sleep(random.int(1, 10));
      const found = await read();
      if (random.chance(this.#slow ? 0.5 : 0.1)) await life.sleep(random.int(1, 10));
      return found;
    };
    const store = () => this.#store;
    return {
      append: async (session, expectedSeq, drafts, projection) => {
        this.onAppend?.begins(life, session, drafts);
        await life.sleep(pause());
        const stops = drafts.some((draft) => draft.type === 'turn.stopping');
        if (this.isFull || this.failures > 0 || (stops && this.stopFailures > 0)) {
          this.failures = Math.max(0, this.failures - 1);
          if (stops) this.stopFailures = Math.max(0, this.stopFailures - 1);
          this.failedAt = this.#scheduler.now;
          throw new LogUnavailable('the disk is full');
        }
        const facts = await store().append(session, expectedSeq, drafts, projection);
        this.#keep(session, facts);
        await life.sleep(pause());
        const seq = facts.at(-1)?.seq ?? 0;
        this.acknowledged.set(session, seq);
        this.acknowledged.set(`${session} ${life.name}`, seq);
        this.onAppend?.wrote(life, session, facts);
        return facts;
      },
      read: (...args) => look(() => store().read(...args)),
      head: (...args) => look(() => store().head(...args)),
      session: (...args) => look(() => store().session(...args)),
      sessions: (...args) => look(() => store().sessions(...args)),
      turns: (...args) => look(() => store().turns(...args)),
      message: (...args) => look(() => store().message(...args)),
      markSeen: (...args) => look(() => store().markSeen(...args)),
      remove: async (session) => {
        await life.sleep(pause());
        await store().remove(session);
        this.facts.delete(session);
      },
      close: async () => {},
    };
  }

  /** The log itself, without a process between. */
  get store(): MemoryLog {
    return this.#store;
  }

  /**
   * A backup is put back while no gateway runs: all logs end at one moment of the past, some are not there yet, and
   * each has another epoch.
   */
  async restore(keep: number): Promise<void> {
    const before = [...this.facts];
    const old = this.#store;
    const order = this.#order.slice(0, Math.max(sessions, Math.ceil(this.#order.length * keep)));
    this.acknowledged.clear();
    this.#store = this.#empty();
    this.facts.clear();
    this.#order = [];
    for (const [session, facts] of before) {
      const length = order.filter((one) => one.session === session).reduce((sum, one) => sum + one.facts, 0);
      const kept = facts.slice(0, length);
      const first = kept[0];
      if (first?.type !== 'session.opened') continue;
      const drafts = kept.map(({ v, session: _, epoch, seq, at, ...draft }) => draft as Draft);
      const ids = new Set(kept.flatMap(messagesOf));
      const rows = await Promise.all([...ids].map((id) => old.message(session, id)));
      await this.write(
        session,
        first.kind,
        drafts,
        rows.filter((row) => row !== undefined),
      );
    }
  }

  /** Writes a whole log at once, as a gateway would have. */
  async write(
    session: string,
    kind: 'conversation' | 'job',
    drafts: readonly Draft[],
    rows: readonly MessageRow[] = [],
  ): Promise<void> {
    const verdict = judge(unopened(session, kind), drafts, this.#scheduler.now);
    if (!verdict.lawful) throw new Error(`${verdict.refused.type} at ${verdict.index} is not lawful`);
    const written = await this.#store.append(session, 0, drafts, (facts) => {
      const { ends, messages: _, openTurn, ...rest } = projectSession(session, facts);
      const { unread } = project(unopened(session, kind), verdict.next, facts, undefined);
      return { ...rest, messages: rows, unread, openTurn: openTurn ?? null };
    });
    this.#keep(session, written);
  }

  #keep(session: string, facts: readonly Fact[]): void {
    this.#order.push({ session, facts: facts.length });
    const known = this.facts.get(session);
    if (known) known.push(...facts);
    else this.facts.set(session, [...facts]);
  }

  #empty(): MemoryLog {
    return new MemoryLog({
      now: () => this.#scheduler.now,
      epoch: () => {
        this.#epochs += 1;
        return `e${this.#epochs}`;
      },
    });
  }
}

function messagesOf(fact: Fact): readonly string[] {
  if (fact.type === 'job.attached') return [fact.request.message.id];
  if (!('message' in fact) || fact.message === undefined) return [];
  return [typeof fact.message === 'string' ? fact.message : fact.message.id];
}
