import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gate } from './model-server.ts';

/**
 * A scripted server of the OpenAI Responses API in background mode, over real sockets: `POST /v1/responses` with
 * `background` and `stream`, events with `sequence_number`, `GET …?stream=true&starting_after=N`, polls, `POST …/cancel`.
 * A response goes on whether anybody reads it or not. Stubborn, forgetful and half-able servers by knobs.
 */
export type ResponseStep =
  | { readonly text: string }
  | { readonly thought: string }
  | { readonly refusal: string }
  /** A tool that the server runs by itself; `hold` it and it ends with the next step of its kind, or with the response. */
  | { readonly tool: string; readonly hold?: boolean }
  /** A function that the client is to run. */
  | { readonly call: string }
  /** A call that waits for an approval in the request that follows. */
  | { readonly approval: string }
  /** The call that was approved. */
  | { readonly mcp: string; readonly approved: string }
  | { readonly gate: Gate }
  /** Cuts every connection to this response, in the middle; the response goes on. */
  | { readonly cut: true }
  /** Waits until somebody reads the stream. */
  | { readonly read: true }
  /** The server forgets the response: 404 from now on, and the connections are cut. */
  | { readonly forget: true }
  | { readonly fail: string }
  | { readonly incomplete: 'max_output_tokens' | 'content_filter' };

export interface Knobs {
  /** Before the request is answered at all. */
  readonly before?: Gate;
  /** Statuses with which this many first tries are refused. */
  readonly refuse?: readonly number[];
  /** False: no stream, whatever is asked for. */
  readonly streams?: boolean;
  /** False: the stream can be read once only; later requests of it are refused, as after five minutes. */
  readonly resumable?: boolean;
  /** Cancels are answered, and change nothing. */
  readonly stubborn?: boolean;
  /** Status with which a cancel is refused. */
  readonly cancelStatus?: number;
  /** Events are sent twice. */
  readonly twice?: boolean;
  readonly steps: readonly ResponseStep[];
}

interface Item {
  readonly id: string;
  readonly type: string;
  status: string;
  [field: string]: unknown;
}

type Event = { readonly type: string; readonly sequence_number: number; readonly [field: string]: unknown };

class Scripted {
  readonly id: string;
  readonly knobs: Knobs;
  readonly events: Event[] = [];
  readonly output: Item[] = [];
  readonly readers = new Set<ServerResponse>();
  onReader = () => {};
  readonly ended = Promise.withResolvers<void>();
  status = 'queued';
  error: { code: string; message: string } | null = null;
  incomplete: { reason: string } | null = null;
  forgotten = false;
  cancels = 0;
  #open: { item: Item; text: string } | undefined;

  constructor(id: string, knobs: Knobs) {
    this.id = id;
    this.knobs = knobs;
  }

  get object() {
    const over = this.status !== 'queued' && this.status !== 'in_progress';
    return {
      id: this.id,
      object: 'response',
      status: this.status,
      background: true,
      error: this.error,
      incomplete_details: this.incomplete,
      // While it runs, the output of a polled response is not there yet.
      output: over ? this.output : [],
      usage: over ? { input_tokens: 10, output_tokens: 5, total_tokens: 15 } : null,
    };
  }

  emit(type: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const event = { type, sequence_number: this.events.length, ...fields };
    this.events.push(event);
    for (const reader of this.readers) send(reader, event, this.knobs.twice);
  }

  async play(): Promise<void> {
    this.emit('response.created', { response: this.object });
    this.status = 'in_progress';
    this.emit('response.in_progress', { response: this.object });
    for (const step of this.knobs.steps) {
      if ('gate' in step) await step.gate.pass(this.ended.promise);
      if ('read' in step && this.readers.size === 0)
        await new Promise<void>((resolve) => {
          this.onReader = resolve;
        });
      if (this.status !== 'in_progress') return;
      this.#step(step);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.status === 'in_progress') this.finish('completed');
  }

  #step(step: ResponseStep): void {
    if ('text' in step) return this.#delta('message', 'output_text', step.text);
    if ('refusal' in step) return this.#delta('message', 'refusal', step.refusal);
    if ('thought' in step) return this.#delta('reasoning', 'reasoning_summary_text', step.thought);
    if ('tool' in step) {
      this.#close();
      const open = this.output.find((item) => item.type === step.tool && item.status === 'in_progress');
      const item = open ?? this.#add({ type: step.tool, action: { type: 'search', query: 'weather' } });
      if (!step.hold) this.#done(item);
      return;
    }
    if ('call' in step || 'approval' in step || 'mcp' in step) {
      this.#close();
      if ('call' in step)
        return this.#done(this.#add({ type: 'function_call', name: step.call, arguments: '{}' }));
      const named = { server_label: 'notes', arguments: '{"q":1}' };
      if ('approval' in step)
        return this.#done(this.#add({ type: 'mcp_approval_request', name: step.approval, ...named }));
      const item = { name: step.mcp, approval_request_id: step.approved, output: 'found', ...named };
      return this.#done(this.#add({ type: 'mcp_call', ...item }));
    }
    if ('cut' in step) return this.#cut();
    if ('forget' in step) {
      this.forgotten = true;
      return this.#cut();
    }
    if ('fail' in step) {
      this.error = { code: 'server_error', message: step.fail };
      return this.finish('failed');
    }
    if ('incomplete' in step) {
      this.incomplete = { reason: step.incomplete };
      this.finish('incomplete');
    }
  }

