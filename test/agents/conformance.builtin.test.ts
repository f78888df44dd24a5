import { createBuiltin } from '../../src/agents/builtin/builtin.ts';
import { openGate } from '../support/acp-double.ts';
import { type Act, conforms, type Scene } from './conformance.ts';

const allow = [{ tool: 't1', status: 'completed' }, { text: 'Done.' }];
const counts = { properties: { count: { type: 'integer', minimum: 1 } }, required: ['count'] };
const scripts: Readonly<Record<Scene, readonly unknown[]>> = {
  answer: [{ text: 'Hello ' }, { text: 'world.' }],
  'held text': [{ text: 'Hello ' }, { gate: { file: 'go' } }, { text: 'world.' }],
  'held silence': [{ accepted: false }, { gate: { file: 'go' } }],
  thought: [{ thought: 'Hm.' }, { text: 'Hello world.' }],
  tool: [{ tool: 't1', status: 'in_progress' }, { tool: 't1', status: 'completed' }, { text: 'Done.' }],
  'held tool': [{ tool: 't1', status: 'in_progress' }, { gate: { file: 'go' } }],
  permission: [
    { tool: 't1', status: 'pending' },
    { permission: 'p1', tool: 't1', on: { allow, reject: [{ refuse: 't1' }] } },
  ],
  question: [{ permission: 'q1', form: counts }, { text: 'Done.' }],
  'death in text': [{ text: 'Hello ' }, { wait: 30 }, { crash: 'gone' }],
  'death in a tool': [{ tool: 't1', status: 'in_progress' }, { wait: 30 }, { crash: 'gone' }],
  'death in a permission': [{ permission: 'p1', wait: false }, { wait: 30 }, { crash: 'gone' }],
  error: [{ text: 'Hello ' }, { fail: 'It broke.' }],
  retry: [{ retrying: 1, reason: 'busy' }, { text: 'Hello world.' }],
  nothing: [],
  refusal: [{ end: 'refusal' }],
  max_tokens: [{ text: 'Hello ' }, { end: 'max_tokens' }],
  stubborn: [{ stubborn: true }, { text: 'Hello ' }, { gate: { file: 'never' } }],
};

conforms({
  name: 'the built-in agent',
  subject: () => ({
    connector: createBuiltin(),
    act: (scene, directory): Act => ({
      content: [{ type: 'text', text: `script: ${JSON.stringify(scripts[scene])}` }],
      goOn: () => openGate(directory, 'go'),
    }),
    close() {},
  }),
});
