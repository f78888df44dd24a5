import { expect, test } from 'vitest';
import type { Draft } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import { asks, opened, Script, started, tool } from '../support/facts.ts';

/** The turn after these facts. */
function turnAfter(...drafts: readonly Draft[]) {
  const [turn] = foldAll(new Script().write(opened(), started('t'), ...drafts));
  if (!turn) throw new Error('no turn was started');
  return turn;
}
const answered = (option: string): Draft => ({
  type: 'permission.answered',
  turn: 't',
  permission: 'p',
  option,
});
const withdrawn: Draft = { type: 'permission.withdrawn', turn: 't', permission: 'p', reason: 'late' };
const output = (offset: number, text: string): Draft => ({
  type: 'tool.updated',
  turn: 't',
  toolCallId: 'c',
  output: { offset, text },
});

test('C24, C51: a question that is settled stays as it was settled, whatever comes after', () => {
  const turn = turnAfter(asks('t', 'p'), answered('yes'), answered('no'), withdrawn);
  expect(turn.parts).toMatchObject([{ type: 'permission', state: 'answered', option: 'yes' }]);
  expect(turn.misfits).toHaveLength(2);
  const other = turnAfter(asks('t', 'p'), withdrawn, answered('yes'));
  expect(other.parts).toMatchObject([{ state: 'withdrawn', reason: 'late' }]);
  expect(other.misfits).toHaveLength(1);
});

test('I6, C51: output of a tool that is behind or before its place is reported, and changes nothing', () => {
  const turn = turnAfter(
    tool('t', 'c'),
    output(0, 'abc'),
    output(0, 'abc'),
    output(2, 'c'),
    output(4, 'e'),
    output(3, 'd'),
  );
  expect(turn.parts).toMatchObject([{ type: 'tool', output: 'abcd' }]);
  expect(turn.misfits).toHaveLength(3);
});
