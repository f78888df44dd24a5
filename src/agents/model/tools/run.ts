import { z } from 'zod';
import type { Output } from '../../agent.ts';
import { type Shell, type ShellEnd, startShell } from '../../workspace/shell.ts';
import { type Result, refused, type ToolScene, tool } from './tool.ts';

/** How much of a command's output the card keeps (UTF-16). The command goes on unseen. */
const shown = 256 * 1024;
const defaultSeconds = 120;
const mostSeconds = 600;

export const run = tool({
  name: 'run',
  description:
    'Runs a command in /bin/sh, in the working directory, with nothing to read from. Gives its output, errors with it, and its exit code. What it leaves in the background is ended.',
  kind: 'execute',
  input: z.object({
    command: z.string().min(1),
    seconds: z.coerce
      .number()
      .min(1)
      .max(mostSeconds)
      .optional()
      .describe(`When it is ended at the latest; default ${defaultSeconds}.`),
  }),
  readOnly: false,
  title: ({ command }) => (command.includes('\n') ? `${command.split('\n')[0]} …` : command),
  async *run(scene, { command, seconds = defaultSeconds }) {
    // All of it before the person's eyes: what would be cut off may be what matters.
    const line = command.replaceAll('\n', ' ⏎ ');
    if (!(yield* scene.allowed('run', `Run \`${line}\` in ${scene.cwd}?`))) return refused;
    yield { type: 'tool.updated', toolCallId: scene.toolCallId, status: 'in_progress' };
    const late = new AbortController();
    const over = new AbortController();
    void scene.clock.sleep(seconds * 1000, over.signal).then(
      () => late.abort(),
      () => {},
    );
    try {
      const stopped = AbortSignal.any([scene.stopped, late.signal]);
      const shell = await startShell({ ...scene, stopped }, command);
      const text = yield* follow(scene, shell);
      return result(text, await shell.ended, late.signal.aborted ? seconds : undefined);
    } finally {
      over.abort();
    }
  },
});

/** Tells what comes, up to a bound; gives the beginning and the end of it. */
async function* follow({ toolCallId, limit }: ToolScene, shell: Shell): AsyncGenerator<Output, string> {
  let room = shown;
  let all = '';
  let left = 0;
  for await (const text of shell.output) {
    if (room >= 0) {
      const fits = text.length <= room;
      const output = fits ? text : `${text.slice(0, room)}\n[The rest of the output is not shown.]\n`;
      room -= text.length;
      yield { type: 'tool.updated', toolCallId, output };
    }
    all += text;
    // The middle goes as it comes, so that endless output takes bounded memory.
    if (all.length <= limit * 4) continue;
    left += all.length - limit * 2;
    all = all.slice(0, limit) + all.slice(-limit);
  }
  if (left === 0) return all;
  return `${all.slice(0, limit)}\n[… ${left} characters are left out here …]\n${all.slice(limit)}`;
}

function result(output: string, end: ShellEnd, timedOut: number | undefined): Result {
  const notes = [
    timedOut !== undefined && `It was ended after ${timedOut} s: it took longer than it may.`,
    end.exitCode === null ? `It was ended by ${end.signal ?? 'a signal'}.` : `Exit code ${end.exitCode}.`,
    end.leftovers && 'What it had left in the background was ended too.',
  ].filter((note) => typeof note === 'string');
  return {
    text: `${output}${output === '' || output.endsWith('\n') ? '' : '\n'}[${notes.join(' ')}]`,
    status: end.exitCode === 0 ? 'completed' : 'failed',
    // The output is on the card already.
    content: [],
    exitCode: end.exitCode,
  };
}
