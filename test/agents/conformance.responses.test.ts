import { createResponses } from '../../src/agents/responses/responses.ts';
import { Gate } from '../support/model-server.ts';
import { type Knobs, type ResponseStep, startResponses } from '../support/responses-server.ts';
import { conforms, type Scene } from './conformance.ts';

const hello: ResponseStep = { text: 'Hello ' };
const world: ResponseStep = { text: 'world.' };

function scenes(gate: Gate): Readonly<Partial<Record<Scene, Knobs>>> {
  return {
    answer: { steps: [hello, world] },
    'held text': { steps: [hello, { gate }, world] },
    'held silence': { before: gate, steps: [hello, world] },
    thought: { steps: [{ thought: 'Hm.' }, { text: 'Hello world.' }] },
    tool: {
      steps: [{ tool: 'web_search_call', hold: true }, { tool: 'web_search_call' }, { text: 'Done.' }],
    },
    'held tool': { steps: [{ tool: 'web_search_call', hold: true }, { gate }] },
    'death in text': { steps: [hello, { forget: true }] },
    'death in a tool': { steps: [{ tool: 'web_search_call', hold: true }, { forget: true }] },
    error: { steps: [hello, { fail: 'It broke.' }] },
    retry: { refuse: [429, 503], steps: [hello, world] },
    nothing: { steps: [] },
    refusal: { steps: [{ refusal: 'I cannot help with that.' }] },
    max_tokens: { steps: [hello, { incomplete: 'max_output_tokens' }] },
    stubborn: { cancelStatus: 500, steps: [hello, { gate }] },
  };
}

conforms({
  name: 'a background response',
  cannot: {
    permission: 'the API asks no permissions',
    question: 'the API asks for no values',
    'death in a permission': 'the API asks no permissions',
  },
  async subject() {
    const gates = new Map<string, Gate>();
    const server = await startResponses((text) => {
      const [scene, key] = text.split('\n');
      return scenes(gates.get(String(key)) as Gate)[scene as Scene] as Knobs;
    });
    return {
      connector: createResponses({ server: { id: 'deep', baseUrl: server.url, model: 'scripted' } }),
      act(scene) {
        const gate = new Gate();
        const key = `${gates.size}`;
        gates.set(key, gate);
        return { content: [{ type: 'text', text: `${scene}\n${key}` }], goOn: () => gate.open() };
      },
      seen: () => ({ prompts: server.bodies.length, cancels: server.cancels(), overlaps: 0 }),
      close: () => server.close(),
    };
  },
});
