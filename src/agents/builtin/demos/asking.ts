import type { Form } from '../../../wire/form.schema.ts';
import { formOptions, urlOptions } from '../../questions.ts';
import { type CommandSpec, phrase } from '../grammar.ts';
import { fenced, type Play, type Scene, say } from '../play.ts';

export const askingDemos: readonly CommandSpec[] = [
  {
    name: 'permission',
    example: 'orphan permission',
    description: 'asks for a permission that belongs to no tool it has shown',
    group: 'show',
    patterns: [phrase('(?:show(?: me)? )?(?:an? )?(?:orphan )?permission')],
    play: orphan,
  },
  {
    name: 'form',
    example: 'form',
    description: 'asks you to fill in a form',
    group: 'show',
    patterns: [phrase('(?:(?:show|ask)(?: me)? )?(?:with )?(?:an? )?form')],
    play: form,
  },
  {
    name: 'visit',
    example: 'visit',
    description: 'asks you to go to a page of the web',
    group: 'show',
    patterns: [phrase('(?:show(?: me)? )?(?:an? )?(?:visit|link)')],
    play: visit,
  },
];

async function* orphan(scene: Scene): Play {
  yield* say(scene, 'Some agents ask about a tool call that they never announced. Like this:\n\n');
  const option = yield* scene.ask({
    toolCallId: 'never-announced',
    title: 'May I do something that I have not shown? (staged: nothing is done)',
    options: [
      { optionId: 'once', name: 'Allow once', kind: 'allow_once' },
      { optionId: 'always', name: 'Always allow', kind: 'allow_always' },
      { optionId: 'no', name: 'Reject', kind: 'reject_once' },
      { optionId: 'never', name: 'Always reject', kind: 'reject_always' },
    ],
  });
  yield* say(scene, `You chose \`${option}\`. Nothing was done either way.`);
}

const release: Form = {
  title: 'Release',
  description: 'Staged: nothing is released.',
  properties: {
    name: { type: 'string', title: 'Name', description: 'What people will call it.', maxLength: 40 },
    channel: {
      type: 'string',
      title: 'Channel',
      oneOf: [
        { const: 'stable', title: 'Stable', description: 'For everybody' },
        { const: 'beta', title: 'Beta', description: 'For those who try things' },
        { const: 'nightly', title: 'Nightly', description: 'For nobody in a hurry' },
      ],
      default: 'beta',
    },
    platforms: {
      type: 'array',
      title: 'Platforms',
      minItems: 1,
      items: { anyOf: ['Linux', 'macOS', 'Windows'].map((title) => ({ const: title.toLowerCase(), title })) },
      default: ['linux'],
    },
    copies: { type: 'integer', title: 'Copies', minimum: 1, maximum: 99, default: 3 },
    share: { type: 'number', title: 'Share of users', description: 'From 0 to 1.', minimum: 0, maximum: 1 },
    on: { type: 'string', title: 'Day', format: 'date' },
    contact: { type: 'string', title: 'Who answers questions', format: 'email' },
    announce: {
      type: 'boolean',
      title: 'Announce it',
      description: 'A note to all who use it.',
      default: true,
    },
  },
  required: ['name', 'channel', 'platforms'],
};

async function* form(scene: Scene): Play {
  yield* say(scene, 'Some agents ask for values before they go on. Like this:\n\n');
  const answer = yield* scene.inquire({
    title: 'What shall I release?',
    options: formOptions,
    form: release,
  });
  if (answer.outcome !== 'selected' || answer.optionId !== 'accept') {
    return yield* say(scene, 'You declined. Nothing was released, and nothing would have been.');
  }
  yield* say(scene, `You gave me:\n\n${fenced(JSON.stringify(answer.content, null, 2), 'json')}`);
}

async function* visit(scene: Scene): Play {
  yield* say(scene, 'Some agents need you to do something on a page, as to log in. Like this:\n\n');
  const option = yield* scene.ask({
    title: 'Please read the page of the protocol that agents and Sluice speak. (staged)',
    options: urlOptions,
    url: 'https://agentclientprotocol.com/protocol/v1/overview?from=sluice',
  });
  yield* say(scene, option === 'accept' ? 'You accepted. I cannot see what you do there.' : 'You declined.');
}
