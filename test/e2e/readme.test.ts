import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fact } from '../../src/wire/facts.ts';
import type { SendAnswer } from '../../src/wire/requests.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { GatewayProcess } from '../support/process-gateway.ts';

const run = promisify(execFile);
const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8');
const block = /<!-- a test runs the commands below.*?```sh\n(.*?)```/s.exec(readme)?.[1] ?? '';
const commands = block.split(/\n(?=# )/).map((part) => part.trim());

let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = new GatewayProcess();
  await gateway.start();
});
afterAll(() => gateway.remove());

/** Runs one command of the README as it stands there. */
async function sh(command: string | undefined, cursor = ''): Promise<string> {
  const env = { ...process.env, SLUICE: gateway.url, TOKEN: gateway.token, CURSOR: cursor };
  return run('/bin/sh', ['-c', String(command)], { env }).then(
    ({ stdout }) => stdout,
    // 28: the time that the command gives itself to follow a stream is over.
    (error: { code?: number; stdout?: string; stderr?: string }) =>
      error.code === 28 ? String(error.stdout) : expect.fail(String(error.stderr)),
  );
}

function events(stream: string): { id: string; fact: Fact }[] {
  return [...stream.matchAll(/^id: ?(.+)\ndata: ?(.+)$/gm)].map(([, id, data]) => ({
    id: String(id),
    fact: JSON.parse(String(data)) as Fact,
  }));
}

describe('the curl commands of the README', () => {
  it('create a session, send, follow, stop, go on after a cursor and read the result', async () => {
    expect(commands).toHaveLength(6);
    const created = JSON.parse(await sh(commands[0])) as SessionSnapshot;
    expect(created).toMatchObject({ id: 'first', state: 'idle' });
    const sent = JSON.parse(await sh(commands[1])) as SendAnswer;
    expect(sent.outcome).toBe('started');
    // Sent once more, it is the same message (I9).
    expect(JSON.parse(await sh(commands[1]))).toEqual(sent);
    const seen = events(await sh(commands[2]));
    expect(seen.map(({ fact }) => fact.type)).toContain('text.added');
    const stopped = JSON.parse(await sh(commands[3])) as { state: string };
    expect(stopped.state).toBe('cancelling');
    const last = seen.at(-1);
    const rest = events(await sh(commands[4], last?.id));
    expect(rest.map(({ fact }) => fact.seq)).toEqual(rest.map((_, i) => (last?.fact.seq ?? 0) + i + 1));
    expect(rest.map(({ fact }) => fact.type)).toContain('turn.ended');
    const result = JSON.parse(await sh(commands[5])) as SessionSnapshot;
    expect(result).toMatchObject({ state: 'cancelled', turns: [{ outcome: 'cancelled' }] });
  });
});
