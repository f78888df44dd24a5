import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Limits } from '../../machines/runner.types.ts';
import type { Connector } from '../../src/agents/agent.ts';
import type { ContentBlock, StopReason } from '../../src/wire/content.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { violations } from '../support/invariants.ts';
import { type Followed, type Local, localGateway } from '../support/local-gateway.ts';

/** What an agent is brought to do. `held` ones wait in the middle until `goOn` is called. */
export type Scene =
  /** Says "Hello world." in pieces. */
  | 'answer'
  /** Says "Hello ", is held, says "world." */
  | 'held text'
  /** Is held before it says anything. */
  | 'held silence'
  /** Thinks "Hm." and then answers. */
  | 'thought'
  /** Uses a tool, and then answers. */
  | 'tool'
  /** Is held while a tool runs. */
  | 'held tool'
  /** Asks before it uses a tool; it is used only when allowed. */
  | 'permission'
  /** Asks for a number `count` (a whole one, at least 1, needed), and says it when it gets one. */
  | 'question'
  /** Says "Hello ", and is gone. */
  | 'death in text'
  | 'death in a tool'
  | 'death in a permission'
  /** The agent reports an error of its own after "Hello ". */
  | 'error'
  /** What it tries fails, is tried again, and works. */
  | 'retry'
  /** Says nothing at all. */
  | 'nothing'
  | 'refusal'
  | 'max_tokens'
  /** Ignores that it is stopped. */
  | 'stubborn';

export interface Act {
  readonly content: readonly ContentBlock[];
  /** Lets a held scene go on. */
  readonly goOn?: () => void;
  /** False when the exact words are not in the driver's hand. */
  readonly exact?: boolean;
}

/** One agent under test. A fresh one is made for each test. */
export interface Subject {
  readonly connector: Connector;
  /** Undefined: the agent cannot be brought to do that. */
  act(scene: Scene, directory: string): Act | undefined;
  close(): Promise<void> | void;
  /** How often the agent was asked and stopped, as the agent saw it, where that can be known. */
  readonly seen?: () => { readonly prompts: number; readonly cancels: number; readonly overlaps: number };
}

export interface Conformance {
  readonly name: string;
  readonly subject: () => Subject | Promise<Subject>;
  /** Scenes that this agent cannot play, each with the reason: shown as skipped. `stall`: be silent while it is held. */
  readonly cannot?: Partial<Record<Scene | 'stall', string>>;
  /** Factor on the limits of a stop, for agents that take their time. */
  readonly slow?: number;
}

