import { expect, test } from 'vitest';
import type { AgentSession, Connector } from '../../src/agents/agent.ts';
import { TestClock } from '../support/clock.ts';
import { text } from '../support/committed.ts';
import { localGateway } from '../support/local-gateway.ts';

/** An agent that accepts, and then says nothing until it is told to stop. */
function quietAgent(id: string): Connector {
  const agent = (): AgentSession => {
    const stopped = Promise.withResolvers<void>();
    return {
      prompt: async function* () {
        yield { type: 'text', text: 'one moment' };
        await stopped.promise;
        yield { type: 'ended', stopReason: 'cancelled' };
      },
      cancel: () => stopped.resolve(),
      answer: () => {},
      close: async () => stopped.resolve(),
    };
  };
  return {
    id,
    name: id,
    description: 'Says little.',
    available: async () => ({ available: true }),
    open: async () => agent(),
  };
}

test('I13: a silence is a stall by the limit of its own agent, and by the common one where it has none', async () => {
  const clock = new TestClock();
  const local = await localGateway({
    clock: clock as never,
    connectors: [quietAgent('usual'), quietAgent('patient')],
    limits: { stall: 5_000, gather: 0 },
    stallOf: { patient: 60_000 },
  });
  const talk = async (agent: string) => {
    const { id } = await local.gateway.create({ agent });
    const reader = await local.follow(id);
    const { turn } = await local.gateway.send(id, text('m1', 'hello'));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(0);
    await reader.until((fact) => fact.type === 'text.added');
    const isSilent = () => reader.facts.some((f) => f.type === 'turn.watching' && f.mode === 'silent');
    return { id, turn: String(turn), reader, isSilent };
  };
  const usual = await talk('usual');
  const patient = await talk('patient');
  clock.advance(5_000);
  const silent = await usual.reader.until((f) => f.type === 'turn.watching' && f.mode === 'silent');
  expect(silent).toMatchObject({ turn: usual.turn, since: clock.now() - 5_000 });
  expect(patient.isSilent()).toBe(false);
  clock.advance(55_000);
  await patient.reader.until((f) => f.type === 'turn.watching' && f.mode === 'silent');
  for (const { id, turn, reader } of [usual, patient]) {
    await local.gateway.stop(id, { turn });
    await reader.until((fact) => fact.type === 'turn.ended');
  }
  await local.close();
});
