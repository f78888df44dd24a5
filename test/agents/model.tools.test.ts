import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AgentProcess, OpenOptions, Output } from '../../src/agents/agent.ts';
import type { ModelServer as Server } from '../../src/agents/model/options.ts';
import { isAlive } from '../../src/agents/workspace/groups.ts';
import { answer, calls, type ModelServerOptions, type RecordedRequest } from '../support/model-server.ts';
import { type Bench, bench, ended, request, run, said } from './model.fixture.ts';

interface Workbench extends Bench {
  readonly cwd: string;
  readonly processes: AgentProcess[];
  /** Runs a prompt; each permission is answered with `choose`. */
  readonly work: (text: string, choose?: (asked: Asked) => string) => Promise<Output[]>;
}
type Asked = Extract<Output, { type: 'permission.asked' }>;

/** A session with tools, in a directory that holds `a.txt` ("alpha\nbeta\n"). */
async function workbench(
  script: ModelServerOptions['script'],
  settings: Partial<Server> = {},
  open: Partial<OpenOptions> = {},
): Promise<Workbench> {
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-tools-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, 'a.txt'), 'alpha\nbeta\n');
  const processes: AgentProcess[] = [];
  const made = await bench(
    script,
    { tools: true, ...settings },
    { cwd, onProcess: (process) => processes.push(process), ...open },
  );
  const { session } = made;
  return {
    ...made,
    cwd,
    processes,
    work: (text, choose = () => 'allow') =>
      run(session, text, (output) => {
        if (output.type !== 'permission.asked') return;
        session.answer(output.permission, { outcome: 'selected', optionId: choose(output) });
      }),
  };
}

/** The results of tools in a request, in their order. */
function results(recorded: RecordedRequest | undefined): string[] {
  const messages = recorded?.body?.messages ?? [];
  return messages.flatMap(({ role, content }) => (role === 'tool' ? String(content) : []));
}
const asks = (outputs: readonly Output[]) => outputs.filter((output) => output.type === 'permission.asked');
const finishes = (outputs: readonly Output[]) =>
  outputs.filter((output) => output.type === 'tool.finished' || output.type === 'tool.refused');
const notices = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.type === 'notice' ? output.code : []));

describe('tools that only read', () => {
  test('are free, and what they find reaches the model and the card', async () => {
    const { work, server } = await workbench([
      calls({ name: 'list', input: {} }),
      calls({ name: 'read', input: { path: 'a.txt', line: '2' } }),
      calls({ name: 'search', input: { text: 'ALPHA' } }),
      answer('done'),
    ]);
    const outputs = await work('look around');
    expect(asks(outputs)).toEqual([]);
    expect(results(server.requests[3])).toEqual(['a.txt  11 bytes', 'beta\n', 'a.txt:1: alpha']);
    expect(outputs.filter((output) => output.type === 'tool.updated')).toMatchObject([
      { toolCallId: 'list-1', kind: 'read', title: 'List .', status: 'in_progress' },
      { toolCallId: 'read-2', kind: 'read', title: 'Read a.txt', locations: [{ path: 'a.txt', line: 2 }] },
      { toolCallId: 'search-3', kind: 'search' },
    ]);
    expect(finishes(outputs).map((output) => output.type === 'tool.finished' && output.status)).toEqual([
      'completed',
      'completed',
      'completed',
    ]);
    expect(said(outputs)).toBe('done');
    expect(ended(outputs).stopReason).toBe('end_turn');
    // Three steps of 15 tokens and an answer of 11.
    expect(outputs.findLast((output) => output.type === 'usage')).toMatchObject({
      usage: { inputTokens: 40, outputTokens: 16, totalTokens: 56, contextTokens: 11 },
    });
  });

  test('of one step run side by side, and their results keep their order', async () => {
    const { work, server, cwd } = await workbench([
      calls(
        { id: 'x', name: 'read', input: { path: 'long.txt' } },
        { id: 'y', name: 'list', input: { path: '.' } },
        { id: 'z', name: 'read', input: { path: 'a.txt' } },
      ),
      answer('done'),
    ]);
    writeFileSync(join(cwd, 'long.txt'), 'x'.repeat(900_000));
    const outputs = await work('look');
    const kinds = outputs.flatMap((output) =>
      output.type === 'tool.updated' || output.type === 'tool.finished' ? output.type : [],
    );
    expect(kinds.slice(0, 3)).toEqual(['tool.updated', 'tool.updated', 'tool.updated']);
    expect(results(server.requests[1]).map((text) => text.slice(0, 5))).toEqual(['xxxxx', 'a.txt', 'alpha']);
  });

  test.each([
    ['..', { path: '../a.txt' }],
    ['an absolute path', { path: '/etc/passwd' }],
    ['a link to a file', { path: 'out' }],
    ['a link to a directory', { path: 'dir/passwd' }],
  ])('do not leave the directory through %s', async (_how, input) => {
    const { work, server, cwd } = await workbench([calls({ name: 'read', input }), answer('ok')]);
    symlinkSync('/etc/passwd', join(cwd, 'out'));
    symlinkSync('/etc', join(cwd, 'dir'));
    const outputs = await work('read it');
    expect(finishes(outputs)).toMatchObject([{ type: 'tool.finished', status: 'failed' }]);
    expect(results(server.requests[1])[0]).toMatch(/refused|outside/);
    expect(results(server.requests[1])[0]).not.toContain('root:');
  });

  test('give a long file in pieces that fit, each saying how to go on', async () => {
    const { work, server, cwd } = await workbench([
      calls({ name: 'read', input: { path: 'long.txt' } }),
      answer('ok'),
    ]);
    writeFileSync(join(cwd, 'long.txt'), Array.from({ length: 5000 }, (_, n) => `line ${n + 1}`).join('\n'));
    await work('read it');
    const [text = ''] = results(server.requests[1]);
    expect(text.length).toBeLessThanOrEqual(16_000);
    const last = /\[lines 1 to (\d+) of 5000; go on with line (\d+)\]$/.exec(text);
    expect(text).toContain(`line ${last?.[1]}\n[`);
    expect(Number(last?.[2])).toBe(Number(last?.[1]) + 1);
  });
});

