import { Double, type DoubleStep, openGate, play } from '../support/acp-double.ts';
import { type Act, conforms, type Scene } from './conformance.ts';

const allow: readonly DoubleStep[] = [{ tool: 't1', status: 'completed' }, { text: 'Done.' }];
const reject: readonly DoubleStep[] = [{ tool: 't1', status: 'failed' }, { text: 'Not done.' }];
const scripts: Readonly<Partial<Record<Scene, readonly DoubleStep[]>>> = {
  answer: [{ text: 'Hello ' }, { text: 'world.' }],
  'held text': [{ text: 'Hello ' }, { gate: { file: 'go' } }, { text: 'world.' }],
  'held silence': [{ gate: { file: 'go' } }],
  thought: [{ thought: 'Hm.' }, { text: 'Hello world.' }],
  tool: [{ tool: 't1', status: 'in_progress' }, { tool: 't1', status: 'completed' }, { text: 'Done.' }],
  'held tool': [{ tool: 't1', status: 'in_progress' }, { gate: { file: 'go' } }],
  permission: [
    { tool: 't1', status: 'pending' },
    { permission: 'p1', tool: 't1', on: { allow, reject } },
  ],
  'death in text': [{ text: 'Hello ' }, { wait: 30 }, { die: true }, { hang: true }],
  'death in a tool': [{ tool: 't1', status: 'in_progress' }, { wait: 30 }, { crash: 'It broke.' }],
  'death in a permission': [{ meanwhile: [{ wait: 50 }, { die: true }] }, { permission: 'p1' }],
  error: [{ text: 'Hello ' }, { fail: 'Internal error', data: { details: 'It broke.' } }],
  nothing: [],
  refusal: [{ end: 'refusal' }],
  max_tokens: [{ text: 'Hello ' }, { end: 'max_tokens' }],
  stubborn: [{ stubborn: true }, { text: 'Hello ' }, { gate: { file: 'never' } }],
};

conforms({
  name: 'an agent over ACP',
  cannot: { retry: 'the protocol has no word for a retry' },
  subject: () => {
    const double = new Double();
    return {
      connector: double.connector,
      act(scene, directory): Act | undefined {
        const steps = scripts[scene];
        if (!steps) return undefined;
        const { content } = play('', steps);
        return { content, goOn: () => openGate(directory, 'go') };
      },
      seen: () => ({
        prompts: double.noted('prompt').length,
        cancels: double.noted('cancel').length,
        overlaps: double.noted('overlap').length,
      }),
      close: () => double.remove(),
    };
  },
});
