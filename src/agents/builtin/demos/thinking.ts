import type { PlanEntry } from '../../../wire/content.ts';
import type { Output } from '../../agent.ts';
import { type CommandSpec, phrase } from '../grammar.ts';
import { type Play, type Scene, say } from '../play.ts';

export const thinkingDemos: readonly CommandSpec[] = [
  {
    name: 'think',
    hint: 'about something',
    example: 'think about X',
    description: 'shows thoughts before an answer (staged: I do not really think)',
    group: 'show',
    patterns: [phrase('think(?: hard)?(?: (?:about|of|on))?(?: (?<topic>.+))?')],
    play: (scene, args) => think(scene, args.topic ?? 'nothing in particular'),
  },
  {
    name: 'plan',
    example: 'plan',
    description: 'shows a plan whose entries get done one by one',
    group: 'show',
    patterns: [phrase('(?:(?:show|make)(?: me)? )?(?:a |the )?plan(?: demo)?')],
    play: plan,
  },
  {
    name: 'tools',
    example: 'tools',
    description: 'shows three tools that run at once, one of which fails and one of which is refused',
    group: 'show',
    patterns: [phrase('(?:(?:show|use)(?: me)? )?(?:the |some )?(?:parallel )?tools(?: in parallel| demo)?')],
    play: tools,
  },
];

async function* think(scene: Scene, topic: string): Play {
  yield* say(scene, `The question is about “${topic}”. What would a careful answer need? `, {
    kind: 'thought',
  });
  yield* say(
    scene,
    'First the facts, then what follows from them, then what could be wrong with that. I have none of these: ' +
      'I am a fixed list of commands, so the honest answer is short.',
    { kind: 'thought' },
  );
  yield* say(
    scene,
    `Those thoughts were staged, so that you see what thinking looks like here. About “${topic}” I know nothing: ` +
      'connect a model for that. `help` lists what I can do.',
  );
}

const entries = ['Look at what is there', 'Make the change', 'Try it out', 'Say what was done'];

async function* plan(scene: Scene): Play {
  const at = (current: number): Output => ({
    type: 'plan',
    entries: entries.map((content, index): PlanEntry => {
      const status = index < current ? 'completed' : index === current ? 'in_progress' : 'pending';
      return { content, priority: index === 1 ? 'high' : 'medium', status };
    }),
  });
  yield* say(scene, 'Here is a plan, played through step by step. Nothing is really changed.\n\n');
  for (const [index, content] of entries.entries()) {
    yield at(index);
    await scene.sleep(900);
    yield* say(scene, `${index + 1}. ${content}: done.\n`);
  }
  yield at(entries.length);
}

async function* tools(scene: Scene): Play {
  yield* say(scene, 'Three tools of one kind at once. They are staged: nothing is fetched.\n\n');
  const start = (toolCallId: string, title: string): Output => {
    return { type: 'tool.started', toolCallId, title, kind: 'fetch', status: 'in_progress' };
  };
  yield start('first', 'Fetch the first page');
  yield start('second', 'Fetch the second page');
  yield start('third', 'Fetch the third page');
  for (let percent = 20; percent <= 80; percent += 20) {
    await scene.sleep(350);
    yield { type: 'tool.updated', toolCallId: 'first', output: `${percent} %\n` };
    yield { type: 'tool.updated', toolCallId: 'second', output: `${percent / 2} %\n` };
  }
  yield { type: 'tool.refused', toolCallId: 'third', reason: 'The third page is not allowed.' };
  await scene.sleep(500);
  yield { type: 'tool.finished', toolCallId: 'second', status: 'failed', exitCode: 22 };
  await scene.sleep(500);
  const content = [
    { type: 'content' as const, content: { type: 'text' as const, text: 'The first page, whole.' } },
  ];
  yield { type: 'tool.finished', toolCallId: 'first', status: 'completed', exitCode: 0, content };
  yield* say(scene, 'The first came, the second failed, the third was refused.');
}
