import { expect, test } from 'vitest';
import type { AgentSession, Connector } from '../../src/agents/agent.ts';
import { Refusal } from '../../src/gateway/refusal.ts';
import { text } from '../support/committed.ts';
import { localGateway, script } from '../support/local-gateway.ts';

test('I3: an agent that is up after its turn has ended is not prompted', async () => {
  const up = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const prompts: string[] = [];
  const agent: AgentSession = {
    prompt: async function* ({ turn }) {
      prompts.push(turn);
      yield { type: 'ended', stopReason: 'end_turn' };
    },
    cancel: async () => {},
    answer: () => {},
    close: async () => {},
  };
  const connector: Connector = {
    id: 'slow',
    name: 'Slow',
    description: 'Takes its time to start.',
    available: async () => ({ available: true }),
    open: async () => {
      asked.resolve();
      await up.promise;
      return agent;
    },
  };
  const local = await localGateway({ connectors: [connector] });
  const { id } = await local.gateway.create({ agent: 'slow' });
  await local.gateway.send(id, text('m1', 'hello'));
  await asked.promise;
  const reader = await local.follow(id);
  // The turn is ended by the shutdown while its agent starts.
  const closed = local.close();
  await reader.until((fact) => fact.type === 'turn.ended');
  up.resolve();
  await closed;
  expect(prompts).toEqual([]);
});

test('a gateway that closes opens no session any more: a job that was just asked for is left to the next start', async () => {
  const warned: string[] = [];
  const local = await localGateway({ warn: (message) => warned.push(message) });
  const { id } = await local.gateway.create({ agent: 'builtin' });
  const closing = Promise.withResolvers<void>();
  const append = local.log.append.bind(local.log);
  let close = async () => {};
  local.log.append = async (session, ...rest) => {
    const facts = await append(session, ...rest);
    if (session === id || rest[0] !== 0) return facts;
    // The job's log is written; before its session is opened, the gateway is told to close.
    const closed = local.close();
    close = () => closed;
    closing.resolve();
    await closed;
    return facts;
  };
  const sent = local.gateway.send(id, { ...script('j1', [{ text: 'beside' }]), delivery: 'background' });
  await closing.promise;
  await close();
  expect(await sent).toMatchObject({ outcome: 'job' });
  expect(warned).toEqual(['a job could not be started']);
  await expect(local.gateway.stop(id, { turn: 't1' })).rejects.toThrow(Refusal);
});

test('a gateway closes also while a session is read, however long that takes, and says so to who waits for it', async () => {
  const local = await localGateway();
  const { id } = await local.gateway.create({ agent: 'builtin' });
  const asked = Promise.withResolvers<void>();
  local.log.turns = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const stopped = local.gateway.stop(id, { turn: 't1' });
  await asked.promise;
  const [refused] = await Promise.allSettled([stopped, local.close()]);
  expect(refused).toMatchObject({ status: 'rejected', reason: { status: 503 } });
});
