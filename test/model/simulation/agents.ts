import {
  AgentError,
  type AgentSession,
  type Connector,
  type OpenOptions,
  type Output,
} from '../../../src/agents/agent.ts';
import type { Random } from './random.ts';
import { Run } from './run.ts';
import type { Life, Scheduler } from './scheduler.ts';
import { choices, planOf } from './scripts.ts';
import type { Watch } from './watch.ts';

const words = (session: string, turn: string, n: number) => `[${session}:${turn}#${n}]`;

/** A process of an agent: it serves one session, and may outlive the gateway that started it. */
class Program {
  readonly pgid: number;
  readonly session: string;
  readonly survives: boolean;
  /** SIGTERM does not end it, or not even SIGKILL does at once: it hangs in its system. */
  readonly nature: 'meek' | 'stubborn' | 'stuck';
  readonly ended: Promise<void>;
  isAlive = true;
  /** From then on it is about to end, which may take a while. */
  killedAt: number | undefined;
  run: Run | undefined;
  /** The gateway that it talks to. */
  options: OpenOptions;
  life: Life;
  #end: () => void = () => {};

  constructor(
    pgid: number,
    options: OpenOptions,
    life: Life,
    survives: boolean,
    nature: 'meek' | 'stubborn' | 'stuck',
  ) {
    this.pgid = pgid;
    this.session = options.session;
    this.options = options;
    this.life = life;
    this.survives = survives;
    this.nature = nature;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  die(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.run?.finish(new Error('the agent is gone'));
    this.#end();
    if (this.life.isOver) return;
    this.options.onExit({ code: 'agent.gone', message: 'The agent ended by itself.' });
  }

  unasked(output: Output): void {
    if (this.isAlive && !this.life.isOver) this.options.onOutput(output);
  }

  /** The turn whose end it has told the gateway that it talks to. */
  get told(): string | undefined {
    const { run } = this;
    const isTold =
      run?.pipe.life === this.life && !run.isFound && run.said.some((output) => output.type === 'ended');
    return isTold ? run?.key : undefined;
  }
}

/** All agents of the world. They misbehave as real ones do, each as its plan says. */
export class Agents {
  readonly programs: Program[] = [];
  /** How often each turn was prompted. */
  readonly prompts = new Map<string, number>();
  /** Words that were said unasked after the end of a turn, and that turn. */
  readonly late = new Map<string, string>();
  /** The turn as its agent has it. */
  readonly runs = new Map<string, Run>();
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #watch: Watch;
  readonly #texts = new Map<string, number>();
  /** From here on nothing goes wrong that was not planned. */
  isCalm = false;
  #unasked = 0;

  constructor(scheduler: Scheduler, random: Random, watch: Watch) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#watch = watch;
  }

  connector(life: Life): Connector {
    return {
      id: 'sim',
      name: 'Simulated',
      description: 'Says what its plan says.',
      available: async () => ({ available: true }),
      open: (options) => this.#open(options, life),
    };
  }

  signal(pgid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
    const program = this.programs.find((one) => one.pgid === pgid);
    if (!program?.isAlive) throw new Error('ESRCH');
    this.#watch.killed(program.session, signal);
    if (signal === 'SIGTERM' && program.nature !== 'meek') return;
    if (signal === 'SIGKILL') program.killedAt ??= this.#scheduler.now;
    this.#scheduler.after(program.nature === 'stuck' ? 1_500 : 1, () => program.die());
  }

  /** What the next start of a gateway does with agents of the one before. */
  killSurvivors(): void {
    for (const program of this.programs) if (!program.survives) program.die();
  }

  /** Another gateway runs on; those of the one that is gone went with it. */
  killOrphans(): void {
    for (const program of this.programs) if (program.life.isOver) program.die();
  }

  /** An agent ends by itself. */
  die(session: string, job: boolean): boolean {
    const program = this.#alive(session, job);
    program?.die();
    return program !== undefined;
  }

  /** A background wake-up: output that belongs to no prompt (A6, A7). */
  wake(parent: string, job: boolean, pieces: number): boolean {
    const program = this.#alive(parent, job);
    if (!program) return false;
    for (let i = 0; i < pieces; i++) this.#scheduler.after(i * 7, this.#unaskedOf(program));
    return true;
  }

  /** Something that belongs to no prompt, said when it is called. */
  #unaskedOf(program: Program): () => void {
    const { session } = program;
    this.#unasked += 1;
    const label = `[${session}:unasked#${this.#unasked}]`;
    const output: Output =
      this.#unasked % 6 === 0
        ? { type: 'permission.asked', permission: label, title: 'May I, unasked?', options: choices }
        : this.#unasked % 4 === 0
          ? { type: 'tool.started', toolCallId: label, title: 'By itself' }
          : this.#unasked % 5 === 0
            ? { type: 'usage', usage: { totalTokens: this.#unasked } }
            : { type: 'text', text: label };
    return () => {
      if (program.told !== undefined) this.late.set(label, program.told);
      program.unasked(output);
    };
  }

  #alive(session: string, job: boolean): Program | undefined {
    return this.programs.findLast(
      (one) => one.isAlive && (job ? one.session.startsWith(`${session}.`) : one.session === session),
    );
  }

