import { createModel } from '../../src/agents/model/model.ts';
import { Secret } from '../../src/agents/model/secret.ts';
import { calls, Gate, type Reply, type Step, start } from '../support/model-server.ts';
import { userTexts } from '../support/model-shapes.ts';
import { conforms, type Scene } from './conformance.ts';

const hello: Step = { text: 'Hello ' };
const done: readonly Step[] = [{ text: 'world.' }, { finish: 'stop' }, { done: true }];
const after: Reply = { steps: [...done] };
const here = 'tools run in the gateway: the server is not asked while they do';

function replies(gate: Gate): Readonly<Partial<Record<Scene, readonly Reply[]>>> {
  const cut: Reply = { steps: [hello, { drop: true }] };
  const broken: Step = { error: { type: 'api_error', message: 'It broke.' } };
  return {
    answer: [{ steps: [hello, ...done] }],
    'held text': [{ steps: [hello, { gate }, ...done] }],
    'held silence': [{ steps: [{ gate }, ...done] }],
    thought: [{ steps: [{ reasoning: 'Hm.' }, hello, ...done] }],
    tool: [calls({ name: 'list', input: {} }), after],
    'held tool': [calls({ name: 'run', input: { command: 'sleep 100' } }), after],
    permission: [calls({ name: 'run', input: { command: 'echo hi' } }), after],
    'death in text': [cut],
    error: [{ steps: [hello, broken] }],
    retry: [{ status: 503, headers: { 'retry-after': '0' } }, { steps: [hello, ...done] }],
    nothing: [{ steps: [{ finish: 'stop' }, { done: true }] }],
    refusal: [{ steps: [{ finish: 'content_filter' }, { done: true }] }],
    max_tokens: [{ steps: [hello, { finish: 'length' }, { done: true }] }],
  };
}

for (const provider of ['openai', 'anthropic', 'google'] as const) {
  conforms({
    name: `a model server in the shape of ${provider}`,
    cannot: {
      'death in a tool': here,
      'death in a permission': here,
      question: 'a model asks in words',
      stubborn: 'a request is cut, whatever the server does',
    },
    async subject() {
      const tries = new Map<string, number>();
      let current = new Gate();
      const server = await start({
        shape: provider,
        models: ['scripted'],
        script(request) {
          const scene = userTexts(request.body).at(-1) as Scene;
          const nth = tries.get(scene) ?? 0;
          tries.set(scene, nth + 1);
          const all = replies(current)[scene] ?? [];
          return all[Math.min(nth, all.length - 1)] as Reply;
        },
      });
      return {
        connector: createModel({
          server: {
            id: 'model',
            provider,
            baseUrl: server.url,
            model: 'scripted',
            apiKey: new Secret('key'),
          },
        }),
        act(scene) {
          current = new Gate();
          const gate = current;
          return { content: [{ type: 'text', text: scene }], goOn: () => gate.open() };
        },
        close: () => server.close(),
      };
    },
  });
}
