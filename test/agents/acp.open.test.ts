import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAcp, createAcpAgents } from '../../src/agents/acp/acp.ts';
import { Secret } from '../../src/agents/model/secret.ts';
import { connectors } from '../../src/agents/registry.ts';
import { MemoryLog } from '../../src/gateway/log/memory.log.ts';
import { groupHasLiving } from '../../src/gateway/process.table.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { Double, type DoubleOptions } from '../support/acp-double.ts';
import { type Local, localGateway } from '../support/local-gateway.ts';
import { bench, textOf } from './acp.fixture.ts';

describe('an ACP agent that cannot be opened says why, and what to do', () => {
  it('not installed', async () => {
    const agent = {
      id: 'none',
      name: 'None',
      command: ['no-such-agent-anywhere'],
      install: 'npm install -g none',
    };
    const connector = createAcp({ agent });
    expect(await connector.available()).toEqual({
      available: false,
      reason: 'None is not installed (no program no-such-agent-anywhere was found): npm install -g none.',
    });
  });

  it('crashed: how, and its last words without secrets', async () => {
    const { run } = await bench({ start: 'crash' });
    const { outcome, error } = await run([{ text: 'hi' }]);
    expect([outcome, error?.code]).toEqual(['failed', 'agent.exited']);
    expect(error?.message).toContain('ended with exit code 1');
    expect(error?.message).toContain('another version of Node');
    expect(error?.message).toContain('needs Node 99 or later');
    expect(error?.message).not.toContain('verysecret');
  });

  it('silent: within a limit, and nothing of it is left', async () => {
    const { run, double } = await bench({ start: 'silent' }, {}, { acp: { openMs: 1000 } });
    const { error } = await run([{ text: 'hi' }]);
    expect(error).toMatchObject({ code: 'agent.silent', message: expect.stringContaining('within 1 s') });
    const pids = double.noted('start').map(({ pid }) => pid);
    await expect.poll(() => pids.filter(groupHasLiving)).toEqual([]);
  });

  it('of another version of the protocol', async () => {
    const { run } = await bench({ start: 'version' });
    expect((await run([{ text: 'hi' }])).error).toMatchObject({ code: 'agent.protocol' });
  });

  it('wants a login: the instructions of the agent', async () => {
    const { run } = await bench({ start: 'login' }, { login: 'run `double login`' });
    const { error } = await run([{ text: 'hi' }]);
    expect(error?.code).toBe('agent.login_needed');
    expect(error?.message).toContain('run `double login`');
    expect(error?.message).toContain('Log in with a code (Opens a page.)');
  });

  it('uses the login method that is set', async () => {
    const { run, double } = await bench({ start: 'login' }, { auth: 'device' });
    expect((await run([{ text: 'hi' }])).outcome).toBe('finalized');
    expect(double.noted('authenticate')).toMatchObject([{ params: { methodId: 'device' } }]);
  });

  it('a failure leaves the session usable: the next message tries again', async () => {
    const { run, double } = await bench({ start: 'crash' });
    await run([{ text: 'one' }]);
    expect((await run([{ text: 'two' }])).error?.code).toBe('agent.exited');
    expect(double.noted('start')).toEqual([]);
  });
});

it('servers of the Model Context Protocol go along; one that the agent cannot use is named', async () => {
  const mcpServers = [
    { name: 'files', command: ['server', '--stdio'], env: { KEY: new Secret('k') } },
    { name: 'web', url: 'https://example.org/mcp' },
  ];
  const { run, double } = await bench({}, {}, { acp: { mcpServers } });
  const turn = await run([{ text: 'hi' }]);
  const env = [{ name: 'KEY', value: 'k' }];
  expect(double.noted('new')).toMatchObject([
    { mcpServers: [{ name: 'files', command: 'server', args: ['--stdio'], env }] },
  ]);
  expect(turn.parts[0]).toMatchObject({ type: 'notice', text: 'Double cannot use the MCP servers web.' });
});

