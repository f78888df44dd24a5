import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A scripted OpenAI-compatible server on loopback, over real sockets and real server-sent events.
 *
 * `start({ script })`: the n-th chat request is answered by the n-th reply, the last one again and again when there
 * are more requests than replies; a function chooses by request. `GET /v1/models` lists `models`.
 */
export type Step =
  /** A delta: text, a thought in `reasoning_content`, or whatever a server may send beside them. */
  | { readonly text: string }
  | { readonly reasoning: string }
  | { readonly delta: Readonly<Record<string, unknown>> }
  /** The finish reason, as a chunk of its own: `stop`, `length`, `content_filter` … */
  | { readonly finish: string }
  | {
      readonly usage: {
        readonly prompt_tokens: number;
        readonly completion_tokens: number;
        readonly total_tokens: number;
      };
    }
  /** `data: [DONE]` */
  | { readonly done: true }
  /** Bytes as they are: wrong JSON, comments, half an event. */
  | { readonly raw: string | Uint8Array }
  /** Waits until the test opens the gate, or the client is gone. */
  | { readonly gate: Gate }
  /** Cuts the socket: the client sees a reset or a body that ends inside a chunk. */
  | { readonly drop: true };

export type Reply =
  | {
      readonly steps: readonly Step[];
      /** All events as one write (`burst`), one write an event (default), or cut anew into writes of these sizes in bytes, round and round. */
      readonly cut?: 'burst' | 'event' | readonly number[];
      readonly headers?: Readonly<Record<string, string>>;
    }
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** An object is sent as JSON. */
      readonly body?: unknown;
    }
  /** Cuts the socket before any answer. */
  | { readonly drop: true };

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed JSON body; undefined for a GET. */
  readonly body: ChatBody | undefined;
  /** Resolves when the client closed the connection before the answer was over. */
  readonly aborted: Promise<void>;
}

export interface ChatBody {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly [key: string]: unknown;
}

export interface ModelServerOptions {
  readonly script: readonly Reply[] | ((request: RecordedRequest, index: number) => Reply | Promise<Reply>);
  /** Entries of `GET /v1/models`: ids, or whole entries; undefined answers 404. */
  readonly models?: readonly (string | Readonly<Record<string, unknown>>)[];
  readonly port?: number;
}

export interface ModelServer {
  /** The base URL, with `/v1`. */
  readonly url: string;
  /** Chat requests, in the order of their arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How often the models were listed. */
  readonly listings: () => number;
  /** Resolves when `count` chat requests have arrived. */
  readonly arrived: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A point at which a script waits until the test lets it go on. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();
  readonly #reached = Promise.withResolvers<void>();
  /** Resolves when the script stands at the gate: all before it has been written. */
  readonly reached: Promise<void> = this.#reached.promise;

  open(): void {
    this.#opened.resolve();
  }

  async pass(gone: Promise<void>): Promise<void> {
    this.#reached.resolve();
    await Promise.race([this.#opened.promise, gone]);
  }
}

/** The usual whole answer: the text in pieces, a finish reason, usage, `[DONE]`. */
export function answer(...texts: string[]): Reply {
  return {
    steps: [
      ...texts.map((text) => ({ text })),
      { finish: 'stop' },
      { usage: { prompt_tokens: 10, completion_tokens: texts.length, total_tokens: 10 + texts.length } },
      { done: true },
    ],
  };
}

export async function start(options: ModelServerOptions): Promise<ModelServer> {
  const requests: RecordedRequest[] = [];
  const waiting = new Set<{ count: number; resolve: () => void }>();
  let listings = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    if (request.method === 'GET' && path === '/v1/models') {
      listings += 1;
      if (!options.models) return json(response, 404, { error: { message: 'not here' } });
      const data = options.models.map((model) =>
        typeof model === 'string' ? { id: model, object: 'model' } : model,
      );
      return json(response, 200, { object: 'list', data });
    }
    const body = await readBody(request);
    if (request.method !== 'POST' || path !== '/v1/chat/completions') {
      return json(response, 404, { error: { message: `no ${request.method} ${path} here` } });
    }
    const gone = Promise.withResolvers<void>();
    response.on('close', () => response.writableFinished || gone.resolve());
    const recorded: RecordedRequest = {
      method: 'POST',
      path,
      headers: request.headers,
      body: JSON.parse(body) as ChatBody,
      aborted: gone.promise,
    };
    const index = requests.push(recorded) - 1;
    for (const one of waiting) if (requests.length >= one.count) one.resolve();
    const { script } = options;
    const reply =
      typeof script === 'function'
        ? await script(recorded, index)
        : script[Math.min(index, script.length - 1)];
    if (!reply) throw new Error('the script has no reply');
    await play(reply, response, recorded, gone.promise);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent)
        json(response, 599, { error: { message: `model server: ${String(error)}` } });
      else response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    listings: () => listings,
    arrived: (count) => {
      if (requests.length >= count) return Promise.resolve();
      return new Promise((resolve) => waiting.add({ count, resolve }));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function play(
  reply: Reply,
  response: ServerResponse,
  request: RecordedRequest,
  gone: Promise<void>,
): Promise<void> {
  if ('drop' in reply) {
    response.destroy();
    return;
  }
  if ('status' in reply) {
    const text =
      typeof reply.body === 'string'
        ? reply.body
        : JSON.stringify(reply.body ?? { error: { message: 'scripted' } });
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(text);
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    ...reply.headers,
  });
  response.flushHeaders();
  response.socket?.setNoDelay(true);
  let kept: Buffer[] = [];
  const flush = async () => {
    const bytes = Buffer.concat(kept);
    kept = [];
    for (const piece of cutBytes(bytes, reply.cut)) await write(response, piece);
  };
  for (const step of reply.steps) {
    if (response.destroyed) return;
    if ('gate' in step) {
      await flush();
      await step.gate.pass(gone);
    } else if ('drop' in step) {
      await flush();
      response.destroy();
      return;
    } else {
      kept.push(encode(step, request.body?.model ?? 'scripted'));
      if (reply.cut === undefined || reply.cut === 'event') await flush();
    }
  }
  await flush();
  response.end();
}

function encode(step: Exclude<Step, { gate: Gate } | { drop: true }>, model: string): Buffer {
  if ('raw' in step) return Buffer.from(step.raw);
  if ('done' in step) return Buffer.from('data: [DONE]\n\n');
  const chunk = { id: 'chatcmpl-scripted', object: 'chat.completion.chunk', created: 1_700_000_000, model };
  const choice = (delta: unknown, finish: string | null = null) => [
    { index: 0, delta, finish_reason: finish },
  ];
  const body =
    'text' in step
      ? { ...chunk, choices: choice({ content: step.text }) }
      : 'reasoning' in step
        ? { ...chunk, choices: choice({ reasoning_content: step.reasoning }) }
        : 'delta' in step
          ? { ...chunk, choices: choice(step.delta) }
          : 'finish' in step
            ? { ...chunk, choices: choice({}, step.finish) }
            : { ...chunk, choices: [], usage: step.usage };
  return Buffer.from(`data: ${JSON.stringify(body)}\n\n`);
}

function cutBytes(bytes: Buffer, cut: 'burst' | 'event' | readonly number[] | undefined): Buffer[] {
  if (!Array.isArray(cut)) return bytes.length === 0 ? [] : [bytes];
  const sizes = cut as readonly number[];
  const pieces: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = Math.max(1, sizes[n % sizes.length] ?? 1);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** One write is one chunk of the body; the next waits until this one is with the kernel. */
function write(response: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    else response.write(piece, () => resolve());
  });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
