import { expect, test } from 'vitest';
import type { AgentSession, Connector } from '../../src/agents/agent.ts';
import { MemoryLog } from '../../src/gateway/log/memory.log.ts';
import { commit, opened, text } from '../support/committed.ts';
import { localGateway } from '../support/local-gateway.ts';

test('C24: an agent that is joined again hears of an answer that was given before it was reached', async () => {
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
  ]);
  const local = await localGateway({ log, connectors: [connector] });
  const reader = await local.follow('s');
  await local.gateway.answer('s', 'q1', 'yes');
  expect(answers).toEqual([]);
  reached.resolve();
  expect(await reader.until((fact) => fact.type === 'turn.ended')).toMatchObject({ outcome: 'finalized' });
  expect(answers).toEqual([['q1', { outcome: 'selected', optionId: 'yes' }]]);
  await local.close();
});
