import { expect, test } from 'vitest';
import { createActor, setup } from 'xstate';
import type { AgentInput, RunnerEvent } from '../../machines/runner.types.ts';
import type { AgentSession, Output } from '../../src/agents/agent.ts';
import { agentEffects } from '../../src/gateway/sessions/agent.effect.ts';
import type { AgentHost } from '../../src/gateway/sessions/agent.host.ts';

const prompt: AgentInput = { turn: 't', how: 'prompt', content: [], stopping: false };

/** What the runner hears of an agent that says these, and then breaks off. */
async function heard(...outputs: readonly Output[]): Promise<readonly RunnerEvent['type'][]> {
  const session: AgentSession = {
    async *prompt() {
      yield* outputs;
      throw new Error('broken off');
    },
    cancel: async () => {},
    answer: () => {},
    close: async () => {},
  };
  let exits: (error: { code: string; message: string }) => void = () => {};
  const host = {
    open: async () => session,
    watch: (onExit: typeof exits) => {
      exits = onExit;
      return () => {};
    },
  } as unknown as AgentHost;
  const events: RunnerEvent[] = [];
  const { agent } = agentEffects(host, () => undefined, Date.now);
  const runner = setup({ types: { events: {} as RunnerEvent }, actors: { agent } }).createMachine({
    invoke: { src: 'agent', input: prompt },
    on: { '*': { actions: ({ event }) => events.push(event) } },
  });
  createActor(runner).start();
  await expect.poll(() => events.some((event) => event.type === 'agent.settled')).toBe(true);
  exits({ code: 'agent.gone', message: 'It is gone.' });
  await new Promise((resolve) => setImmediate(resolve));
  return events.map((event) => event.type);
}

test('I1: an agent has settled once, whatever it says after, and however it ends then', async () => {
  const end: Output = { type: 'ended', stopReason: 'end_turn' };
  expect(await heard({ type: 'text', text: 'a' }, end, end)).toEqual(['output', 'agent.settled']);
  expect(await heard()).toEqual(['agent.settled']);
});
