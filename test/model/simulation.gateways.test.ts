import { describe, expect, test } from 'vitest';
import type { Command } from '../../machines/decide.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import { ended, opened, Script, say, started } from '../support/facts.ts';
import { everyWordOnce, ownWords } from './simulation/checks.ts';
import type { Disk } from './simulation/disk.ts';
import {
  editIsFresh,
  lastIsRetried,
  nextFrame,
  nothingWaits,
  retriesInTime,
  retriesTheNamed,
  standsBehind,
  stopHolds,
  waitsForStop,
  writesInOrder,
} from './simulation/gateway.checks.ts';
import { Owed } from './simulation/owed.ts';
import type { Run } from './simulation/run.ts';
import { Life, Scheduler } from './simulation/scheduler.ts';
import { Watch } from './simulation/watch.ts';

const log = (...drafts: readonly Draft[]) => new Script().write(opened(), ...drafts);
const held = (more: object = {}) =>
  ({ type: 'queue.held', reason: 'stopped', revision: 1, ...more }) as Draft;
const added = (id: string): Draft => ({
  type: 'queue.added',
  message: say(id),
  delivery: 'queue',
  revision: 1,
});
const stopping = (stage: 'asked' | 'killed' = 'asked'): Draft => ({
  type: 'turn.stopping',
  turn: 't',
  stage,
});