describe('servers of the Model Context Protocol that are chosen for a session', () => {
  const mcpServers = [
    { name: 'files', command: ['server'], env: { KEY: new Secret('hush-hush-key') } },
    { name: 'notes', command: ['notes', 'hush-hush-argument'], byDefault: false },
    { name: 'web', url: 'https://example.org/hush-hush', headers: { key: new Secret('hush-hush-head') } },
  ];
  const named = (double: Double) =>
    double
      .noted('new')
      .map((noted) => (noted.mcpServers as readonly { readonly name: string }[]).map(({ name }) => name));

  async function withServers(acp = { mcpServers }): Promise<{ local: Local; double: Double }> {
    const double = new Double({}, {}, acp);
    onTestFinished(() => double.remove());
    const local = await localGateway({ connectors: [double.connector] });
    onTestFinished(() => local.close());
    return { local, double };
  }

  async function say(local: Local, session: string): Promise<readonly Fact[]> {
    const followed = await local.follow(session);
    await local.gateway.send(session, { id: 'm', content: [{ type: 'text', text: 'hi' }] });
    await followed.until((fact) => fact.type === 'turn.ended');
    return followed.facts;
  }

  it('go along alone; without a choice those that are given by default', async () => {
    const { local, double } = await withServers();
    await local.gateway.create({ id: 'chosen', agent: 'double', mcpServers: ['notes'] });
    await local.gateway.create({ id: 'none', agent: 'double', mcpServers: [] });
    await local.gateway.create({ id: 'default', agent: 'double' });
    for (const session of ['chosen', 'none', 'default']) await say(local, session);
    expect(named(double)).toEqual([['notes'], [], ['files']]);
  });

  it('are told by name alone: in the list of agents, in the log and in the snapshot', async () => {
    const { local } = await withServers();
    const agents = await local.gateway.agents();
    expect(agents).toMatchObject([
      {
        mcpServers: [
          { name: 'files', byDefault: true },
          { name: 'notes', byDefault: false },
          { name: 'web', byDefault: true },
        ],
      },
    ]);
    const snapshot = await local.gateway.create({ id: 's', agent: 'double', mcpServers: ['notes', 'notes'] });
    expect(snapshot.mcpServers).toEqual(['notes']);
    const facts = await say(local, 's');
    expect(JSON.stringify([agents, snapshot, facts])).not.toContain('hush-hush');
  });

  it('are refused when the settings have none of that name, and the known ones are said', async () => {
    const { local } = await withServers();
    const made = local.gateway.create({ id: 's', agent: 'double', mcpServers: ['files', 'nets'] });
    await expect(made).rejects.toMatchObject({
      status: 400,
      code: 'mcp.unknown',
      message: 'Double cannot be given the MCP servers nets. Known: files, notes, web.',
    });
    expect(await local.log.head('s')).toBeUndefined();
  });

  it('that the settings have lost since are named in a notice, and the session goes on', async () => {
    const { local } = await withServers();
    await local.gateway.create({ id: 's', agent: 'double', mcpServers: ['files', 'notes'] });
    const later = new Double({}, {}, { mcpServers: mcpServers.slice(0, 1) });
    onTestFinished(() => later.remove());
    const after = await localGateway({ log: local.log, connectors: [later.connector] });
    const facts = await say(after, 's');
    expect(named(later)).toEqual([['files']]);
    expect(facts.filter((fact) => fact.type === 'notice.added')).toMatchObject([
      { text: 'The settings have no MCP servers notes any more: the session goes on without.' },
    ]);
    expect(facts.at(-1)).toMatchObject({ type: 'turn.ended', outcome: 'finalized' });
  });
});

it('files are offered to an agent, unless it is known to open them itself', async () => {
  for (const ownFiles of [false, true]) {
    const { run, double } = await bench({}, { ownFiles });
    await run([{ text: 'hi' }]);
    const [{ params } = { params: undefined }] = double.noted('initialize');
    const fs = { readTextFile: true, writeTextFile: true };
    expect(params).toMatchObject({ clientCapabilities: { terminal: true } });
    if (ownFiles) expect(params).not.toMatchObject({ clientCapabilities: { fs } });
    else expect(params).toMatchObject({ clientCapabilities: { fs } });
  }
});

describe('modes and models of an ACP agent', () => {
  it('are offered, and what the session asks for is set', async () => {
    const { local, first, run, double } = await bench();
    await run([{ text: 'hi' }]);
    const offered = await first('session.changed', (fact) => fact.modes !== undefined);
    expect(offered).toMatchObject({
      mode: 'ask',
      model: 'small',
      models: [{ id: 'small' }, { id: 'large', name: 'Large' }],
    });
    await local.gateway.change('s', { mode: 'auto', model: 'large' });
    expect(double.noted('set_mode')).toMatchObject([{ params: { modeId: 'auto' } }]);
    expect(double.noted('set_config_option')).toMatchObject([
      { params: { configId: 'model', value: 'large' } },
    ]);
    expect(await local.gateway.snapshot('s')).toMatchObject({ mode: 'auto', model: 'large' });
  });

  it('that were chosen before the agent is up are set when it is', async () => {
    const { local, run, double } = await bench();
    await local.gateway.change('s', { mode: 'auto', model: 'large' });
    await run([{ text: 'hi' }]);
    expect(double.noted('set_mode')).toMatchObject([{ params: { modeId: 'auto' } }]);
    expect(await local.gateway.snapshot('s')).toMatchObject({ mode: 'auto', model: 'large' });
  });

  it('a mode that the agent moves to by itself is shown', async () => {
    const { local, run } = await bench();
    await run([{ update: { sessionUpdate: 'current_mode_update', currentModeId: 'auto' } }]);
    expect((await local.gateway.snapshot('s')).mode).toBe('auto');
  });
});

