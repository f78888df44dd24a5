import type { Result } from './schedule.ts';
import type { Line } from './watch.ts';

const mostLines = 120;

/** What went wrong, for a person: the invariant, how to play it again, the steps, and who said what to whom. */
export function report(result: Result): string {
  const { seed, steps, breaches, lines } = result;
  const breach = breaches[0];
  return [
    `## ${breach?.invariant}: ${breach?.what}`,
    '',
    `At ${breach?.at} ms. Play it again: \`npm run simulate -- --seed ${seed} --steps ${steps.map((step) => step.id).join(',') || 'none'}\``,
    '',
    ...steps.map((step) => `- ${JSON.stringify(step)}`),
    '',
    '```mermaid',
    diagram(lines),
    '```',
  ].join('\n');
}

/** The message sequence as a Mermaid diagram; of a long one, its end. */
function diagram(lines: readonly Line[]): string {
  const shown = lines.filter((line) => !isNoise(line)).slice(-mostLines);
  const names = ['user', 'page0', 'page1', 'gateway', 'log', 'agent', 'world'];
  return [
    'sequenceDiagram',
    ...names.map((name) => `  participant ${name}`),
    ...shown.map(({ at, from, to, text }) => `  ${from}->>${to}: ${at} ms: ${label(text)}`),
  ].join('\n');
}

function isNoise({ text }: Line): boolean {
  return (
    /^\{"type":"(hello|heartbeat|pong|ping|sessions)"/.test(text) || /^(agents|sessions|jobs)\//.test(text)
  );
}

/** Mermaid ends a message at a semicolon or a hash, and reads some brackets. */
function label(text: string): string {
  const frame = /^\{"type":"facts","session":"([^"]+)".*?"prev":(\d+),"seq":(\d+)/.exec(text);
  const short = frame ? `facts of ${frame[1]}, ${Number(frame[2]) + 1} to ${frame[3]}` : text;
  return short.replaceAll(/[;#]/g, ' ').replaceAll(/[{}"]/g, '').slice(0, 140);
}