describe('a change of a file', () => {
  const change = calls({ name: 'edit', input: { path: 'a.txt', old_text: 'beta', new_text: '$& gamma' } });

  test('is shown as a diff, asked for, and made', async () => {
    const { work, cwd } = await workbench([change, answer('done')]);
    const outputs = await work('edit it', () => {
      expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('alpha\nbeta\n');
      return 'allow';
    });
    const diff = { type: 'diff', path: 'a.txt', oldText: 'alpha\nbeta\n', newText: 'alpha\n$& gamma\n' };
    const at = outputs.findIndex((output) => output.type === 'permission.asked');
    expect(outputs.slice(0, at)).toContainEqual(expect.objectContaining({ content: [diff] }));
    expect(outputs[at]).toMatchObject({
      toolCallId: 'edit-1',
      options: [{ kind: 'allow_once' }, { kind: 'allow_always' }, { kind: 'reject_once' }],
    });
    expect(finishes(outputs)).toMatchObject([{ status: 'completed', content: [diff] }]);
    expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('alpha\n$& gamma\n');
  });

  test('that is refused is not made, and the model is told', async () => {
    const { work, cwd, server } = await workbench([change, answer('then not')]);
    const outputs = await work('edit it', () => 'reject');
    expect(finishes(outputs)).toMatchObject([{ type: 'tool.refused', toolCallId: 'edit-1' }]);
    expect(results(server.requests[1])[0]).toMatch(/did not allow/);
    expect(said(outputs)).toBe('then not');
    expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('alpha\nbeta\n');
  });

  test('is asked for once when it is always allowed, and commands still ask', async () => {
    const write = (path: string) => ({ id: path, name: 'write', input: { path, text: path } });
    const { work, cwd } = await workbench([
      calls(write('new/one'), write('new/two')),
      calls({ name: 'run', input: { command: 'true' } }),
      answer('done'),
    ]);
    const outputs = await work('write them', ({ title }) =>
      title.startsWith('Write') ? 'always' : 'reject',
    );
    expect(asks(outputs).map((output) => output.type === 'permission.asked' && output.toolCallId)).toEqual([
      'write-1',
      'run-3',
    ]);
    expect(readFileSync(join(cwd, 'new/two'), 'utf8')).toBe('new/two');
  });

  test('of a file that changed while the person decided is not made', async () => {
    const { work, cwd, server } = await workbench([change, answer('ok')]);
    await work('edit it', () => {
      writeFileSync(join(cwd, 'a.txt'), 'mine, with beta');
      return 'allow';
    });
    expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('mine, with beta');
    expect(results(server.requests[1])[0]).toMatch(/changed while/);
  });

  test('does not leave the directory through a link, also one that leads nowhere', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'sluice-outside-'));
    onTestFinished(() => rmSync(outside, { recursive: true }));
    const { work, cwd, server } = await workbench([
      calls(
        { id: '1', name: 'write', input: { path: 'dir/x', text: 'x' } },
        { id: '2', name: 'write', input: { path: 'nowhere', text: 'x' } },
      ),
      answer('ok'),
    ]);
    symlinkSync(outside, join(cwd, 'dir'));
    symlinkSync(join(outside, 'new'), join(cwd, 'nowhere'));
    const outputs = await work('write');
    expect(finishes(outputs)).toMatchObject([{ status: 'failed' }, { status: 'failed' }]);
    expect(results(server.requests[1])).toHaveLength(2);
    expect(() => readFileSync(join(outside, 'new'))).toThrow('ENOENT');
    expect(() => readFileSync(join(outside, 'x'))).toThrow('ENOENT');
  });

  test.each([
    ['is not there', 'delta', /not in a\.txt/],
    ['is there twice', 'a', /times/],
  ])('of a text that %s is refused without asking', async (_how, old_text, message) => {
    const { work, server } = await workbench([
      calls({ name: 'edit', input: { path: 'a.txt', old_text, new_text: 'x' } }),
      answer('ok'),
    ]);
    expect(asks(await work('edit'))).toEqual([]);
    expect(results(server.requests[1])[0]).toMatch(message);
  });
});