  async #open(options: OpenOptions, life: Life): Promise<AgentSession> {
    const { session } = options;
    const random = this.#random.fork(`open/${session}/${this.programs.length}`);
    await life.sleep(random.pick([0, 5, 60, 400]));
    const survivor = this.programs.findLast(
      (one) => one.session === session && one.survives && one.isAlive && one.killedAt === undefined,
    );
    if (survivor) {
      survivor.options = options;
      survivor.life = life;
    } else if (!this.isCalm && random.chance(0.06)) {
      this.#watch.hit('agent cannot be started');
      throw new AgentError('sim.unavailable', 'The agent could not be started. Try again.');
    }
    const program =
      survivor ??
      new Program(
        this.programs.length + 1,
        options,
        life,
        random.chance(0.4),
        random.weighted([
          [6, 'meek'],
          [4, 'stubborn'],
          [1, 'stuck'],
        ] as const),
      );
    if (!survivor) this.programs.push(program);
    const { pgid, survives, ended } = program;
    options.onProcess({ pgid, command: 'sim', survives, ended });
    return this.#session(program, life, random);
  }

  #session(program: Program, life: Life, random: Random): AgentSession {
    const session: AgentSession = {
      prompt: ({ turn, content, signal }) => {
        const text = content[0]?.type === 'text' ? content[0].text : '';
        // What ran for a gateway that is gone, and was never joined again, is ended by its connector.
        if (program.run && !program.run.isOver && program.run.isOrphan) {
          this.#watch.hit('agent: an orphan of an earlier gateway is ended');
          program.run.finish();
        }
        const key = `${program.session}:${turn}`;
        this.prompts.set(key, (this.prompts.get(key) ?? 0) + 1);
        this.#watch.prompted(program.session, turn, {
          gateway: life.name,
          times: this.prompts.get(key) ?? 0,
          busy: program.isAlive && program.run !== undefined && !program.run.isOver,
        });
        const times = (this.#texts.get(text) ?? 0) + 1;
        this.#texts.set(text, times);
        const handle = `h-${program.session}-${turn}`;
        const plan = planOf(
          this.#random.fork(`plan/${program.session}/${text}/${times}`),
          (n) => words(program.session, turn, n),
          handle,
          program.survives,
          this.#scheduler.now,
        );
        for (const fault of plan.faults) this.#watch.hit(`agent: ${fault}`);
        const run = new Run(key, handle, plan, life, () => program.die());
        // A7: some wake up as soon as they have ended.
        const wakes = this.#random.fork(`wakes/${key}`).chance(0.2);
        run.onOver = (told) => {
          this.#watch.gateways.over(program.session, turn, told);
          if (wakes && !this.isCalm) this.#scheduler.after(0, this.#unaskedOf(program));
        };
        program.run = run;
        this.runs.set(key, run);
        this.#watch.gateways.runs(program.session, turn, { life, run, program }, 'prompted');
        if (!program.isAlive) run.finish(new Error('the agent is gone'));
        signal.addEventListener('abort', () => {
          if (program.nature !== 'stuck') run.finish();
        });
        return run.pipe;
      },
      cancel: async () => {
        const { run } = program;
        this.#watch.cancelled(program.session, life.name);
        if (!run) return;
        this.#watch.gateways.cancels(run.key, life);
        if (!run.isOver) this.#watch.hit(`agent: cancel ${run.plan.onCancel}`);
        await run.cancel();
      },
      answer: (permission, answer) => {
        const { run } = program;
        if (!run) return;
        if (run.isAnswered(permission)) this.#watch.answeredTwice(run.key, permission);
        this.#watch.answered(program.session, permission, answer);
        run.answer(permission, answer);
      },
      steer: async (content) => {
        const { run } = program;
        await life.sleep(3);
        this.#watch.hit(`agent: ${run?.plan.onSteer ?? 'refuses'} guidance`);
        if (run?.plan.onSteer === 'throws') throw new Error('no guidance now');
        const takes = run?.plan.onSteer === 'takes' && !run.isOver;
        if (takes && content[0]?.type === 'text')
          this.#watch.gateways.takes(program.session, content[0].text);
        return takes;
      },
      close: async () => {
        await life.sleep(random.chance(0.1) && !this.isCalm ? 3_000 : 2);
        if (!program.survives || !program.run || program.run.isOver) program.die();
      },
    };
    if (!program.survives) return session;
    return {
      ...session,
      poll: async (handle) => {
        await life.sleep(2);
        const { run } = program;
        if (!program.isAlive || run?.handle !== handle) {
          return { state: 'unknown', reason: 'The agent does not know this turn.' };
        }
        const found = run.poll(life);
        this.#watch.hit(`agent: poll ${found.state}`);
        const turn = run.key.slice(program.session.length + 1);
        if (found.state === 'ended' || found.state === 'unknown')
          this.#watch.gateways.over(program.session, turn, life);
        return found;
      },
      reattach: (handle, seen) => {
        const { run } = program;
        if (!program.isAlive || run?.handle !== handle) throw new AgentError('sim.lost', 'It is gone.');
        this.#watch.hit('agent survives its gateway');
        this.#watch.gateways.runs(program.session, seen.id, { life, run, program }, 'joined');
        return run.rejoin(life, seen);
      },
    };
  }
}
