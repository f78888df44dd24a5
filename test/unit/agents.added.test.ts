import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createBuiltin } from '../../src/agents/builtin/builtin.ts';
import { groupHasLiving } from '../../src/gateway/process.table.ts';
import { Refusal } from '../../src/gateway/refusal.ts';
import { settingsAgents } from '../../src/gateway/settings.agents.ts';
import { loadSettings } from '../../src/gateway/settings.ts';
import { Double } from '../support/acp-double.ts';
import { temporaryDirectory } from '../support/gateway-server.ts';
import { type Local, localGateway } from '../support/local-gateway.ts';

const program = resolve(import.meta.dirname, '../support/acp-double.program.ts');
const hand = '{\n  "stallAfterMs": 30000,\n  "agents": [\n    { "id": "mine",  "command": ["a"] }\n  ]\n}\n';

let directory: string;
let file: string;
let double: Double;
let local: Local;
let hiddenValues: string[];
beforeEach(async () => {
  directory = temporaryDirectory();
  file = join(directory, 'settings.json');
  double = new Double();
  hiddenValues = [];
  local = await start();
});
afterEach(async () => {
  await local.close();
  double.remove();
});

function start(): Promise<Local> {
  const { added } = loadSettings({ dataDir: directory, env: {} });
  const hide = (...values: readonly string[]) => hiddenValues.push(...values);
  const agents = settingsAgents({ file, added, acp: { openMs: 5000 }, hide });
  return localGateway({ connectors: [createBuiltin()], agents });
}
const body = (more: object = {}) => ({
  name: 'My Agent!',
  command: [process.execPath, program],
  env: { ACP_DOUBLE: '{}', ACP_DOUBLE_HOME: double.home, MY_KEY: 'verysecret' },
  ...more,
});
const settings = () => JSON.parse(readFileSync(file, 'utf8'));
const refused = (call: Promise<unknown>) =>
  call.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(Refusal);
      return error as Refusal;
    },
  );

