import type { ContentBlock } from '../../wire/content.ts';
import { commands, unknown } from './commands.ts';
import { type CommandSpec, parse } from './grammar.ts';
import type { Play, Scene } from './play.ts';
import { playScript } from './script.play.ts';
import { isScript, readScript } from './script.ts';

/** What a message will make the agent do. */
export interface Reply {
  readonly handle?: CommandSpec['handle'];
  readonly title?: string;
  /** The play itself says `accepted`. */
  readonly acceptsItself?: boolean;
  play(scene: Scene): Play;
}

const repeated = /^(?:please\s+)?\/?(?:again|repeat(?: that)?|do (?:it|that) again|once more)[.!]?$/i;

export function reply(text: string, content: readonly ContentBlock[], earlier: readonly string[]): Reply {
  if (isScript(text)) return scripted(text);
  if (repeated.test(text)) {
    const before = earlier.findLast((message) => !repeated.test(message));
    if (before !== undefined) return reply(before, content, []);
  }
  const parsed = parse(commands, text);
  if (!parsed) return { play: (scene) => unknown(scene, text, content) };
  const { spec, args } = parsed;
  return { ...(spec.handle && { handle: spec.handle }), play: (scene) => spec.play(scene, args) };
}

function scripted(text: string): Reply {
  const read = readScript(text);
  if ('error' in read) {
    return {
      title: 'Script with a mistake',
      async *play() {
        yield {
          type: 'text',
          text: `That script has a mistake, so nothing of it was played:\n\n${read.error}\n`,
        };
        const message = `The script has a mistake: ${read.error}`;
        yield { type: 'ended', stopReason: 'error', error: { code: 'builtin.script', message } };
      },
    };
  }
  const { script } = read;
  return {
    title: script.title ?? 'Script',
    ...(script.handle && { handle: script.handle }),
    acceptsItself: script.acceptsItself,
    play: (scene) => playScript(scene, script.steps),
  };
}
