import type * as acp from '@agentclientprotocol/sdk';
import { RequestError } from '@agentclientprotocol/sdk';
import { readText, writeText } from './files.ts';
import type { Terminals } from './terminals.ts';

/** Files and commands that an agent asks us for, in the directory of its session; nothing new once it is stopped. */
export class Services {
  readonly #cwd: string;
  readonly #terminals: Terminals;
  readonly #stopped: () => boolean;

  constructor(cwd: string, terminals: Terminals, stopped: () => boolean) {
    this.#cwd = cwd;
    this.#terminals = terminals;
    this.#stopped = stopped;
  }

  async readText({ path, line, limit }: acp.ReadTextFileRequest): Promise<acp.ReadTextFileResponse> {
    return { content: await readText(this.#cwd, path, line, limit) };
  }

  async writeText({ path, content }: acp.WriteTextFileRequest): Promise<void> {
    this.#refuseIfStopped();
    await writeText(this.#cwd, path, content);
  }

  async createTerminal(request: acp.CreateTerminalRequest): Promise<acp.CreateTerminalResponse> {
    this.#refuseIfStopped();
    return { terminalId: await this.#terminals.create(request) };
  }

  terminalOutput({ terminalId }: acp.TerminalOutputRequest): acp.TerminalOutputResponse {
    return this.#terminals.output(terminalId);
  }

  waitForExit({ terminalId }: acp.WaitForTerminalExitRequest): Promise<acp.WaitForTerminalExitResponse> {
    return this.#terminals.waitForExit(terminalId);
  }

  killTerminal({ terminalId }: acp.KillTerminalRequest): Promise<void> {
    return this.#terminals.kill(terminalId);
  }

  releaseTerminal({ terminalId }: acp.ReleaseTerminalRequest): Promise<void> {
    return this.#terminals.release(terminalId);
  }

  #refuseIfStopped(): void {
    if (this.#stopped()) throw RequestError.invalidRequest({ details: 'the user stopped this turn' });
  }
}
