import { parseArgs } from 'node:util';
import { type Bounds, explore } from './explore.ts';

const usage = `npm run explore -- [options]
  --kind K       conversation or job (default: both)
  --messages N --stops N --resumes N --retries N --faults N --outputs N --answers N   bounds (default: those of docs/testing.md)
  --states N     give up after so many situations`;

const option = { type: 'string' } as const;
const { values } = parseArgs({
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
    help: { type: 'boolean', default: false },
  },
});

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

function bounded(bounds: Bounds): Bounds {
  const { kind, messages, stops, resumes, retries, faults, outputs, answers, states } = values;
  const given = Object.entries({ messages, stops, resumes, retries, faults, outputs, answers, states });
  const numbers = Object.fromEntries(
    given.flatMap(([key, value]) => (value === undefined ? [] : [[key, Number(value)]])),
  );
  return { ...bounds, ...(kind !== undefined && { kind: kind as Bounds['kind'] }), ...numbers };
}

if (values.help) write(usage);
else {
  const isOne = Object.keys(values).length > 1;
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
}
