import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createWindows } from '../../src/agents/model/windows.ts';
import { ManualClock } from '../support/model-clock.ts';
import { answer } from '../support/model-server.ts';
import { bench, run } from './model.fixture.ts';

type Answers = Readonly<Record<string, unknown>>;

/** A server with these answers, by path; what is asked is noted. */
async function serving(answers: Answers | ((path: string, body: unknown) => unknown)) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const path = request.url ?? '';
    asked.push(path);
    const found =
      typeof answers === 'function'
        ? answers(path, body === '' ? undefined : JSON.parse(body))
        : answers[path];
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? { error: 'no' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const clock = new ManualClock();
  return { asked, clock, windows: createWindows({ id: 'm', baseUrl }, clock, fetch) };
}

const shown = { model_info: { 'general.architecture': 'qwen3', 'qwen3.context_length': 40_960 } };

describe('the window of a model, by the API of its server', () => {
  test.each<[string, Answers, string, object]>([
    [
      'Ollama, loaded',
      { '/api/ps': { models: [{ name: 'qwen3:latest', context_length: 16_384 }] }, '/api/show': shown },
      'qwen3',
      { window: 16_384 },
    ],
    [
      'Ollama, not loaded, with a size of its own',
      { '/api/ps': { models: [] }, '/api/show': { ...shown, parameters: 'stop  "x"\nnum_ctx      8192\n' } },
      'qwen3',
      { window: 8192, most: 40_960 },
    ],
    [
      'Ollama, not loaded, with more than it can',
      { '/api/ps': { models: [] }, '/api/show': { ...shown, parameters: 'num_ctx 99999' } },
      'qwen3:latest',
      { window: 40_960, most: 40_960 },
    ],
    ['Ollama, not loaded', { '/api/ps': { models: [] }, '/api/show': shown }, 'qwen3', { most: 40_960 }],
    ['Ollama of earlier days', { '/api/ps': { models: [{ name: 'qwen3:latest' }] } }, 'qwen3', {}],
    [
      'LM Studio, loaded',
      {
        '/api/v1/models': {
          models: [
            { key: 'a/b', max_context_length: 32_768, loaded_instances: [] },
            {
              key: 'q/qwen3',
              max_context_length: 131_072,
              loaded_instances: [{ id: 'q/qwen3', config: { context_length: 4096 } }],
            },
          ],
        },
      },
      'q/qwen3',
      { window: 4096, most: 131_072 },
    ],
    [
      'LM Studio, not loaded',
      { '/api/v1/models': { models: [{ key: 'a/b', max_context_length: 32_768, loaded_instances: [] }] } },
      'a/b',
      { most: 32_768 },
    ],
    [
      'LM Studio before 0.4',
      {
        '/api/v0/models': {
          data: [{ id: 'q', state: 'loaded', max_context_length: 131_072, loaded_context_length: 8192 }],
        },
      },
      'q',
      { window: 8192, most: 131_072 },
    ],
    ['llama.cpp', { '/props': { default_generation_settings: { n_ctx: 2048 } } }, 'any', { window: 2048 }],
    ['none of them', {}, 'any', {}],
    [
      'none, with odd answers',
      { '/api/ps': [1], '/props': { n_ctx: 'x' }, '/api/v0/models': { data: 7 } },
      'any',
      {},
    ],
  ])('%s', async (_name, answers, model, window) => {
    const { windows } = await serving(answers);
    expect(await windows.of(model)).toEqual(window);
  });

  test('is asked again for each turn, of the one that knew, and of none that nobody knows for a while', async () => {
    const props = { default_generation_settings: { n_ctx: 2048 } };
    const found = await serving({ '/props': props });
    await found.windows.of('m');
    found.asked.length = 0;
    props.default_generation_settings.n_ctx = 4096;
    expect(await found.windows.of('m')).toEqual({ window: 4096 });
    expect(found.asked).toEqual(['/props']);
    const none = await serving({});
    await none.windows.of('m');
    const { length } = none.asked;
    await none.windows.of('m');
    expect(none.asked).toHaveLength(length);
    none.clock.advance(60_000);
    await none.windows.of('m');
    expect(none.asked.length).toBeGreaterThan(length);
  });

  test('is not waited for, and no server is asked that is far away', async () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const never: typeof fetch = (input) => {
      asked.push(String(input));
      return new Promise(() => {});
    };
    const late = createWindows({ id: 'm', baseUrl: 'http://192.168.1.9:11434/v1' }, clock, never).of('m');
    await clock.sleeping(500);
    clock.advance(500);
    expect(await late).toEqual({});
    asked.length = 0;
    for (const host of ['https://api.openai.com', 'http://11.0.0.1', 'http://172.32.0.1']) {
      expect(await createWindows({ id: 'm', baseUrl: `${host}/v1` }, clock, never).of('m')).toEqual({});
    }
    expect(asked).toEqual([]);
  });
});

describe('a conversation with a model that a person runs', () => {
  const own = (answers: Answers | (() => Answers)) => ({
    own: (path: string) => (typeof answers === 'function' ? answers() : answers)[path],
  });
  const usage = (outputs: Awaited<ReturnType<typeof run>>) =>
    outputs.find((output) => output.type === 'usage');

  test('keeps what fits the real window, shows it, and says when it cuts', async () => {
    const answers = { '/props': { default_generation_settings: { n_ctx: 700 } } };
    const { session, server } = await bench([answer('ok')], {}, {}, own(answers));
    const first = await run(session, 'x'.repeat(1600));
    expect(usage(first)).toMatchObject({ usage: { contextSize: 700 } });
    const second = await run(session, 'y'.repeat(400));
    expect(second).toContainEqual(expect.objectContaining({ type: 'notice', code: 'context.cut' }));
    expect(JSON.stringify(server.requests[1]?.body?.messages)).not.toContain('xxx');
  });

  test('learns the window of a model that is loaded by its first turn', async () => {
    let loaded = false;
    const models = () => (loaded ? [{ name: 'scripted:latest', context_length: 5000 }] : []);
    const script = () => {
      loaded = true;
      return answer('ok');
    };
    const answers = () => ({
      '/api/ps': { models: models() },
      '/api/show': { model_info: { 'x.context_length': 9000 } },
    });
    const { session } = await bench(script, {}, {}, own(answers));
    expect(usage(await run(session, 'hi'))).toMatchObject({ usage: { contextSize: 5000 } });
  });

  test('goes by the settings where they name a window', async () => {
    const answers = { '/props': { default_generation_settings: { n_ctx: 700 } } };
    const { session } = await bench([answer('ok')], { contextWindow: 1234 }, {}, own(answers));
    expect(usage(await run(session, 'hi'))).toMatchObject({ usage: { contextSize: 1234 } });
  });
});
