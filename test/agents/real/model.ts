import { join } from 'node:path';
import { type ChatBody, Gate, type Reply, type Step, start } from '../../support/model-server.ts';
import { anthropic, google, serve } from './shapes.ts';

/** What the model behind an agent does in a scene; scenes that wait have a gate. */
export type Play =
  | 'answer'
  | 'held text'
  | 'held silence'
  | 'thought'
  | 'shell'
  | 'failing shell'
  /** May name its seconds. */
  | `long shell${string}`
  | 'write'
  | 'long write'
  /** A command in the background; when the agent comes back with its result, some words. */
  | 'later'
  /** The same, but then another command. */
  | 'later asks'
  | 'cut'
  | 'broken'
  | 'nothing'
  | 'only thought'
  | 'refusal'
  | 'max_tokens';

export interface ModelUrls {
  readonly openai: string;
  readonly google: string;
  readonly anthropic: string;
}

/** A model server whose script is named in the message: `[[play id]]`. */
export class ScriptedModel {
  /** Where files are written. */
  directory = '';
  readonly #gates = new Map<string, Gate>();
  readonly #asked: ChatBody[] = [];
  readonly #stages = new Map<string, number>();
  #servers: readonly { readonly url: string; readonly close: () => Promise<void> }[] = [];

  async start(): Promise<void> {
    const answer = (body: ChatBody) => this.#reply(body);
    this.#servers = [
      await start({ models: ['scripted'], script: ({ body }) => answer(body as ChatBody) }),
      await serve(google, answer),
      await serve(anthropic, answer),
    ];
  }

  /** The same script in three shapes; the first with its `/v1`. */
  get urls(): ModelUrls {
    const [openai = '', google = '', anthropic = ''] = this.#servers.map(({ url }) => url);
    return { openai, google, anthropic };
  }

  /** The messages of all requests that the scene was in, as JSON. */
  asked(id: string): string {
    const bodies = this.#asked.filter((body) => markerOf(body)?.id === id);
    return JSON.stringify(bodies.map(({ messages }) => messages));
  }

  gate(id: string): Gate {
    let gate = this.#gates.get(id);
    if (!gate) {
      gate = new Gate();
      this.#gates.set(id, gate);
    }
    return gate;
  }

  async close(): Promise<void> {
    for (const gate of this.#gates.values()) gate.open();
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  #reply(body: ChatBody): Reply {
    this.#asked.push(body);
    const marker = markerOf(body);
    const tools = toolsOf(body);
    // Titles, suggestions and classifiers: agents ask for these beside the conversation.
    if (!marker || tools.length === 0) return this.#plain(body, tools);
    const { play, id, results } = marker;
    const wait: Step = { gate: this.gate(id) };
    if (play.startsWith('later')) return this.#later(play, id, body, tools);
    if (results > 0) return say('Done.');
    if (play.startsWith('long shell')) {
      const seconds = play.split(' ')[2] ?? '300';
      return call(tools, shell, { command: `echo begun; sleep ${seconds}` });
    }
    switch (play) {
      case 'answer':
        return say('Hello ', 'world.');
      case 'held text':
        return reply({ text: 'Hello ' }, wait, { text: 'world.' }, { finish: 'stop' });
      case 'held silence':
        return reply(wait, { text: 'Hello world.' }, { finish: 'stop' });
      case 'thought':
        return reply({ reasoning: 'Hm.' }, { text: 'Hello world.' }, { finish: 'stop' });
      case 'shell':
        return call(tools, shell, { command: 'echo from-the-shell > made.txt; cat made.txt' });
      case 'failing shell':
        return call(tools, shell, { command: 'echo went-wrong > wrong.txt; cat wrong.txt; exit 3' });
      case 'write':
        return call(tools, /^write/i, { content: 'hello\n' }, join(this.directory, 'hello.txt'));
      case 'long write':
        return call(tools, /^write/i, { content: lines }, join(this.directory, `${id}.txt`));
      case 'cut':
        return { steps: [{ text: 'Hello ' }] };
      case 'nothing':
        return reply({ finish: 'stop' });
      case 'only thought':
        return reply({ reasoning: 'Hm.' }, { finish: 'stop' });
      case 'refusal':
        return reply({ text: 'I ' }, { finish: 'content_filter' });
      case 'max_tokens':
        return reply({ text: 'Hello ' }, { finish: 'length' });
      case 'broken':
        return { status: 500, body: { error: { message: 'The scripted server is broken.' } } };
      default:
        return say(`Nothing is known of ${play}.`);
    }
  }

  /** What the conformance suite asks of an agent in words. */
  #plain(body: ChatBody, tools: readonly Tool[]): Reply {
    const asks = /Create the file|Count from 1|Say hello/;
    const at = body.messages.findLastIndex(
      ({ role, content }) => role === 'user' && asks.test(textOf(content)),
    );
    const words = textOf(body.messages[at]?.content);
    const results = body.messages.slice(at).filter(({ role }) => role === 'tool').length;
    if (tools.length === 0 || results > 0) return say('Fine.');
    if (/Create the file hello\.txt/.test(words)) {
      return call(tools, shell, { command: 'printf hello > hello.txt' });
    }
    // Long enough to be stopped in.
    const wait: Step = { gate: pause(15_000) };
    return /Count from 1/.test(words)
      ? reply({ text: 'one, two, ' }, wait, { text: 'three.' }, { finish: 'stop' })
      : say('Hello.');
  }

  /** The agent comes back by itself when the command has ended. */
  #later(play: string, id: string, body: ChatBody, tools: readonly Tool[]): Reply {
    const stage = this.#stages.get(id) ?? 0;
    this.#stages.set(id, stage + 1);
    if (stage === 0) return call(tools, shell, { command: 'sleep 1; echo it-has-run', background: true });
    if (stage === 1) return say('It has begun.');
    if (play === 'later asks' && !JSON.stringify(body.messages).includes('woken'))
      return call(tools, shell, { command: 'echo woken > woken.txt' });
    return say('It is done.');
  }
}

