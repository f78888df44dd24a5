import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import * as acp from '@agentclientprotocol/sdk';
import type { DoubleOptions, DoubleStep } from './acp-double.ts';

/**
 * An agent program that speaks the Agent Client Protocol and plays what it is told: a message `script: [steps]` (see
 * `DoubleStep`) is played, any other is repeated. It writes down what it is asked in `journal.jsonl` of its home, and
 * keeps its sessions there.
 */
const home = process.env.ACP_DOUBLE_HOME ?? process.cwd();
const options = JSON.parse(process.env.ACP_DOUBLE ?? '{}') as DoubleOptions;
mkdirSync(home, { recursive: true });

function note(what: string, more: object = {}): void {
  appendFileSync(join(home, 'journal.jsonl'), `${JSON.stringify({ what, pid: process.pid, ...more })}\n`);
}

interface Session {
  readonly cwd: string;
  readonly said: { readonly role: 'user' | 'agent'; readonly text: string }[];
  mode: string;
  stop: AbortController | undefined;
  stubborn: boolean;
}
const sessions = new Map<string, Session>();

const modes = {
  currentModeId: 'ask',
  availableModes: [
    { id: 'ask', name: 'Ask' },
    { id: 'auto', name: 'Auto', description: 'Asks for nothing' },
  ],
};
let configOptions: acp.SessionConfigOption[] = [
  {
    type: 'select' as const,
    id: 'model',
    name: 'Model',
    category: 'model',
    currentValue: 'small',
    options: [
      { value: 'small', name: 'Small' },
      { value: 'large', name: 'Large' },
    ],
  },
  ...(options.settings ?? []),
];

function open(cwd: string): Session {
  return { cwd, said: [], mode: 'ask', stop: undefined, stubborn: false };
}

const fileOf = (id: string) => join(home, `${id}.json`);
function keep(id: string, { cwd, said }: Session): void {
  writeFileSync(fileOf(id), JSON.stringify({ cwd, said }));
}
function find(id: string): Session {
  if (!existsSync(fileOf(id))) throw acp.RequestError.resourceNotFound(id);
  const session = { ...open(''), ...(JSON.parse(readFileSync(fileOf(id), 'utf8')) as Partial<Session>) };
  sessions.set(id, session);
  return session;
}

/** Steps of one prompt, or of what comes after it. */
class Play {
  readonly #client: acp.AgentContext;
  readonly #id: string;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  #said = '';

  constructor(client: acp.AgentContext, id: string, session: Session, signal: AbortSignal) {
    this.#client = client;
    this.#id = id;
    this.#session = session;
    this.#signal = signal;
  }

  get said(): string {
    return this.#said;
  }

