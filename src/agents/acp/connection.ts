import { Readable, Writable } from 'node:stream';
import * as acp from '@agentclientprotocol/sdk';
import type { Program } from './program.ts';

/** The client's side of the protocol: what an agent may tell and ask. */
export interface Client {
  /** Nothing of it has been checked. Never throws. */
  update(notification: acp.SessionNotification | undefined): void;
  permission(
    request: acp.RequestPermissionRequest,
    signal: AbortSignal,
  ): Promise<acp.RequestPermissionResponse>;
  readText(request: acp.ReadTextFileRequest): Promise<acp.ReadTextFileResponse>;
  writeText(request: acp.WriteTextFileRequest): Promise<void>;
  createTerminal(request: acp.CreateTerminalRequest): Promise<acp.CreateTerminalResponse>;
  terminalOutput(request: acp.TerminalOutputRequest): acp.TerminalOutputResponse;
  waitForExit(request: acp.WaitForTerminalExitRequest): Promise<acp.WaitForTerminalExitResponse>;
  killTerminal(request: acp.KillTerminalRequest): Promise<void>;
  releaseTerminal(request: acp.ReleaseTerminalRequest): Promise<void>;
  /** A11: what is in no specification; undefined when we do not know it either. */
  other(method: string, params: unknown): unknown;
}

const largestMessage = 64 * 1024 * 1024;

export function connect(program: Program, client: Client): acp.ClientConnection {
  const { client: methods } = acp.methods;
  const { readable, writable } = acp.ndJsonStream(
    Writable.toWeb(program.stdin) as WritableStream<Uint8Array>,
    Readable.toWeb(program.stdout) as ReadableStream<Uint8Array>,
    { maxMessageBytes: largestMessage },
  );
  // Updates are taken before the SDK sees them: it would settle a prompt before it passes on the update that came just
  // before the answer, and drop an update as a whole for one wrong field.
  const rest = new TransformStream<acp.AnyMessage, acp.AnyMessage>({
    transform(message, controller) {
      if (isUpdate(message)) client.update(message.params as acp.SessionNotification | undefined);
      else controller.enqueue(message);
    },
  });
  return acp
    .client({ name: 'Sluice' })
    .onRequest(methods.session.requestPermission, ({ params, signal }) => client.permission(params, signal))
    .onRequest(methods.fs.readTextFile, ({ params }) => client.readText(params))
    .onRequest(methods.fs.writeTextFile, ({ params }) => client.writeText(params))
    .onRequest(methods.terminal.create, ({ params }) => client.createTerminal(params))
    .onRequest(methods.terminal.output, ({ params }) => client.terminalOutput(params))
    .onRequest(methods.terminal.waitForExit, ({ params }) => client.waitForExit(params))
    .onRequest(methods.terminal.kill, ({ params }) => client.killTerminal(params))
    .onRequest(methods.terminal.release, ({ params }) => client.releaseTerminal(params))
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

function isUpdate(message: acp.AnyMessage): message is acp.AnyNotification {
  return 'method' in message && message.method === 'session/update' && !('id' in message);
}
