import { Readable, Writable } from 'node:stream';
import * as acp from '@agentclientprotocol/sdk';
import type { Asks } from './asking.ts';
import type { Program } from './program.ts';
import type { Services } from './services.ts';

/** The client's side of the protocol: what an agent may tell and ask. */
export interface Client {
  /** Nothing of it has been checked. Never throws. */
  update(notification: acp.SessionNotification | undefined): void;
  readonly asking: Asks;
  readonly services: Services;
  /** A11: what is in no specification; undefined when we do not know it either. */
  other(method: string, params: unknown): unknown;
}

const largestMessage = 64 * 1024 * 1024;

export function connect(program: Program, client: Client): acp.ClientConnection {
  const { client: methods } = acp.methods;
  const { asking, services } = client;
  const { readable, writable } = acp.ndJsonStream(
    Writable.toWeb(program.stdin) as WritableStream<Uint8Array>,
    Readable.toWeb(program.stdout) as ReadableStream<Uint8Array>,
    { maxMessageBytes: largestMessage },
  );
  // Updates are taken before the SDK sees them: it would settle a prompt before it passes on the update that came just
  // before the answer, and drop an update as a whole for one wrong field.
  const rest = new TransformStream<acp.AnyMessage, acp.AnyMessage>({
    transform(message, controller) {
      if (isUpdate(message)) return client.update(message.params as acp.SessionNotification | undefined);
      if (isVisited(message)) return asking.elicited(String(message.params.elicitationId));
      controller.enqueue(message);
      // What follows an answer is read when the answer has had its effect: it may not belong to that prompt any more.
      return 'method' in message ? undefined : new Promise((resolve) => setImmediate(resolve));
    },
  });
  return acp
    .client({ name: 'Sluice' })
    .onRequest(methods.session.requestPermission, ({ params, signal }) => asking.permission(params, signal))
    .onRequest(methods.elicitation.create, ({ params, signal }) => asking.elicit(params, signal))
    .onRequest(methods.fs.readTextFile, ({ params }) => services.readText(params))
    .onRequest(methods.fs.writeTextFile, ({ params }) => services.writeText(params))
    .onRequest(methods.terminal.create, ({ params }) => services.createTerminal(params))
    .onRequest(methods.terminal.output, ({ params }) => services.terminalOutput(params))
    .onRequest(methods.terminal.waitForExit, ({ params }) => services.waitForExit(params))
    .onRequest(methods.terminal.kill, ({ params }) => services.killTerminal(params))
    .onRequest(methods.terminal.release, ({ params }) => services.releaseTerminal(params))
    .onRequest('*', ({ method, params }) => {
      const answer = client.other(method, params);
      if (answer === undefined) throw acp.RequestError.methodNotFound(method);
      return answer;
    })
    .onNotification('*', ({ method, params }) => {
      client.other(method, params);
    })
    .connect({ readable: readable.pipeThrough(rest), writable });
}

/** It may come right before the answer to the prompt, as updates do. */
function isVisited(message: acp.AnyMessage): message is { jsonrpc: '2.0'; method: string; params: Visited } {
  if (!('method' in message) || message.method !== 'elicitation/complete') return false;
  return typeof message.params === 'object' && message.params !== null;
}

interface Visited {
  readonly elicitationId?: unknown;
}

function isUpdate(message: acp.AnyMessage): message is acp.AnyNotification {
  return 'method' in message && message.method === 'session/update' && !('id' in message);
}
