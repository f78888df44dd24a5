import { expect, test } from 'vitest';
import type { AgentSession, Connector } from '../../src/agents/agent.ts';
import { text } from '../support/committed.ts';
import { localGateway } from '../support/local-gateway.ts';

test('I13: a turn is polled, although its agent says something after its stream was lost', async () => {
  const shown = Promise.withResolvers<void>();
  const agent: AgentSession = {
    prompt: async function* () {
      yield { type: 'accepted', handle: 'h' };
      yield { type: 'poll', reason: 'The stream was lost.' };
      await shown.promise;
      yield { type: 'notice', level: 'info', code: 'late', text: 'One more thing.' };
    },
    poll: async () => ({
      state: 'ended',
      output: [
        { type: 'text', text: 'the rest' },
        { type: 'ended', stopReason: 'end_turn' },
      ],
    }),
    cancel: async () => {},
    answer: () => {},
    close: async () => {},
  };
  const connector: Connector = {
    id: 'lossy',
    name: 'Lossy',
    description: 'Loses its stream.',
    available: async () => ({ available: true }),
    open: async () => agent,
  };
  const local = await localGateway({ connectors: [connector], limits: { poll: 200 } });
  const { id } = await local.gateway.create({ agent: 'lossy' });
  const reader = await local.follow(id);
  await local.gateway.send(id, text('m1', 'hello'));
  await reader.until((fact) => fact.type === 'turn.watching' && fact.mode === 'poll');
  shown.resolve();
  expect(await reader.until((fact) => fact.type === 'turn.ended')).toMatchObject({ outcome: 'finalized' });
  const modes = reader.facts.flatMap((fact) => (fact.type === 'turn.watching' ? [fact.mode] : []));
  expect(modes).toEqual(['poll', 'stream', 'poll']);
  await local.close();
});
