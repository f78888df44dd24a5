import { createModel } from '../../src/agents/model/model.ts';
import { Gate, type Reply, type Step, start } from '../support/model-server.ts';
import { conforms, type Scene } from './conformance.ts';

const hello: Step = { text: 'Hello ' };
const done: readonly Step[] = [{ text: 'world.' }, { finish: 'stop' }, { done: true }];
const noTools = 'the connector gives models no tools';

function replies(gate: Gate): Readonly<Partial<Record<Scene, readonly Reply[]>>> {
  const cut: Reply = { steps: [hello, { drop: true }] };
  const broken = { raw: 'data: {"error":{"message":"It broke."}}\n\n' };
  return {
    answer: [{ steps: [hello, ...done] }],
    'held text': [{ steps: [hello, { gate }, ...done] }],
    'held silence': [{ steps: [{ gate }, ...done] }],
    thought: [{ steps: [{ reasoning: 'Hm.' }, hello, ...done] }],
    'death in text': [cut],
    error: [{ steps: [hello, broken] }],
    retry: [{ status: 503, headers: { 'retry-after': '0' } }, { steps: [hello, ...done] }],
    nothing: [{ steps: [{ finish: 'stop' }, { done: true }] }],
    refusal: [{ steps: [{ finish: 'content_filter' }, { done: true }] }],
    max_tokens: [{ steps: [hello, { finish: 'length' }, { done: true }] }],
  };
}

conforms({
  name: 'a model server',
  cannot: {
    tool: noTools,
    'held tool': noTools,
    permission: noTools,
    'death in a tool': noTools,
    'death in a permission': noTools,
    stubborn: 'a request is cut, whatever the server does',
  },
  async subject() {
    const gates: Gate[] = [];
    const tries = new Map<string, number>();
    let current = new Gate();
    const server = await start({
      models: ['scripted'],
      script(request) {
        const scene = String(request.body?.messages.at(-1)?.content) as Scene;
        const nth = tries.get(scene) ?? 0;
        tries.set(scene, nth + 1);
        const all = replies(current)[scene] ?? [];
        return all[Math.min(nth, all.length - 1)] as Reply;
      },
    });
    return {
      connector: createModel({ server: { id: 'model', baseUrl: server.url, model: 'scripted' } }),
      act(scene) {
        current = new Gate();
        const gate = current;
        gates.push(gate);
        return { content: [{ type: 'text', text: scene }], goOn: () => gate.open() };
      },
      close: () => server.close(),
    };
  },
});
