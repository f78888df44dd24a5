import type { ContentBlock } from '../../wire/content.ts';
import { askingDemos } from './demos/asking.ts';
import { backgroundDemos } from './demos/background.ts';
import { endingDemos } from './demos/endings.ts';
import { markdownDemos } from './demos/markdown.ts';
import { thinkingDemos } from './demos/thinking.ts';
import { waitingDemos } from './demos/waiting.ts';
import { type CommandSpec, phrase, similar } from './grammar.ts';
import { titleOf } from './message.ts';
import { type Play, type Scene, say } from './play.ts';
import { readCommand, workCommands } from './work.ts';

const talkCommands: readonly CommandSpec[] = [
  {
    name: 'help',
    example: 'help',
    description: 'shows this',
    group: 'talk',
    patterns: [
      phrase('(?:help|\\?|commands|usage help)(?: me)?'),
      phrase('what can (?:you|i) (?:do|say|ask|type)(?: here)?'),
      phrase('(?:who|what) are you'),
      phrase('how do(?:es)? (?:this|it|you) work'),
    ],
    play: (scene) => say(scene, help()),
  },
  {
    name: 'hello',
    example: 'hello',
    description: 'greets you',
    group: 'talk',
    patterns: [phrase('(?:hello|hi|hey|good (?:morning|day|evening))(?: there| sluice)?')],
    play: (scene) =>
      say(
        scene,
        `Hello! ${identity} Try \`list\`, \`run ls -la\` or \`show markdown\`; \`help\` lists everything.`,
      ),
  },
  {
    name: 'history',
    example: 'history',
    description: 'lists what you said in this conversation; `again` does the last of it once more',
    group: 'talk',
    patterns: [
      phrase('(?:(?:show|list)(?: me)? )?(?:the |my )?history'),
      phrase('what (?:did i|have i) (?:say|said|ask|asked)(?: before| earlier| so far)?'),
    ],
    play: history,
  },
];

const identity =
  'I am the built-in agent: a fixed list of commands, not a language model, so I need no network, key or model.';

/** All that the agent understands, in the order in which it is tried. */
export const commands: readonly CommandSpec[] = [
  ...talkCommands,
  ...markdownDemos,
  ...thinkingDemos,
  ...waitingDemos,
  ...askingDemos,
  ...endingDemos,
  ...backgroundDemos,
  ...workCommands,
  readCommand,
];

/** What a newcomer may try first, of work and of what is staged. */
export const examples = ['help', 'list', 'show markdown', 'run ls -la', 'tools', 'job 20'] as const;

function help(): string {
  const lines = (group: CommandSpec['group']) =>
    commands
      .filter((spec) => spec.group === group)
      .map((spec) => `- \`${spec.example}\`: ${spec.description}`)
      .join('\n');
  return `${identity}

**Work in this folder**, and only in it. Before I change or run anything, I ask you.

${lines('work')}

**Show what can happen** in a conversation. These are staged.

${lines('show')}

**And**

${lines('talk')}

Say it in your own words if you like: case and courtesy do not matter. Anything else I do not understand.
`;
}

async function* history(scene: Scene): Play {
  if (scene.earlier.length === 0) return yield* say(scene, 'This is the first thing that you say here.');
  const first = Math.max(0, scene.earlier.length - 50);
  const lines = scene.earlier
    .slice(first)
    .map((message, index) => `${first + index + 1}. ${titleOf(message)}`);
  const head = first > 0 ? 'The last 50 things that you said:' : 'You said:';
  yield* say(scene, `${head}\n\n${lines.join('\n')}\n`, { chunks: 60 });
}

/** The truthful answer to what was not understood. */
export async function* unknown(scene: Scene, text: string, content: readonly ContentBlock[]): Play {
  const attached = content.some((block) => block.type !== 'text');
  const missed = attached ? ' I cannot look at what you attached either.' : '';
  const near = similar(commands, text).map((spec) => `\`${spec.example}\``);
  const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
  yield* say(
    scene,
    `I did not understand that. ${identity}${missed}${hint}\n\nTo have questions answered, start a conversation with ` +
      'a model or another agent. Here, `help` lists what I can do: for example `list`, `read README.md`, ' +
      '`search TODO`, `run git status`, or `show markdown`.',
  );
}
