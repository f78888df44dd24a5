import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatBody, Reply, Step } from '../../support/model-server.ts';

/** How another kind of model server is spoken to, in terms of the OpenAI kind. */
interface Shape {
  /** The request as a chat body; undefined when it is not one for an answer. */
  decode(path: string, body: Json): ChatBody | undefined;
  /** What is sent for anything else. */
  aside(path: string): unknown;
  /** Begins a stream: turns steps into the text of server-sent events. */
  encoder(): { open(): string; step(step: Step): string; close(): string };
  error(status: number): unknown;
}

type Json = Record<string, unknown>;
type Part = { text?: string; functionCall?: unknown; functionResponse?: unknown };

const sse = (data: unknown, event?: string) =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;

/** Collects the pieces of a tool call until the step that finishes. */
class Calls {
  name = '';
  args = '';
  take(step: Step): boolean {
    if (!('delta' in step)) return false;
    const calls = step.delta.tool_calls as { function: { name?: string; arguments?: string } }[] | undefined;
    for (const { function: piece } of calls ?? []) {
      this.name += piece.name ?? '';
      this.args += piece.arguments ?? '';
    }
    return true;
  }
}

export const google: Shape = {
  decode(path, body) {
    if (!path.includes(':streamGenerateContent')) return undefined;
    const contents = (body.contents ?? []) as { role?: string; parts?: Part[] }[];
    const messages = contents.flatMap(({ role, parts = [] }) =>
      parts.map((part) => ({
        role: part.functionResponse ? 'tool' : role === 'model' ? 'assistant' : 'user',
        content: part.text ?? '',
      })),
    );
    const tools = ((body.tools ?? []) as { functionDeclarations?: Json[] }[])
      .flatMap((tool) => tool.functionDeclarations ?? [])
      .map((one) => ({
        function: { name: one.name, parameters: one.parametersJsonSchema ?? one.parameters },
      }));
    return { model: 'scripted', messages, tools };
  },
  aside: (path) =>
    path.includes(':countTokens')
      ? { totalTokens: 10 }
      : { candidates: [{ content: { role: 'model', parts: [{ text: '{}' }] }, finishReason: 'STOP' }] },
  encoder() {
    const calls = new Calls();
    const chunk = (parts: unknown[], finishReason?: string) =>
      sse({
        candidates: [{ index: 0, content: { role: 'model', parts }, ...(finishReason && { finishReason }) }],
      });
    return {
      open: () => '',
      step(step) {
        if ('text' in step) return chunk([{ text: step.text }]);
        if ('reasoning' in step) return chunk([{ text: step.reasoning, thought: true }]);
        if ('usage' in step) {
          const { prompt_tokens, completion_tokens, total_tokens } = step.usage;
          const usageMetadata = {
            promptTokenCount: prompt_tokens,
            candidatesTokenCount: completion_tokens,
            totalTokenCount: total_tokens,
          };
          return sse({ candidates: [], usageMetadata });
        }
        if (calls.take(step) || !('finish' in step)) return '';
        const parts = calls.name
          ? [{ functionCall: { name: calls.name, args: JSON.parse(calls.args) } }]
          : [{ text: '' }];
        const reasons: Record<string, string> = { length: 'MAX_TOKENS', content_filter: 'SAFETY' };
        return chunk(parts, reasons[step.finish] ?? 'STOP');
      },
      close: () => '',
    };
  },
  error: (status) => ({
    error: { code: status, message: 'The scripted server is broken.', status: 'INTERNAL' },
  }),
};

/** Claude Code takes messages of one id for one message. */
let messages = 0;
let toolUses = 0;

export const anthropic: Shape = {
  decode(path, body) {
    if (!/\/messages(\?|$)/.test(path)) return undefined;
    const given = (body.messages ?? []) as {
      role: string;
      content: string | { type: string; text?: string; input?: unknown }[];
    }[];
    const messages = given.flatMap(({ role, content }) => {
      const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
      return parts.map((part) => ({
        role: part.type === 'tool_result' ? 'tool' : role,
        content: part.text ?? JSON.stringify(part.input ?? ''),
      }));
    });
    const tools = ((body.tools ?? []) as Json[]).map(({ name, input_schema }) => ({
      function: { name, parameters: input_schema },
    }));
    return { model: String(body.model), messages, tools };
  },
  aside: (path) => (path.includes('count_tokens') ? { input_tokens: 10 } : {}),
  encoder() {
    const calls = new Calls();
    let index = -1;
    let open = '';
    const say = (data: Json) => sse(data, String(data.type));
    const end = () => (open ? say({ type: 'content_block_stop', index }) : '');
    const block = (type: string, content_block: Json) => {
      if (open === type) return '';
      const before = end();
      open = type;
      index += 1;
      return before + say({ type: 'content_block_start', index, content_block });
    };
    const delta = (more: Json) => say({ type: 'content_block_delta', index, delta: more });
    const usage = { input_tokens: 10, output_tokens: 2 };
    return {
      open() {
        messages += 1;
        const message = { id: `msg_${messages}`, type: 'message', role: 'assistant', content: [], usage };
        return say({ type: 'message_start', message: { ...message, model: 'scripted' } });
      },
      step(step) {
        if ('text' in step)
          return block('text', { type: 'text', text: '' }) + delta({ type: 'text_delta', text: step.text });
        if ('reasoning' in step) {
          const thinking = block('thinking', { type: 'thinking', thinking: '', signature: '' });
          return thinking + delta({ type: 'thinking_delta', thinking: step.reasoning });
        }
        if (calls.take(step) || !('finish' in step)) return '';
        let text = '';
        if (calls.name) {
          toolUses += 1;
          const id = `toolu_${toolUses}`;
          text += block('tool_use', { type: 'tool_use', id, name: calls.name, input: {} });
          text += delta({ type: 'input_json_delta', partial_json: calls.args });
        }
        text += end();
        open = '';
        const reasons: Json = { length: 'max_tokens', tool_calls: 'tool_use', content_filter: 'refusal' };
        const stop_reason = reasons[step.finish] ?? 'end_turn';
        return `${text}${say({ type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage })}${say({ type: 'message_stop' })}`;
      },
      close: () => '',
    };
  },
  error: () => ({ type: 'error', error: { type: 'api_error', message: 'The scripted server is broken.' } }),
};

export interface ShapedServer {
  /** Without a path. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** A server of another shape whose answers come from `answer`. */
export async function serve(shape: Shape, answer: (body: ChatBody) => Reply): Promise<ShapedServer> {
  const server = createServer(async (request, response) => {
    const path = request.url ?? '/';
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = shape.decode(path, text ? (JSON.parse(text) as Json) : {});
    const json = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (!body) return void json(200, shape.aside(path));
    const reply = answer(body);
    if ('status' in reply) return void json(reply.status, shape.error(reply.status));
    if ('drop' in reply) return void response.destroy();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    await play(reply.steps, shape.encoder(), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function play(
  steps: readonly Step[],
  encoder: ReturnType<Shape['encoder']>,
  response: ServerResponse,
): Promise<void> {
  const gone = new Promise<void>((resolve) => response.on('close', resolve));
  response.write(encoder.open());
  for (const step of steps) {
    if ('gate' in step) await step.gate.pass(gone);
    else if (!response.destroyed) response.write(encoder.step(step));
  }
  response.end(encoder.close());
}
