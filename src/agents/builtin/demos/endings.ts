import { type CommandSpec, phrase } from '../grammar.ts';
import { type Play, type Scene, say } from '../play.ts';

export const endingDemos: readonly CommandSpec[] = [
  {
    name: 'fail',
    example: 'fail',
    description: 'ends in an error after some text',
    group: 'show',
    patterns: [phrase('fail(?: now)?'), phrase('(?:show(?: me)? )?an? (?:error|failure)'), phrase('error')],
    play: fail,
  },
  {
    name: 'cut',
    example: 'cut',
    description: 'lets the stream end early, without an end',
    group: 'show',
    patterns: [phrase('cut(?: (?:the |your )?stream)?'), phrase('(?:break|end) early')],
    play: cut,
  },
  {
    name: 'refuse',
    example: 'refuse',
    description: 'declines to answer',
    group: 'show',
    patterns: [phrase('refuse'), phrase('(?:show(?: me)? )?(?:a )?refusal')],
    async *play(scene) {
      yield* say(scene, 'I would rather not.');
      yield { type: 'ended', stopReason: 'refusal' };
    },
  },
  {
    name: 'truncate',
    example: 'max tokens',
    description: 'stops in the middle because the answer got too long',
    group: 'show',
    patterns: [phrase('(?:max(?:imum)?|too many)[ _-]tokens'), phrase('truncate')],
    async *play(scene) {
      yield* say(
        scene,
        'This answer is about to reach the longest length that its model allows, and so it ends in the',
      );
      yield { type: 'ended', stopReason: 'max_tokens' };
    },
  },
  {
    name: 'nothing',
    example: 'say nothing',
    description: 'ends well without a single word',
    group: 'show',
    patterns: [phrase('(?:say |answer )?nothing'), phrase('no text')],
    play: (scene) => say(scene, ''),
  },
  {
    name: 'leave',
    example: 'leave a tool open',
    description: 'ends while one of its tools still seems to run',
    group: 'show',
    patterns: [phrase('leave(?: (?:a|the) tool open)?'), phrase('open tool')],
    play: leave,
  },
  {
    name: 'stubborn',
    example: 'ignore stop',
    description: 'goes on for five minutes whatever you say, until it is killed: try Stop',
    group: 'show',
    patterns: [phrase('ignore (?:the |a |my )?stop'), phrase('(?:be )?stubborn')],
    play: ignoreStop,
  },
  {
    name: 'usage',
    example: 'late usage',
    description: 'tells how much it used only after its answer has ended (the numbers are made up)',
    group: 'show',
    patterns: [phrase('(?:show(?: me)? )?(?:late )?usage')],
    play: lateUsage,
  },
];

async function* fail(scene: Scene): Play {
  yield* say(scene, 'This starts like any answer, and then something goes wrong');
  await scene.sleep(400);
  const message = 'This failure was asked for by `fail`: its text is kept, and “Try again” asks once more.';
  yield { type: 'ended', stopReason: 'error', error: { code: 'builtin.demo', message } };
}

async function* cut(scene: Scene): Play {
  yield* say(scene, 'The stream of this answer breaks off before it has said its e');
  scene.cut();
}

async function* leave(scene: Scene): Play {
  yield {
    type: 'tool.started',
    toolCallId: 'open',
    title: 'A tool without an end',
    kind: 'other',
    status: 'in_progress',
  };
  yield { type: 'tool.updated', toolCallId: 'open', output: 'working …\n' };
  yield* say(scene, 'I end here, and my tool never says that it is done. Somebody else has to close it.');
}

async function* ignoreStop(scene: Scene): Play {
  scene.ignoreStops();
  yield* say(scene, 'I do not listen to a stop from here on.\n\n');
  for (let n = 1; n <= 600; n += 1) {
    await scene.sleep(500);
    yield { type: 'text', text: `${n} ` };
  }
}

async function* lateUsage(scene: Scene): Play {
  const { turn } = scene;
  scene.later(async (tell, aside) => {
    await aside.idle();
    await aside.sleep(700);
    // Made up: this agent has no tokens.
    tell({ type: 'usage', turn, usage: { inputTokens: 120, outputTokens: 24, totalTokens: 144 } });
  });
  yield* say(
    scene,
    'When I have ended, I will say that I used 144 tokens. I have no tokens: that number is made up.',
  );
}
