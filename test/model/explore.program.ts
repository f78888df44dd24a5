import { readOptions } from '../support/options.ts';
import { type Bounds, explore } from './explore.ts';

const usage = `npm run explore -- [options]
  --kind K       conversation or job (default: both)
  --messages N --stops N --resumes N --retries N --faults N --outputs N --answers N   bounds (default: those of docs/testing.md)
  --states N     give up after so many situations`;

const option = { type: 'string' } as const;
const { values, count, word } = readOptions(
  {
    options: {
      kind: option,
      messages: option,
      stops: option,
      resumes: option,
      retries: option,
      faults: option,
      outputs: option,
      answers: option,
      states: option,
      help: { type: 'boolean' },
    },
  },
  usage,
);

const write = (text: string) => process.stdout.write(`${text}\n`);
const whole: readonly Bounds[] = [
  {
    kind: 'conversation',
    messages: 2,
    stops: 1,
    resumes: 1,
    retries: 0,
    faults: 1,
    outputs: 1,
    answers: 2,
    states: 1_000_000,
  },
  {
    kind: 'conversation',
    messages: 2,
    stops: 1,
    resumes: 0,
    retries: 2,
    faults: 1,
    outputs: 0,
    answers: 0,
    states: 1_000_000,
  },
  {
    kind: 'job',
    messages: 0,
    stops: 1,
    resumes: 0,
    retries: 0,
    faults: 2,
    outputs: 2,
    answers: 2,
    states: 1_000_000,
  },
];

const limits = ['messages', 'stops', 'resumes', 'retries', 'faults', 'outputs', 'answers', 'states'] as const;

function bounded(bounds: Bounds): Bounds {
  const kind = word('kind', 'conversation', 'job') ?? bounds.kind;
  const given = limits.map((name) => [name, count(name, 0) ?? bounds[name]]);
  return { ...bounds, kind, ...Object.fromEntries(given) };
}

const isOne = Object.keys(values).length > 0;
let states = 0;
for (const bounds of isOne ? [bounded(whole[0] as Bounds)] : whole) {
  write(JSON.stringify(bounds));
  const started = performance.now();
  const found = explore(bounds, (count, depth) => write(`  depth ${depth}: ${count} situations`));
  const seconds = (performance.now() - started) / 1_000;
  states += found.states;
  const figures = `${found.states} situations, ${found.transitions} transitions, depth ${found.depth}`;
  write(
    `${found.complete ? 'complete' : 'NOT complete'}: ${figures}, ${Math.round(found.states / seconds)}/s`,
  );
  for (const { what, path } of found.broken) write(`BROKEN ${what}\n  ${path.join(' > ')}`);
  if (!found.complete) process.exitCode = 1;
}
write(`${states} situations in all`);