describe('an agent that is added while the gateway runs', () => {
  it('was started and talked to first, is in the list at once, and can be used', async () => {
    let told = 0;
    local.gateway.watchAgents(() => {
      told += 1;
    });
    const line = await local.gateway.addAgent(body());
    expect(line).toMatchObject({ id: 'my-agent', name: 'My Agent!', available: true, added: true });
    expect(told).toBe(1);
    const pids = double.noted('start').map(({ pid }) => pid);
    expect(pids).toHaveLength(1);
    await expect.poll(() => pids.filter(groupHasLiving)).toEqual([]);
    const listed = await local.gateway.agents();
    expect(listed.map(({ id }) => id)).toEqual(['builtin', 'my-agent']);
    expect(JSON.stringify(listed)).not.toContain('verysecret');
    expect(hiddenValues).toContain('verysecret');
    const { id } = await local.gateway.create({ agent: 'my-agent' });
    await local.gateway.send(id, {
      id: 'm1',
      content: [{ type: 'text', text: 'script: [{"text":"here"}]' }],
    });
    const followed = await local.follow(id);
    await followed.until((fact) => fact.type === 'turn.ended');
    expect((await local.gateway.snapshot(id)).turns[0]).toMatchObject({ outcome: 'finalized' });
  });

  it('is there after a restart, with what a person wrote beside it as it was', async () => {
    writeFileSync(file, hand);
    chmodSync(file, 0o640);
    await local.gateway.addAgent(body());
    expect(settings().agents[1]).toEqual({ id: 'my-agent', ...body(), added: true });
    expect(readFileSync(file, 'utf8')).toContain('{ "id": "mine",  "command": ["a"] },\n');
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory).filter((name) => name.includes('.part'))).toEqual([]);
    const { agents, added } = loadSettings({ dataDir: directory, env: {} });
    expect([agents.map(({ id }) => id), added]).toEqual([['mine', 'my-agent'], ['my-agent']]);
    await local.close();
    local = await start();
    await expect(local.gateway.removeAgent('my-agent')).rejects.toMatchObject({ code: 'agent.unknown' });
  });

  it('is kept in a new file for its owner alone, and through a link', async () => {
    await local.gateway.addAgent(body());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await local.gateway.removeAgent('my-agent');
    const real = join(directory, 'real.json');
    writeFileSync(real, '{}', { mode: 0o600 });
    const linked = join(directory, 'linked.json');
    symlinkSync(real, linked);
    const store = settingsAgents({ file: linked, added: [], acp: {}, hide: () => {} });
    await store.save({ id: 'x', name: 'X', command: ['x'] });
    expect(JSON.parse(readFileSync(real, 'utf8')).agents).toHaveLength(1);
  });

  it('gets an id that nobody has, and none of those that a start may give', async () => {
    const names = ['My agent', 'my agent', 'Builtin', '你好'];
    const ids = [];
    for (const name of names) ids.push((await local.gateway.addAgent(body({ name }))).id);
    expect(ids).toEqual(['my-agent', 'my-agent-2', 'builtin-2', 'agent']);
  });

  const broken: readonly [string, object, string, RegExp][] = [
    [
      'is not there',
      { command: ['no-such-agent-anywhere'] },
      'agent.not_installed',
      /no program no-such-agent/,
    ],
    ['ends at once', { command: [process.execPath, '-e', 'process.exit(3)'] }, 'agent.exited', /exit code 3/],
    [
      'speaks something else',
      { command: [process.execPath, '-e', 'console.log("hello")'] },
      'agent.exited',
      /./,
    ],
  ];
  it.each(broken)('is not kept when its program %s; it is said why', async (_what, more, code, words) => {
    writeFileSync(file, hand);
    const error = await refused(local.gateway.addAgent(body(more)));
    expect([error.status, error.code]).toEqual([422, code]);
    expect(error.message).toMatch(words);
    expect(error.message).not.toContain('verysecret');
    expect(readFileSync(file, 'utf8')).toBe(hand);
    expect((await local.gateway.agents()).map(({ id }) => id)).toEqual(['builtin']);
  });

  it('is not kept when the settings are broken by now; they stay as they are', async () => {
    writeFileSync(file, '{ "agents": [,] }');
    const error = await refused(local.gateway.addAgent(body()));
    expect([error.status, error.code]).toEqual([409, 'settings.invalid']);
    expect(error.message).toContain(file);
    expect(readFileSync(file, 'utf8')).toBe('{ "agents": [,] }');
  });

  it.skipIf(process.getuid?.() === 0)('is not kept when the settings cannot be written', async () => {
    chmodSync(directory, 0o500);
    onTestFinished(() => chmodSync(directory, 0o700));
    expect(await refused(local.gateway.addAgent(body()))).toMatchObject({ code: 'settings.unwritable' });
    expect(existsSync(file)).toBe(false);
  });

  it('is removed with nothing else, but not while a session of it runs, and not another one', async () => {
    writeFileSync(file, hand);
    await local.gateway.addAgent(body());
    const { id } = await local.gateway.create({ agent: 'my-agent' });
    const followed = await local.follow(id);
    await local.gateway.send(id, {
      id: 'm1',
      content: [{ type: 'text', text: 'script: [{"text":"a"},{"hang":true}]' }],
    });
    await followed.until((fact) => fact.type === 'text.added');
    const busy = await refused(local.gateway.removeAgent('my-agent'));
    expect([busy.status, busy.code, busy.extra.sessions]).toEqual([409, 'agent.busy', [id]]);
    await local.gateway.stop(id, { message: 'm1' });
    await followed.until((fact) => fact.type === 'turn.ended');
    await local.gateway.removeAgent('my-agent');
    expect(readFileSync(file, 'utf8')).toBe(hand);
    expect((await local.gateway.agents()).map(({ id }) => id)).toEqual(['builtin']);
    // Its program waited for a message, and its conversation can be read.
    const pids = double.noted('start').map(({ pid }) => pid);
    await expect.poll(() => pids.filter(groupHasLiving)).toEqual([]);
    expect((await local.gateway.snapshot(id)).turns).toHaveLength(1);
    expect(await refused(local.gateway.removeAgent('builtin'))).toMatchObject({
      status: 409,
      code: 'agent.not_added',
    });
    expect(await refused(local.gateway.removeAgent('my-agent'))).toMatchObject({ status: 404 });
  });

  it('cannot be added where no settings are kept', async () => {
    const fixed = await localGateway();
    onTestFinished(() => fixed.close());
    expect(await refused(fixed.gateway.addAgent(body()))).toMatchObject({
      status: 409,
      code: 'agents.fixed',
    });
  });
});
