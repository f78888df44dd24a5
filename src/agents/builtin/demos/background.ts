import { type CommandSpec, phrase } from '../grammar.ts';
import { chunks, type Play, type Scene, say } from '../play.ts';
import { survive, type WorkItem } from '../survivor.ts';

const most = 1000;

export const backgroundDemos: readonly CommandSpec[] = [
  {
    name: 'count',
    hint: 'to N',
    example: 'count to N',
    description: 'counts with progress, and takes guidance on the way: `to 20`, or `stop counting`',
    group: 'show',
    patterns: [phrase('count(?: (?:up )?to)?(?: (?<to>\\d+))?')],
    play: (scene, args) => count(scene, limit(args.to, 10), 300),
  },
  {
    name: 'job',
    hint: '[steps]',
    example: 'job [STEPS]',
    description: 'works for a while with progress, a second a step: good to run in the background',
    group: 'show',
    patterns: [phrase('(?:(?:start|do) )?(?:a )?(?:background )?job(?: (?:of )?(?<to>\\d+)(?: steps?)?)?')],
    play: (scene, args) => count(scene, limit(args.to, 15), 1000),
  },
  {
    name: 'lose',
    example: 'lose the stream',
    description: 'loses its stream and goes on unseen; its rest is fetched by polling',
    group: 'show',
    patterns: [phrase('lose(?: (?:the|your) stream)?'), phrase('poll')],
    handle: 'lost',
    play: lose,
  },
  {
    name: 'survive',
    hint: '[seconds]',
    example: 'survive [SECONDS]',
    description: 'works in a process of its own, which goes on when Sluice is restarted',
    group: 'show',
    patterns: [
      phrase('survive(?: (?:a|the) restart)?(?: for)?(?: (?<seconds>\\d+)(?:~s(?:ec(?:ond)?s?)?)?)?'),
    ],
    handle: 'worker',
    play: (scene, args) => survive(scene, survivingWork(limit(args.seconds, 30))),
  },
  {
    name: 'wake',
    hint: 'me in N seconds',
    example: 'wake me in N seconds',
    description: 'speaks up by itself later, when nobody has asked',
    group: 'show',
    patterns: [
      phrase('wake(?: me)?(?: up)?(?: (?:in|after))?(?: (?<seconds>\\d+)(?:~s(?:ec(?:ond)?s?)?)?)?'),
    ],
    play: (scene, args) => wake(scene, limit(args.seconds, 10)),
  },
];

function limit(given: string | undefined, otherwise: number): number {
  return Math.min(Math.max(Number(given ?? otherwise), 1), most);
}

async function* count(scene: Scene, to: number, every: number): Play {
  let last = to;
  yield* say(scene, `Counting to ${to}:\n\n`);
  for (let n = 1; n <= last; n += 1) {
    await scene.sleep(every);
    yield { type: 'text', text: n === 1 ? '1' : ` ${n}` };
    yield { type: 'progress', progress: { text: `${n} of ${last}`, done: n, total: last } };
    // After the last number no more guidance is taken, so none can come that nobody reads.
    for (;;) {
      const guidance = scene.guidance(n >= last ? 'last' : 'now');
      if (guidance === undefined) break;
      last = guided(guidance, n, last);
      yield { type: 'text', text: `\n\nYou said “${guidance}”: I count to ${last}.\n\n` };
    }
  }
  yield* say(scene, '\n\nDone.');
}

function guided(guidance: string, now: number, last: number): number {
  if (/\bstop\b|\benough\b/i.test(guidance)) return now;
  const wanted = /\d+/.exec(guidance)?.[0];
  return wanted === undefined ? last : Math.max(now, limit(wanted, last));
}

async function* lose(scene: Scene): Play {
  yield* say(scene, 'This much comes over the stream. ');
  yield {
    type: 'poll',
    reason: 'The stream was lost (staged): the work goes on, and its rest is fetched by polling.',
  };
  for (let done = 1; done <= 10; done += 1) {
    await scene.sleep(1000);
    yield { type: 'progress', progress: { text: `Step ${done} of 10, unseen`, done, total: 10 } };
  }
  yield { type: 'text', text: 'And this was fetched when all of it was done.' };
}

function survivingWork(seconds: number): WorkItem[] {
  const head =
    'This work runs in a process of its own. Restart Sluice while it counts: it goes on, and nothing is lost.\n\n';
  const words = [...chunks(head, 60)].map(
    (text): WorkItem => ({ after: 30, output: { type: 'text', text } }),
  );
  const numbers = Array.from({ length: seconds }, (_, index): WorkItem[] => {
    const done = index + 1;
    const text = `Second ${done} of ${seconds}`;
    return [
      { after: 1000, output: { type: 'text', text: done === 1 ? '1' : ` ${done}` } },
      { output: { type: 'progress', progress: { text, done, total: seconds } } },
    ];
  });
  return [...words, ...numbers.flat(), { output: { type: 'text', text: '\n\nDone.' } }];
}

async function* wake(scene: Scene, seconds: number): Play {
  const about = `${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  scene.later(async (tell, aside) => {
    await aside.sleep(seconds * 1000);
    await aside.idle();
    tell({ type: 'text', text: `You asked me to wake you: ${about} have passed.` });
    tell({ type: 'ended', stopReason: 'end_turn' });
  });
  yield* say(scene, `I will speak up in ${about}, unless Sluice is restarted before.`);
}