  #cut(): void {
    for (const reader of this.readers) reader.destroy();
    this.readers.clear();
  }

  #add(fields: { type: string; [field: string]: unknown }): Item {
    const id = `${fields.type === 'message' ? 'msg' : fields.type}_${this.id}_${this.output.length}`;
    const item: Item = { id, status: 'in_progress', ...fields };
    this.output.push(item);
    const output_index = this.output.length - 1;
    this.emit('response.output_item.added', { output_index, item: { ...item } });
    return item;
  }

  #done(item: Item): void {
    item.status = 'completed';
    const output_index = this.output.indexOf(item);
    this.emit('response.output_item.done', { output_index, item: { ...item } });
  }

  #close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open) this.#done(open.item);
  }

  #delta(type: 'message' | 'reasoning', kind: string, delta: string): void {
    if (this.#open?.item.type !== type) {
      this.#close();
      this.#open = { item: this.#add({ type }), text: '' };
    }
    const open = this.#open as { item: Item; text: string };
    open.text += delta;
    const part =
      kind === 'refusal'
        ? { type: kind, refusal: open.text }
        : { type: kind.replace('reasoning_', ''), text: open.text };
    open.item[type === 'message' ? 'content' : 'summary'] = [part];
    const index = type === 'message' ? { content_index: 0 } : { summary_index: 0 };
    this.emit(`response.${kind}.delta`, { item_id: open.item.id, ...index, delta });
  }

  finish(status: string): void {
    if (status === 'completed') this.#close();
    this.status = status;
    this.emit(`response.${status}`, { response: this.object });
    for (const reader of this.readers) reader.end();
    this.readers.clear();
    this.ended.resolve();
  }
}

export interface ResponsesDouble {
  readonly url: string;
  /** What was asked: `POST /responses`, `GET /responses/resp_1?stream=true&starting_after=3` … */
  readonly asked: readonly string[];
  readonly bodies: readonly Readonly<Record<string, unknown>>[];
  readonly headers: readonly IncomingMessage['headers'][];
  readonly responses: readonly Scripted[];
  cancels(): number;
  close(): Promise<void>;
}

/** `script`: how the n-th request for a response is answered, by its last message's text. */
export async function startResponses(
  script: (text: string, index: number) => Knobs,
): Promise<ResponsesDouble> {
  const asked: string[] = [];
  const bodies: Record<string, unknown>[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const responses: Scripted[] = [];
  const refusals = new Map<string, number>();

  async function handle(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://loopback');
    const path = url.pathname.replace(/^\/v1/, '');
    asked.push(`${request.method} ${path}${url.search}`);
    headers.push(request.headers);
    const body = await bodyOf(request);
    if (request.method === 'POST' && path === '/responses') return create(body, answer);
    const [, , id, verb] = path.split('/');
    const found = responses.find((one) => one.id === id && !one.forgotten);
    if (!found) return json(answer, 404, { error: { message: `Response with id '${id}' not found.` } });
    if (verb === 'cancel') return cancel(found, answer);
    if (url.searchParams.get('stream') !== 'true' || found.knobs.streams === false)
      return json(answer, 200, found.object);
    if (found.knobs.resumable === false) {
      const message = 'This response can no longer be streamed because it is more than 5 minutes old.';
      return json(answer, 400, { error: { message } });
    }
    stream(found, answer, Number(url.searchParams.get('starting_after') ?? -1));
  }

  async function create(body: Record<string, unknown>, answer: ServerResponse): Promise<void> {
    const text = lastText(body);
    const knobs = script(text, bodies.length);
    const refused = refusals.get(text) ?? 0;
    const status = knobs.refuse?.[refused];
    refusals.set(text, refused + 1);
    if (status !== undefined) {
      answer.setHeader('retry-after-ms', '1');
      return json(answer, status, { error: { message: 'Come back later.' } });
    }
    bodies.push(body);
    await knobs.before?.pass(new Promise((resolve) => answer.on('close', () => resolve())));
    const response = new Scripted(`resp_${responses.length + 1}`, knobs);
    responses.push(response);
    if (body.stream === true && knobs.streams !== false) stream(response, answer, -1);
    else json(answer, 200, response.object);
    void response.play();
  }

  function cancel(found: Scripted, answer: ServerResponse): void {
    found.cancels += 1;
    const { cancelStatus, stubborn } = found.knobs;
    if (cancelStatus !== undefined) return json(answer, cancelStatus, { error: { message: 'Not now.' } });
    const runs = found.status === 'queued' || found.status === 'in_progress';
    if (runs && !stubborn) found.finish('cancelled');
    json(answer, 200, found.object);
  }

  const server = createServer((request, answer) => {
    handle(request, answer).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    bodies,
    headers,
    responses,
    cancels: () => responses.reduce((sum, one) => sum + one.cancels, 0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function stream(response: Scripted, answer: ServerResponse, after: number): void {
  answer.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  answer.flushHeaders();
  for (const event of response.events.slice(after + 1)) send(answer, event, response.knobs.twice);
  if (response.status !== 'queued' && response.status !== 'in_progress') return void answer.end();
  response.readers.add(answer);
  response.onReader();
  answer.on('close', () => response.readers.delete(answer));
}

function send(answer: ServerResponse, event: Event, twice = false): void {
  const text = `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
  answer.write(twice ? text + text : text);
}

function lastText(body: Record<string, unknown>): string {
  const { content = '' } = (body.input as { content?: string | { text?: string }[] }[]).at(-1) ?? {};
  return typeof content === 'string' ? content : String(content[0]?.text);
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function json(answer: ServerResponse, status: number, body: unknown): void {
  answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
