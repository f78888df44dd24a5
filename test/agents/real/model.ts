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
  | 'long shell'
  | 'write'
  | 'cut'
  | 'broken'
  | 'nothing'
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

  /** Requests that the scene was in. */
  requests(id: string): readonly ChatBody[] {
    return this.#asked.filter((body) => markerOf(body)?.id === id);
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
    if (!marker || tools.length === 0) return say('Fine.');
    const { play, id, results } = marker;
    const wait: Step = { gate: this.gate(id) };
    if (results > 0) return play === 'write' || play.endsWith('shell') ? say('Done.') : say('Hello world.');
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
        return call(tools, /shell|bash|execute/i, {
          command: 'echo from-the-shell > made.txt; cat made.txt',
        });
      case 'long shell':
        return call(tools, /shell|bash|execute/i, { command: 'echo begun; sleep 300' });
      case 'write':
        return call(tools, /^write/i, { content: 'hello\n' }, this.directory);
      case 'cut':
        return { steps: [{ text: 'Hello ' }] };
      case 'nothing':
        return reply({ finish: 'stop' });
      case 'max_tokens':
        return reply({ text: 'Hello ' }, { finish: 'length' });
      case 'broken':
        return { status: 500, body: { error: { message: 'The scripted server is broken.' } } };
    }
  }
}

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
function markerOf(body: ChatBody): { play: Play; id: string; results: number } | undefined {
  const messages = body.messages;
  const at = messages.findLastIndex((one) => one.role === 'user' && /\[\[.+?\]\]/.test(textOf(one.content)));
  const [, play, id] = /.*\[\[(.+?) (\w+)\]\]/s.exec(textOf(messages[at]?.content)) ?? [];
  if (play === undefined || id === undefined) return undefined;
  const results = messages.slice(at).filter((one) => one.role === 'tool').length;
  return { play: play as Play, id, results };
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

/** A call of the agent's own tool for it, with the arguments that it wants. */
function call(
  tools: readonly Tool[],
  name: RegExp,
  given: { readonly command?: string; readonly content?: string },
  directory = '',
): Reply {
  const tool = tools.find((one) => name.test(one.name));
  if (!tool) return say(`There is no tool for it among ${tools.map((one) => one.name).join(', ')}.`);
  const path = tool.properties.find((one) => /path/i.test(one));
  const args = {
    ...given,
    ...(given.content !== undefined && path && { [path]: join(directory, 'hello.txt') }),
    ...(tool.properties.includes('description') && { description: 'Does it' }),
    ...(tool.properties.includes('is_background') && { is_background: false }),
  };
  const text = JSON.stringify(args);
  const delta = { index: 0, id: `call_${Date.now()}`, type: 'function' };
  return reply(
    { delta: { tool_calls: [{ ...delta, function: { name: tool.name, arguments: '' } }] } },
    { delta: { tool_calls: [{ index: 0, function: { arguments: text.slice(0, 10) } }] } },
    { delta: { tool_calls: [{ index: 0, function: { arguments: text.slice(10) } }] } },
    { finish: 'tool_calls' },
  );
}
