import { resolve } from 'node:path';
import { createAcp } from '../../src/agents/acp/acp.ts';
import { Double, type DoubleStep, openGate, play } from '../support/acp-double.ts';
import { wordsOf } from '../support/words.ts';
import { type Act, conforms, type Scene } from './conformance.ts';

const allow: readonly DoubleStep[] = [{ tool: 't1', status: 'completed' }, { text: 'Done.' }];
const reject: readonly DoubleStep[] = [{ tool: 't1', status: 'failed' }, { text: 'Not done.' }];
const counts = { properties: { count: { type: 'integer', minimum: 1 } }, required: ['count'] };
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
  question: [{ elicit: 'How many?', form: { type: 'object', title: null, ...counts } }, { text: 'Done.' }],
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

/**
 * Any agent program: `SLUICE_ACP_COMMAND='my-agent --acp' npx vitest run test/agents/conformance.acp.test.ts`. It is
 * asked in plain words, so what it says is not compared, what words cannot bring about is skipped, and what it asks for is
 * allowed.
 */
const [name, ...words] = wordsOf(process.env.SLUICE_ACP_COMMAND ?? '');
if (name !== undefined) {
  // A path is meant from where the tests are started; agents are started in the directory of their session.
  const command = [/[\\/]/.test(name) ? resolve(name) : name, ...words];
  const messages: Readonly<Partial<Record<Scene, string>>> = {
    answer: 'Say hello in one short sentence. Use no tools.',
    'held silence': 'Say hello in one short sentence. Use no tools.',
    'held text': 'Count from 1 to 300 in words, separated by commas. Use no tools.',
    tool: 'Create the file hello.txt with the text "hello", then say that you are done.',
  };
  const scenes = ['thought', 'held tool', 'permission', 'death in text', 'death in a tool'] as const;
  const others = ['death in a permission', 'error', 'retry', 'nothing', 'refusal', 'max_tokens'] as const;
  const why = 'it cannot be brought about with words';
  conforms({
    name: command.join(' '),
    slow: 200,
    cannot: Object.fromEntries(
      [...scenes, ...others, 'question', 'stall', 'stubborn'].map((scene) => [scene, why]),
    ),
    subject: () => ({
      connector: createAcp({ agent: { id: 'command', command } }),
      act(scene) {
        const text = messages[scene];
        return text === undefined ? undefined : { content: [{ type: 'text', text }], exact: false };
      },
      close() {},
    }),
  });
}
