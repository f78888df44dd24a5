import { describe, expect, test } from 'vitest';
import type { AgentSession, Connector } from '../../src/agents/agent.ts';
import { MemoryLog } from '../../src/gateway/log/memory.log.ts';
import type { Draft } from '../../src/wire/facts.ts';
import { commit, opened, text } from '../support/committed.ts';
import { localGateway } from '../support/local-gateway.ts';

/** An agent that outlives its gateway: it can be reached from `reached` on, and ends its turn once it has an answer. */
async function survivor(...more: readonly Draft[]) {
  const reached = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const answers: unknown[] = [];
  const agent: AgentSession = {
    prompt: async function* () {},
    reattach: async function* () {
      await answered.promise;
      yield { type: 'ended', stopReason: 'end_turn' };
    },
    cancel: async () => {},
    answer: (...answer) => {
      answers.push(answer);
      answered.resolve();
    },
    close: async () => answered.resolve(),
    survives: true,
  };
  const connector: Connector = {
    id: 'builtin',
    name: 'Patient',
    description: 'Waits for an answer, also over a restart of the gateway.',
    available: async () => ({ available: true }),
    open: async () => {
      await reached.promise;
      return agent;
    },
  };
  const log = new MemoryLog();
  await commit(log, 's', 'conversation', [
    opened,
    { type: 'turn.started', turn: 't2', message: text('m1', 'list'), origin: 'user', revision: 1 },
    { type: 'turn.accepted', turn: 't2', handle: 'h' },
    {
      type: 'permission.asked',
      turn: 't2',
      permission: 'q1',
      title: 'May I?',
      options: [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }],
    },
    ...more,
  ]);
  const local = await localGateway({ log, connectors: [connector] });
  const reader = await local.follow('s');
  return { local, reached, answers, ended: () => reader.until((fact) => fact.type === 'turn.ended') };
}

describe('C24: an agent that is joined again hears of an answer', () => {
  test('that was given before it was reached', async () => {
    const { local, reached, answers, ended } = await survivor();
    await local.gateway.answer('s', 'q1', 'yes');
    expect(answers).toEqual([]);
    reached.resolve();
    expect(await ended()).toMatchObject({ outcome: 'finalized' });
    expect(answers).toEqual([['q1', { outcome: 'selected', optionId: 'yes' }]]);
    await local.close();
  });

  test('that the gateway before had written, and could not tell it any more', async () => {
    const written = { type: 'permission.answered', turn: 't2', permission: 'q1', option: 'yes' } as const;
    const { local, reached, answers, ended } = await survivor(written);
    reached.resolve();
    expect(await ended()).toMatchObject({ outcome: 'finalized' });
    expect(answers).toEqual([['q1', { outcome: 'selected', optionId: 'yes' }]]);
    await local.close();
  });
});
