/** What a scripted model says, whatever the API: see `createEncoder`. */
export type Said =
  /** A delta: text, a thought, or whatever an OpenAI-compatible server may send beside them. */
  | { readonly text: string }
  | { readonly reasoning: string }
  | { readonly delta: Readonly<Record<string, unknown>> }
  /** A whole call of a tool; input that is a string is sent as it is. */
  | { readonly call: { readonly id: string; readonly name: string; readonly input: unknown } }
  /** The finish reason in OpenAI's words (`stop`, `length`, `content_filter`, `tool_calls`), or any other as it is. */
  | { readonly finish: string }
  | {
      readonly usage: {
        readonly prompt_tokens: number;
        readonly completion_tokens: number;
        readonly total_tokens: number;
      };
    }
  /** The last event: `[DONE]`, `message_stop`, nothing. */
  | { readonly done: true }
  /** The server says that it failed. */
  | { readonly error: { readonly type: string; readonly message: string } }
  /** Bytes as they are: wrong JSON, comments, half an event. */
  | { readonly raw: string | Uint8Array };

export type Shape = 'openai' | 'anthropic' | 'google';

type Listed = readonly (string | Readonly<Record<string, unknown>>)[];

export const shapes: Readonly<
  Record<Shape, { readonly base: string; readonly chat: RegExp; list(models: Listed): unknown }>
> = {
  openai: {
    base: '/v1',
    chat: /^\/v1\/chat\/completions$/,
    list: (models) => ({
      object: 'list',
      data: models.map((model) => (typeof model === 'string' ? { id: model, object: 'model' } : model)),
    }),
  },
  anthropic: {
    base: '/v1',
    chat: /^\/v1\/messages$/,
    list: (models) => ({
      data: models.map((model) => (typeof model === 'string' ? { id: model, type: 'model' } : model)),
      has_more: false,
    }),
  },
  google: {
    base: '/v1beta',
    chat: /^\/v1beta\/models\/[^/:]+:streamGenerateContent\?alt=sse$/,
    list: (models) => ({
      models: models.map((model) => (typeof model === 'string' ? { name: `models/${model}` } : model)),
    }),
  },
};

/** Turns what is said into the events of one answer, in the order of the API. */
export function createEncoder(shape: Shape, model: string): (said: Said) => Buffer {
  const events = { openai, anthropic, google }[shape](model);
  return (said) => ('raw' in said ? Buffer.from(said.raw) : Buffer.from(events(said)));
}

type Events = (said: Exclude<Said, { raw: string | Uint8Array }>) => string;

function data(body: unknown): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}

function textOf(input: unknown): string {
  return typeof input === 'string' ? input : JSON.stringify(input);
}

function openai(model: string): Events {
  const chunk = { id: 'chatcmpl-scripted', object: 'chat.completion.chunk', created: 1_700_000_000, model };
  const choice = (delta: unknown, finish: string | null = null) =>
    data({ ...chunk, choices: [{ index: 0, delta, finish_reason: finish }] });
  let called = 0;
  return (said) => {
    if ('text' in said) return choice({ content: said.text });
    if ('reasoning' in said) return choice({ reasoning_content: said.reasoning });
    if ('delta' in said) return choice(said.delta);
    if ('finish' in said) return choice({}, said.finish);
    if ('usage' in said) return data({ ...chunk, choices: [], usage: said.usage });
    if ('error' in said) return data({ error: said.error });
    if ('done' in said) return 'data: [DONE]\n\n';
    const { id, name, input } = said.call;
    const text = textOf(input);
    const index = called;
    called += 1;
    const half = Math.ceil(text.length / 2);
    const begin = { index, id, type: 'function', function: { name, arguments: text.slice(0, half) } };
    return (
      choice({ tool_calls: [begin] }) +
      choice({ tool_calls: [{ index, function: { arguments: text.slice(half) } }] })
    );
  };
}

const anthropicReasons: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  content_filter: 'refusal',
  tool_calls: 'tool_use',
};

