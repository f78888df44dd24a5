import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAlive } from '../../src/agents/workspace/groups.ts';
import { groupHasLiving } from '../../src/gateway/process.table.ts';
import { bench, textOf } from './acp.fixture.ts';

const cancelled = { outcome: { outcome: 'cancelled' } };

describe('what an ACP agent says', () => {
  it('keeps the order of text, thoughts and tools, and a new message of the agent is a part of its own', async () => {
    const { run } = await bench();
    const turn = await run([
      { text: 'a', more: { messageId: '1' } },
      { text: 'b', more: { messageId: '1' } },
      { text: 'c', more: { messageId: '2' } },
      { tool: 't1', title: 'Look', kind: 'read', status: 'completed' },
      { text: 'd', more: { messageId: '2' } },
      { thought: 'e' },
    ]);
    expect(turn.parts.map((p) => [p.type, 'text' in p ? p.text : p.id])).toEqual([
      ['text', 'ab'],
      ['text', 'c'],
      ['tool', 't1'],
      ['text', 'd'],
      ['thought', 'e'],
    ]);
  });

  it('shows kinds, places, diffs, plans and pictures, and leaves out what has no shape', async () => {
    const { run } = await bench();
    const diff = { type: 'diff', path: '/a.txt', newText: 'new' };
    const update = {
      sessionUpdate: 'tool_call',
      toolCallId: 't1',
      title: 'Edit',
      kind: 'edit',
      status: 'completed',
      locations: [{ path: '/a.txt', line: null }, { line: 3 }],
      content: [diff, { type: 'hologram' }],
    };
    const entries = [{ content: 'First', priority: 'high', status: 'completed' }, { nonsense: true }];
    const picture = { type: 'image', data: 'aGk=', mimeType: 'image/png' };
    const turn = await run([
      { update },
      { update: { sessionUpdate: 'plan', entries } },
      { update: { sessionUpdate: 'agent_message_chunk', content: picture } },
      { update: { sessionUpdate: 'from_the_future', anything: 1 } },
    ]);
    expect(turn.parts).toMatchObject([
      { kind: 'edit', locations: [{ path: '/a.txt' }], content: [{ ...diff, oldText: null }] },
      { type: 'plan', entries: [{ content: 'First' }] },
      { title: 'Image', status: 'completed', content: [{ type: 'content', content: picture }] },
    ]);
    expect(turn.outcome).toBe('finalized');
  });

  it('replaces arguments that grow with each delta, in few facts (A13)', async () => {
    const { run, followed } = await bench();
    const whole = 'x'.repeat(20_000);
    const deltas = Array.from({ length: 200 }, (_, i) => ({
      tool: 't1',
      rawInput: { path: '/a', text: whole.slice(0, (i + 1) * 100) },
    }));
    const turn = await run([...deltas, { tool: 't1', status: 'completed' }]);
    expect(turn.parts).toMatchObject([{ rawInput: { path: '/a', text: whole } }]);
    const facts = followed.facts.filter((f) => f.type.startsWith('tool.'));
    expect(facts.length).toBeLessThan(50);
    expect(JSON.stringify(facts).length).toBeLessThan(whole.length * 8);
  });

  it('shows each step of a tool that tells of its progress', async () => {
    const { run, followed } = await bench();
    const step = (text: string) => [{ type: 'content' as const, content: { type: 'text' as const, text } }];
    await run([
      { tool: 't1', content: step('reading') },
      { tool: 't1', content: step('writing') },
      { tool: 't1', content: step('testing') },
      { tool: 't1', status: 'completed' },
    ]);
    expect(followed.facts.filter((f) => f.type === 'tool.updated')).toHaveLength(2);
  });

  it('cuts the empty heading of a thought (A13)', async () => {
    const { run } = await bench();
    const turn = await run([{ thought: '****\nfirst ' }, { thought: '****\nsecond' }]);
    expect(turn.parts).toMatchObject([{ type: 'thought', text: 'first second' }]);
  });

  it('keeps names and descriptions of commands, and drops what weighs (A9)', async () => {
    const { run, local, first } = await bench({ weight: 600_000 });
    await run([{ text: 'hi' }]);
    const changed = await first('session.changed', (fact) => fact.commands !== undefined);
    expect(changed.commands).toEqual([{ name: 'help', description: 'Help', hint: 'topic' }]);
    expect(JSON.stringify(await local.log.read('s', 0)).length).toBeLessThan(10_000);
  });

  it('takes usage after the end for the turn that it is about (A4)', async () => {
    const { run, first, local } = await bench();
    const update = {
      sessionUpdate: 'usage_update',
      used: 1200,
      size: 8000,
      cost: { amount: 0.5, currency: 'USD' },
    };
    const { id } = await run([{ text: 'hi' }, { later: [{ update }] }]);
    const used = { contextTokens: 1200, contextSize: 8000, costUsd: 0.5 };
    expect(await first('usage.updated')).toMatchObject({ turn: id, usage: used });
    expect((await local.gateway.snapshot('s')).usage).toMatchObject(used);
  });

  it('says the exit code of a command beside its status (A12)', async () => {
    const { run } = await bench();
    const rawOutput = { exitCode: 0, output: 'fine' };
    const turn = await run([
      { tool: 't1', title: 'Run' },
      { tool: 't1', status: 'failed', rawOutput },
    ]);
    expect(turn.parts).toMatchObject([{ status: 'failed', exitCode: 0 }]);
  });

  it('an update that cannot be read costs nothing but itself', async () => {
    const { run } = await bench();
    const turn = await run([
      { text: 'a' },
      { update: { sessionUpdate: 'agent_message_chunk' } },
      { update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text' } } },
      { update: { sessionUpdate: 'tool_call' } },
      { text: 'b' },
    ]);
    expect(textOf(turn)).toBe('ab');
    expect(turn.outcome).toBe('finalized');
  });
});

describe('what an ACP agent does unasked', () => {
  it('text after the end is a turn of its own (A7)', async () => {
    const { run, first } = await bench();
    await run([{ text: 'hi' }, { later: [{ text: 'The build is done.' }] }]);
    const wake = await first('turn.started', (fact) => fact.origin === 'agent');
    const said = await first('text.added', (fact) => fact.turn === wake.turn);
    expect(said.text).toBe('The build is done.');
    expect(await first('turn.ended', (fact) => fact.turn === wake.turn)).toMatchObject({
      outcome: 'finalized',
    });
  });

  it('text whose source is a background job waits until the open turn is over (A7)', async () => {
    const { run, first, turn } = await bench();
    const { parts } = await run([
      { text: 'one ' },
      { text: 'The build is done.', more: { _meta: { source: 'background_notification_response' } } },
      { text: 'two' },
    ]);
    expect(parts).toMatchObject([{ type: 'text', text: 'one two' }]);
    const wake = await first('turn.started', (fact) => fact.origin === 'agent');
    await first('turn.ended', (fact) => fact.turn === wake.turn);
    expect(textOf(await turn(wake.turn))).toBe('The build is done.');
  });

  it('a question about a call that was never announced gets its card, and an answer (A6)', async () => {
    const { run, first, local, double, turn } = await bench();
    const done = { sessionUpdate: 'tool_call_update', toolCallId: 'late', status: 'completed' };
    const on = { allow: [{ update: done }] };
    await run([{ text: 'hi' }, { later: [{ permission: 'p', tool: 'late', title: 'Run tests', on }] }]);
    const asked = await first('permission.asked');
    expect(asked.options.map((o) => o.kind)).toEqual([
      'allow_once',
      'allow_always',
      'reject_once',
      'reject_always',
    ]);
    await local.gateway.answer('s', asked.permission, 'allow');
    await first('turn.ended', (fact) => fact.turn === asked.turn);
    const { parts, origin } = await turn(asked.turn);
    expect(origin).toBe('agent');
    expect(parts).toMatchObject([
      { type: 'tool', title: 'Run tests' },
      { type: 'permission', state: 'answered' },
    ]);
    expect(double.noted('answered')).toMatchObject([{ outcome: { outcome: 'selected', optionId: 'allow' } }]);
  });

  it('a question that comes after a stop is shown to nobody, and does not keep the agent busy (A6, I4)', async () => {
    const { send, run, local, first, ended, double } = await bench();
    const id = await send([{ text: 'hi' }, { later: [{ permission: 'p', tool: 'late' }] }, { hang: true }]);
    await first('text.added');
    await local.gateway.stop('s', { turn: id });
    await ended(id);
    await expect.poll(() => double.noted('asking')).toHaveLength(1);
    expect((await run([{ text: 'again' }])).outcome).toBe('finalized');
    await expect.poll(() => double.noted('answered')).toMatchObject([cancelled]);
    expect((await local.gateway.snapshot('s')).permissions).toEqual([]);
  });

  it('requests that are in no specification are answered (A11)', async () => {
    const { run } = await bench();
    const turn = await run([
      { ask: '_qwencode/start_turn' },
      { ask: 'craft/drainMidTurnQueue' },
      { ask: 'made/up' },
    ]);
    expect(textOf(turn)).toBe(
      '{"accepted":false}{"messages":[],"hasQueuedPrompt":false}{"error":-32601,"message":"\\"Method not found\\": made/up","data":{"method":"made/up"}}',
    );
  });
});

describe('guidance for an ACP agent', () => {
  it('reaches the running turn when the agent asks for it, as Qwen Code does (A11)', async () => {
    const { send, local, first, open, ended, turn } = await bench({ name: 'qwen-code' });
    const id = await send([{ text: 'a' }, { gate: { file: 'go' } }, { ask: 'craft/drainMidTurnQueue' }]);
    await first('text.added');
    const content = [{ type: 'text' as const, text: 'be brief' }];
    await local.gateway.send('s', { id: 'g', content, delivery: 'steer' });
    open('go');
    expect(await first('turn.steered')).toMatchObject({ turn: id, message: { id: 'g' } });
    await ended(id);
    expect(textOf(await turn(id))).toBe('a{"messages":["be brief"],"hasQueuedPrompt":false}');
  });

  it('stays at the head of the queue when it never asks', async () => {
    const { send, local, first, open, ended } = await bench();
    const id = await send([{ text: 'a' }, { gate: { file: 'go' } }]);
    await first('text.added');
    const content = [{ type: 'text' as const, text: 'be brief' }];
    await local.gateway.send('s', { id: 'g', content, delivery: 'steer' });
    open('go');
    await ended(id);
    expect(await first('turn.started', (fact) => fact.message?.id === 'g')).toMatchObject({ origin: 'user' });
  });
});

describe('what an ACP agent asks of us', () => {
  it('files are read and written in the session directory alone, also through links', async () => {
    const { run, local } = await bench();
    const outside = join(local.directory, '..', `outside-${process.pid}`);
    mkdirSync(outside, { recursive: true });
    writeFileSync(join(outside, 'secret.txt'), 'secret');
    writeFileSync(join(local.directory, 'in.txt'), '1\n2\n3\n4\n');
    symlinkSync(outside, join(local.directory, 'link'));
    symlinkSync(join(outside, 'new.txt'), join(local.directory, 'dangling'));
    const read = (path: string, more = {}) => ({ ask: 'fs/read_text_file', params: { path, ...more } });
    const write = (path: string) => ({ ask: 'fs/write_text_file', params: { path, content: 'new' } });
    const at = (path: string) => join(local.directory, path);
    const answers = async (step: { ask: string; params: object }) => JSON.parse(textOf(await run([step])));
    expect(await answers(read(at('in.txt'), { line: 2, limit: 2 }))).toEqual({ content: '2\n3' });
    expect(await answers(write(at('deep/er/new.txt')))).toEqual({});
    expect(readFileSync(at('deep/er/new.txt'), 'utf8')).toBe('new');
    for (const path of [join(outside, 'secret.txt'), at('link/secret.txt'), at('../x'), '/etc/passwd']) {
      expect(await answers(read(path))).toMatchObject({ error: -32602 });
    }
    for (const path of [at('link/new.txt'), at('dangling'), join(outside, 'new.txt')]) {
      expect(await answers(write(path))).toMatchObject({ error: -32602 });
    }
    expect(existsSync(join(outside, 'new.txt'))).toBe(false);
    expect(await answers(read(at('none')))).toMatchObject({ error: -32002 });
  });

  it('commands run in the session directory, and what they print is the output of their call', async () => {
    const { run, double, local } = await bench();
    const command = 'printf "one\\n"; pwd; echo two >&2; exit 3';
    const turn = await run([{ terminal: { command: '/bin/sh', args: ['-c', command] }, title: 'Try' }]);
    expect(turn.parts).toMatchObject([
      { title: 'Try', status: 'failed', exitCode: 3, content: [{ type: 'terminal' }] },
    ]);
    const [tool] = turn.parts;
    const lines = tool?.type === 'tool' ? tool.output.trim().split('\n').sort() : [];
    expect(lines).toEqual([local.directory, 'one', 'two'].sort());
    expect(double.noted('terminal')).toMatchObject([{ exit: { exitCode: 3 } }]);
  });

  it('a command given as one line is run by the shell', async () => {
    const { run } = await bench();
    const turn = await run([{ terminal: { command: 'echo a && echo b' } }]);
    expect(turn.parts).toMatchObject([{ status: 'completed', output: 'a\nb\n', exitCode: 0 }]);
  });

  it('questions that a stop overtook are answered, once the stop was told (A5)', async () => {
    const { send, local, first, ended, double } = await bench();
    const id = await send([{ permission: 'p', tool: 't1' }]);
    await first('permission.asked');
    await local.gateway.stop('s', { turn: id });
    expect(await ended(id)).toMatchObject({ outcome: 'cancelled' });
    expect(double.noted('answered')).toMatchObject([cancelled]);
    await expect.poll(() => double.noted('cancel')).toHaveLength(1);
  });

  it('a change is shown before it is allowed, also by agents that only say what they will write', async () => {
    const { send, local, first, ended, turn } = await bench();
    writeFileSync(join(local.directory, 'a.txt'), 'old\n');
    const path = join(local.directory, 'a.txt');
    const args = JSON.stringify({ content: 'new\n', path });
    const text = (words: string) => [
      { type: 'content' as const, content: { type: 'text' as const, text: words } },
    ];
    const id = await send([
      { tool: 't1', title: 'Write', kind: 'edit', content: text(args) },
      {
        permission: 'p',
        tool: 't1',
        content: text('May I write it?'),
        on: { allow: [{ tool: 't1', status: 'completed', content: text('Written.') }] },
      },
    ]);
    const asked = await first('permission.asked');
    const diff = { type: 'diff', path, oldText: 'old\n', newText: 'new\n' };
    expect((await turn(id)).parts[0]).toMatchObject({ content: [diff] });
    await local.gateway.answer('s', asked.permission, 'allow');
    await ended(id);
    expect((await turn(id)).parts[0]).toMatchObject({
      status: 'completed',
      content: [diff, ...text('Written.')],
    });
  });

  it('a call that the user did not allow is shown as refused', async () => {
    const { send, local, first, ended, turn } = await bench();
    const on = { reject: [{ tool: 't1', status: 'failed' }] };
    const id = await send([
      { tool: 't1', title: 'Delete all' },
      { permission: 'p', tool: 't1', on },
    ]);
    const asked = await first('permission.asked');
    await local.gateway.answer('s', asked.permission, 'reject');
    await ended(id);
    expect((await turn(id)).parts[0]).toMatchObject({ status: 'refused' });
  });
});

describe('the program of an ACP agent', () => {
  it('leaves nothing behind when it is gone (A15)', async () => {
    const { run, double, local } = await bench();
    await run([{ leave: true }, { text: 'hi' }]);
    const { pid = 0, mark } = double.noted('start')[0] ?? { mark: '' };
    expect(mark).toMatch(/^[0-9a-f-]{36}$/);
    expect(groupHasLiving(pid)).toBe(true);
    await local.gateway.close();
    await expect.poll(() => groupHasLiving(pid)).toBe(false);
  });

  it('leaves nothing behind when it is killed, also not what has left its group (A15)', async () => {
    const { send, double, first, ended, turn } = await bench();
    const id = await send([{ leave: 'apart' }, { text: 'hi' }, { hang: true }]);
    await first('text.added');
    const { pid = 0 } = double.noted('start')[0] ?? {};
    const { child = 0 } = double.noted('left')[0] as unknown as { child: number };
    expect(isAlive(child)).toBe(true);
    process.kill(-pid, 'SIGKILL');
    await ended(id);
    expect((await turn(id)).error?.code).toBe('agent.exited');
    await expect.poll(() => isAlive(child)).toBe(false);
  });

  it('has its last words in the failure when it dies, without secrets', async () => {
    const { run } = await bench(
      {},
      { env: {} },
      { acp: { environment: { ...process.env, MY_KEY: 'hush-hush-1' } } },
    );
    const turn = await run([{ text: 'a' }, { crash: 'Cannot reach the model with hush-hush-1' }]);
    expect(turn).toMatchObject({ outcome: 'failed', error: { code: 'agent.exited' } });
    expect(turn.error?.message).toContain('ended with exit code 3');
    expect(turn.error?.message).toContain('Cannot reach the model with [redacted]');
  });

  it('does not get what configures the gateway', async () => {
    const { run, double } = await bench(
      {},
      {},
      { acp: { environment: { ...process.env, SLUICE_MODEL_KEY: 'k' } } },
    );
    await run([{ terminal: { command: 'env | grep -c SLUICE_MODEL_KEY' } }]);
    expect(double.noted('terminal')).toMatchObject([{ output: '0\n' }]);
  });
});
