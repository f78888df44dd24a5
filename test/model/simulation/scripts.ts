import type { Output } from '../../../src/agents/agent.ts';
import type { Random } from './random.ts';

/** One thing that an agent does in a turn, `after` ms from the one before. */
export interface Act {
  readonly after: number;
  readonly output: Output | undefined;
  /** Goes on only when this permission is answered. */
  readonly awaits?: string;
  /** Its stream breaks off here, in one of the ways in which streams do. */
  readonly breaks?: 'cut' | 'throw' | 'exit';
  /** Its stream is over and the rest is to be had by polls. */
  readonly leaves?: boolean;
}

export interface Plan {
  readonly acts: readonly Act[];
  readonly onCancel: 'obeys' | 'closes' | 'late' | 'cuts' | 'throws' | 'ignores' | 'rejects';
  readonly cancelMs: number;
  readonly onSteer: 'takes' | 'refuses' | 'throws';
  /** Polls before there is news, and what it is then. */
  readonly polls: number;
  readonly found: 'ended' | 'stream' | 'unknown';
  readonly pollFails: number;
  /** Which of the faults of real agents it shows. */
  readonly faults: readonly string[];
}

const form = { properties: { name: { type: 'string', minLength: 1 } }, required: ['name'] } as const;
export const choices = [
  { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
  { optionId: 'no', name: 'No', kind: 'reject_once' },
] as const;

/** `label`: names the turn in each text, so that every word can be traced to the one who said it. */
export function planOf(
  random: Random,
  label: (n: number) => string,
  handle: string,
  canPoll: boolean,
  now: number,
): Plan {
  const writer = new Writer(random, label, now);
  const isPolled = canPoll && random.chance(0.6);
  const accepts = random.weighted([
    [canPoll ? 12 : 5, 'plain'],
    [2, 'never'],
    [canPoll ? 2 : 1, 'late'],
  ] as const);
  const accepted: Output = canPoll ? { type: 'accepted', handle } : { type: 'accepted' };
  if (accepts === 'plain') writer.say(accepted);
  const pieces = random.int(0, 5);
  const leavesAt = isPolled ? random.int(0, pieces) : -1;
  const leave = () => {
    if (random.chance(0.3)) writer.ask();
    writer.leave(accepts === 'late' && random.chance(0.5) ? accepted : undefined);
  };
  for (let i = 0; i < pieces; i++) {
    if (i === leavesAt) leave();
    writer.piece();
  }
  if (leavesAt === pieces) leave();
  if (accepts === 'late') writer.say(accepted);
  writer.end();
  return {
    acts: writer.acts,
    onCancel: random.weighted([
      [4, 'obeys'],
      [2, 'closes'],
      [2, 'late'],
      [1, 'cuts'],
      [1, 'throws'],
      [2, 'ignores'],
      [1, 'rejects'],
    ] as const),
    cancelMs: random.pick([0, 1, 30, 200, 900]),
    onSteer: random.weighted([
      [3, 'takes'],
      [2, 'refuses'],
      [1, 'throws'],
    ] as const),
    polls: random.int(0, 4),
    found: random.weighted([
      [4, 'ended'],
      [3, 'stream'],
      [1, 'unknown'],
    ] as const),
    pollFails: random.chance(0.2) ? random.int(1, 3) : 0,
    faults: writer.faults,
  };
}

class Writer {
  readonly acts: Act[] = [];
  readonly faults: string[] = [];
  readonly #random: Random;
  readonly #label: (n: number) => string;
  readonly #now: number;
  #n = 0;

  constructor(random: Random, label: (n: number) => string, now: number) {
    this.#now = now;
    this.#random = random;
    this.#label = label;
  }

  say(output: Output | undefined, more: Partial<Act> = {}): void {
    const after = this.#random.weighted([
      [4, 0],
      [4, this.#random.int(1, 15)],
      [3, this.#random.int(16, 120)],
      [0.5, this.#random.int(200, 900)],
    ]);
    this.acts.push({ after, output, ...more });
  }

  /** `handle`: what it says with its last breath, so that it can be asked. */
  leave(handle: Output | undefined): void {
    this.say({ type: 'poll', reason: 'The stream was lost.' }, handle ? {} : { leaves: true });
    if (!handle) return;
    this.#note('says its handle after its stream is lost');
    this.acts.push({ after: 0, output: handle, leaves: true });
  }

  /** A question that nothing waits for, on this side. */
  ask(): void {
    this.say({ type: 'permission.asked', permission: this.#word(), title: 'May I?', options: choices });
  }

  #word(): string {
    this.#n += 1;
    return this.#label(this.#n);
  }

  piece(): void {
    const r = this.#random;
    const kinds = [
      [8, () => this.#text('text')],
      [2, () => this.#text('thought')],
      [4, () => this.#tool()],
      [3, () => this.#permission()],
      [
        1,
        () =>
          this.say({
            type: 'plan',
            entries: [{ content: this.#word(), priority: 'low', status: 'pending' }],
          }),
      ],
      [1.5, () => this.say({ type: 'retrying', attempt: r.int(1, 3), reason: 'The model was busy.' })],
      [1, () => this.#silence()],
      [
        1,
        () => this.say({ type: 'progress', progress: { text: this.#word(), done: r.int(0, 3), total: 3 } }),
      ],
      [1, () => this.say({ type: 'notice', level: 'info', code: 'sim', text: this.#word() })],
      [1, () => this.say({ type: 'usage', usage: { totalTokens: r.int(1, 99) } })],
      [1, () => this.#commands()],
      [1, () => this.#replace()],
      [0.7, () => this.#burst()],
      [0.7, () => this.#orphan()],
    ] as const;
    r.weighted<() => void>(kinds)();
  }

  #text(type: 'text' | 'thought'): void {
    const part = this.#random.chance(0.2) ? this.#random.pick(['a', 'b']) : undefined;
    const deltas = this.#random.int(1, 5);
    for (let i = 0; i < deltas; i++) this.say({ type, text: this.#word(), ...(part && { part }) });
  }

  #tool(): void {
    const toolCallId = this.#word();
    const r = this.#random;
    this.say({ type: 'tool.started', toolCallId, title: 'Run' });
    if (r.chance(0.2))
      this.#fault('tool announced twice', { type: 'tool.started', toolCallId, title: 'Run again' });
    if (r.chance(0.5)) this.say({ type: 'tool.updated', toolCallId, output: this.#word() });
    if (r.chance(0.3)) this.#text('text');
    if (r.chance(0.2)) return this.#note('tool never ends (A5)');
    if (r.chance(0.25)) return this.say({ type: 'tool.refused', toolCallId, reason: 'no' });
    const status = r.chance(0.3) ? 'failed' : 'completed';
    this.say({ type: 'tool.finished', toolCallId, status, exitCode: 0 });
    if (r.chance(0.15))
      this.#fault('tool ends twice', { type: 'tool.finished', toolCallId, status: 'completed' });
  }

  #permission(): void {
    const permission = this.#word();
    const r = this.#random;
    const toolCallId = r.chance(0.5) ? this.#word() : undefined;
    if (toolCallId !== undefined && r.chance(0.5))
      this.say({ type: 'tool.started', toolCallId, title: 'Write' });
    else if (toolCallId !== undefined) this.#note('permission for a call never announced (A6)');
    this.say({
      type: 'permission.asked',
      permission,
      title: 'May I?',
      options: choices,
      ...(toolCallId !== undefined && { toolCallId }),
      // Every third asks for values, some of which are needed.
      ...(this.acts.length % 3 === 0 && { form }),
    });
    if (r.chance(0.1)) this.say({ type: 'permission.withdrawn', permission, reason: 'changed my mind' });
    else if (r.chance(0.8)) this.say(undefined, { awaits: permission });
    else this.#note('goes on without the answer that it asked for');
    if (toolCallId !== undefined) this.say({ type: 'tool.finished', toolCallId, status: 'completed' });
  }

  #silence(): void {
    this.#note('silent for long (A2)');
    this.acts.push({ after: this.#random.int(4_100, 9_000), output: undefined });
  }

  #commands(): void {
    const commands = [{ name: 'help', description: 'Helps.' }];
    const output = this.#random.chance(0.5)
      ? ({ type: 'changed', commands } as const)
      : ({ type: 'changed', title: this.#word() } as const);
    this.say(output as Output);
  }

  #replace(): void {
    this.#note('takes text back (A1, A13)');
    this.say({ type: 'replace', kind: 'text', text: this.#word() });
  }

  #burst(): void {
    const filler = this.#random.chance(0.5) ? 'x'.repeat(5_000) : '😀'.repeat(2_100);
    this.say({ type: 'text', text: `${this.#word()}${filler}` });
  }

  #orphan(): void {
    this.#fault('tool ends without a start (A6)', {
      type: 'tool.finished',
      toolCallId: this.#word(),
      status: 'completed',
    });
  }

  #fault(name: string, output: Output): void {
    this.#note(name);
    this.say(output);
  }

  #note(name: string): void {
    this.faults.push(name);
  }

  end(): void {
    const r = this.#random;
    const end = r.weighted([
      [14, 'well'],
      [1.5, 'short'],
      [1.5, 'error'],
      [0.8, 'cancelled'],
      [1, 'cut'],
      [1, 'throw'],
      [1, 'exit'],
      [1.5, 'never'],
    ] as const);
    if (end === 'cut' || end === 'throw' || end === 'exit') {
      this.#note(`stream ${end === 'exit' ? 'ends with its agent (A8)' : end} (A1)`);
      return this.say(undefined, { breaks: end });
    }
    if (end === 'never') return this.#note('never ends');
    if (end === 'error') {
      this.#note('ends in an error (A10)');
      const limit = r.chance(0.6) && { until: this.#now + r.pick([500, 3_000, 15_000, 65_000]) };
      if (limit) this.#note('has reached the limit of its use');
      const error = { code: 'sim.failed', message: 'It failed.', ...limit };
      this.say({ type: 'ended', stopReason: 'error', error });
    } else if (end === 'cancelled') {
      this.#note('gives up by itself');
      this.say({ type: 'ended', stopReason: 'cancelled' });
    } else if (end === 'short') {
      this.say({ type: 'ended', stopReason: r.pick(['refusal', 'max_tokens'] as const) });
    } else this.say({ type: 'ended', stopReason: 'end_turn' });
    if (r.chance(0.15)) this.#fault('usage after the end (A4)', { type: 'usage', usage: { totalTokens: 7 } });
    if (r.chance(0.08)) this.#fault('text after the end', { type: 'text', text: this.#word() });
    if (r.chance(0.05)) this.#fault('ends twice', { type: 'ended', stopReason: 'end_turn' });
  }
}