describe('a conversation with an ACP agent, after a restart of the gateway', () => {
  async function restarted(options: DoubleOptions): Promise<{ double: Double; text: string; local: Local }> {
    const log = new MemoryLog();
    log.close = async () => {};
    const double = new Double(options);
    onTestFinished(() => double.remove());
    const both = { connectors: [double.connector], log, roots: [double.home] };
    const before = await localGateway(both);
    await before.gateway.create({ id: 's', agent: 'double' });
    const seen = await before.follow('s');
    await before.gateway.send('s', { id: 'm1', content: [{ type: 'text', text: 'My name is Ada.' }] });
    await seen.until((f) => f.type === 'turn.ended');
    await before.close();
    const local = await localGateway(both);
    onTestFinished(() => local.close());
    const followed = await local.follow('s');
    const { turn } = await local.gateway.send('s', {
      id: 'm2',
      content: [{ type: 'text', text: 'Who am I?' }],
    });
    await followed.until((f) => f.type === 'turn.ended' && f.turn === turn);
    const { turns } = await local.gateway.snapshot('s');
    expect(turns).toHaveLength(2);
    expect(turns.map((one) => one.outcome)).toEqual(['finalized', 'finalized']);
    return { double, local, text: turns[1] ? textOf(turns[1]) : '' };
  }

  it('goes on where the agent can resume it', async () => {
    const { double, text } = await restarted({ continues: 'resume' });
    expect(double.noted('resume')).toHaveLength(1);
    expect(text).toBe('Who am I?');
  });

  it('goes on where the agent can load it, and what that replays makes no row (A8)', async () => {
    const { double, local, text } = await restarted({ continues: 'load' });
    expect(double.noted('load')).toHaveLength(1);
    expect(text).toBe('Who am I?');
    const { turns } = await local.gateway.snapshot('s');
    expect(JSON.stringify(turns)).not.toMatch(/hidden|Ghost/);
  });

  it('is told to an agent that can do neither, and the user is told so (A14)', async () => {
    const { double, local, text } = await restarted({});
    expect(text).toContain('User: My name is Ada.');
    expect(text).toContain('Assistant: My name is Ada.');
    expect(text).toMatch(/Who am I\?$/);
    const { turns } = await local.gateway.snapshot('s');
    expect(turns[1]?.parts[0]).toMatchObject({ type: 'notice', code: 'agent.context_given' });
    expect(double.noted('new')).toHaveLength(2);
  });

  it('begins anew where the agent has lost it, with the earlier turns', async () => {
    const { run, local, double } = await bench({ continues: 'load' });
    await run('My name is Ada.');
    const [{ sessionId } = { sessionId: '' }] = double.noted('new');
    await run([{ die: true }, { hang: true }]);
    writeFileSync(join(double.home, `${sessionId}.json`), 'lost');
    const turn = await run('Who am I?');
    expect(turn.parts[0]).toMatchObject({
      type: 'notice',
      text: expect.stringContaining('could not continue'),
    });
    expect(textOf(turn)).toContain('User: My name is Ada.');
    expect((await local.gateway.snapshot('s')).state).toBe('finalized');
  });
});

describe('the list of agents', () => {
  it('has those that are known by name; a setting of the same id replaces one, and others are added', () => {
    const ids = (agents: { id: string; command: string[] }[]) =>
      createAcpAgents(agents, []).map(({ id }) => id);
    const known = ['qwen', 'kimi', 'opencode', 'gemini', 'claude', 'codex', 'goose'];
    expect(ids([])).toEqual(known);
    expect(ids([{ id: 'mine', command: ['x'] }])).toEqual(['mine', ...known]);
    expect(ids([{ id: 'kimi', command: ['x'] }]).sort()).toEqual([...known].sort());
  });

  it('a model server whose id is the name of an agent keeps it', () => {
    const server = { id: 'qwen', baseUrl: 'http://127.0.0.1:1/v1' };
    const qwen = connectors({ servers: [server], agents: [] }).filter(({ id }) => id === 'qwen');
    expect(qwen.map(({ description }) => description)).toEqual([expect.stringContaining('127.0.0.1')]);
  });

  it('finds a program that is installed beside the gateway', async () => {
    const biome = createAcp({ agent: { id: 'x', command: ['biome'] }, environment: { PATH: '/nowhere' } });
    expect(await biome.available()).toEqual({ available: true });
  });
});
