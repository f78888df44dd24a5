// Starts programs: quiet ones whose output matters only when they fail, and the one that the user asked for.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A failure that is told to the user in its own words, without a stack. */
export class SetupError extends Error {}

/**
 * Runs one step of the set-up, with one line of progress on stderr, and rejects with an excerpt of what the program said.
 * @param {string} title
 * @param {readonly string[]} command program and arguments
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, shell?: boolean }} options
 * @returns {Promise<void>}
 */
export function step(title, command, options) {
  const began = performance.now();
  process.stderr.write(`sluice: ${title} ...`);
  return new Promise((done, fail) => {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      process.stderr.write(' failed\n');
      fail(new SetupError(error.message));
    });
    child.on('close', (code, signal) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      process.stderr.write(code === 0 ? ` done in ${seconds} s\n` : ' failed\n');
      if (code === 0) return done();
      fail(new SetupError(`${excerpt(output)}\n(${program} ended with ${signal ?? code})`));
    });
  });
}

/**
 * Runs the programs that the user asked for in the foreground and resolves when all have ended, to the first one's
 * exit code (128 and more: a signal). When one ends the others are ended. This process outlives them, whatever signal it gets.
 *
 * In a terminal Ctrl-C reaches the whole group, so it is not passed on a second time; elsewhere it may have been sent
 * to this process alone (by npm or a service manager), so it is. npm repeats a signal that its group got: repeats
 * within a second are one.
 * @param {readonly { command: readonly string[], cwd: string, env?: NodeJS.ProcessEnv }[]} programs
 * @returns {Promise<number>}
 */
export async function foreground(...programs) {
  const children = programs.map(({ command: [program = '', ...args], cwd, env }) =>
    spawn(program, args, { cwd, env: env ?? process.env, stdio: 'inherit' }),
  );
  let passedAt = -Infinity;
  const pass = (/** @type {NodeJS.Signals} */ signal) => {
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    if (performance.now() - passedAt < 1000) return;
    passedAt = performance.now();
    for (const child of children) child.kill(signal);
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, pass);
  // A signal to npm alone ends the shell that it started this with, and would leave the programs running unseen.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent || process.env.npm_lifecycle_event === undefined) return;
    clearInterval(watch);
    pass('SIGTERM');
  }, 250);
  const ends = children.map(
    (child) =>
      /** @type {Promise<number>} */ (
        new Promise((done) => {
          child.on('error', (error) => {
            process.stderr.write(`sluice: ${error.message}\n`);
            done(127);
          });
          child.on('exit', (code, signal) => done(code ?? 128 + signalNumber(signal)));
        })
      ),
  );
  const first = await Promise.race(ends);
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  await Promise.all(ends);
  clearInterval(watch);
  for (const signal of signals) process.off(signal, pass);
  return first;
}

/** @param {NodeJS.Signals | null} signal */
function signalNumber(signal) {
  return signal === null ? 0 : (constants.signals[signal] ?? 0);
}

/** @param {string} output */
function excerpt(output) {
  const lines = output.trim().split('\n');
  return (lines.length <= 24 ? lines : [...lines.slice(0, 14), '...', ...lines.slice(-8)]).join('\n');
}
