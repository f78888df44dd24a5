import type { SessionMachineSnapshot } from '../../../machines/law.ts';
import type { SessionRef } from '../../../machines/runner.types.ts';
import type { Fact } from '../../../src/wire/facts.ts';
import type { Turn } from '../../../src/wire/turn.ts';
import { violations } from '../../support/invariants.ts';
import type { Agents } from './agents.ts';
import { allFits, endsSayWhy, everyWordOnce, ownWords, quietPolls } from './checks.ts';
import type { Disk } from './disk.ts';
import { lastIsRetried, retriesInTime, waitsForStop } from './gateway.checks.ts';
import type { Page } from './page.ts';
import { difference, Reference } from './reference.ts';
import type { Server } from './server.ts';
import type { Watch } from './watch.ts';

const plainText = new Set(['text.added', 'thought.added']);

/** Looks at the whole world after each step, as far as it has changed. */
export class Check {
  readonly #disk: Disk;
  readonly #agents: Agents;
  readonly #watch: Watch;
  readonly #references = new Map<string, Reference>();
  readonly #seen = new WeakMap<SessionRef, unknown>();
  /** Rows that a page has shown as finished (I10). */
  readonly #rows = new WeakMap<SessionRef, { epoch: string; turns: Map<string, Turn> }>();
  facts = 0;

  constructor(disk: Disk, agents: Agents, watch: Watch) {
    this.#disk = disk;
    this.#agents = agents;
    this.#watch = watch;
  }

  everything(servers: readonly Server[], pages: readonly Page[]): void {
    this.#watch.gateways.look();
    for (const [session, facts] of this.#disk.facts) this.#log(session, facts);
    for (const server of servers) {
      if (!server.isUp) continue;
      for (const [session, ref] of server.actors) this.#actor(server.name, session, ref, false);
    }
    for (const page of pages) {
      page.look();
      for (const [session, ref] of page.sessions) this.#actor(page.name, session, ref, true);
    }
  }

  reference(session: string): Reference | undefined {
    return this.#references.get(session);
  }

  #log(session: string, facts: readonly Fact[]): void {
    const first = facts[0];
    if (!first) return;
    let reference = this.#references.get(session);
    if (reference?.epoch !== first.epoch) {
      reference = new Reference(first);
      this.#references.set(session, reference);
    }
    const fresh = facts.slice(reference.length);
    if (fresh.length === 0) return;
    const before = reference.last.snapshot.context.open;
    for (const fact of fresh) reference.add(fact);
    this.facts += fresh.length;
    this.#watch.line(
      'gateway',
      'log',
      () => `${session} ${fresh.map((f) => `${f.seq} ${f.type}`).join(', ')}`,
    );
    const { turns } = reference.last;
    this.#say('I6', session, allFits(turns.slice(-2)));
    // Text of a turn that runs and is not stopped breaks no rule of order.
    const isPlain =
      before &&
      !before.stage &&
      fresh.every((f) => plainText.has(f.type) && 'turn' in f && f.turn === before.id);
    if (isPlain) return;
    const open = turns.at(-1);
    const running = open && !open.outcome ? [open.id] : [];
    this.#say('log', session, violations(facts, running));
    this.#say('I13', session, endsSayWhy(fresh));
    this.#say('I11', session, quietPolls(facts));
    this.#say('I8', session, ownWords(fresh, this.#agents.late));
    this.#say('I3', session, waitsForStop(facts, fresh));
    this.#say('I3', session, lastIsRetried(facts, reference.last.snapshot.context.queue.retry));
    const isAsked = (turn: string) => this.#watch.gateways.isAskedNow(session, turn);
    this.#say('I3', session, retriesInTime(facts, fresh, isAsked));
    for (const fact of fresh)
      if (fact.type === 'turn.ended' && fact.outcome === 'finalized') this.#words(session, fact.turn);
  }

  #words(session: string, id: string): void {
    const key = `${session}:${id}`;
    const run = this.#agents.runs.get(key);
    const turn = this.#references.get(session)?.last.turns.find((one) => one.id === id);
    if (run && turn && !this.#watch.hasRaced)
      this.#say('every word once', session, everyWordOnce(turn, key, run.said));
  }

  #actor(who: string, session: string, ref: SessionRef, isPage: boolean): void {
    const snapshot = ref.getSnapshot() as SessionMachineSnapshot;
    if (this.#seen.get(ref) === snapshot) return;
    this.#seen.set(ref, snapshot);
    if (typeof snapshot.value !== 'string' || snapshot.context.problem) return;
    const { context } = snapshot;
    const reference = this.#references.get(session);
    // It was deleted, or put back from a backup: a reader that has not heard of it yet still shows what was.
    if (!reference || reference.epoch !== context.epoch) return;
    const at = reference.at(context.seq);
    if (!at) {
      this.#watch.breach(
        'I7',
        `${who} has seen ${context.seq} of ${session}, and ${reference.length} are committed`,
      );
      return;
    }
    const found = difference(snapshot, at);
    if (found !== undefined) this.#watch.breach('I6', `${who} at ${context.seq} of ${session}: ${found}`);
    if (isPage) this.#finished(who, session, ref, context.epoch, context.turns);
  }

  /** I10: a finished row keeps its identity for as long as the page keeps its session. */
  #finished(who: string, session: string, ref: SessionRef, epoch: string, turns: readonly Turn[]): void {
    let rows = this.#rows.get(ref);
    if (rows?.epoch !== epoch) {
      rows = { epoch, turns: new Map() };
      this.#rows.set(ref, rows);
    }
    for (const turn of turns) {
      const known = rows.turns.get(turn.id);
      if (known && known !== turn)
        this.#watch.breach('I10', `${who}: the row of ${session} ${turn.id} was made anew`);
      rows.turns.set(turn.id, turn);
    }
  }

  #say(invariant: string, session: string, found: readonly string[]): void {
    for (const what of found) this.#watch.breach(invariant, `${session}: ${what}`);
  }
}
