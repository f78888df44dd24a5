import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Connector } from '../../src/agents/agent.ts';
import { type Discovery, discoverModels } from '../../src/agents/model/discovery.ts';
import { connectors } from '../../src/agents/registry.ts';
import { localGateway } from '../support/local-gateway.ts';
import { ManualClock } from '../support/model-clock.ts';
import { answer, type ModelServer, start } from '../support/model-server.ts';
import { openOptions, run, said } from './model.fixture.ts';

const nowhere = { ollama: false, lmstudio: false, llamacpp: false, vllm: false } as const;

async function serving(models: Parameters<typeof start>[0]['models'] = ['qwen3']): Promise<ModelServer> {
  const server = await start({ script: [answer('hello')], models });
  onTestFinished(() => server.close());
  return server;
}

async function listening(handler: Parameters<typeof createServer>[1]): Promise<number> {
  const server: Server = createServer(handler as never);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function portOf(server: ModelServer): number {
  return Number(new URL(server.url).port);
}

function only(discovery: Discovery, clock?: ManualClock): Connector {
  const found = discoverModels({ ...nowhere, ...discovery }, [], clock ? { clock } : {});
  expect(found).toHaveLength(1);
  return found[0] as Connector;
}

describe('a model server on this machine', () => {
  test.each(['ollama', 'lmstudio', 'llamacpp', 'vllm'] as const)(
    'is found as %s, with its models',
    async (id) => {
      const server = await serving(['qwen3', { id: 'phi', name: 'Phi' }]);
      const connector = only({ [id]: portOf(server) });
      expect(connector.id).toBe(id);
      expect(await connector.available()).toEqual({
        available: true,
        models: [
          { id: 'qwen3', name: 'qwen3' },
          { id: 'phi', name: 'Phi' },
        ],
      });
      const session = await connector.open(openOptions());
      onTestFinished(() => session.close());
      expect(said(await run(session, 'hi'))).toBe('hello');
      expect(server.requests[0]?.body?.model).toBe('qwen3');
    },
  );

  test('is asked only when the agents are listed, and not each time', async () => {
    const server = await serving();
    const clock = new ManualClock();
    const connector = only({ ollama: portOf(server) }, clock);
    expect(server.listings()).toBe(0);
    await connector.available();
    await connector.available();
    expect(server.listings()).toBe(1);
  });

  test('that is started later is found then', async () => {
    const server = await serving();
    const port = portOf(server);
    await server.close();
    const clock = new ManualClock();
    const connector = only({ vllm: port }, clock);
    expect(await connector.available()).toMatchObject({ available: false, unlisted: true });
    const later = await start({ script: [answer('a')], models: ['m'], port });
    onTestFinished(() => later.close());
    clock.advance(5000);
    expect(await connector.available()).toMatchObject({ available: true });
  });

  test('that does not answer holds the list up for less than half a second', async () => {
    const asked = Promise.withResolvers<void>();
    const port = await listening(() => asked.resolve());
    const clock = new ManualClock();
    const available = only({ llamacpp: port }, clock).available();
    await asked.promise;
    clock.advance(400);
    expect(await available).toMatchObject({ available: false, unlisted: true });
  });

  test.each([
    ['a page', 'text/html', '<html>'],
    ['JSON of its own', 'application/json', '{"status":"up"}'],
  ])('is not taken for one when it answers with %s', async (_what, type, body) => {
    const port = await listening((_request, response) => {
      response.writeHead(200, { 'content-type': type }).end(body);
    });
    expect(await only({ llamacpp: port }).available()).toMatchObject({ available: false, unlisted: true });
  });

  test('without a model is listed, with what is missing', async () => {
    const server = await serving([]);
    expect(await only({ ollama: portOf(server) }).available()).toEqual({
      available: false,
      reason: expect.stringMatching(/it has no model yet/),
    });
  });
});

describe('the servers that are looked for', () => {
  test('are the four at their usual ports, but for those that the settings name or turn off', () => {
    const ids = (...given: Parameters<typeof discoverModels>) => discoverModels(...given).map(({ id }) => id);
    expect(ids({}, [])).toEqual(['ollama', 'lmstudio', 'llamacpp', 'vllm']);
    expect(ids({ vllm: false }, [{ id: 'mine', baseUrl: 'http://localhost:11434/v1' }])).toEqual([
      'lmstudio',
      'llamacpp',
    ]);
    expect(ids({}, [{ id: 'far', baseUrl: 'http://10.0.0.1:11434/v1' }])).toHaveLength(4);
  });

  test('are none unless asked, and give way to an agent of the same name', () => {
    const ids = (options: Parameters<typeof connectors>[0]) => connectors(options).map(({ id }) => id);
    expect(ids({})).not.toContain('ollama');
    const named = [{ id: 'vllm', baseUrl: 'http://10.0.0.1:9/v1' }];
    expect(ids({ discover: {}, servers: named })).toEqual([
      'builtin',
      'vllm',
      'ollama',
      'lmstudio',
      'llamacpp',
    ]);
  });

  test('are in the list of agents while they answer, and only then', async () => {
    const server = await serving();
    const local = await localGateway({
      connectors: [
        ...discoverModels({ ...nowhere, ollama: portOf(server) }, []),
        ...discoverModels({ ...nowhere, vllm: 1 }, []),
      ],
    });
    onTestFinished(() => local.close());
    expect(await local.gateway.agents()).toEqual([
      {
        id: 'ollama',
        name: 'Ollama',
        description: `A model of Ollama, found at 127.0.0.1:${portOf(server)}.`,
        available: true,
        models: [{ id: 'qwen3', name: 'qwen3' }],
      },
    ]);
  });
});
