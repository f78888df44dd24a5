import type { Output, PermissionAnswer, Poll } from '../../../src/agents/agent.ts';
import type { Turn } from '../../../src/wire/turn.ts';
import { Pipe } from './pipe.ts';
import type { Life, Scheduler } from './scheduler.ts';
import type { Plan } from './scripts.ts';

/** A turn on the agent's side: it follows its plan, whether or not anybody listens. */
export class Run {
  readonly key: string;
  readonly handle: string;
  readonly plan: Plan;
  readonly said: Output[] = [];
  polls = 0;
  isOver = false;
  /** Who may hear it now. */
  pipe: Pipe;
  /** Told that nothing more comes of it. */
  onOver: (told: Life) => void = () => {};
  readonly #scheduler: Scheduler;
  readonly #exit: () => void;
  readonly #answers = new Map<string, PermissionAnswer>();
  readonly #told = new Set<string>();
  #at = 0;
  #awaits: string | undefined;
  /** How it ended, as a poll found it: whoever asks again is told so again. */
  #found: Poll | undefined;
  /** Its stream is given up: what it says from here on is for polls. */
  #left = false;

  constructor(key: string, handle: string, plan: Plan, life: Life, exit: () => void) {
    this.key = key;
    this.handle = handle;
    this.plan = plan;
    this.pipe = new Pipe(life);
    this.#scheduler = life.scheduler;
    this.#exit = exit;
    this.#next();
  }

  /** The gateway that asked for it is gone, and no other has joined it. */
  get isOrphan(): boolean {
    return this.pipe.isOrphan;
  }

  /** The question that it waits for. */
  get awaits(): string | undefined {
    return this.isOver ? undefined : this.#awaits;
  }

  /** Its end was there for a poll; whether the answer was heard, the agent does not know. */
  get isFound(): boolean {
    return this.#found !== undefined;
  }

  /** True when the gateway that it asked now has answered already. */
  isAnswered(permission: string): boolean {
    return this.#told.has(permission);
  }

