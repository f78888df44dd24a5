import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gate } from './model-server.ts';

/**
 * A back end in the shape of Hero Shrimp, over real sockets: `POST /rpc` (JSON-RPC 2.0: `message.send`,
 * `session.steer`, `session.stop`, `job.status`) and `GET /events`, one stream for all sessions. What it does with a
 * message is a play, step by step: it answers the dispatch when, how and as often as the play says, or never.
 */
export type RpcStep =
  /** Answers the dispatch. */
  | { readonly answer: unknown }
  | { readonly refuse: string }
  /** Answers the dispatch with this job, which runs from now on. */
  | { readonly job: string }
  /** What a poll of the job finds from now on; null: it is not known any more. */
  | { readonly status: Readonly<Record<string, unknown>> | null; readonly of: string }
  /** An event of this session, unless `session` says another, or null none. */
  | {
      readonly event: string;
      readonly data?: Readonly<Record<string, unknown>>;
      readonly session?: string | null;
    }
  | { readonly gate: Gate }
  /** Cuts the event streams of everybody. */
  | { readonly cut: true };

export interface Play {
  readonly steps: readonly RpcStep[];
  /** True: a dispatch that no step answers stays without an answer. */
  readonly mute?: boolean;
  /** A stop is refused, and changes nothing. */
  readonly stubborn?: boolean;
  /** A stop is taken, and changes nothing. */
  readonly deaf?: boolean;
  /** Events carry the name that the message was sent with. */
  readonly names?: boolean;
  /** The answer to guidance, or the gate that it waits for. */
  readonly steer?: { readonly accepted?: boolean; readonly before?: Gate };
}

export interface Called {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface RpcDouble {
  readonly url: string;
  readonly events: string;
  readonly calls: readonly Called[];
  readonly headers: readonly IncomingMessage['headers'][];
  of(method: string): readonly Called[];
  /** How many event streams are open. */
  streams(): number;
  /** An event outside of any play. */
  tell(event: string, data: Readonly<Record<string, unknown>>): void;
  close(): Promise<void>;
}

export const text = (delta: string): RpcStep => ({ event: 'llm:delta', data: { delta } });
export const turnEnd: RpcStep = { event: 'turn:end' };

export async function startRpc(script: (message: string, session: string) => Play): Promise<RpcDouble> {
  const calls: Called[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const readers = new Set<ServerResponse>();
  const jobs = new Map<string, Readonly<Record<string, unknown>>>();
  const running = new Map<string, { play: Play; readonly stopped: PromiseWithResolvers<void> }>();
  let ids = 0;

  function tell(event: string, data: Readonly<Record<string, unknown>>): void {
    ids += 1;
    for (const reader of readers)
      reader.write(`id: ${ids}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async function rpc(called: Called, answer: (body: object) => void): Promise<void> {
    const { method, params } = called;
    const session = String(params.session_id);
    const on = running.get(session);
    switch (method) {
      case 'message.send':
        return perform(called, answer);
      case 'session.steer':
        await on?.play.steer?.before?.pass(on.stopped.promise);
        return answer({ result: { accepted: on?.play.steer?.accepted ?? on !== undefined } });
      case 'session.stop':
        if (on?.play.stubborn) return answer({ error: { code: -32000, message: 'Not now.' } });
        if (!on?.play.deaf) on?.stopped.resolve();
        return answer({ result: {} });
      case 'job.status': {
        const status = jobs.get(String(params.job_id));
        return answer(status ? { result: status } : { error: { code: -32004, message: 'No such job.' } });
      }
      default:
        return answer({ error: { code: -32601, message: 'No such method.' } });
    }
  }

  async function perform({ params }: Called, reply: (body: object) => void): Promise<void> {
    const session = String(params.session_id);
    const play = script(String(params.message), session);
    const on = { play, stopped: Promise.withResolvers<void>() };
    running.set(session, on);
    let stopped = false;
    void on.stopped.promise.then(() => {
      stopped = true;
    });
    let answered = false;
    const answer = (body: object) => {
      answered = true;
      reply(body);
    };
    for (const step of play.steps) {
      if ('gate' in step) await step.gate.pass(on.stopped.promise);
      if (stopped) break;
      if ('answer' in step) answer({ result: step.answer });
      else if ('refuse' in step) answer({ error: { code: -32000, message: step.refuse } });
      else if ('job' in step) {
        if (!jobs.has(step.job)) jobs.set(step.job, { status: 'running' });
        answer({ result: { job_id: step.job } });
      } else if ('status' in step) {
        if (step.status) jobs.set(step.of, step.status);
        else jobs.delete(step.of);
      } else if ('cut' in step) {
        for (const reader of readers) reader.destroy();
        readers.clear();
      } else if ('event' in step) {
        const of = step.session === undefined ? session : step.session;
        tell(step.event, {
          ...(of !== null && { session_id: of }),
          ...(play.names && { client_id: params.client_id }),
          ...step.data,
        });
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (running.get(session) === on) running.delete(session);
    if (!answered && !play.mute) answer({ result: { accepted: true } });
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    headers.push(request.headers);
    if (request.method === 'GET' && request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      readers.add(response);
      response.on('close', () => readers.delete(response));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Called & {
      id: number;
    };
    const called = { method, params };
    calls.push(called);
    await rpc(called, (body) => {
      if (response.writableEnded || response.destroyed) return;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
    });
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/rpc`,
    events: `${origin}/events`,
    calls,
    headers,
    of: (method) => calls.filter((one) => one.method === method),
    streams: () => readers.size,
    tell,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
