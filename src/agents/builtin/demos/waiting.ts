import { type CommandSpec, phrase } from '../grammar.ts';
import { type Play, type Scene, say } from '../play.ts';

export const waitingDemos: readonly CommandSpec[] = [
  {
    name: 'slow',
    example: 'slow',
    description: 'answers slowly, word by word',
    group: 'show',
    patterns: [phrase('(?:(?:answer|speak|be) )?(?:slow|slowly)')],
    play: (scene) =>
      say(
        scene,
        'This answer takes its time: every few words there is a pause, and a stop works in each of them.',
        {
          ms: 700,
        },
      ),
  },
  {
    name: 'stall',
    hint: '[seconds]',
    example: 'stall [SECONDS]',
    description: 'falls silent for 60 seconds in the middle of an answer, then goes on',
    group: 'show',
    patterns: [
      phrase('stall(?: for)?(?: (?<seconds>\\d+)(?:~s(?:ec(?:ond)?s?)?)?)?'),
      phrase('(?:be|fall) silent'),
    ],
    play: (scene, args) => stall(scene, Math.min(Number(args.seconds ?? 60), 3600)),
  },
  {
    name: 'retry',
    example: 'retry',
    description: 'loses its upstream in the middle, tries again and takes back what it had said',
    group: 'show',
    patterns: [phrase('(?:show(?: me)? )?(?:a )?retry(?: demo)?')],
    play: retry,
  },
];

async function* stall(scene: Scene, seconds: number): Play {
  yield* say(
    scene,
    `I say this, then nothing for ${seconds} seconds, as agents do when their model server hangs. `,
  );
  await scene.sleep(seconds * 1000);
  yield* say(scene, 'And on it goes.');
}

async function* retry(scene: Scene): Play {
  const wrong = 'The answer begins well enough, but its upstream breaks off in the mid';
  yield* say(scene, wrong);
  yield { type: 'retrying', attempt: 2, reason: 'The model server closed the stream (staged).' };
  await scene.sleep(1500);
  yield { type: 'replace', kind: 'text', text: '', reason: 'The second attempt starts over.' };
  yield* say(scene, 'The second attempt went through. What the first had said was taken back, not doubled.');
}
