import type { Command } from '../../wire/content.ts';

/** The commands that what is typed may become: only while it is a slash and the start of a name. */
export function matching(text: string, commands: readonly Command[]): readonly Command[] {
  const typed = /^\/([^\s/]*)$/.exec(text)?.[1]?.toLowerCase();
  if (typed === undefined) return [];
  return commands.filter((command) => command.name.toLowerCase().startsWith(typed));
}
