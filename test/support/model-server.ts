import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEncoder, type Said, type Shape, shapes } from './model-shapes.ts';

/**
 * A scripted model server on loopback, over real sockets and real server-sent events: OpenAI-compatible, or in the
 * shape of Anthropic or Google.
 *
 * `start({ script })`: the n-th chat request is answered by the n-th reply, the last one again and again when there
 * are more requests than replies; a function chooses by request. The list of models holds `models`.
 */
export type Step =
  | Said
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

/** As OpenAI has it; the others differ beyond `model` and `messages`. */
export interface ChatBody {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly [key: string]: unknown;
}

export interface ModelServerOptions {
  /** Default: `openai`. */
  readonly shape?: Shape;
  readonly script: readonly Reply[] | ((request: RecordedRequest, index: number) => Reply | Promise<Reply>);
  /** Entries of the list of models: ids, or whole entries; undefined answers 404. */
  readonly models?: readonly (string | Readonly<Record<string, unknown>>)[];
  /** What it answers besides, by path: the API of its own that a local server has. Undefined: 404. */
  readonly own?: (path: string) => unknown;
  readonly port?: number;
}

export interface ModelServer {
  /** The base URL, with `/v1` or `/v1beta`. */
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

/** The model calls tools, and waits for their results. */
export function calls(...called: { name: string; input: unknown; id?: string }[]): Reply {
  return {
    steps: [
      ...called.map((call, index) => ({ call: { id: `call_${index}`, ...call } })),
      { finish: 'tool_calls' },
      { usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } },
      { done: true as const },
    ],
  };
}

export async function start(options: ModelServerOptions): Promise<ModelServer> {
  const requests: RecordedRequest[] = [];
  const waiting = new Set<{ count: number; resolve: () => void }>();
  const shape = shapes[options.shape ?? 'openai'];
  let listings = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    if (request.method === 'GET' && path.split('?')[0] === `${shape.base}/models`) {
      listings += 1;
      if (!options.models) return json(response, 404, { error: { message: 'not here' } });
      return json(response, 200, shape.list(options.models));
    }
    const body = await readBody(request);
    const own = shape.chat.test(path) ? undefined : options.own?.(path);
    if (own !== undefined) return json(response, 200, own);
    if (request.method !== 'POST' || !shape.chat.test(path)) {
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
    const encode = createEncoder(options.shape ?? 'openai', recorded.body?.model ?? 'scripted');
    await play(reply, response, encode, gone.promise);
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
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${shape.base}`,
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
  encode: (said: Said) => Buffer,
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
      kept.push(encode(step));
      if (reply.cut === undefined || reply.cut === 'event') await flush();
    }
  }
  await flush();
  response.end();
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
