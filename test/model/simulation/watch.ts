import type { PermissionAnswer } from '../../../src/agents/agent.ts';
import type { Disk } from './disk.ts';
import { Gateways } from './gateway.watch.ts';
import type { Scheduler } from './scheduler.ts';

/** Something that must never be. */
export interface Breach {
  /** `I4`, or a name. */
  readonly invariant: string;
  readonly what: string;
  /** Milliseconds since the world began. */
  readonly at: number;
}

/** A message of the world, for the diagram. */
export interface Line {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** Sees what happens between the parts: counts it, notes it for the diagram, and says what must not be. */
export class Watch {
  readonly breaches: Breach[] = [];
  readonly hits = new Map<string, number>();
  readonly lines: Line[] = [];
  readonly #scheduler: Scheduler;
  readonly #disk: Disk;
  readonly #tracing: boolean;
  readonly #cancelled = new Set<string>();
  readonly gateways: Gateways;
  /** More than one gateway was alive at once, or its log was put back: what two of them did is not judged. */
  hasRaced = false;

  constructor(scheduler: Scheduler, disk: Disk, tracing: boolean) {
    this.#scheduler = scheduler;
    this.#disk = disk;
    this.#tracing = tracing;
    this.gateways = new Gateways(scheduler, disk, this);
  }

  breach(invariant: string, what: string): void {
    this.breaches.push({ invariant, what, at: this.#scheduler.elapsed });
  }

  hit(name: string): void {
    this.hits.set(name, (this.hits.get(name) ?? 0) + 1);
  }

  line(from: string, to: string, text: () => string): void {
    if (this.#tracing) this.lines.push({ at: this.#scheduler.elapsed, from, to, text: text() });
  }

  /** I3, I7: one prompt for a turn, after its start is committed, and never while another is out. */
  prompted(session: string, turn: string, found: { gateway: string; times: number; busy: boolean }): void {
    this.line('gateway', 'agent', () => `${session} prompt ${turn}`);
    const facts = this.#disk.facts.get(session) ?? [];
    const isCommitted = facts.some((fact) => fact.type === 'turn.started' && fact.turn === turn);
    if (!isCommitted && !this.hasRaced)
      this.breach('I3', `${session} ${turn} was prompted before it was committed`);
    if (found.times > 1 && !this.hasRaced)
      this.breach('I3', `${session} ${turn} was prompted ${found.times} times`);
    if (found.busy && !this.hasRaced)
      this.breach('I3', `${session} ${turn} was prompted while another prompt was out`);
    // Of two gateways each knows what it wrote itself.
    const known = this.#disk.acknowledged.get(this.hasRaced ? `${session} ${found.gateway}` : session) ?? 0;
    const stopped = facts.some((f) => f.type === 'turn.stopping' && f.turn === turn && f.seq <= known);
    if (stopped) this.breach('I5', `${session} ${turn} was prompted although it was stopped`);
    const ended = facts.some((f) => f.type === 'turn.ended' && f.turn === turn && f.seq <= known);
    if (ended && !this.hasRaced) this.breach('I3', `${session} ${turn} was prompted although it had ended`);
  }

  /** I5: a turn that is open is cancelled once by each gateway that runs it, whoever began it. */
  cancelled(session: string, gateway: string): void {
    const facts = this.#disk.facts.get(session) ?? [];
    const last = facts.findLast((fact) => fact.type === 'turn.started' || fact.type === 'turn.ended');
    this.line('gateway', 'agent', () => `${session} cancel`);
    if (this.hasRaced) return;
    if (last?.type !== 'turn.started') {
      this.breach('I5', `${session} was cancelled although no turn of it is open`);
      return;
    }
    const key = `${session}:${last.turn} by ${gateway}`;
    if (this.#cancelled.has(key)) this.breach('I5', `${key} was cancelled twice`);
    this.#cancelled.add(key);
  }

  answeredTwice(key: string, permission: string): void {
    if (!this.hasRaced) this.breach('I12', `${permission} of ${key} was answered twice`);
  }

  /** I7: what the agent is told was committed first. */
  answered(session: string, permission: string, answer: PermissionAnswer): void {
    this.line('gateway', 'agent', () => `${session} answer ${permission} ${answer.outcome}`);
    if (answer.outcome !== 'selected' || this.hasRaced) return;
    const facts = this.#disk.facts.get(session) ?? [];
    const isCommitted = facts.some((f) => f.type === 'permission.answered' && f.permission === permission);
    if (!isCommitted) this.breach('I7', `${permission} was answered before the answer was committed`);
  }

  /** I5: a kill is for a turn that is being stopped, or for an agent that nobody needs any more. */
  killed(session: string, signal: string): void {
    this.hit(`agent: ${signal}`);
    this.line('gateway', 'agent', () => `${session} ${signal}`);
  }
}
