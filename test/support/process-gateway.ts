import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createParser } from 'eventsource-parser';
import type { Fact } from '../../src/wire/facts.ts';

/** What a gateway with a probe is asked. */
export interface Question {
  /** Collect garbage before the memory is measured. */
  readonly collect?: boolean;
  /** Moves its wall clock by so many milliseconds. */
  readonly shiftMs?: number;
}

export interface Probe {
  readonly heapBytes: number;
  /** What keeps its event loop alive, as Node names it: sockets, timers, requests. */
  readonly resources: readonly string[];
  /** Its wall clock, milliseconds since 1970. */
  readonly now: number;
}

export interface ProcessOptions {
  /** Load the probe, so that `probe` can ask it. */
  readonly probe?: boolean;
}

/** A gateway of its own process, over its own data: what a user has after `npm start`. */
export class GatewayProcess {
  readonly data: string;
  readonly root: string;
  readonly #flags: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  /** With the token, as printed. */
  openUrl = '';
  #port = '0';

  constructor(
    flags: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    options: ProcessOptions = {},
  ) {
    const home = mkdtempSync(join(tmpdir(), 'sluice-'));
    this.data = join(home, 'data');
    this.root = mkdtempSync(join(home, 'root-'));
    this.#flags = flags;
    this.#env = env;
    this.#options = options;
  }

  get url(): string {
    return new URL(this.openUrl).origin;
  }

  get token(): string {
    return new URL(this.openUrl).searchParams.get('token') ?? '';
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves with the printed line. A second start keeps the port, so that open pages find it again. */
  async start(): Promise<string> {
    const { probe = false } = this.#options;
    const before = probe ? ['--import', './test/support/probe.program.ts'] : [];
    const args = [
      ...before,
      'src/gateway/main.ts',
      '--port',
      this.#port,
      '--data',
      this.data,
      '--root',
      this.root,
    ];
    const child = spawn(process.execPath, [...args, ...this.#flags], {
      cwd: resolve(import.meta.dirname, '../..'),
      stdio: ['ignore', 'pipe', 'pipe', ...(probe ? (['ipc'] as const) : [])],
      env: { ...process.env, ...this.#env },
    });
    this.#child = child;
    const errors: string[] = [];
    child.stderr?.on('data', (chunk) => errors.push(String(chunk)));
    const lines = createInterface({ input: child.stdout as Readable });
    const line = await Promise.race([
      once(lines, 'line').then(([first]) => String(first)),
      once(child, 'exit').then(([code]) =>
        Promise.reject(new Error(`it ended with ${code}: ${errors.join('')}`)),
      ),
    ]);
    this.openUrl = line.replace(/^.* (?=http)/, '');
    this.#port = new URL(this.openUrl).port;
    return line;
  }

  /** Resolves with the exit code, or the signal's name. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? 0;
    const exit = once(child, 'exit');
    child.kill(signal);
    const [code, by] = await exit;
    return code ?? by;
  }

  /** Asks a gateway that was started with a probe. */
  async probe(question: Question = {}): Promise<Probe> {
    const child = this.#child as ChildProcess;
    const answer = once(child, 'message');
    child.send(question);
    const [probe] = await answer;
    return probe as Probe;
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(join(this.data, '..'), { recursive: true, force: true });
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, ...init.headers };
    return fetch(`${this.url}${path}`, { ...init, headers });
  }

  /** The answer's body; an error with the problem document when it was refused. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await this.fetch(path, { method, ...init });
    const text = await response.text();
    if (!response.ok)
      throw Object.assign(new Error(`${response.status} ${text}`), { status: response.status, text });
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** Facts over SSE, as they come, until `signal`. */
  async *events(session: string, after: string | undefined, signal: AbortSignal): AsyncGenerator<Fact> {
    const query = after === undefined ? '' : `?after=${after}`;
    const response = await this.fetch(`/api/sessions/${session}/events${query}`, {
      headers: { accept: 'text/event-stream' },
      signal,
    });
    if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
    const ready: Fact[] = [];
    const parser = createParser({
      onEvent(event) {
        if (event.event === undefined || event.event === 'message')
          ready.push(JSON.parse(event.data) as Fact);
      },
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* ready.splice(0);
    }
  }
}
