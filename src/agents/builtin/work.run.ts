import type { PermissionOption } from '../../wire/content.ts';
import type { Output } from '../agent.ts';
import { AgentError } from '../agent.ts';
import { type Shell, type ShellEnd, startShell } from '../workspace/shell.ts';
import { inline, type Play, type Scene, say } from './play.ts';

/** How much of a command's output is kept (UTF-16). The command goes on unseen. */
const shown = 256 * 1024;

const options: readonly PermissionOption[] = [
  { optionId: 'allow', name: 'Run it', kind: 'allow_once' },
  { optionId: 'always', name: 'Always allow commands in this conversation', kind: 'allow_always' },
  { optionId: 'reject', name: 'Do not run', kind: 'reject_once' },
];

/** Runs what the user typed, after they allowed it. */
export async function* runCommand(scene: Scene, command: string): Play {
  const toolCallId = scene.name('run');
  const [line = ''] = command.split('\n');
  const title = line === command ? command : `${line} …`;
  yield {
    type: 'tool.started',
    toolCallId,
    kind: 'execute',
    title,
    status: 'pending',
    rawInput: { command },
  };
  if (!scene.allowed.has('run')) {
    const option = yield* scene.ask({ toolCallId, title: `Run ${inline(title)} in ${scene.cwd}?`, options });
    if (option === 'always') scene.allowed.add('run');
    if (option !== 'allow' && option !== 'always') {
      yield { type: 'tool.refused', toolCallId, reason: 'You did not allow it.' };
      return yield* say(scene, 'I did not run it.');
    }
  }
  yield { type: 'tool.updated', toolCallId, status: 'in_progress' };
  const shell = yield* started(scene, toolCallId, command);
  let room = shown;
  for await (const text of shell.output) {
    if (room < 0) continue;
    const output =
      text.length <= room ? text : `${text.slice(0, room)}\n[The rest of the output is not shown.]\n`;
    room -= text.length;
    yield { type: 'tool.updated', toolCallId, output };
  }
  const end = await shell.ended;
  const status = end.exitCode === 0 ? 'completed' : 'failed';
  yield { type: 'tool.finished', toolCallId, status, exitCode: end.exitCode };
  yield* say(scene, sentence(end));
}

async function* started(scene: Scene, toolCallId: string, command: string): AsyncGenerator<Output, Shell> {
  try {
    return await startShell(scene, command);
  } catch (error) {
    yield { type: 'tool.finished', toolCallId, status: 'failed' };
    const why = error instanceof Error ? error.message : String(error);
    throw new AgentError('builtin.shell', `The shell did not start in ${scene.cwd}: ${why}`);
  }
}

function sentence({ exitCode, signal, leftovers }: ShellEnd): string {
  const rest = leftovers ? ' What it had left in the background was ended too.' : '';
  if (exitCode === 0) return `Done, exit code 0.${rest}`;
  if (exitCode === null) return `It was ended by ${signal ?? 'a signal'}.${rest}`;
  return `It failed with exit code ${exitCode}.${rest}`;
}