describe('a command', () => {
  test('is asked for, its output is live, and its exit code is shown to all', async () => {
    const command = 'echo out; echo err >&2; while [ ! -e go ]; do sleep 0.02; done; echo end; exit 3';
    const { session, server, cwd } = await workbench([
      calls({ name: 'run', input: { command } }),
      answer('done'),
    ]);
    const outputs = await run(session, 'run it', (output) => {
      if (output.type === 'permission.asked')
        session.answer(output.permission, { outcome: 'selected', optionId: 'allow' });
      // Were the output not live, the command would wait for ever.
      if (output.type === 'tool.updated' && output.output?.includes('out'))
        writeFileSync(join(cwd, 'go'), '');
    });
    const live = outputs.flatMap((output) => (output.type === 'tool.updated' ? (output.output ?? '') : ''));
    expect(live.join('')).toMatch(/out[\s\S]*end/);
    expect(finishes(outputs)).toMatchObject([{ status: 'failed', exitCode: 3 }]);
    expect(results(server.requests[1])[0]).toMatch(/out[\s\S]*end\n\[Exit code 3\.\]$/);
  });

  test('I5: a stop ends it with all its processes, before the turn ends', async () => {
    const { session, processes, server } = await workbench([
      calls({ name: 'run', input: { command: 'sleep 100 & echo $!; sleep 100' } }),
      answer('never'),
    ]);
    let child = 0;
    const outputs = await run(session, 'run it', (output) => {
      if (output.type === 'permission.asked')
        session.answer(output.permission, { outcome: 'selected', optionId: 'allow' });
      if (output.type !== 'tool.updated' || !output.output) return;
      child = Number(output.output);
      session.cancel();
    });
    expect(ended(outputs).stopReason).toBe('cancelled');
    expect(processes).toHaveLength(1);
    expect([processes[0]?.pgid as number, child].map(isAlive)).toEqual([false, false]);
    expect(server.requests).toHaveLength(1);
  });

  test('I5: a stop in a permission starts nothing', async () => {
    const { session, processes } = await workbench([calls({ name: 'run', input: { command: 'true' } })]);
    const outputs = await run(session, 'run it', (output) => {
      if (output.type === 'permission.asked') session.answer(output.permission, { outcome: 'cancelled' });
    });
    expect(ended(outputs).stopReason).toBe('cancelled');
    expect(processes).toEqual([]);
  });

  test('is killed at once when nobody reads on', async () => {
    const { session, processes } = await workbench([
      calls({ name: 'run', input: { command: 'trap "" TERM; echo started; sleep 100' } }),
    ]);
    const gone = new AbortController();
    for await (const output of session.prompt(request('run it', gone.signal))) {
      if (output.type === 'permission.asked')
        session.answer(output.permission, { outcome: 'selected', optionId: 'allow' });
      if (output.type === 'tool.updated' && output.output) gone.abort();
    }
    await processes[0]?.ended;
    expect(isAlive(processes[0]?.pgid as number)).toBe(false);
  });

  test('is shown whole before it is allowed', async () => {
    const { work, cwd } = await workbench([
      calls({ name: 'run', input: { command: 'echo a\nrm -rf b' } }),
      answer('ok'),
    ]);
    const [asked] = asks(await work('run it', () => 'reject'));
    expect(asked).toMatchObject({ title: `Run \`echo a ⏎ rm -rf b\` in ${cwd}?` });
  });

  test('that takes too long is ended, and the model is told', async () => {
    const { session, server, clock } = await workbench([
      calls({ name: 'run', input: { command: 'echo started; sleep 100', seconds: 7 } }),
      answer('ok'),
    ]);
    const outputs = await run(session, 'run it', async (output) => {
      if (output.type === 'permission.asked')
        session.answer(output.permission, { outcome: 'selected', optionId: 'allow' });
      if (output.type !== 'tool.updated' || !output.output) return;
      await clock.sleeping(7000);
      clock.advance(7000);
    });
    expect(finishes(outputs)).toMatchObject([{ status: 'failed', exitCode: null }]);
    expect(results(server.requests[1])[0]).toMatch(/^started\n\[It was ended after 7 s/);
  });

  test('with endless output gives the model its beginning and its end', async () => {
    const { work, server } = await workbench([
      calls({ name: 'run', input: { command: 'echo first; seq 1 200000; echo last' } }),
      answer('ok'),
    ]);
    await work('run it');
    const [text = ''] = results(server.requests[1]);
    expect(text.length).toBeLessThan(17_000);
    expect(text).toMatch(/^first\n[\s\S]*characters are left out[\s\S]*last\n\[Exit code 0\.\]$/);
  });
});

describe('a call that cannot be made', () => {
  test.each([
    ['is no JSON', { name: 'read', input: '{"path": "a.t' }, /JSON/],
    ['has the wrong shape', { name: 'read', input: { file: 'a.txt' } }, /path/],
    ['names no tool', { name: 'destroy', input: {} }, /destroy/],
  ])('because it %s goes back to the model as an error', async (_how, call, message) => {
    const { work, server } = await workbench([calls(call), answer('sorry')]);
    const outputs = await work('go');
    expect(finishes(outputs)).toMatchObject([{ type: 'tool.finished', status: 'failed' }]);
    expect(results(server.requests[1])[0]).toMatch(message);
    expect(said(outputs)).toBe('sorry');
    expect(ended(outputs).stopReason).toBe('end_turn');
  });

  test('because the answer was full before it was whole is not made', async () => {
    const { work, server } = await workbench([
      {
        steps: [
          { call: { id: 'c', name: 'write', input: '{"path":"x","text":"' } },
          { finish: 'length' },
          { done: true },
        ],
      },
    ]);
    const outputs = await work('go');
    expect(ended(outputs).stopReason).toBe('max_tokens');
    expect(finishes(outputs)).toMatchObject([{ status: 'failed' }]);
    expect(server.requests).toHaveLength(1);
  });

  test('does not keep the loop going for ever', async () => {
    const { work, server } = await workbench([calls({ name: 'list', input: {} })]);
    const outputs = await work('go');
    expect(server.requests).toHaveLength(50);
    expect(notices(outputs)).toContain('model.max_steps');
    expect(ended(outputs).stopReason).toBe('max_turn_requests');
  });
});

describe('models without tools', () => {
  test.each([
    [400, 'registry/gemma does not support tools'],
    [400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'],
    [500, 'tools param requires --jinja flag'],
    [404, 'No endpoints found that support tool use'],
  ])('whose server answers %i "%s" still talk, and it is said once', async (status, message) => {
    const { work, server } = await workbench((request) =>
      request.body?.tools === undefined ? answer('hello') : { status, body: { error: { message } } },
    );
    const first = await work('hi');
    expect(said(first)).toBe('hello');
    expect(notices(first)).toEqual(['model.no_tools']);
    const second = await work('again');
    expect(said(second)).toBe('hello');
    expect(notices(second)).toEqual([]);
    expect(server.requests.map((request) => request.body?.tools !== undefined)).toEqual([true, false, false]);
  });

  test('because the window is too small are not offered any, and it is said', async () => {
    const { work, server } = await workbench([answer('hello')], { contextWindow: 1500 });
    expect(notices(await work('hi'))).toEqual(['model.no_tools']);
    expect(server.requests[0]?.body?.tools).toBeUndefined();
  });

  test('by the settings get none; by default they get six and are told where they work', async () => {
    const without = await workbench([answer('a')], { tools: false });
    await without.work('hi');
    expect(without.server.requests[0]?.body?.tools).toBeUndefined();
    expect(without.server.requests[0]?.body?.messages).toHaveLength(1);

    const { work, server, cwd } = await workbench([answer('a')], { system: 'Be brief.' });
    await work('hi');
    const tools = server.requests[0]?.body?.tools as { function: { name: string } }[];
    expect(tools.map((tool) => tool.function.name)).toEqual([
      'list',
      'read',
      'search',
      'edit',
      'write',
      'run',
    ]);
    expect(server.requests[0]?.body?.messages[0]).toEqual({
      role: 'system',
      content: expect.stringMatching(new RegExp(`^Be brief\\.[\\s\\S]*${cwd}`)),
    });
  });
});

describe('the use of tools in later requests', () => {
  test('stays in the conversation, and roles keep their order', async () => {
    const { work, server } = await workbench([
      {
        steps: [
          { reasoning: 'hm' },
          { text: 'Let me see.' },
          { call: { id: 'c1', name: 'read', input: { path: 'a.txt' } } },
          { finish: 'tool_calls' },
          { done: true },
        ],
      },
      answer('It says alpha.'),
      answer('Twice.'),
    ]);
    await work('what is there?');
    await work('and now?');
    const [, step, result, ...rest] = (server.requests[2]?.body?.messages ?? []).slice(1);
    expect(step).toMatchObject({
      role: 'assistant',
      content: 'Let me see.',
      tool_calls: [{ id: 'c1', function: { name: 'read', arguments: '{"path":"a.txt"}' } }],
    });
    expect(step).not.toHaveProperty('reasoning_content');
    expect(result).toMatchObject({ role: 'tool', tool_call_id: 'c1', content: 'alpha\nbeta\n' });
    expect(rest).toMatchObject([
      { role: 'assistant', content: 'It says alpha.' },
      { role: 'user', content: 'and now?' },
    ]);
  });

  test('I13: early results are left out when the window is full, and the person sees it', async () => {
    let n = 0;
    const { work, server, cwd } = await workbench(
      () => {
        n += 1;
        return n <= 8 ? calls({ id: `c${n}`, name: 'read', input: { path: `f${n}` } }) : answer('done');
      },
      { contextWindow: 8000, maxOutputTokens: 500 },
    );
    for (let file = 1; file <= 8; file += 1) writeFileSync(join(cwd, `f${file}`), `${file}`.repeat(4500));
    const outputs = await work('read all');
    expect(notices(outputs)).toContain('context.cut');
    const last = results(server.requests.at(-1));
    expect(last).toHaveLength(8);
    expect(last[0]).toMatch(/characters were left out to make room/);
    expect(last[7]).toBe('8'.repeat(4500));
    for (const request of server.requests) {
      const size = JSON.stringify(request.body).length;
      expect(size / 4).toBeLessThan(8000);
    }
  });

  test('a stop in the middle leaves no call without its result', async () => {
    const { session, server, cwd, work } = await workbench([
      calls({ id: 'c1', name: 'read', input: { path: 'a.txt' } }),
      calls({ id: 'c2', name: 'run', input: { command: 'sleep 100' } }),
      answer('on'),
    ]);
    mkdirSync(join(cwd, 'x'));
    await run(session, 'go', (output) => {
      if (output.type === 'permission.asked') session.cancel();
    });
    expect(said(await work('go on'))).toBe('on');
    const messages = server.requests[2]?.body?.messages ?? [];
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'user']);
  });
});
