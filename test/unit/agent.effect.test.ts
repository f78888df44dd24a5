import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createActor, sendTo, setup } from 'xstate';
import type { AgentInput, AgentOrder, RunnerEvent } from '../../machines/runner.types.ts';
import type { AgentSession, Output } from '../../src/agents/agent.ts';
import { agentEffects } from '../../src/gateway/sessions/agent.effect.ts';
import type { AgentHost } from '../../src/gateway/sessions/agent.host.ts';

const prompt: AgentInput = { turn: 't', how: 'prompt', content: [], stopping: false };

type Ended = Parameters<Parameters<AgentHost['watch']>[0]>[0];

/** A runner that only listens to an agent, which says what `stream` yields; its processes end as `killed` says. */
function listener(stream: AgentSession['prompt'], killed = Promise.resolve()) {
  const session: AgentSession = {
    prompt: stream,
    cancel: async () => {},
    answer: () => {},
    close: async () => {},
  };
  let exit: (error: Ended) => void = () => {};
  const host = {
    open: async () => session,
    kill: () => killed,
    watch: (onExit: typeof exit) => {
      exit = onExit;
      return () => {};
    },
  } as unknown as AgentHost;
  const events: RunnerEvent['type'][] = [];
  const { agent } = agentEffects(host, () => undefined, Date.now);
  const types = { events: {} as RunnerEvent | AgentOrder };
  const runner = setup({ types, actors: { agent } }).createMachine({
    invoke: { id: 'agent', src: 'agent', input: prompt },
    on: {
      kill: { actions: sendTo('agent', { type: 'kill' }) },
      '*': { actions: ({ event }) => events.push(event.type as RunnerEvent['type']) },
    },
  });
  const actor = createActor(runner).start();
  return { events, kill: () => actor.send({ type: 'kill' }), exit: (error: Ended) => exit(error) };
}

/** All that is due now has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** What the runner hears of an agent that says these, and then breaks off. */
async function heard(...outputs: readonly Output[]): Promise<readonly RunnerEvent['type'][]> {
  const { events, exit } = listener(async function* () {
    yield* outputs;
    throw new Error('broken off');
  });
  await expect.poll(() => events.includes('agent.settled')).toBe(true);
  exit({ code: 'agent.gone', message: 'It is gone.' });
  await settled();
  return events;
}

test('I1: an agent has settled once, whatever it says after, and however it ends then', async () => {
  const end: Output = { type: 'ended', stopReason: 'end_turn' };
  expect(await heard({ type: 'text', text: 'a' }, end, end)).toEqual(['output', 'agent.settled']);
  expect(await heard()).toEqual(['agent.settled']);
});

test('I5: a killed agent has settled when its processes have ended, not when its stream has', async () => {
  const ends = Promise.withResolvers<void>();
  const { events, kill } = listener(async function* ({ signal }) {
    yield { type: 'text', text: 'a' };
    await once(signal, 'abort');
  }, ends.promise);
  await expect.poll(() => events).toEqual(['output']);
  kill();
  await settled();
  expect(events).toEqual(['output']);
  ends.resolve();
  await settled();
  expect(events).toEqual(['output', 'agent.settled']);
});
