import { createAcpAgents } from './acp/acp.ts';
import type { AcpAgent, AcpOptions } from './acp/options.ts';
import { AgentError, type Connector } from './agent.ts';
import { type BuiltinOptions, createBuiltin } from './builtin/builtin.ts';
import { type Discovery, discoverModels } from './model/discovery.ts';
import { createModels } from './model/model.ts';
import type { ModelOptions, ModelServer } from './model/options.ts';
import type { PicoServer } from './pico/options.ts';
import { createAllPico } from './pico/pico.ts';
import type { ResponsesServer } from './responses/options.ts';
import { createAllResponses } from './responses/responses.ts';
import type { RpcServer } from './rpc-sse/options.ts';
import { createAllRpcSse } from './rpc-sse/rpc-sse.ts';

export interface ConnectorOptions {
  readonly builtin?: BuiltinOptions;
  /** The model servers of the settings; without any, the list says how to set one. */
  readonly servers?: readonly ModelServer[];
  readonly model?: Omit<ModelOptions, 'server'>;
  /** Where model servers of this machine are looked for; absent: nowhere. */
  readonly discover?: Discovery;
  /** The agent programs of the settings; with them come those that are known by name. */
  readonly agents?: readonly AcpAgent[];
  readonly acp?: Omit<AcpOptions, 'agent'>;
  /** Agents of the settings that are reached over the network. */
  readonly remote?: {
    readonly responses: readonly ResponsesServer[];
    readonly rpc: readonly RpcServer[];
    readonly pico: readonly PicoServer[];
  };
}

/** All agents that can be talked to, the default first. Throws `agents.duplicate_id` when two have the same id. */
export function connectors(options: ConnectorOptions = {}): Connector[] {
  const { builtin, servers = [], model, discover, agents, acp, remote } = options;
  const { settingsFile } = model ?? {};
  const far = remote && [
    ...createAllResponses(remote.responses, settingsFile === undefined ? {} : { settingsFile }),
    ...createAllRpcSse(remote.rpc),
    ...createAllPico(remote.pico),
  ];
  const own = [createBuiltin(builtin), ...createModels(servers, model), ...(far ?? [])];
  const taken = own.map(({ id }) => id);
  const programs = agents ? createAcpAgents(agents, taken, acp) : [];
  const named = new Set([...own, ...programs].map(({ id }) => id));
  const found = discover ? discoverModels(discover, servers, model).filter(({ id }) => !named.has(id)) : [];
  const all = [...own, ...found, ...programs];
  const ids = new Set<string>();
  for (const { id } of all) {
    if (ids.has(id)) {
      throw new AgentError(
        'agents.duplicate_id',
        `Two agents have the id "${id}": give one of them another id in ${settingsFile ?? 'the settings'}. The lists models, agents, responses, rpc and pico share their ids, and the environment may name "model", "anthropic" and "google".`,
      );
    }
    ids.add(id);
  }
  return all;
}
