import { createRpcSse } from '../../src/agents/rpc-sse/rpc-sse.ts';
import { Gate } from '../support/model-server.ts';
import { type Play, type RpcStep, startRpc, text, turnEnd } from '../support/rpc-server.ts';
import { conforms, type Scene } from './conformance.ts';

const started: RpcStep = { event: 'tool:started', data: { call_id: 'c1', name: 'grep', input: { q: 'x' } } };
const finished: RpcStep = { event: 'tool:finished', data: { call_id: 'c1', output: 'found' } };
const error: RpcStep = { event: 'turn:end', data: { error: 'It broke.' } };

type Tell = (steps: readonly RpcStep[], end?: RpcStep) => readonly RpcStep[];

/** The same scenes, told by events that end the turn, by the answer of the dispatch, and as a job of this name. */
const plays: Readonly<Record<'async' | 'sync' | 'job', (job: string) => Tell>> = {
  async: () => {
    return (steps, end = turnEnd) => [{ answer: { accepted: true } }, ...steps, end];
  },
  sync: () => {
    return (steps, end = { answer: { reply: 'Hello world.' } }) => [...steps, end];
  },
  job: (job) => {
    const ofJob = (step: RpcStep): RpcStep =>
      'event' in step ? { ...step, data: { ...step.data, job_id: job } } : step;
    return (steps, end = turnEnd) => [{ job }, ...[...steps, end].map(ofJob)];
  },
};

function scenes(tell: Tell, gate: Gate): Readonly<Partial<Record<Scene, Play>>> {
  const hello = text('Hello ');
  const world = text('world.');
  return {
    answer: { steps: tell([hello, world]) },
    'held text': { steps: tell([hello, { gate }, world]) },
    'held silence': { steps: tell([{ gate }, hello, world]) },
    thought: { steps: tell([{ event: 'llm:thought', data: { text: 'Hm.' } }, text('Hello world.')]) },
    tool: { steps: tell([started, finished, text('Hello world.')]) },
    'held tool': { steps: tell([started, { gate }, finished]) },
    error: { steps: tell([hello], error) },
    nothing: { steps: tell([], turnEnd) },
    refusal: { steps: tell([], { event: 'turn:end', data: { stop_reason: 'refusal' } }) },
    max_tokens: { steps: tell([hello], { event: 'turn:end', data: { stop_reason: 'max_tokens' } }) },
    stubborn: { stubborn: true, mute: true, steps: tell([hello, { gate }]) },
  };
}

for (const how of ['async', 'sync', 'job'] as const) {
  const byAnswer = 'the answer of a dispatch has no word for it';
  conforms({
    name: `a back end of calls and events, ${how}`,
    cannot: {
      permission: 'it asks no permissions',
      question: 'it asks for no values',
      'death in a permission': 'it asks no permissions',
      'death in text': 'only its stream can be lost, which is no death',
      'death in a tool': 'only its stream can be lost, which is no death',
      retry: 'it has no word for a retry',
      ...(how === 'sync' && { refusal: byAnswer, max_tokens: byAnswer, nothing: byAnswer, error: byAnswer }),
    },
    async subject() {
      const gates = new Map<string, Gate>();
      const server = await startRpc((message) => {
        const [scene, key] = message.split('\n');
        return scenes(plays[how](`job-${key}`), gates.get(String(key)) as Gate)[scene as Scene] as Play;
      });
      return {
        connector: createRpcSse({
          server: { id: 'shrimp', url: server.url, events: server.events, jobs: 'turn' },
        }),
        act(scene) {
          const gate = new Gate();
          const key = `${gates.size}`;
          gates.set(key, gate);
          return { content: [{ type: 'text', text: `${scene}\n${key}` }], goOn: () => gate.open() };
        },
        seen: () => ({
          prompts: server.of('message.send').length,
          cancels: server.of('session.stop').length,
          overlaps: 0,
        }),
        close: () => server.close(),
      };
    },
  });
}
