import { describe, expect, test } from 'vitest';
import type { Draft } from '../../src/wire/facts.ts';
import { asks, ended, opened, queued, Script, say, started, text, tool, toolDone } from '../support/facts.ts';
import {
  allClosed,
  drainOrder,
  failureHolds,
  nothingAfterEnd,
  oneEnd,
  oneLog,
  stopWins,
  violations,
} from '../support/invariants.ts';

const stopping: Draft = { type: 'turn.stopping', turn: 't', stage: 'asked' };
const held: Draft = { type: 'queue.held', reason: 'stopped', revision: 9 };
const log = (...drafts: readonly Draft[]) => new Script().write(opened(), ...drafts);

describe('the invariants can fail', () => {
  test('a sound log breaks none', () => {
    const sound = log(
      started('t'),
      queued('q', 2),
      text('t', 0, 'x'),
      tool('t', 'c'),
      toolDone('t', 'c'),
      ended('t'),
      started('u', 3, say('q')),
      { ...stopping, turn: 'u' },
      { ...held },
      ended('u', 'cancelled'),
    );
    expect(violations(sound)).toEqual([]);
  });

  const broken: readonly [
    string,
    (facts: ReturnType<typeof log>) => readonly string[],
    ReturnType<typeof log>,
  ][] = [
    ['I1: no end', oneEnd, log(started('t'))],
    ['I1: two ends', oneEnd, log(started('t'), ended('t'), ended('t'))],
    ['I1: an end without a start', oneEnd, log(ended('t'))],
    ['I2: text after the end', nothingAfterEnd, log(started('t'), ended('t'), text('t', 0, 'x'))],
    [
      'I3: out of order',
      drainOrder,
      log(started('t'), queued('a', 2), queued('b', 3), ended('t'), started('u', 4, say('b'))),
    ],
    [
      'I3: while held',
      drainOrder,
      log(started('t'), queued('a', 2), held, ended('t'), started('u', 4, say('a'))),
    ],
    [
      'I3: by itself after a failure',
      drainOrder,
      log(started('t'), queued('a', 2), ended('t', 'failed'), started('u', 4, say('a'))),
    ],
    [
      'I3: past a queue that waits',
      drainOrder,
      log(started('t'), queued('a', 2), ended('t'), started('u', 4, say('new'))),
    ],
    ['I3: before the end', drainOrder, log(started('t'), started('u'))],
    ['I9: a message twice', drainOrder, log(started('t'), ended('t'), started('u', 2, say('m.t')))],
    [
      'I4: text after the stop',
      stopWins,
      log(started('t'), stopping, held, text('t', 0, 'x'), ended('t', 'cancelled')),
    ],
    ['I4: ends well', stopWins, log(started('t'), stopping, held, ended('t'))],
    ['I4: queue not held', stopWins, log(started('t'), stopping, ended('t', 'cancelled'))],
    ['I3: a failure that holds nothing', failureHolds, log(started('t'), ended('t', 'failed'))],
    ['I12: an open tool', allClosed, log(started('t'), tool('t', 'c'), ended('t'))],
    ['I12: an open permission', allClosed, log(started('t'), asks('t', 'q'), ended('t'))],
    ['a gap', oneLog, log(started('t'), ended('t')).filter((fact) => fact.type !== 'turn.started')],
  ];
  test.each(broken)('%s', (_, invariant, facts) => {
    expect(invariant(facts)).not.toEqual([]);
  });
});
