import { describe, expect, test } from 'vitest';
import { after, unopened } from '../../machines/law.ts';
import type { Draft, Fact } from '../../src/wire/facts.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { ended, opened, Script, started, text } from '../support/facts.ts';
import { allFits, endsSayWhy, everyWordOnce, ownWords, quietPolls } from './simulation/checks.ts';
import { allTransitions } from './simulation/coverage.ts';
import type { Disk } from './simulation/disk.ts';
import { difference, Reference } from './simulation/reference.ts';
import { Scheduler } from './simulation/scheduler.ts';
import { idleExcuses } from './simulation/unreached.ts';
import { Watch } from './simulation/watch.ts';

const log = (...drafts: readonly Draft[]) => new Script().write(opened(), ...drafts);
const said = (...words: readonly string[]) => words.map((word) => ({ type: 'text' as const, text: word }));
const turn = (...words: readonly string[]): Turn => ({
  id: 't',
  origin: 'user',
  startedAt: 0,
  firstSeq: 2,
  seq: 9,
  parts: words.map((word, i) => ({ type: 'text', id: `p${i}`, text: word, revision: 0 })),
  accepted: true,
  misfits: [],
});

/** What looks on, where these facts are written and `gateway1` was told so. */
function watched(...facts: Fact[]) {
  const known = facts.length;
  const acknowledged = new Map([
    ['s', known],
    ['s gateway1', known],
  ]);
  const disk = { facts: new Map([['s', facts]]), acknowledged } as unknown as Disk;
  return [new Watch(new Scheduler(), disk, false), facts] as const;
}

describe('the checks of the simulation can fail', () => {
  test('I13: a failure that does not say why', () => {
    expect(endsSayWhy(log(started('t'), ended('t', 'failed')))).not.toEqual([]);
    expect(endsSayWhy(log(started('t'), ended('t')))).toEqual([]);
  });

  test('I11: a poll that writes what is written already', () => {
    const progress = { type: 'job.progress', turn: 't', text: '[s:t#progress1]' } as const;
    expect(quietPolls(log(started('t'), progress))).toEqual([]);
    expect(quietPolls(log(started('t'), progress, progress))).not.toEqual([]);
    const lost = { type: 'turn.watching', turn: 't', mode: 'poll', reason: 'lost', since: 0 } as const;
    expect(quietPolls(log(started('t'), lost, lost))).not.toEqual([]);
  });

  test('I8, I14: words of another session, or of another turn', () => {
    expect(ownWords(log(started('t'), text('t', 0, '[s:t#1]')))).toEqual([]);
    expect(ownWords(log(started('t'), text('t', 0, '[s.j3:t#1]')))).not.toEqual([]);
    expect(ownWords(log(started('t'), text('t', 0, '[s:t9#1]')))).not.toEqual([]);
  });

  test('a word that is lost, and one that comes twice', () => {
    expect(everyWordOnce(turn('[s:t#1]', '[s:t#2]'), 's:t', said('[s:t#1]', '[s:t#2]'))).toEqual([]);
    expect(everyWordOnce(turn('[s:t#1]'), 's:t', said('[s:t#1]', '[s:t#2]'))).not.toEqual([]);
    expect(everyWordOnce(turn('[s:t#1]', '[s:t#1]'), 's:t', said('[s:t#1]'))).not.toEqual([]);
  });

  test('C51: a fact that did not fit', () => {
    expect(allFits([turn()])).toEqual([]);
    expect(allFits([{ ...turn(), misfits: [{ seq: 4, reason: 'text at 3' }] }])).not.toEqual([]);
  });

  test('I5: a turn that is cancelled twice by one gateway, and a cancel where no turn is open', () => {
    const [watch, facts] = watched(...log(started('t')));
    watch.cancelled('s', 'gateway1');
    watch.cancelled('s', 'gateway2');
    expect(watch.breaches).toEqual([]);
    watch.cancelled('s', 'gateway1');
    expect(watch.breaches).toHaveLength(1);
    facts.push(...log(started('t'), ended('t')));
    watch.cancelled('s', 'gateway3');
    expect(watch.breaches).toHaveLength(2);
  });

  test('I3, I5: a prompt for a turn that has ended, or that this gateway has stopped', () => {
    const [watch] = watched(...log(started('t'), ended('t')));
    watch.prompted('s', 't', { gateway: 'gateway1', times: 1, busy: false });
    expect(watch.breaches.map((one) => one.invariant)).toEqual(['I3']);
    const stopping = { type: 'turn.stopping', turn: 't', stage: 'asked' } as const;
    const [other] = watched(...log(started('t'), stopping));
    // Of two gateways one may not have heard of what the other wrote.
    other.hasRaced = true;
    other.prompted('s', 't', { gateway: 'gateway2', times: 1, busy: false });
    expect(other.breaches).toEqual([]);
    other.prompted('s', 't', { gateway: 'gateway1', times: 1, busy: false });
    expect(other.breaches.map((one) => one.invariant)).toEqual(['I5']);
  });

  test('I6: an actor that differs from its log', () => {
    const facts = new Script().write(opened(), { type: 'session.changed', title: 'One' });
    const reference = new Reference(facts[0] as never);
    for (const fact of facts) reference.add(fact);
    const same = facts.reduce(after, unopened('s', 'conversation'));
    expect(difference(same, reference.last)).toBeUndefined();
    const other = { ...same, context: { ...same.context, title: 'Two' } } as typeof same;
    expect(difference(other, reference.last)).toContain('title');
  });
});

test('each transition that is excused from the coverage of the simulation exists', () => {
  expect(idleExcuses([...allTransitions().values()])).toEqual([]);
});