/** What every agent must show through a gateway, whatever its connector is. */
export function conforms({ name, subject, cannot = {}, slow = 1 }: Conformance): void {
  const limits: Partial<Limits> = {
    stall: 150 * slow,
    cancel: 400 * slow,
    terminate: 300,
    kill: 500,
    quiet: 200,
  };
  let local: Local;
  let under: Subject;
  let followed: Followed;
  let messages: number;

  beforeEach(async () => {
    under = await subject();
    local = await localGateway({ connectors: [under.connector], limits });
    await local.gateway.create({ id: 's', agent: under.connector.id });
    followed = await local.follow('s');
    messages = 0;
  });
  afterEach(async () => {
    await local.close();
    await under.close();
  });

  /** A test that is skipped, with the reason, for agents that cannot play one of its scenes. */
  function scene(scenes: readonly (Scene | 'stall')[], title: string, run: () => Promise<void>): void {
    const reason = scenes.map((one) => cannot[one]).find((why) => why !== undefined);
    if (reason === undefined) it(title, run);
    else it.skip(`${title} (${reason})`, run);
  }

  async function send(which: Scene, session = 's'): Promise<Act & { turn: string | undefined; id: string }> {
    const act = under.act(which, local.directory);
    if (!act) throw new Error(`${name} cannot play ${which}, and does not say so in \`cannot\``);
    messages += 1;
    const id = `m${messages}`;
    const { turn } = await local.gateway.send(session, { id, content: [...act.content] });
    if (act.exact === false) void allowAll(turn);
    return { ...act, turn, id };
  }

  /** What an agent asks for that was asked in words: whether it does is its own affair. */
  async function allowAll(turn: string | undefined): Promise<void> {
    const seen = new Set<string>();
    for (;;) {
      const asked = await followed.until(
        (f) => f.type === 'permission.asked' && f.turn === turn && !seen.has(f.permission),
      );
      if (asked.type !== 'permission.asked') return;
      seen.add(asked.permission);
      const allow = asked.options.find((o) => o.kind === 'allow_once') ?? asked.options[0];
      await local.gateway.answer('s', asked.permission, String(allow?.optionId)).catch(() => {});
    }
  }

  const ended = async (turn: string | undefined) => {
    const end = await followed.until((f) => f.type === 'turn.ended' && f.turn === turn);
    return end as Extract<Fact, { type: 'turn.ended' }>;
  };
  const started = (message: string) =>
    followed.until((f) => f.type === 'turn.started' && f.message?.id === message);
  const turnOf = async (id: string | undefined): Promise<Turn> => {
    const { turns } = await local.gateway.snapshot('s');
    const turn = turns.find((one) => one.id === id);
    if (!turn) throw new Error(`no turn ${id}`);
    return turn;
  };
  const textOf = (turn: Turn) => turn.parts.flatMap((p) => (p.type === 'text' ? p.text : [])).join('');
  const expectText = (turn: Turn, text: string, { exact = true }: Act) =>
    exact ? expect(textOf(turn)).toBe(text) : expect(textOf(turn)).not.toBe('');
  const stop = (turn: string | undefined) => local.gateway.stop('s', { turn: String(turn) });

  /** Whatever happened: one end each, nothing after it, all closed, and the same rows live and from the log. */
  async function isSound(): Promise<void> {
    const { turns } = await local.gateway.snapshot('s');
    const log = (await local.log.read('s', 0)) as Fact[];
    expect(violations(log)).toEqual([]);
    expect(foldAll(log)).toEqual(turns);
    expect(turns.flatMap((turn) => turn.misfits)).toEqual([]);
    expect(under.seen?.().overlaps ?? 0).toBe(0);
  }

  describe(`${name}: an answer`, () => {
    scene(['answer'], 'streams, and ends once and well (I1, I6)', async () => {
      const act = await send('answer');
      expect(await ended(act.turn)).toMatchObject({ outcome: 'finalized', stopReason: 'end_turn' });
      expectText(await turnOf(act.turn), 'Hello world.', act);
      await isSound();
    });

    scene(['held text'], 'is readable before it is whole', async () => {
      const act = await send('held text');
      await followed.until((f) => f.type === 'text.added');
      expectText(await turnOf(act.turn), 'Hello ', act);
      expect((await local.gateway.snapshot('s')).state).toBe('streaming');
      act.goOn?.();
      await ended(act.turn);
      expectText(await turnOf(act.turn), 'Hello world.', act);
      await isSound();
    });

    scene(['thought'], 'keeps thoughts apart from what is said', async () => {
      const { turn } = await send('thought');
      await ended(turn);
      const said = (await turnOf(turn)).parts.map((p) => [p.type, 'text' in p ? p.text : '']);
      expect(said).toEqual([
        ['thought', 'Hm.'],
        ['text', 'Hello world.'],
      ]);
      await isSound();
    });

    scene(['held text', 'answer'], 'lets a second message wait until it is over (A3, I3)', async () => {
      const first = await send('held text');
      await followed.until((f) => f.type === 'text.added');
      const second = await send('answer');
      expect(second.turn).toBeUndefined();
      first.goOn?.();
      await ended(first.turn);
      const next = await started(second.id);
      await ended('turn' in next ? next.turn : '');
      await isSound();
    });
  });

  describe(`${name}: a tool`, () => {
    scene(['tool'], 'has a card that is closed at its end (I12)', async () => {
      const { turn } = await send('tool');
      expect(await ended(turn)).toMatchObject({ outcome: 'finalized' });
      const tools = (await turnOf(turn)).parts.filter((p) => p.type === 'tool');
      expect(tools.map((p) => p.status)).toEqual(['completed']);
      await isSound();
    });

    scene(['permission'], 'waits for the permission, and is used when that is given', async () => {
      const { turn } = await send('permission');
      const asked = await followed.until((f) => f.type === 'permission.asked');
      if (asked.type !== 'permission.asked') return expect.fail();
      const allow = asked.options.find((o) => o.kind === 'allow_once');
      await local.gateway.answer('s', asked.permission, String(allow?.optionId));
      expect(await ended(turn)).toMatchObject({ outcome: 'finalized' });
      const { parts } = await turnOf(turn);
      expect(parts.find((p) => p.type === 'permission')).toMatchObject({ state: 'answered' });
      expect(parts.find((p) => p.type === 'tool')).toMatchObject({ status: 'completed' });
      await isSound();
    });

    scene(['permission'], 'is not used when the permission is refused', async () => {
      const { turn } = await send('permission');
      const asked = await followed.until((f) => f.type === 'permission.asked');
      if (asked.type !== 'permission.asked') return expect.fail();
      const reject = asked.options.find((o) => o.kind === 'reject_once');
      await local.gateway.answer('s', asked.permission, String(reject?.optionId));
      await ended(turn);
      const tools = (await turnOf(turn)).parts.filter((p) => p.type === 'tool');
      expect(tools.map((p) => p.status)).not.toContain('completed');
      await isSound();
    });
  });

  describe(`${name}: a question`, () => {
    const asked = async () => {
      const fact = await followed.until((f) => f.type === 'permission.asked');
      if (fact.type !== 'permission.asked') throw new Error('nothing was asked');
      const option = (kind: string) => String(fact.options.find((o) => o.kind === kind)?.optionId);
      return { ...fact, accept: option('allow_once'), decline: option('reject_once') };
    };

    scene(['question'], 'takes values that fit its form, and refuses others by their names', async () => {
      const { turn } = await send('question');
      const { permission, form, accept } = await asked();
      expect(form?.properties).toMatchObject({ count: { type: 'integer', minimum: 1 } });
      const wrong = local.gateway.answer('s', permission, accept, { count: 0 });
      await expect(wrong).rejects.toMatchObject({ status: 400, extra: { fields: { count: 'At least 1.' } } });
      await local.gateway.answer('s', permission, accept, { count: 7 });
      expect(await ended(turn)).toMatchObject({ outcome: 'finalized' });
      const told = await turnOf(turn);
      expect(told.parts.find((p) => p.type === 'permission')).toMatchObject({
        state: 'answered',
        content: { count: 7 },
      });
      expect(textOf(told)).toContain('7');
      await isSound();
    });

    scene(['question'], 'can be declined', async () => {
      const { turn } = await send('question');
      const { permission, decline } = await asked();
      await local.gateway.answer('s', permission, decline);
      expect(await ended(turn)).toMatchObject({ outcome: 'finalized' });
      expect(textOf(await turnOf(turn))).not.toContain('7');
      await isSound();
    });

    scene(['question'], 'is withdrawn by a stop (I4, I12)', async () => {
      const { turn } = await send('question');
      await asked();
      await stop(turn);
      expect(await ended(turn)).toMatchObject({ outcome: 'cancelled' });
      const { parts } = await turnOf(turn);
      expect(parts.find((p) => p.type === 'permission')).toMatchObject({ state: 'withdrawn' });
      await isSound();
    });
  });

  describe(`${name}: a stop`, () => {
    const isStopped = async (turn: string | undefined) => {
      expect(await ended(turn)).toMatchObject({ outcome: 'cancelled', stopReason: 'cancelled' });
      expect((await local.gateway.snapshot('s')).queue.held).toBe(true);
      expect(under.seen?.().cancels ?? 1).toBeLessThanOrEqual(1);
      await isSound();
    };

    scene(['answer'], 'right after the send ends the turn, whether the agent is up or not (I5)', async () => {
      const { turn } = await send('held silence');
      await stop(turn);
      await isStopped(turn);
      expect(under.seen?.().prompts ?? 0).toBeLessThanOrEqual(1);
    });

    scene(['held text'], 'in the text keeps what was said and takes no more (I4)', async () => {
      const act = await send('held text');
      await followed.until((f) => f.type === 'text.added');
      await stop(act.turn);
      act.goOn?.();
      await isStopped(act.turn);
      expectText(await turnOf(act.turn), 'Hello ', act);
    });

    scene(['held tool'], 'in a tool closes it (I5, I12)', async () => {
      const { turn } = await send('held tool');
      await followed.until((f) => f.type === 'tool.started');
      await stop(turn);
      await isStopped(turn);
    });

    scene(['permission'], 'in a permission withdraws it (A5, I5)', async () => {
      const { turn } = await send('permission');
      await followed.until((f) => f.type === 'permission.asked');
      await stop(turn);
      await isStopped(turn);
      expect((await turnOf(turn)).parts.find((p) => p.type === 'permission')).toMatchObject({
        state: 'withdrawn',
      });
    });

    scene(['held text', 'answer'], 'given twice is one stop, and the next message is answered', async () => {
      const { turn } = await send('held text');
      await followed.until((f) => f.type === 'text.added');
      await Promise.allSettled([stop(turn), stop(turn)]);
      await isStopped(turn);
      const next = await send('answer');
      expect(await ended(next.turn)).toMatchObject({ outcome: 'finalized' });
      await isSound();
    });

    scene(['stubborn'], 'that is ignored is enforced within its bound (I5)', async () => {
      const { turn } = await send('stubborn');
      await followed.until((f) => f.type === 'text.added');
      await stop(turn);
      await isStopped(turn);
      expect(followed.facts.some((f) => f.type === 'turn.stopping' && f.stage !== 'asked')).toBe(true);
      const next = await send('answer');
      expect(await ended(next.turn)).toMatchObject({ outcome: 'finalized' });
      await isSound();
    });
  });

  describe(`${name}: trouble`, () => {
    for (const death of ['death in text', 'death in a tool', 'death in a permission'] as const) {
      scene(
        [death, 'answer'],
        `${death}: ends failed, keeps all, and the next message works (I7)`,
        async () => {
          const { turn } = await send(death);
          const end = await ended(turn);
          expect(end).toMatchObject({ outcome: 'failed', error: { message: expect.stringMatching(/\w/) } });
          if (death === 'death in text') expect(textOf(await turnOf(turn))).toBe('Hello ');
          const next = await send('answer');
          expect(await ended(next.turn)).toMatchObject({ outcome: 'finalized' });
          await isSound();
        },
      );
    }

    scene(
      ['held text', 'stall'],
      'silence is shown with the time since when, and goes when it speaks (A2, I13)',
      async () => {
        const { turn, goOn } = await send('held text');
        const silent = await followed.until((f) => f.type === 'turn.watching' && f.mode === 'silent');
        expect(silent).toMatchObject({ since: expect.any(Number), reason: expect.stringMatching(/\w/) });
        goOn?.();
        expect(await ended(turn)).toMatchObject({ outcome: 'finalized' });
        await isSound();
      },
    );

    scene(['retry'], 'a retry is shown, with its reason (I13)', async () => {
      const { turn } = await send('retry');
      expect(await followed.until((f) => f.type === 'turn.retrying')).toMatchObject({
        reason: expect.stringMatching(/\w/),
      });
      expect(await ended(turn)).toMatchObject({ outcome: 'finalized' });
      await isSound();
    });

    scene(
      ['error', 'answer'],
      'an error of the agent ends the turn with its words, not the session (A10)',
      async () => {
        const { turn } = await send('error');
        expect(await ended(turn)).toMatchObject({
          outcome: 'failed',
          error: { message: expect.stringMatching(/\w/) },
        });
        expect(textOf(await turnOf(turn))).toBe('Hello ');
        const next = await send('answer');
        expect(await ended(next.turn)).toMatchObject({ outcome: 'finalized' });
        await isSound();
      },
    );
  });

  describe(`${name}: an end`, () => {
    const reasons: readonly (readonly [Scene, StopReason])[] = [
      ['nothing', 'end_turn'],
      ['refusal', 'refusal'],
      ['max_tokens', 'max_tokens'],
    ];
    for (const [which, reason] of reasons) {
      scene([which], `by ${which} says so (A16)`, async () => {
        const { turn } = await send(which);
        expect(await ended(turn)).toMatchObject({ stopReason: reason });
        await isSound();
      });
    }
  });

  describe(`${name}: a background job`, () => {
    scene(['held text', 'answer'], 'runs beside the conversation, which stays free', async () => {
      const act = under.act('held text', local.directory);
      if (!act) return expect.fail();
      const content = [...act.content];
      const { job } = await local.gateway.send('s', { id: 'b', content, delivery: 'background' });
      const jobs = await local.follow(String(job));
      await jobs.until((f) => f.type === 'text.added');
      const { turn } = await send('answer');
      expect(await ended(turn)).toMatchObject({ outcome: 'finalized' });
      if (act.exact !== false) expect((await local.gateway.job(String(job))).state).toBe('streaming');
      act.goOn?.();
      await followed.until((f) => f.type === 'job.settled' && f.outcome === 'finalized');
      const done = (await local.gateway.job(String(job))).turns[0];
      expectText(done as Turn, 'Hello world.', act);
      await isSound();
    });

    scene(['held text', 'answer'], 'is stopped alone: the conversation goes on (I8)', async () => {
      const act = under.act('held text', local.directory);
      if (!act) return expect.fail();
      const content = [...act.content];
      const { job } = await local.gateway.send('s', { id: 'b', content, delivery: 'background' });
      const mine = await send('held text');
      const jobs = await local.follow(String(job));
      await jobs.until((f) => f.type === 'text.added');
      await followed.until((f) => f.type === 'text.added');
      await local.gateway.stopJob(String(job));
      expect(await jobs.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'cancelled' });
      mine.goOn?.();
      expect(await ended(mine.turn)).toMatchObject({ outcome: 'finalized' });
      await followed.until((f) => f.type === 'job.settled' && f.outcome === 'cancelled');
      await isSound();
    });
  });

  describe(`${name}: two conversations`, () => {
    scene(
      ['held text'],
      'know nothing of each other: a stop in one leaves the other running (I8)',
      async () => {
        await local.gateway.create({ id: 'other', agent: under.connector.id });
        const other = await local.follow('other');
        const mine = await send('held text');
        const theirs = await send('held text', 'other');
        await followed.until((f) => f.type === 'text.added');
        await other.until((f) => f.type === 'text.added');
        await stop(mine.turn);
        expect(await ended(mine.turn)).toMatchObject({ outcome: 'cancelled' });
        expect((await local.gateway.snapshot('other')).state).toBe('streaming');
        theirs.goOn?.();
        expect(await other.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'finalized' });
        await isSound();
      },
    );
  });
}