/** A gate that opens by itself. */
function pause(ms: number): Gate {
  const gate = new Gate();
  void gate.reached.then(() => setTimeout(() => gate.open(), ms));
  return gate;
}

const shell = /shell|bash|execute/i;
const lines = Array.from({ length: 80 }, (_, i) => `line ${i + 1} of it\n`).join('');

interface Tool {
  readonly name: string;
  readonly properties: readonly string[];
}

function toolsOf(body: ChatBody): Tool[] {
  const tools = (body.tools ?? []) as {
    function?: { name: string; parameters?: { properties?: object } };
  }[];
  return tools.flatMap(({ function: one }) =>
    one ? { name: one.name, properties: Object.keys(one.parameters?.properties ?? {}) } : [],
  );
}

/** The last scene that a user's message names, and how many tools have given something back since. */
function markerOf(body: ChatBody): { play: string; id: string; results: number } | undefined {
  const messages = body.messages;
  const at = messages.findLastIndex((one) => one.role === 'user' && /\[\[.+?\]\]/.test(textOf(one.content)));
  const [, play, id] = /.*\[\[(.+?) (\w+)\]\]/s.exec(textOf(messages[at]?.content)) ?? [];
  if (play === undefined || id === undefined) return undefined;
  const results = messages.slice(at).filter((one) => one.role === 'tool').length;
  return { play, id, results };
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : (JSON.stringify(content) ?? '');
}

const usage: Step = { usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 } };

function reply(...steps: readonly Step[]): Reply {
  return { steps: [...steps, usage, { done: true }] };
}

function say(...texts: readonly string[]): Reply {
  return reply(...texts.map((text) => ({ text })), { finish: 'stop' });
}

interface Given {
  readonly command?: string;
  readonly content?: string;
  readonly background?: boolean;
}

let calls = 0;

/** A call of the agent's own tool for it, with the arguments that it wants, in small pieces. */
function call(tools: readonly Tool[], name: RegExp, given: Given, file = ''): Reply {
  const tool = tools.find((one) => name.test(one.name));
  if (!tool) return say(`There is no tool for it among ${tools.map((one) => one.name).join(', ')}.`);
  const { background = false, ...plain } = given;
  const path = tool.properties.find((one) => /path/i.test(one));
  const beside = tool.properties.find((one) => /^(is|run_in)_background$/.test(one));
  if (background && !beside) return say('No command can be run in the background here.');
  const args = {
    ...plain,
    ...(given.content !== undefined && path && { [path]: file }),
    ...(tool.properties.includes('description') && { description: 'Does it' }),
    ...(beside && { [beside]: background }),
  };
  calls += 1;
  const head = {
    index: 0,
    id: `call_${calls}`,
    type: 'function',
    function: { name: tool.name, arguments: '' },
  };
  const pieces = JSON.stringify(args).match(/.{1,60}/gs) ?? [];
  return reply(
    { delta: { tool_calls: [head] } },
    ...pieces.map((piece) => ({ delta: { tool_calls: [{ index: 0, function: { arguments: piece } }] } })),
    { finish: 'tool_calls' },
  );
}