  answer(permission: string, answer: PermissionAnswer): void {
    this.#answers.set(permission, answer);
    this.#told.add(permission);
    if (this.#awaits !== permission) return;
    this.#awaits = undefined;
    // A5: after a cancel some never say how their tool ended.
    if (answer.outcome === 'selected') this.#next();
  }

  /** The agent's own way of stopping, or of not stopping. */
  async cancel(): Promise<void> {
    if (this.isOver) return;
    const { onCancel, cancelMs } = this.plan;
    if (this.#left && onCancel !== 'rejects') {
      // Without a stream its word is all that there is, and it keeps it.
      await this.#scheduler.sleep(cancelMs);
      return this.finish();
    }
    if (onCancel === 'ignores') return;
    if (onCancel === 'rejects') throw new Error('the agent cannot be reached');
    if (onCancel === 'late') {
      this.#scheduler.after(1, () => this.#say({ type: 'text', text: `[${this.key}#late]` }));
      this.#scheduler.after(2, () =>
        this.#say({ type: 'tool.started', toolCallId: `[${this.key}#late]`, title: 'Late' }),
      );
    }
    this.#scheduler.after(cancelMs, () => {
      if (this.isOver) return;
      if (onCancel === 'closes') this.#close();
      if (onCancel !== 'cuts' && onCancel !== 'throws') this.#say({ type: 'ended', stopReason: 'cancelled' });
      this.finish(onCancel === 'throws' ? new Error('aborted') : undefined);
    });
  }

  /** As good agents do: each call that runs is said to be over. */
  #close(): void {
    const ended = new Set(
      this.said.flatMap((o) => (o.type === 'tool.finished' || o.type === 'tool.refused' ? o.toolCallId : [])),
    );
    for (const output of this.said) {
      if (output.type !== 'tool.started' || ended.has(output.toolCallId)) continue;
      const { toolCallId } = output;
      ended.add(toolCallId);
      if (ended.size % 2 === 1) this.#say({ type: 'tool.refused', toolCallId, reason: 'It was stopped.' });
      else this.#say({ type: 'tool.finished', toolCallId, status: 'failed' });
    }
  }

  /** Nothing more comes of it. */
  finish(error?: Error): void {
    this.isOver = true;
    // Without its stream nobody hears of it before the next poll.
    const isHeard = !this.#left && !this.pipe.isOver && !this.pipe.isLost;
    this.pipe.end(error);
    if (isHeard) this.onOver(this.pipe.life);
  }

  /** Another gateway joins it, and gets what the log has not seen. */
  rejoin(life: Life, seen: Turn): Pipe {
    this.pipe = new Pipe(life);
    // It asks the gateway that joins it again what the log does not have.
    this.#told.clear();
    const text = JSON.stringify(seen);
    const known = this.said.findLastIndex((output) => textsOf(output).some((label) => text.includes(label)));
    for (const output of this.said.slice(known + 1)) if (output.type !== 'accepted') this.pipe.push(output);
    // With that the rest is told; a poll has no more to bring than its end.
    if (this.#found?.state === 'ended') {
      const output = this.#found.output.filter((one) => one.type === 'ended');
      this.#found = { state: 'ended', output };
    }
    const isTold = this.said.slice(known + 1).some((output) => output.type === 'poll');
    if (this.#left && !isTold) this.pipe.push({ type: 'poll', reason: 'Its stream is lost.' });
    if (this.isOver || this.#left) this.pipe.end();
    return this.pipe;
  }

  poll(life: Life): Poll {
    if (this.#found) return this.#found;
    const { polls, found, pollFails } = this.plan;
    this.polls += 1;
    if (this.isOver && !this.#left) {
      this.#found = { state: 'unknown', reason: 'The agent has lost this turn.' };
      return this.#found;
    }
    if (this.polls <= pollFails) throw new Error('the agent cannot be reached');
    if (!this.#left || this.polls <= polls + pollFails) {
      const text = `[${this.key}#progress${Math.floor(this.polls / 4)}]`;
      return this.polls % 2 === 0 ? { state: 'running' } : { state: 'running', progress: { text } };
    }
    if (found === 'unknown') {
      this.isOver = true;
      this.#found = { state: 'unknown', reason: 'The agent has forgotten this turn.' };
      return this.#found;
    }
    this.#left = false;
    if (found === 'stream') {
      this.pipe = new Pipe(life);
      this.#next();
      return { state: 'stream', output: this.pipe };
    }
    const rest = this.plan.acts.slice(this.#at).flatMap(({ output }) => (output ? [output] : []));
    const end = rest.findIndex((output) => output.type === 'ended');
    const output = rest.filter((one, i) => one.type !== 'poll' && (end < 0 || i <= end));
    this.said.push(...output);
    this.isOver = true;
    this.#found = { state: 'ended', output };
    return this.#found;
  }

  #next(): void {
    const act = this.plan.acts[this.#at];
    if (!act || this.isOver) return;
    this.#scheduler.after(act.after, () => {
      if (this.isOver || this.plan.acts[this.#at] !== act) return;
      this.#at += 1;
      this.#do(act);
    });
  }

  #do(act: Plan['acts'][number]): void {
    if (act.breaks) {
      if (act.breaks === 'exit') return this.#exit();
      return this.finish(act.breaks === 'throw' ? new Error('the connection broke') : undefined);
    }
    if (act.output) this.#say(act.output);
    if (act.leaves) {
      this.#left = true;
      this.pipe.end();
      return;
    }
    const answered = act.awaits === undefined ? undefined : this.#answers.get(act.awaits);
    if (act.awaits !== undefined && answered?.outcome !== 'selected') {
      this.#awaits = act.awaits;
      return;
    }
    if (act.output?.type === 'ended') this.isOver = true;
    // What comes after the end is said all the same.
    if (this.isOver) {
      const rest = this.plan.acts.slice(this.#at);
      for (const { output } of rest) if (output) this.#say(output);
      this.pipe.end();
      this.onOver(this.pipe.life);
      return;
    }
    this.#next();
  }

  #say(output: Output): void {
    this.said.push(output);
    this.pipe.push(output);
  }
}

/** The texts by which an output can be found again in a turn. */
function textsOf(output: Output): readonly string[] {
  switch (output.type) {
    case 'text':
    case 'thought':
    case 'replace':
      return [output.text];
    case 'tool.started':
      return [`"id":${JSON.stringify(output.toolCallId)}`];
    default:
      return [];
  }
}