describe('the checks of what a gateway answers can fail', () => {
  test('I4: a stop that does not hold the queue, leaves a retry, or does not find what waits', () => {
    expect(stopHolds(log(started('t'), held()), { turn: 't' }, undefined)).toEqual([]);
    expect(stopHolds(log(started('t')), { turn: 't' }, undefined)).toHaveLength(1);
    expect(stopHolds(log(started('t')), { turn: 't' }, 'turn.over')).toHaveLength(1);
    expect(stopHolds(log(started('t')), { turn: 't' }, 'log.unavailable')).toEqual([]);
    const waits = log(started('t'), ended('t', 'failed'), held({ retry: 't', until: 9 }));
    expect(stopHolds(waits, { turn: 't' }, 'turn.over')).toHaveLength(1);
    expect(stopHolds(log(added('m')), { message: 'm' }, 'turn.unknown')).toHaveLength(1);
    expect(stopHolds(log(), { message: 'm' }, 'turn.unknown')).toEqual([]);
  });

  test('C26, I3: an edit of a queue that has changed since, and one after which the queue goes on', () => {
    const message = say('m');
    const edited: Draft = { type: 'queue.edited', message, revision: 5 };
    const edit = { edit: { message: 'm', content: [...message.content] } };
    expect(editIsFresh(log(edited, held()), { revision: 4, ...edit })).toEqual([]);
    expect(editIsFresh(log(edited, held()), { revision: 3, ...edit })).toHaveLength(1);
    expect(editIsFresh(log(edited), { revision: 4, ...edit })).toHaveLength(1);
  });

  test('I1, I3: a turn that is run again though another was named, another ran since, or it is too early', () => {
    const again: Draft = { ...started('u'), retryOf: 't' };
    expect(retriesTheNamed(log(started('t'), again), 't')).toEqual([]);
    expect(retriesTheNamed(log(started('t'), again), 's')).toHaveLength(1);
    expect(lastIsRetried(log(started('t')), 't')).toEqual([]);
    expect(lastIsRetried(log(started('t'), started('u')), 't')).toHaveLength(1);
    // The script writes them at 1,002, 1,003, 1,004 and 1,005.
    const early = log(started('t'), ended('t', 'failed'), held({ retry: 't', until: 1_006 }), again);
    const fresh = early.slice(-1);
    expect(retriesInTime(early, fresh, () => false)).toHaveLength(1);
    expect(retriesInTime(early, fresh, () => true)).toEqual([]);
    const due = log(started('t'), ended('t', 'failed'), held({ retry: 't', until: 1_005 }), again);
    expect(retriesInTime(due, due.slice(-1), () => false)).toEqual([]);
  });

  test('I3: a message that waits, and nothing holds it', () => {
    expect(nothingWaits(log(added('m')))).toHaveLength(1);
    expect(nothingWaits(log(added('m'), held()))).toEqual([]);
    expect(nothingWaits(log(added('m'), started('t', 2, say('m'))))).toEqual([]);
  });

  test('I3: a message that is put into the queue while a turn is stopped', () => {
    const during = log(started('t'), stopping(), added('m'));
    expect(waitsForStop(during, during.slice(-1))).toHaveLength(1);
    const later = log(started('t'), stopping(), ended('t', 'cancelled'), added('m'));
    expect(waitsForStop(later, later)).toEqual([]);
  });

  test('I6: a frame that leaves out a fact, brings one twice, or does not follow', () => {
    const facts = log(started('t'), ended('t'));
    const frame = { epoch: 'e', prev: 0, seq: 3, facts };
    expect(nextFrame(frame, 0)).toEqual([]);
    expect(nextFrame(frame, 1)).toHaveLength(1);
    expect(nextFrame({ ...frame, facts: facts.slice(1) }, 0)).toHaveLength(1);
    expect(nextFrame({ ...frame, prev: 1 }, 1)).toHaveLength(1);
  });

  test('I6: a reader that is ahead of its gateway, and is followed all the same', () => {
    expect(standsBehind('e.4', 'e.3')).toHaveLength(1);
    expect(standsBehind('e.3', 'e.3')).toEqual([]);
    expect(standsBehind('d.4', 'e.3')).toEqual([]);
    expect(standsBehind(undefined, 'e.3')).toEqual([]);
  });

  test('I4, C46: a stop that waits, and a queue that goes on before a command', () => {
    const [stop, send] = [{ id: 'c1', type: 'stop' } as Command, { id: 'c2', type: 'resume' } as Command];
    const none = { drafts: [], outputs: 0, dropped: 0 };
    const before = { commands: [send, stop], batch: none };
    const batch = { drafts: [started('t')], outputs: 0, dropped: 0 };
    expect(writesInOrder(before, { commands: [send], batch: { ...batch, command: stop } })).toEqual([]);
    expect(writesInOrder(before, { commands: [stop], batch: { ...batch, command: send } })).toHaveLength(1);
    expect(writesInOrder({ ...before, commands: [send] }, { commands: [send], batch })).toHaveLength(1);
    expect(writesInOrder({ ...before, commands: [] }, { commands: [send], batch })).toEqual([]);
  });

  test('I2, A7: words of an agent that come after the end of their turn', () => {
    const parts = ['[s:t#1]', '[s:t#2]'].map((text, i) => ({ type: 'text', id: `p${i}`, text, revision: 0 }));
    const said = [
      { type: 'text', text: '[s:t#1]' },
      { type: 'ended', stopReason: 'end_turn' },
      { type: 'text', text: '[s:t#2]' },
    ] as const;
    expect(everyWordOnce({ id: 't', parts } as never, 's:t', said)).toHaveLength(1);
    const fact: Draft = { type: 'text.added', turn: 't', part: 'p', offset: 0, text: '[s:unasked#1]' };
    const late = new Map([['[s:unasked#1]', 's:t']]);
    expect(ownWords(log(started('t'), fact))).toEqual([]);
    expect(ownWords(log(started('t'), fact), late)).toHaveLength(1);
  });
});

