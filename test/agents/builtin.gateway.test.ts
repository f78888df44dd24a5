import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createBuiltin } from '../../src/agents/builtin/builtin.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { SqliteLog } from '../../src/gateway/log/sqlite.log.ts';
import { script } from './builtin.kit.ts';

async function open(directory: string): Promise<Gateway> {
  const gateway = await createGateway({
    log: new SqliteLog(join(directory, 'log.db')),
    connectors: [createBuiltin()],
    roots: [directory],
    stateRoot: join(directory, '.state'),
  });
  onTestFinished(() => gateway.close());
  return gateway;
}

async function saying(gateway: Gateway): Promise<string> {
  const { turns } = await gateway.snapshot('s');
  return turns.flatMap((turn) => turn.parts.map((part) => (part.type === 'text' ? part.text : ''))).join('');
}

it('I7: work that survives is joined again by the next gateway over the same log, with nothing lost or doubled', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-builtin-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const before = await open(directory);
  await before.create({ id: 's', agent: 'builtin' });
  const steps = [
    { tokens: { count: 20 } },
    { gate: { file: 'go' } },
    { text: ' | ' },
    { tokens: { count: 20, prefix: 'b' } },
  ];
  await before.send('s', { id: 'm1', content: [{ type: 'text', text: script({ survive: steps }) }] });
  await expect.poll(() => saying(before), { timeout: 10_000 }).toMatch(/t19$/);
  await before.close();

  const after = await open(directory);
  await writeFile(join(directory, 'go'), '');
  const state = async () => (await after.snapshot('s')).state;
  await expect.poll(state, { timeout: 10_000 }).toBe('finalized');
  const tokens = (prefix: string) => Array.from({ length: 20 }, (_, n) => `${prefix}${n}`).join(' ');
  expect(await saying(after)).toBe(`${tokens('t')} | ${tokens('b')}`);
  expect((await after.snapshot('s')).turns).toHaveLength(1);
});
