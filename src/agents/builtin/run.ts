import { randomUUID } from 'node:crypto';
import type { AgentProcess, Output, PermissionAnswer } from '../agent.ts';
import { AgentError } from '../agent.ts';
import type { Clock } from '../workspace/clock.ts';
import { type Gates, orAbort } from './gates.ts';
import { Broken, type Play, type Question, type Rejoin, type Scene } from './play.ts';

/** What all runs of a session share. */
export interface Stage {
  readonly cwd: string;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly gates: Gates;
  readonly allowed: Set<string>;
  readonly closed: AbortSignal;
  readonly earlier: () => readonly string[];
  readonly spawned: (process: AgentProcess) => void;
  readonly crashed: (message: string) => void;
  readonly later: Scene['later'];
}

export interface RunOptions {
  readonly turn: string;
  readonly signal: AbortSignal;
  readonly handle: string | undefined;
}

const closings = new Set<Output['type'] | 'rejoin'>([
  'tool.finished',
  'tool.refused',
  'permission.withdrawn',
]);

/** One prompt from its start to its end: the scene that its play works with, and the stops that reach it. */
export class Run implements Scene {
  readonly turn: string;
  readonly handle: string | undefined;
  readonly cwd: string;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly gates: Gates;
  readonly allowed: Set<string>;
  readonly earlier: readonly string[];
  readonly spawned: Scene['spawned'];
  readonly later: Scene['later'];
  readonly abandoned: AbortSignal;
  readonly #crashed: Stage['crashed'];
  readonly #stop = new AbortController();
  readonly #over = new AbortController();
  readonly #either: AbortSignal;
  readonly #answers = new Map<string, PromiseWithResolvers<PermissionAnswer>>();
  readonly #names = new Map<string, number>();
  readonly #ended = Promise.withResolvers<void>();
  #guidance: string[] = [];
  #guided: PromiseWithResolvers<string> | undefined;
  #guidable = false;
  #stubborn = false;
  #cut = false;

  constructor(stage: Stage, options: RunOptions) {
    this.turn = options.turn;
    this.handle = options.handle;
    this.cwd = stage.cwd;
    this.stateDir = stage.stateDir;
    this.clock = stage.clock;
    this.gates = stage.gates;
    this.allowed = stage.allowed;
    this.earlier = stage.earlier();
    this.spawned = stage.spawned;
    this.later = stage.later;
    this.#crashed = stage.crashed;
    this.abandoned = AbortSignal.any([options.signal, stage.closed, this.#over.signal]);
    this.#either = AbortSignal.any([this.abandoned, this.#stop.signal]);
    // A prompt that nobody reads on from never reaches its own end.
    this.abandoned.addEventListener('abort', () => this.#ended.resolve(), { once: true });
    if (this.abandoned.aborted) this.#ended.resolve();
  }

  /** Resolves when the run is over. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get stopped(): AbortSignal {
    return this.#stubborn ? this.abandoned : this.#either;
  }

  stop(): void {
    this.#stop.abort();
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted && !this.#stubborn;
  }

  /** All that the play says, ending in `ended` unless the play cut the stream or nobody reads on. */
  async *outputs(play: Play, opening: readonly Output[]): AsyncGenerator<Output | Rejoin, void> {
    try {
      if (!this.#stopping) yield* opening;
      for (;;) {
        const next = await play.next();
        if (next.done || this.abandoned.aborted) break;
        // What a stopped prompt still says is dropped, but for the ends of what it left open.
        if (this.#stopping && !closings.has(next.value.type)) continue;
        if (next.value.type !== 'ended') yield next.value;
        else return yield* this.#end(next.value);
      }
      if (this.abandoned.aborted || this.#cut) return;
      yield* this.#end({ type: 'ended', stopReason: this.#stopping ? 'cancelled' : 'end_turn' });
    } catch (error) {
      if (this.abandoned.aborted) return;
      if (error instanceof Broken) throw error;
      if (this.#stopping) yield* this.#end({ type: 'ended', stopReason: 'cancelled' });
      else yield* this.#end({ type: 'ended', stopReason: 'error', error: failureOf(error) });
    } finally {
      this.#over.abort();
      await play.return();
    }
  }

  /** Over before it is said: whoever hears the end may prompt again at once. */
  *#end(end: Output): Generator<Output, void> {
    this.#over.abort();
    yield end;
  }

  async sleep(ms: number): Promise<void> {
    this.stopped.throwIfAborted();
    if (ms > 0) await this.clock.sleep(ms, this.stopped);
  }

  name(stem: string): string {
    const n = (this.#names.get(stem) ?? 0) + 1;
    this.#names.set(stem, n);
    return `${stem}-${n}`;
  }

  async *ask(question: Question): AsyncGenerator<Output, string> {
    const given = yield* this.inquire(question);
    return given.outcome === 'selected' ? given.optionId : 'cancelled';
  }

  async *inquire(question: Question): AsyncGenerator<Output, PermissionAnswer> {
    const permission = question.permission ?? `permission-${randomUUID()}`;
    const answer = this.#expect(permission);
    yield { type: 'permission.asked', ...question, permission };
    return await orAbort(answer, this.stopped);
  }

  #expect(permission: string): Promise<PermissionAnswer> {
    const answer = Promise.withResolvers<PermissionAnswer>();
    this.#answers.set(permission, answer);
    return answer.promise;
  }

  answer(permission: string, answer: PermissionAnswer): void {
    // A permission is cancelled only because its turn is being stopped.
    if (answer.outcome === 'cancelled' && this.#answers.has(permission)) this.stop();
    this.#answers.get(permission)?.resolve(answer);
  }

  ignoreStops(): void {
    this.#stubborn = true;
  }

  cut(): void {
    this.#cut = true;
  }

  crash(message: string): void {
    this.#cut = true;
    this.#crashed(message);
  }

  /** False when the play takes no guidance, or none any more. */
  guide(text: string): boolean {
    if (!this.#guidable || this.#either.aborted) return false;
    if (this.#guided) {
      this.#guidable = false;
      this.#guided.resolve(text);
    } else {
      this.#guidance.push(text);
    }
    return true;
  }

  guidance(when: 'now' | 'last'): string | undefined {
    const [first, ...others] = this.#guidance;
    this.#guidance = others;
    this.#guidable = when === 'now' || first !== undefined;
    return first;
  }

  async nextGuidance(): Promise<string> {
    this.#guided = Promise.withResolvers<string>();
    this.#guidable = true;
    try {
      return await orAbort(this.#guided.promise, this.stopped);
    } finally {
      this.#guided = undefined;
      this.#guidable = false;
    }
  }
}

function failureOf(error: unknown): { code: string; message: string } {
  if (error instanceof AgentError) return error.failure;
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'builtin.failed', message: `The built-in agent failed: ${message}` };
}
