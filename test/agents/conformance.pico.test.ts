import { createPico } from '../../src/agents/pico/pico.ts';
import { Gate } from '../support/model-server.ts';
import {
  create,
  type PicoPlay,
  type PicoStep,
  startPico,
  typing,
  update,
  usage,
} from '../support/pico-server.ts';
import { conforms, type Scene } from './conformance.ts';

function scenes(gate: Gate, key: string): Readonly<Partial<Record<Scene, PicoPlay>>> {
  const m = `m-${key}`;
  const hello = create(m, 'Hello ');
  const world = [update(m, 'Hello world.'), update(m, 'Hello world.', usage), typing('stop')];
  const call = {
    message_id: `c-${key}`,
    content: '',
    kind: 'tool_calls',
    tool_calls: [{ id: `call-${key}`, type: 'function', function: { name: 'grep', arguments: '{"q": "x…' } }],
  };
  const tool: PicoStep = { frame: 'message.create', payload: call };
  const start = typing('start');
  return {
    answer: { steps: [start, hello, ...world] },
    'held text': { steps: [start, hello, { gate }, ...world] },
    'held silence': { steps: [start, { gate }, hello, ...world] },
    thought: { steps: [start, create(`t-${key}`, 'Hm.', { kind: 'thought' }), hello, ...world] },
    tool: { steps: [start, tool, hello, ...world] },
    'held tool': { steps: [start, tool, { gate }] },
    'death in text': { steps: [start, hello, { close: 1006 }] },
    'death in a tool': { steps: [start, tool, { close: 1006 }] },
    error: { steps: [start, hello, { error: 'invalid_media', message: 'It broke.' }] },
    stubborn: { stubborn: true, steps: [start, hello, { gate }] },
  };
}

conforms({
  name: 'picoclaw',
  cannot: {
    permission: 'it asks no permissions over this channel',
    question: 'it asks for no values over this channel',
    'death in a permission': 'it asks no permissions over this channel',
    retry: 'it has no word for a retry',
    nothing: 'it has no end of a turn, so a turn without an answer has none',
    refusal: 'it has no word for a refusal',
    max_tokens: 'it has no word for a limit',
  },
  async subject() {
    const gates = new Map<string, Gate>();
    const server = await startPico((content) => {
      const [scene, key] = content.split('\n');
      return scenes(gates.get(String(key)) as Gate, String(key))[scene as Scene] as PicoPlay;
    });
    return {
      connector: createPico({ server: { id: 'pico', url: server.url } }),
      act(scene) {
        const gate = new Gate();
        const key = `${gates.size}`;
        gates.set(key, gate);
        return { content: [{ type: 'text', text: `${scene}\n${key}` }], goOn: () => gate.open() };
      },
      seen: () => ({
        prompts: server.sent.filter((content) => content !== '/stop').length,
        cancels: server.sent.filter((content) => content === '/stop').length,
        overlaps: 0,
      }),
      close: () => server.close(),
    };
  },
});
