import { z } from 'zod';
import { AgentError, type Output } from '../../agent.ts';
import { readIfThere, writeText } from '../../workspace/files.ts';
import { completed, type Result, refused, type ToolScene, tool } from './tool.ts';

const path = z.string().min(1).describe('Relative to the working directory.');

export const edit = tool({
  name: 'edit',
  description:
    'Replaces a text in a file. old_text must be there exactly once, unless all is true: name as much of its surroundings as it takes.',
  kind: 'edit',
  input: z.object({
    path,
    old_text: z.string().min(1),
    new_text: z.string(),
    all: z.boolean().optional().describe('Replaces every place.'),
  }),
  readOnly: false,
  title: (input) => `Edit ${input.path}`,
  locations: ({ path }) => [{ path }],
  run: (scene, input) =>
    change(scene, input.path, (old) => {
      if (old === null) throw new AgentError('tool.edit', `There is no ${input.path}: write makes a file.`);
      const places = old.split(input.old_text).length - 1;
      if (places === 0) {
        throw new AgentError(
          'tool.edit',
          `old_text is not in ${input.path}: read it, and repeat its text exactly. Nothing was changed.`,
        );
      }
      if (places > 1 && input.all !== true) {
        throw new AgentError(
          'tool.edit',
          `old_text is there ${places} times: name more of its surroundings. Nothing was changed.`,
        );
      }
      return old.replaceAll(input.old_text, () => input.new_text);
    }),
});

export const write = tool({
  name: 'write',
  description: 'Writes a whole file, new or in place of an old one, and makes its directories.',
  kind: 'edit',
  input: z.object({ path, text: z.string() }),
  readOnly: false,
  title: (input) => `Write ${input.path}`,
  locations: ({ path }) => [{ path }],
  run: (scene, input) => change(scene, input.path, () => input.text),
});

/** Shows the change, asks, and makes it when the file is still what was shown. */
async function* change(
  scene: ToolScene,
  path: string,
  make: (old: string | null) => string,
): AsyncGenerator<Output, Result> {
  const { cwd, toolCallId } = scene;
  const oldText = await readIfThere(cwd, path);
  const newText = make(oldText);
  const content = [{ type: 'diff' as const, path, oldText, newText }];
  if (newText === oldText) return completed('Nothing to change: that is what it holds already.');
  yield { type: 'tool.updated', toolCallId, status: 'pending', content };
  if (!(yield* scene.allowed('edit', `Write \`${path}\`?`))) return refused;
  yield { type: 'tool.updated', toolCallId, status: 'in_progress' };
  if ((await readIfThere(cwd, path)) !== oldText) {
    throw new AgentError(
      'tool.edit',
      `${path} changed while the person decided, so it was left as it is: read it, and try again.`,
    );
  }
  scene.stopped.throwIfAborted();
  await writeText(cwd, path, newText);
  return completed('Done.', { content });
}