describe('what a gateway owes is looked at in time', () => {
  function world(...drafts: readonly Draft[]) {
    const scheduler = new Scheduler();
    const facts = log(...drafts);
    const disk = { facts: new Map([['s', facts]]), failedAt: Number.NEGATIVE_INFINITY } as unknown as Disk;
    const watch = new Watch(scheduler, disk, false);
    const { gateways } = watch;
    const life = new Life(scheduler, 'gateway1');
    const run = { isOver: false, isAnswered: () => false } as unknown as Run;
    const program = { survives: true, isAlive: true, killedAt: undefined as number | undefined };
    const runs = () => gateways.runs('s', 't', { life, run, program }, 'prompted');
    const passes = (ms: number) => {
      scheduler.step(scheduler.now + ms);
      gateways.look();
      return watch.breaches.map((breach) => breach.invariant);
    };
    const wrote = () => gateways.wrote(life, 's', [facts.at(-1) as Fact]);
    const killed = () => {
      program.killedAt = scheduler.now;
    };
    return { gateways, life, runs, killed, passes, wrote, facts };
  }

  test('a debt is said once, when it is due', () => {
    const scheduler = new Scheduler();
    const said: string[] = [];
    const owed = new Owed(scheduler, (_, what) => said.push(what));
    owed.add(10, 'I1', 'one', () => false);
    owed.add(10, 'I1', 'paid', () => true);
    owed.look();
    expect(said).toEqual([]);
    scheduler.step(scheduler.now + 10);
    owed.look();
    owed.look();
    expect(said).toEqual(['one']);
  });

  test('I5: a stop that its agent does not hear, and a turn that is still open after its kill', () => {
    const deaf = world(started('t'), stopping());
    deaf.runs();
    deaf.wrote();
    expect(deaf.passes(20)).toEqual(['I5']);
    const told = world(started('t'), stopping('killed'));
    told.runs();
    told.wrote();
    told.gateways.cancels('s:t', told.life);
    expect(told.passes(1_000)).toEqual([]);
    expect(told.passes(100)).toEqual(['I5']);
  });

  test('I5: a turn that ends while its agent, which was killed, has not', () => {
    const early = world(started('t'), stopping('killed'), ended('t', 'cancelled'));
    early.runs();
    early.killed();
    early.passes(399);
    early.wrote();
    expect(early.passes(0)).toEqual(['I5']);
    const waited = world(started('t'), stopping('killed'), ended('t', 'cancelled'));
    waited.runs();
    waited.killed();
    waited.passes(400);
    waited.wrote();
    expect(waited.passes(0)).toEqual([]);
  });

  test('C24: an answer that does not reach the agent', () => {
    const { runs, wrote, passes } = world(started('t'), {
      type: 'permission.answered',
      turn: 't',
      permission: 'p',
      option: 'yes',
    } as Draft);
    runs();
    wrote();
    expect(passes(1_000)).toEqual(['C24']);
  });

  test('I1: a turn whose agent has ended it, and a job that is settled while it runs', () => {
    const open = world(started('t'));
    open.runs();
    open.gateways.over('s', 't', open.life);
    expect(open.passes(1_000)).toEqual(['I1']);
    const job = world(started('t'), { type: 'job.settled', job: 's', outcome: 'finalized' } as Draft);
    job.wrote();
    expect(job.passes(0)).toEqual(['I1']);
  });

  test('I3, D2: a good end that nobody was asked for, and guidance that was not taken', () => {
    const unprompted = world(started('t'), ended('t'));
    unprompted.wrote();
    expect(unprompted.passes(0)).toEqual(['I3']);
    const steered = {
      type: 'turn.steered',
      turn: 't',
      message: say('m'),
      confirmed: true,
      revision: 2,
    } as const;
    const refused = world(started('t'), steered);
    refused.wrote();
    expect(refused.passes(0)).toEqual(['D2']);
    const taken = world(started('t'), steered);
    taken.gateways.takes('s', 'm');
    taken.wrote();
    expect(taken.passes(0)).toEqual([]);
  });

  test('D4: a turn that begins by itself while its gateway ends, or stays open over a start, or is not joined', () => {
    const ends = world(started('t'), ended('t'), added('m'));
    ends.gateways.begins(ends.life, 's', [started('u', 2, say('m'))]);
    expect(ends.passes(0)).toEqual([]);
    ends.gateways.closes(ends.life);
    ends.gateways.begins(ends.life, 's', [started('u', 2, say('m'))]);
    expect(ends.passes(0)).toEqual(['D4']);
    const left = world(started('t'));
    left.gateways.starts(left.life)();
    expect(left.passes(0)).toEqual(['D4']);
    const lost = { ...ended('t', 'interrupted'), error: { code: 'gateway.restarted', message: 'm' } };
    const alive = world(started('t'), { type: 'turn.accepted', turn: 't', handle: 'h' }, lost);
    alive.runs();
    alive.wrote();
    expect(alive.passes(0)).toEqual(['D4']);
  });

  test('I7: an agent that goes on, and another gateway writes its log', () => {
    const { gateways, life, passes } = world(started('t'));
    const program = { survives: true, isAlive: true, killedAt: undefined };
    gateways.fenced(life, 's', [{ ...program, killedAt: 0 }], () => false);
    expect(passes(50)).toEqual([]);
    gateways.fenced(life, 's', [program], () => false);
    expect(passes(50)).toEqual(['I7']);
  });
});
