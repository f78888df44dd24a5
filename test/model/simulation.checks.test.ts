import { describe, expect, test } from 'vitest';
import { after, unopened } from '../../machines/law.ts';
import type { Draft } from '../../src/wire/facts.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { ended, opened, Script, started, text } from '../support/facts.ts';
import { allFits, endsSayWhy, everyWordOnce, ownWords, quietPolls } from './simulation/checks.ts';
import { difference, Reference } from './simulation/reference.ts';

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
