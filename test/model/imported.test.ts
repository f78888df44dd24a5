import { describe, expect, it } from 'vitest';
import { importDrafts } from '../../machines/imported.ts';
import { judge, type SessionMachineSnapshot, unopened } from '../../machines/law.ts';
import type { Draft } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { Output, RecalledTurn } from '../../src/wire/output.ts';
import { ended, opened, started } from '../support/facts.ts';

function at(...drafts: readonly Draft[]): SessionMachineSnapshot {
  return judge(unopened('s', 'conversation'), [opened(), ...drafts], 1_000).next;
}

const asked = (text: string, ...outputs: readonly Output[]): RecalledTurn => ({
  content: [{ type: 'text', text }],
  outputs,
});

/** The turns that these drafts come to, once the law has taken each of them. */
function turnsOf(turns: readonly RecalledTurn[], before = at()) {
  const verdict = judge(before, importDrafts(before, turns), 1_000);
  if (!verdict.lawful) throw new Error(`${verdict.refused.type} is not lawful`);
  return foldAll(verdict.facts);
}

describe('what an agent tells of an earlier session', () => {
  it('becomes settled turns, marked as imported, named by their place in the log', () => {
    const turns = turnsOf([
      asked('one', { type: 'text', text: '1' }),
      asked('two', { type: 'text', text: '2' }),
    ]);
    expect(turns).toMatchObject([
      {
        id: 't2',
        imported: true,
        outcome: 'finalized',
        stopReason: 'end_turn',
        message: { id: 'imported-2' },
        misfits: [],
      },
      {
        id: 't5',
        imported: true,
        outcome: 'finalized',
        message: { id: 'imported-5', content: [{ text: 'two' }] },
        misfits: [],
      },
    ]);
  });

  it('I12, A8: what was left open is closed, and its turn ends as one that was cut', () => {
    const [turn] = turnsOf([
      asked(
        'run',
        { type: 'tool.started', toolCallId: 'a', title: 'A' },
        { type: 'tool.started', toolCallId: 'b', title: 'B' },
        { type: 'tool.finished', toolCallId: 'b', status: 'completed' },
      ),
    ]);
    expect(turn).toMatchObject({
      outcome: 'interrupted',
      stopReason: 'lost',
      parts: [
        { id: 'a', status: 'failed', reason: expect.stringContaining('history') },
        { id: 'b', status: 'completed' },
      ],
    });
  });

  it('I12: a question that was left open is withdrawn beside a tool that is closed', () => {
    const [turn] = turnsOf([
      asked(
        'run',
        { type: 'tool.started', toolCallId: 'a', title: 'A' },
        { type: 'permission.asked', permission: 'p', title: 'May I?', options: [] },
      ),
    ]);
    expect(turn).toMatchObject({
      outcome: 'interrupted',
      parts: [{ status: 'failed' }, { state: 'withdrawn' }],
    });
  });

  it('A8: a message without any answer was cut too, and the next one follows it', () => {
    const turns = turnsOf([asked('one'), asked('two', { type: 'text', text: '2' })]);
    expect(turns.map((turn) => turn.outcome)).toEqual(['interrupted', 'finalized']);
  });

  it('what nobody asked for belongs to the turn before it, or is a turn of the agent at the beginning', () => {
    const unasked = { outputs: [{ type: 'text', text: 'by itself' }] } as const;
    const turns = turnsOf([unasked, asked('one'), unasked]);
    expect(turns).toMatchObject([
      { origin: 'agent', parts: [{ text: 'by itself' }] },
      { origin: 'user', outcome: 'finalized', parts: [{ text: 'by itself' }] },
    ]);
  });

  it('what nobody asked for follows on the only turn too, and nothing at all is no turn', () => {
    const unasked = { outputs: [{ type: 'text', text: 'by itself' }] } as const;
    expect(turnsOf([asked('one'), unasked])).toMatchObject([{ parts: [{ text: 'by itself' }] }]);
    expect(turnsOf([{ outputs: [] }])).toEqual([]);
  });

  it('what is said of the session, or of how its turn ran then, is not written', () => {
    const drafts = importDrafts(at(), [
      asked(
        'one',
        { type: 'accepted', handle: 'h' },
        { type: 'poll', reason: 'lost' },
        { type: 'changed', mode: 'auto' },
        { type: 'usage', usage: { totalTokens: 5 } },
        { type: 'text', text: '1' },
        { type: 'ended', stopReason: 'cancelled' },
      ),
    ]);
    expect(drafts.map(({ type }) => type)).toEqual(['turn.started', 'text.added', 'turn.ended']);
  });

  it('an end, a usage and a setting in it are not of the turn', () => {
    const [turn] = turnsOf([
      asked(
        'one',
        { type: 'usage', usage: { totalTokens: 5 } },
        { type: 'changed', mode: 'auto' },
        { type: 'text', text: '1' },
        { type: 'ended', stopReason: 'cancelled' },
      ),
    ]);
    expect(turn).toMatchObject({ outcome: 'finalized', parts: [{ text: '1' }] });
    expect(turn?.usage).toBeUndefined();
  });

  it('A1: never comes after a turn of ours', () => {
    const before = at(started('t2'), ended('t2'));
    expect(() => importDrafts(before, [asked('one')])).toThrow('turn.started cannot be imported');
  });
});
