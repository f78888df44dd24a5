import { onTestFinished } from 'vitest';
import type { AgentSession, OpenOptions, Output, PromptRequest } from '../../src/agents/agent.ts';
import { createModel } from '../../src/agents/model/model.ts';
import type { ModelServer as Server } from '../../src/agents/model/options.ts';
import { ManualClock } from '../support/model-clock.ts';
import { type ModelServer, type ModelServerOptions, start } from '../support/model-server.ts';

export interface Bench {
  readonly server: ModelServer;
  readonly session: AgentSession;
  readonly clock: ManualClock;
  /** Output that belongs to no prompt. */
  readonly loose: Output[];
}

/** A scripted server and a session of the connector that talks to it, without tools unless the settings say so. */
export async function bench(
  script: ModelServerOptions['script'],
  settings: Partial<Server> = {},
  open: Partial<OpenOptions> = {},
  more: Omit<ModelServerOptions, 'script'> = {},
): Promise<Bench> {
  const server = await start({ script, models: ['scripted'], ...more });
  onTestFinished(() => server.close());
  const clock = new ManualClock();
  const connector = createModel({
    server: { id: 'model', baseUrl: server.url, model: 'scripted', tools: false, ...settings },
    settingsFile: '/data/settings.json',
    clock,
    random: () => 0.5,
  });
  const loose: Output[] = [];
  const session = await connector.open(openOptions({ onOutput: (output) => loose.push(output), ...open }));
  onTestFinished(() => session.close());
  return { server, session, clock, loose };
}

export function openOptions(open: Partial<OpenOptions> = {}): OpenOptions {
  return {
    session: 's1',
    kind: 'conversation',
    cwd: '/',
    history: [],
    stateDir: '/nowhere',
    onProcess: () => {},
    onOutput: () => {},
    onExit: () => {},
    ...open,
  };
}

let turns = 0;
export function request(text: string, signal = new AbortController().signal): PromptRequest {
  turns += 1;
  return { turn: `t${turns}`, content: [{ type: 'text', text }], signal };
}

/** Runs a prompt to its end; `on` sees each output as it comes. */
export async function run(
  session: AgentSession,
  text: string,
  on: (output: Output) => void | Promise<void> = () => {},
): Promise<Output[]> {
  const outputs: Output[] = [];
  for await (const output of session.prompt(request(text))) {
    outputs.push(output);
    await on(output);
  }
  return outputs;
}

export function said(outputs: readonly Output[], kind: 'text' | 'thought' = 'text'): string {
  return outputs.flatMap((output) => (output.type === kind ? output.text : [])).join('');
}

export function ended(outputs: readonly Output[]): Extract<Output, { type: 'ended' }> {
  const ends = outputs.filter((output) => output.type === 'ended');
  if (ends.length !== 1 || outputs.at(-1) !== ends[0])
    throw new Error(`not one end: ${JSON.stringify(outputs)}`);
  return ends[0] as Extract<Output, { type: 'ended' }>;
}

export function retries(outputs: readonly Output[]): Extract<Output, { type: 'retrying' }>[] {
  return outputs.filter((output) => output.type === 'retrying');
}
