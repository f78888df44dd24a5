import { foldAll } from '../../../src/wire/fold.ts';
import type { Part, Turn } from '../../../src/wire/turn.ts';
import type { Talk } from './talk.ts';

/** What a user sees of a conversation, a line for each row and each of its parts; `places` names paths. */
export function outline(talk: Talk, places: Readonly<Record<string, string>>): string[] {
  return foldAll(talk.told)
    .flatMap((turn) => [turnLine(turn), ...turn.parts.map((part) => `  ${partLine(part)}`)])
    .map((line) => renamed(line, places).slice(0, 300));
}

export function renamed(text: string, places: Readonly<Record<string, string>>): string {
  // The longest first: one may lie in another.
  const all = Object.entries(places).sort(([a], [b]) => b.length - a.length);
  // Some agents leave out the slash at the beginning.
  const both = all.flatMap(
    ([path, name]) =>
      [
        [path, name],
        [path.slice(1), name],
      ] as const,
  );
  return both.reduce((line, [path, name]) => line.replaceAll(path, name), text);
}

function turnLine({ origin, outcome, stopReason, error }: Turn): string {
  // What follows the first sentence may be of one run.
  const said = error ? `: ${error.message.split(/\.\s/)[0]}` : '';
  return `${origin === 'agent' ? 'unasked, ' : ''}${outcome ?? 'open'}, ${stopReason ?? 'running'}${said}`;
}

function partLine(part: Part): string {
  switch (part.type) {
    case 'text':
    case 'thought':
      return `${part.type} ${JSON.stringify(part.text.slice(0, 200))}`;
    case 'tool': {
      const { kind, title, status, exitCode, content } = part;
      const shows = [...new Set(content.map((one) => one.type))].sort().join(', ');
      const exit = typeof exitCode === 'number' ? `, exit code ${exitCode}` : '';
      return `tool ${kind} ${JSON.stringify(title)}: ${status}${exit}${shows && `, shows ${shows}`}`;
    }
    case 'permission': {
      const option = part.options.find((one) => one.optionId === part.option);
      return `permission ${JSON.stringify(part.title)}: ${part.state}${option ? `, ${option.kind}` : ''}`;
    }
    case 'plan':
      return `plan of ${part.entries.length}`;
    case 'notice':
      // What follows may name what is of one run.
      return `notice ${part.code}: ${part.text.slice(0, 60)}`;
    case 'steer':
      return 'guidance';
    case 'job':
      return 'job';
  }
}