  /** The stop reason, if a step named one. */
  async run(steps: readonly DoubleStep[]): Promise<acp.StopReason | undefined> {
    for (const step of steps) {
      if (this.#signal.aborted && !this.#session.stubborn) return 'cancelled';
      const end = await this.#step(step);
      if (end) return end;
    }
    return undefined;
  }

  update(update: object): Promise<void> {
    return this.#client.notify('session/update', { sessionId: this.#id, update });
  }

  text(text: string, more: object = {}): Promise<void> {
    this.#said += text;
    return this.update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text }, ...more });
  }

  async #step(step: DoubleStep): Promise<acp.StopReason | undefined> {
    if ('text' in step) await this.text(step.text, step.more);
    else if ('thought' in step) {
      const content = { type: 'text', text: step.thought };
      await this.update({ sessionUpdate: 'agent_thought_chunk', content });
    } else if ('update' in step) await this.update(step.update);
    else if ('permission' in step) return this.#permission(step);
    else if ('elicit' in step) return this.#elicit(step);
    else if ('visited' in step) {
      await this.#client.notify('elicitation/complete', { elicitationId: step.visited });
    } else if ('tool' in step) await this.#tool(step);
    else if ('gate' in step) await this.#gate(step.gate.file);
    else if ('hang' in step) await this.#until(() => false);
    else if ('wait' in step) await delay(step.wait);
    else if ('stubborn' in step) {
      this.#session.stubborn = true;
      process.on('SIGTERM', () => {});
    } else if ('crash' in step) {
      process.stderr.write(`${step.crash}\n`);
      await delay(20);
      process.exit(3);
    } else if ('die' in step) process.kill(process.pid, 'SIGKILL');
    else if ('leave' in step) {
      const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: step.leave === 'apart' });
      note('left', { child: child.pid });
    } else if ('fail' in step) throw new acp.RequestError(step.code ?? -32603, step.fail, step.data);
    else if ('end' in step) return step.end;
    else if ('ask' in step) await this.#ask(step.ask, step.params);
    else if ('terminal' in step) await this.#terminal(step);
    else if ('meanwhile' in step) void this.run(step.meanwhile);
    else if ('later' in step) this.#later(step.later);
    return undefined;
  }

  async #tool({ tool, once, ...fields }: Extract<DoubleStep, { tool: string }>): Promise<void> {
    const known = started.has(tool) && !once;
    started.add(tool);
    const title = known ? {} : { title: fields.title ?? tool };
    const sessionUpdate = known ? 'tool_call_update' : 'tool_call';
    await this.update({ sessionUpdate, toolCallId: tool, ...title, ...fields });
  }

  async #permission(step: Extract<DoubleStep, { permission: string }>): Promise<acp.StopReason | undefined> {
    const { tool = step.permission, title = 'May I?', on = {}, content } = step;
    note('asking', { permission: step.permission });
    const answer = await this.#client.request('session/request_permission', {
      sessionId: this.#id,
      toolCall: { toolCallId: tool, title, ...(content && { content }) } as acp.ToolCallUpdate,
      options: [
        { optionId: 'allow', name: 'Allow', kind: 'allow_once' },
        { optionId: 'always', name: 'Always', kind: 'allow_always' },
        { optionId: 'reject', name: 'Reject', kind: 'reject_once' },
        { optionId: 'never', name: 'Never', kind: 'reject_always' },
      ],
    });
    const { outcome } = answer;
    note('answered', { outcome });
    if (outcome.outcome === 'cancelled') return 'cancelled';
    return this.run(on[outcome.optionId] ?? []);
  }

  async #elicit(step: Extract<DoubleStep, { elicit: string }>): Promise<acp.StopReason | undefined> {
    const { elicit: message, form, url, visit = 'v', tool, on = {} } = step;
    note('asking', { elicit: message });
    const params = form
      ? { mode: 'form', requestedSchema: form }
      : { mode: 'url', url, elicitationId: visit };
    const answer = await this.#client.request<acp.CreateElicitationResponse>('elicitation/create', {
      sessionId: this.#id,
      message,
      ...(tool && { toolCallId: tool }),
      ...params,
    });
    note('elicited', { answer });
    if (answer.action === 'cancel') return 'cancelled';
    if (answer.action === 'accept' && 'content' in answer) await this.text(JSON.stringify(answer.content));
    return this.run(on[answer.action] ?? []);
  }

  /** What the client answers is said. */
  async #ask(method: string, params: object = {}): Promise<void> {
    try {
      const answer = await this.#client.request(method, { sessionId: this.#id, ...params });
      await this.text(JSON.stringify(answer));
    } catch (error) {
      const { code, message, data } = error as acp.RequestError;
      await this.text(JSON.stringify({ error: code, message, data }));
    }
  }

  async #terminal({ terminal, title = 'Run' }: Extract<DoubleStep, { terminal: object }>): Promise<void> {
    const toolCallId = `tool-${randomUUID()}`;
    const say = (sessionUpdate: string, more: object) => this.update({ sessionUpdate, toolCallId, ...more });
    await say('tool_call', { title, kind: 'execute', status: 'in_progress' });
    const { command, args = [] } = terminal;
    const handle = await this.#client.createTerminal({ sessionId: this.#id, command, args: [...args] });
    await say('tool_call_update', { content: [{ type: 'terminal', terminalId: handle.id }] });
    const exit = await handle.waitForExit();
    const { output } = await handle.currentOutput();
    note('terminal', { exit, output });
    await handle.release();
    await say('tool_call_update', { status: exit.exitCode === 0 ? 'completed' : 'failed' });
  }

  #later(steps: readonly DoubleStep[]): void {
    const after = new Play(this.#client, this.#id, this.#session, new AbortController().signal);
    const idle = this.#until(() => this.#session.stop === undefined, new AbortController().signal);
    void idle.then(() => after.run(steps)).then(() => note('later'));
  }

  #gate(file: string): Promise<void> {
    return this.#until(() => existsSync(join(this.#session.cwd, file)));
  }

  async #until(holds: () => boolean, signal = this.#signal): Promise<void> {
    while (!holds() && (!signal.aborted || this.#session.stubborn)) await delay(5);
  }
}

/** Calls that were announced. */
const started = new Set<string>();

async function prompt(
  { sessionId, prompt: content }: acp.PromptRequest,
  client: acp.AgentContext,
): Promise<acp.PromptResponse> {
  const session = sessions.get(sessionId);
  if (!session) throw acp.RequestError.resourceNotFound(sessionId);
  note('prompt', { sessionId, content });
  if (session.stop) {
    // A3: as Qwen Code does it.
    note('overlap', { sessionId });
    session.stop.abort();
    throw new acp.RequestError(-32603, 'Internal error', {});
  }
  session.stop = new AbortController();
  session.stubborn = false;
  const play = new Play(client, sessionId, session, session.stop.signal);
  const text = content.flatMap((block) => (block.type === 'text' ? block.text : [])).join('\n');
  const last = content.findLast((block) => block.type === 'text');
  const script = last?.type === 'text' && /^script:/.test(last.text) ? last.text.slice(7) : undefined;
  session.said.push({ role: 'user', text });
  keep(sessionId, session);
  try {
    const steps = script === undefined ? [{ text }] : (JSON.parse(script) as DoubleStep[]);
    const end = await play.run(steps);
    const stopped = session.stop.signal.aborted && !session.stubborn;
    return { stopReason: stopped ? 'cancelled' : (end ?? 'end_turn') };
  } finally {
    session.stop = undefined;
    session.said.push({ role: 'agent', text: play.said });
    keep(sessionId, session);
  }
}