function anthropic(model: string): Events {
  let index = -1;
  let open: string | undefined;
  let begun = false;
  let reason: string | undefined;
  const event = (type: string, body: object) => `event: ${type}\n${data({ type, ...body })}`;
  const start = () => {
    if (begun) return '';
    begun = true;
    const message = { id: 'msg_scripted', type: 'message', role: 'assistant', model, content: [] };
    const usage = { input_tokens: 0, output_tokens: 0 };
    return event('message_start', { message: { ...message, stop_reason: null, usage } });
  };
  const close = () => {
    if (open === undefined) return '';
    const signed = open === 'thinking' ? delta({ type: 'signature_delta', signature: 'signed' }) : '';
    open = undefined;
    return signed + event('content_block_stop', { index });
  };
  const block = (kind: string, content: object) => {
    if (open === kind) return '';
    const closed = close();
    open = kind;
    index += 1;
    return closed + event('content_block_start', { index, content_block: content });
  };
  const delta = (body: object) => event('content_block_delta', { index, delta: body });
  const end = (usage: object) => {
    const last = event('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage });
    reason = undefined;
    return last;
  };
  return (said) => {
    if ('error' in said) return event('error', { error: said.error });
    const begin = start();
    if ('text' in said) {
      return (
        begin + block('text', { type: 'text', text: '' }) + delta({ type: 'text_delta', text: said.text })
      );
    }
    if ('reasoning' in said) {
      const content = { type: 'thinking', thinking: '', signature: '' };
      return begin + block('thinking', content) + delta({ type: 'thinking_delta', thinking: said.reasoning });
    }
    if ('call' in said) {
      const { id, name, input } = said.call;
      const content = { type: 'tool_use', id, name, input: {} };
      const json = { type: 'input_json_delta', partial_json: textOf(input) };
      return begin + block(`tool:${id}`, content) + delta(json) + close();
    }
    if ('finish' in said) {
      reason = anthropicReasons[said.finish] ?? said.finish;
      return begin + close();
    }
    if ('usage' in said) {
      return end({ input_tokens: said.usage.prompt_tokens, output_tokens: said.usage.completion_tokens });
    }
    if ('done' in said)
      return (reason === undefined ? '' : end({ output_tokens: 1 })) + event('message_stop', {});
    throw new Error('Anthropic has no such event');
  };
}

const googleReasons: Readonly<Record<string, string>> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
  tool_calls: 'STOP',
};

function google(_model: string): Events {
  const part = (content: object) =>
    data({ candidates: [{ index: 0, content: { role: 'model', parts: [content] } }] });
  return (said) => {
    if ('text' in said) return part({ text: said.text });
    if ('reasoning' in said) return part({ text: said.reasoning, thought: true });
    if ('call' in said) {
      const { name, input } = said.call;
      return part({ functionCall: { name, args: input }, thoughtSignature: `signed-${name}` });
    }
    if ('finish' in said) {
      const finishReason = googleReasons[said.finish] ?? said.finish;
      return data({ candidates: [{ index: 0, content: { role: 'model', parts: [] }, finishReason }] });
    }
    if ('usage' in said) {
      const { prompt_tokens, completion_tokens, total_tokens } = said.usage;
      const usageMetadata = {
        promptTokenCount: prompt_tokens,
        candidatesTokenCount: completion_tokens,
        totalTokenCount: total_tokens,
      };
      return data({ usageMetadata });
    }
    if ('error' in said) {
      return data({ error: { code: 503, message: said.error.message, status: said.error.type } });
    }
    if ('done' in said) return '';
    throw new Error('Google has no such event');
  };
}

/** What the user said, of a request in any of the shapes: one text for each message, without results of tools. */
export function userTexts(body: unknown): string[] {
  const { messages, contents } = body as Readonly<Record<string, readonly Turnlike[] | undefined>>;
  return (messages ?? contents ?? [])
    .filter(({ role }) => role === 'user')
    .map(({ content, parts }) => {
      const all = content ?? parts ?? [];
      return typeof all === 'string' ? all : all.flatMap(({ text }) => text ?? []).join('\n');
    })
    .filter((text) => text !== '');
}

interface Turnlike {
  readonly role: string;
  readonly content?: string | readonly { readonly text?: string }[];
  readonly parts?: readonly { readonly text?: string }[];
}
