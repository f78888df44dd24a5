import { spawn } from 'node:child_process';
import packageJson from '../../package.json' with { type: 'json' };
import { help, parseCommand, type StartFlags } from './cli.ts';
import { DataInUse, DataUnusable, defaultDataDirectory, openData } from './data.ts';
import type { Started } from './start.ts';

/** The program: one line with the address on stdout, everything else on stderr or in the log. */
const oldestNode = 24;
const exitWrongUse = 2;
/** npm and a terminal may both pass one Ctrl-C on. */
const sameSignalMs = 500;

function fail(message: string, code: number): void {
  process.stderr.write(`sluice: ${message}\n`);
  process.exitCode = code;
}

async function main(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < oldestNode) {
    return fail(
      `Node ${oldestNode} or later is needed, and this is ${process.version}. Use npm start, which finds it.`,
      1,
    );
  }
  const command = parseCommand(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
  switch (command.kind) {
    case 'wrong':
      return fail(command.message, exitWrongUse);
    case 'help':
      process.stdout.write(help);
      return;
    case 'version':
      process.stdout.write(`${packageJson.version}\n`);
      return;
    case 'start':
      return run(command.start);
  }
}

async function run(flags: StartFlags): Promise<void> {
  // Experimental features of Node and the like: for the log, not for the terminal.
  process.removeAllListeners('warning');
  // Before anything heavy is loaded: a second start is refused at once.
  let data: ReturnType<typeof openData>;
  try {
    data = openData(flags.data ?? defaultDataDirectory());
  } catch (error) {
    if (error instanceof DataInUse || error instanceof DataUnusable) return fail(error.message, 1);
    throw error;
  }
  const { start, StartError } = await import('./start.ts');
  let started: Started;
  try {
    started = await start(flags, data, packageJson.version);
  } catch (error) {
    data.release();
    if (!(error instanceof StartError)) throw error;
    fail(error.message, 1);
    // What was opened before it failed must not keep the process.
    return process.exit();
  }
  endWith(started);
  for (const warning of started.warnings) process.stderr.write(`Warning: ${warning}\n`);
  process.stdout.write(`Sluice is running at ${started.openUrl}\n`);
  if (flags.open) openPage(started);
}

function endWith(started: Started): void {
  let firstAt: number | undefined;
  const end = () => {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt > sameSignalMs) process.exit(130);
      return;
    }
    firstAt = performance.now();
    started.close().then(
      (inTime) => process.exit(inTime ? 0 : 1),
      (error: unknown) => {
        started.fatal(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', end);
  process.on('warning', (warning) => started.warn('a warning of Node', warning));
  process.on('uncaughtException', (error) => {
    started.fatal(error);
    process.stderr.write(`sluice: ended by an error: ${error.message}. The log has more.\n`);
    process.exit(1);
  });
}

function openPage(started: Started): void {
  const [program = '', ...args] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '']
        : ['xdg-open'];
  const child = spawn(program, [...args, started.openUrl], { detached: true, stdio: 'ignore' });
  child.on('error', (error) => started.warn('the browser could not be opened', error));
  child.unref();
}

await main();