async function load(id: string, client: acp.AgentContext): Promise<object> {
  const session = find(id);
  const update = (update: object) => client.notify('session/update', { sessionId: id, update });
  for (const { role, text } of session.said) {
    const sessionUpdate = role === 'user' ? 'user_message_chunk' : 'agent_message_chunk';
    await update({ sessionUpdate, content: { type: 'text', text } });
    if (options.diesInLoad) process.exit(4);
  }
  // A8: hidden text of the system as the user's, and a tool that runs for ever.
  await update({
    sessionUpdate: 'user_message_chunk',
    content: { type: 'text', text: '<system>hidden</system>' },
  });
  await update({ sessionUpdate: 'tool_call', toolCallId: 'ghost', title: 'Ghost', status: 'in_progress' });
  return { modes, configOptions };
}

if (options.start === 'crash') {
  process.stderr.write('Cannot start: this program needs Node 99 or later\nkey: sk-verysecretvalue1234\n');
  process.exit(1);
}
note('start', { argv: process.argv.slice(2), mark: process.env.SLUICE_PROCESS });

const app = acp
  .agent({ name: 'double' })
  .onRequest('initialize', async ({ params }) => {
    note('initialize', { params });
    if (options.start === 'silent') await new Promise(() => {});
    return {
      protocolVersion: options.start === 'version' ? 7 : acp.PROTOCOL_VERSION,
      agentInfo: { name: options.name ?? 'double', version: '1' },
      agentCapabilities: {
        promptCapabilities: { image: true },
        ...(options.continues === 'load' && { loadSession: true }),
        sessionCapabilities: {
          ...(options.continues === 'resume' && { resume: {} }),
          ...(options.lists && { list: {} }),
          ...(options.forks && { fork: {} }),
        },
      },
      authMethods: [{ id: 'device', name: 'Log in with a code', description: 'Opens a page.' }],
    };
  })
  .onRequest('authenticate', ({ params }) => {
    note('authenticate', { params });
    options.start = undefined;
    return {};
  })
  .onRequest('session/new', async ({ params, client }) => {
    if (options.start === 'login') throw acp.RequestError.authRequired();
    const sessionId = randomUUID();
    const session = open(params.cwd);
    sessions.set(sessionId, session);
    keep(sessionId, session);
    note('new', { sessionId, mcpServers: params.mcpServers });
    const availableCommands = [
      {
        name: 'help',
        description: 'Help',
        input: { hint: 'topic' },
        _meta: { body: 'x'.repeat(options.weight ?? 0) },
      },
    ];
    void delay(0).then(() =>
      client.notify('session/update', {
        sessionId,
        update: { sessionUpdate: 'available_commands_update', availableCommands },
      }),
    );
    return { sessionId, modes, configOptions };
  })
  .onRequest('session/load', ({ params, client }) => {
    note('load', { params });
    return load(params.sessionId, client);
  })
  .onRequest('session/resume', ({ params }) => {
    note('resume', { params });
    find(params.sessionId);
    return { modes, configOptions };
  })
  .onRequest('session/list', ({ params }) => {
    note('list', { params });
    const { lists = 0 } = options;
    const names = readdirSync(home).filter((name) => name.endsWith('.json'));
    const all = names.sort().flatMap((name) => {
      const { cwd, said } = JSON.parse(readFileSync(join(home, name), 'utf8')) as Session;
      const [first] = said;
      if (params.cwd && params.cwd !== cwd) return [];
      const updatedAt = statSync(join(home, name)).mtime.toISOString();
      return { sessionId: name.slice(0, -5), cwd, updatedAt, ...(first && { title: first.text }) };
    });
    const from = Number(params.cursor ?? 0);
    const nextCursor = from + lists < all.length ? String(from + lists) : null;
    return { sessions: all.slice(from, from + lists), nextCursor };
  })
  .onRequest(
    'session/fork',
    (params) => params as { sessionId: string },
    ({ params }) => {
      note('fork', { params });
      const sessionId = randomUUID();
      keep(sessionId, find(params.sessionId));
      find(sessionId);
      return { sessionId, modes, configOptions };
    },
  )
  .onRequest('session/set_mode', ({ params }) => {
    note('set_mode', { params });
    if (params.modeId === 'broken') throw acp.RequestError.invalidParams({ details: 'no such mode' });
    return {};
  })
  .onRequest('session/set_config_option', ({ params }) => {
    note('set_config_option', { params });
    if (params.value === 'broken') throw acp.RequestError.invalidParams({ details: 'no such value' });
    configOptions = configOptions.map((one) =>
      one.id === params.configId ? ({ ...one, currentValue: params.value } as acp.SessionConfigOption) : one,
    );
    return { configOptions };
  })
  .onRequest('session/prompt', ({ params, client }) => prompt(params, client))
  .onNotification('session/cancel', ({ params }) => {
    note('cancel', { sessionId: params.sessionId });
    sessions.get(params.sessionId)?.stop?.abort();
  });

const connection = app.connect(
  acp.ndJsonStream(
    Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
    Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
  ),
);
await connection.closed;
process.exit(0);
