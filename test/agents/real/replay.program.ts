import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { filled, through } from './clean.ts';
import { type Line, readTranscript, type Wired } from './transcript.ts';

/**
 * `replay FILE SCENARIO DIRECTORY`: an agent program that answers as it was recorded. It waits for what it was told and
 * asked then, in that order, and says what it said then; the n-th process of a scene plays the n-th recorded one. In
 * DIRECTORY it tells the driver how far it is, and learns that a held model may go on.
 */
const [file = '', scenario = '', directory = ''] = process.argv.slice(2);
const lines = readTranscript(file).scenes.find((scene) => scene.scenario === scenario)?.lines ?? [];

function claim(): number {
  for (let p = 0; ; p += 1) {
    try {
      mkdirSync(join(directory, `process-${p}`), { recursive: false });
      return p;
    } catch {
      // Another process has it.
    }
  }
}
const p = claim();

/** Names that were given anew: ids of requests, sessions and terminals, and the directory. */
const renamed = new Map<string, string>();
const ids = new Map<unknown, unknown>();
const arrived: Wired[] = [];
let wake = () => {};
const last = lines.findLastIndex((line) => 'p' in line && line.p === p);
let at = 0;

const send = (message: Wired) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const keyOf = ({ method, id }: Wired) => method ?? `answer to ${id}`;

/** A request that was not made when this was recorded, or not so often. */
function isNew(message: Wired): boolean {
  if (message.id === undefined || message.method === undefined) return false;
  const count = (all: readonly Wired[]) => all.filter(({ method }) => method === message.method).length;
  const expected = lines.slice(at).flatMap((line) => ('to' in line && line.p === p ? line.to : []));
  return count(arrived) > count(expected);
}

createInterface({ input: process.stdin })
  .on('line', (text) => {
    const message = JSON.parse(text) as Wired;
    arrived.push(message);
    if (isNew(message)) {
      arrived.pop();
      send({ id: message.id ?? null, error: { code: -32601, message: `not recorded: ${message.method}` } });
    }
    wake();
  })
  .on('close', () => process.exit(0));

async function expectAs(recorded: Wired): Promise<void> {
  for (;;) {
    const found = arrived.findIndex((one) => keyOf(one) === keyOf(recorded));
    const [message] = found < 0 ? [] : arrived.splice(found, 1);
    if (!message) {
      writeFileSync(join(directory, 'waits'), `process ${p} waits for ${keyOf(recorded)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    if (message.method !== undefined) ids.set(recorded.id, message.id);
    learn(recorded.result, message.result);
    return;
  }
}

/** What the client names in its answers is called so from here on. */
function learn(then: unknown, now: unknown): void {
  if (typeof then === 'string' && typeof now === 'string' && then !== now && then !== '')
    renamed.set(then, now);
  if (typeof then !== 'object' || then === null || typeof now !== 'object' || now === null) return;
  for (const name of ['terminalId'])
    learn((then as Record<string, unknown>)[name], (now as Record<string, unknown>)[name]);
}

function say(recorded: Wired): void {
  const message = through(filled(recorded), (one) => {
    if (typeof one !== 'string') return one;
    const known = renamed.get(one) ?? one;
    return known.replaceAll('{cwd}', process.cwd()).replaceAll(/\{(home|agents)\}/g, '/$1');
  }) as Wired;
  const answers = message.method === undefined;
  send(answers && ids.has(recorded.id) ? { ...message, id: ids.get(recorded.id) as number } : message);
}

async function opened(gate: number): Promise<void> {
  while (!existsSync(join(directory, `open-${gate}`))) await delay(10);
}

async function step(line: Line, before: Line | undefined): Promise<void> {
  if ('mark' in line) {
    if (line.mark === 'open') return opened(line.gate);
    if (!before || !('p' in before) || before.p !== p) return;
    // The gateway reads, joins and writes what was said before.
    if (line.mark === 'seen') await delay(150);
    writeFileSync(join(directory, `${line.mark}-${line.gate}`), '');
    return;
  }
  if (line.p !== p) return;
  if ('to' in line) return expectAs(line.to);
  if ('from' in line) return say(line.from);
  process.exit(line.exit);
}

let before: Line | undefined;
for (; at < lines.length; at += 1) {
  const line = lines[at] as Line;
  // What the driver does after the last word of this process does not concern it.
  if (at > last && 'mark' in line && line.mark === 'open') break;
  await step(line, before);
  if ('p' in line) before = line;
}
