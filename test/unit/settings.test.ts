import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SettingsError } from '../../src/gateway/settings.fields.ts';
import { loadSettings, type Settings } from '../../src/gateway/settings.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-settings-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const file = () => join(dataDir, 'settings.json');
function load(content?: unknown, env: Record<string, string> = {}): Settings {
  if (content !== undefined) {
    writeFileSync(file(), typeof content === 'string' ? content : JSON.stringify(content, null, 2), {
      mode: 0o600,
    });
  }
  return loadSettings({ dataDir, env });
}
function refusal(content: unknown, env: Record<string, string> = {}): string {
  try {
    load(content, env);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).message;
  }
  throw new Error('the settings were taken');
}

describe('settings file', () => {
  test('a missing file gives the defaults', () => {
    expect(load()).toEqual({
      file: file(),
      found: false,
      added: [],
      models: [],
      discover: {},
      agents: [],
      remote: { responses: [], rpc: [], pico: [] },
      mcpServers: [],
      stallAfterMs: 20_000,
      stallAfterMsOf: {},
      roots: [],
      secrets: [],
      warnings: [],
    });
  });

  test('agent programs are read, and what is secret in their environment is hidden', () => {
    const settings = load({
      agents: [
        {
          id: 'mine',
          command: ['my-agent', '--acp'],
          cwd: 'here',
          env: { MY_TOKEN: 'hush-hush-token', MY_HOME: '/home/me' },
        },
        { id: 'kimi', command: ['kimi', 'acp'], auth: 'login' },
      ],
    });
    expect(settings.agents).toMatchObject([
      { id: 'mine', command: ['my-agent', '--acp'], cwd: join(dirname(file()), 'here') },
      { id: 'kimi', auth: 'login' },
    ]);
    expect(settings.agents[0]?.env?.MY_TOKEN?.reveal()).toBe('hush-hush-token');
    expect(JSON.stringify(settings.agents)).not.toContain('hush-hush');
    expect(settings.secrets).toEqual(['hush-hush-token']);
  });

  test('servers of the Model Context Protocol are read, and their secrets hidden', () => {
    const settings = load({
      mcpServers: [
        { name: 'files', command: ['server', '--stdio'], env: { API_KEY: 'hush-hush-key' } },
        {
          name: 'web',
          url: 'https://example.org/mcp',
          headers: { authorization: 'Bearer hush-hush-head' },
          default: false,
        },
      ],
    });
    expect(settings.mcpServers).toMatchObject([
      { name: 'files', command: ['server', '--stdio'] },
      { name: 'web', url: 'https://example.org/mcp', byDefault: false },
    ]);
    const twice = { name: 'a', command: ['x'] };
    expect(refusal({ mcpServers: [twice, twice] })).toContain('mcpServers[1].name is used by mcpServers[0]');
    expect(JSON.stringify(settings.mcpServers)).not.toContain('hush-hush');
    expect(settings.secrets).toEqual(['hush-hush-key', 'Bearer hush-hush-head']);
    expect(refusal({ mcpServers: [{ name: 'x' }] })).toContain('either a command or a url');
  });

  test('an agent program without a command, or with the id of another, is refused with its place', () => {
    expect(refusal({ agents: [{ id: 'a', command: [] }] })).toContain('agents[0].command');
    const twice = { id: 'a', command: ['x'] };
    expect(refusal({ agents: [twice, twice] })).toContain('agents[1].id is used by agents[0] already');
    expect(refusal({ agents: [{ ...twice, id: 'builtin' }] })).toContain('that is the built-in agent');
  });

  test('models, roots, the stall and values to hide are read', () => {
    const settings = load({
      models: [
        {
          id: 'local',
          name: 'Local',
          baseUrl: 'http://127.0.0.1:11434/v1/',
          model: 'm',
          contextWindow: 8192,
          reasoningTag: false,
        },
      ],
      stallAfterMs: 5000,
      stallAfterMsOf: { qwen: 60_000 },
      roots: ['~/projects', 'here', '/abs'],
      redact: ['hush-hush'],
    });
    expect(settings.models).toEqual([
      {
        id: 'local',
        name: 'Local',
        baseUrl: 'http://127.0.0.1:11434/v1',
        model: 'm',
        contextWindow: 8192,
        reasoningTag: false,
      },
    ]);
    expect(settings.stallAfterMs).toBe(5000);
    expect(settings.stallAfterMsOf).toEqual({ qwen: 60_000 });
    expect(settings.roots).toEqual([join(homedir(), 'projects'), join(dataDir, 'here'), '/abs']);
    expect(settings.secrets).toEqual(['hush-hush']);
  });

  test('keys and header values are secrets that no dump shows', () => {
    const settings = load(
      {
        models: [
          { id: 'a', baseUrl: 'http://a/v1', apiKey: 'in-the-file', headers: { 'x-key': 'in-a-header' } },
          { id: 'b', baseUrl: 'http://b/v1', apiKeyEnv: 'B_KEY' },
        ],
      },
      { B_KEY: 'in-the-environment' },
    );
    expect(settings.secrets).toEqual(['in-the-file', 'in-a-header', 'in-the-environment']);
    expect(settings.models[1]?.apiKey?.reveal()).toBe('in-the-environment');
    for (const dump of [
      JSON.stringify(settings.models),
      inspect(settings.models, { depth: 9, showHidden: true }),
      `${settings.models[0]?.apiKey}`,
    ]) {
      expect(dump).not.toMatch(/in-the|in-a/);
    }
  });

  test('a key variable that is not set leaves its name, so that the agent can say so', () => {
    const [model] = load({ models: [{ id: 'b', baseUrl: 'http://b/v1', apiKeyEnv: 'B_KEY' }] }).models;
    expect(model).toEqual({ id: 'b', baseUrl: 'http://b/v1', apiKeyEnv: 'B_KEY' });
  });

  test('another file can be named, and must then be there', () => {
    const other = join(dataDir, 'other.json');
    writeFileSync(other, '\uFEFF{"stallAfterMs": 2000}');
    expect(loadSettings({ dataDir, file: other, env: {} }).stallAfterMs).toBe(2000);
    rmSync(other);
    expect(() => loadSettings({ dataDir, file: other, env: {} })).toThrow(
      /other\.json: there is no such file\./,
    );
  });

  test('keys in a file that others can read give a warning', () => {
    const content = { models: [{ id: 'a', baseUrl: 'http://a/v1', apiKey: 'in-the-file' }] };
    expect(load(content).warnings).toEqual([]);
    chmodSync(file(), 0o644);
    expect(loadSettings({ dataDir, env: {} }).warnings).toEqual([expect.stringMatching(/chmod 600/)]);
  });
});

describe('a settings file that is wrong', () => {
  test.each([
    ['not JSON', '{\n  "models": [],\n  oops\n}', /settings\.json: not valid JSON near line 3\./],
    ['an unfinished file', '{\n"models": [', /not valid JSON near line 2\./],
    ['not an object', '[]', /the file must be of type object, not array/],
    ['an unknown setting', { modles: [] }, /the file has the unknown setting "modles"/],
    [
      'an unknown setting of a model',
      { models: [{ id: 'a', baseUrl: 'http://a', modle: 'm' }] },
      /models\[0\] has the unknown setting "modle"/,
    ],
    ['no base URL', { models: [{ id: 'a' }] }, /models\[0\]\.baseUrl must be a URL such as/],
    [
      'a base URL without scheme',
      { models: [{ id: 'a', baseUrl: 'localhost:1234' }] },
      /models\[0\]\.baseUrl must be a URL such as/,
    ],
    [
      'a password in the URL',
      { models: [{ id: 'a', baseUrl: 'http://u:p@h/v1' }] },
      /baseUrl must not hold a user or password/,
    ],
    [
      'an id twice',
      {
        models: [
          { id: 'a', baseUrl: 'http://a' },
          { id: 'a', baseUrl: 'http://b' },
        ],
      },
      /models\[1\]\.id is used by models\[0\] already/,
    ],
    [
      'the id of the built-in agent',
      { models: [{ id: 'builtin', baseUrl: 'http://a' }] },
      /models\[0\]\.id must not be "builtin"/,
    ],
    ['a limit that is none', { stallAfterMsOf: { qwen: 10 } }, /stallAfterMsOf\.qwen /],
    ['a number as text', { stallAfterMs: '5' }, /stallAfterMs must be of type number, not string/],
    [
      'two keys',
      { models: [{ id: 'a', baseUrl: 'http://a', apiKey: 'k', apiKeyEnv: 'K' }] },
      /models\[0\]\.apiKeyEnv must not stand beside apiKey/,
    ],
    [
      'a tag that is none',
      { models: [{ id: 'a', baseUrl: 'http://a', reasoningTag: '<x>' }] },
      /reasoningTag must be the name of a tag such as "think", or false/,
    ],
  ])(
    '%s: the error names the file, the place and what to do, and the file stays',
    (_name, content, message) => {
      const said = refusal(content);
      expect(said).toMatch(message);
      expect(said).toContain(file());
      expect(said).toMatch(/[Cc]orrect/);
      expect(readFileSync(file(), 'utf8')).toBe(
        typeof content === 'string' ? content : JSON.stringify(content, null, 2),
      );
    },
  );

  test('all that is wrong is said at once', () => {
    const said = refusal({ stallAfterMs: 1, models: [{ id: 'a b', baseUrl: 'x' }] });
    expect(said).toContain('3 entries are wrong');
    expect(said.split('\n')).toHaveLength(4);
  });

  test('no error repeats a key, not even the one beside which the JSON breaks', () => {
    expect(refusal('{"models": [{"id": "a", "apiKey": "k-very-secret" oops}]}')).not.toContain('secret');
    expect(refusal('{"apiKey": k-very-secret}')).not.toMatch(/k-ve|secret/);
    expect(refusal({ models: [{ id: 'a', baseUrl: 'k-very-secret', apiKey: 5 }] })).not.toContain('secret');
  });
});

describe('a model server from the environment', () => {
  test('SLUICE_MODEL_URL, _KEY and _NAME make the agent `model`', () => {
    const { models, secrets } = load(undefined, {
      SLUICE_MODEL_URL: 'http://h/v1',
      SLUICE_MODEL_KEY: 'key-of-mine',
      SLUICE_MODEL_NAME: 'm',
      OPENAI_BASE_URL: 'http://other',
    });
    expect(models).toMatchObject([{ id: 'model', baseUrl: 'http://h/v1', model: 'm' }]);
    expect(secrets).toEqual(['key-of-mine']);
  });

  test('each wins over the same field of the entry `model` in the file', () => {
    const content = {
      models: [{ id: 'model', baseUrl: 'http://file/v1', apiKeyEnv: 'K', model: 'f', system: 's' }],
    };
    const { models, secrets } = load(content, {
      K: 'old-key',
      SLUICE_MODEL_KEY: 'new-key',
      SLUICE_MODEL_NAME: 'm',
    });
    expect(models).toMatchObject([{ id: 'model', baseUrl: 'http://file/v1', model: 'm', system: 's' }]);
    expect(secrets).toEqual(['new-key']);
  });

  test('OPENAI_* are used when nothing else names it; a key alone means api.openai.com', () => {
    const env = { OPENAI_API_KEY: 'key-of-mine', OPENAI_MODEL: 'm' };
    expect(load(undefined, env).models).toMatchObject([
      { id: 'model', baseUrl: 'https://api.openai.com/v1', model: 'm' },
    ]);
    expect(load(undefined, { ...env, OPENAI_BASE_URL: 'http://h/v1' }).models).toMatchObject([
      { baseUrl: 'http://h/v1' },
    ]);
    expect(load({ models: [{ id: 'model', baseUrl: 'http://file/v1' }] }, env).models).toEqual([
      { id: 'model', baseUrl: 'http://file/v1' },
    ]);
    expect(
      load({ models: [{ id: 'other', baseUrl: 'http://o/v1' }] }, env).models.map((model) => model.id),
    ).toEqual(['other', 'model']);
  });

  test('a URL that is none is refused with the name of the variable', () => {
    expect(refusal(undefined, { SLUICE_MODEL_URL: 'nonsense' })).toBe(
      'The environment variable SLUICE_MODEL_URL must be a URL such as http://127.0.0.1:11434/v1.',
    );
  });

  test('a key or a name without a URL gives a warning', () => {
    expect(load(undefined, { SLUICE_MODEL_KEY: 'key-of-mine' }).warnings).toEqual([
      expect.stringMatching(/^SLUICE_MODEL_KEY had no effect/),
    ]);
  });
});

describe('model servers of other kinds', () => {
  test('need no base URL, and take their key from the usual variable', () => {
    const models = [
      { id: 'a', provider: 'anthropic', model: 'm' },
      { id: 'g', provider: 'google', apiKeyEnv: 'MINE' },
    ];
    const settings = load({ models }, { ANTHROPIC_API_KEY: 'anthropic-key', MINE: 'google-key' });
    expect(settings.models).toMatchObject([
      {
        id: 'a',
        provider: 'anthropic',
        baseUrl: 'https://api.anthropic.com/v1',
        apiKeyEnv: 'ANTHROPIC_API_KEY',
      },
      { id: 'g', provider: 'google', baseUrl: 'https://generativelanguage.googleapis.com/v1beta' },
    ]);
    expect(settings.models.map(({ apiKey }) => apiKey?.reveal())).toEqual(['anthropic-key', 'google-key']);
    expect(settings.secrets).toEqual(['anthropic-key', 'google-key']);
  });

  test('whose key is nowhere are kept, so that the list says which variable to set', () => {
    const [model] = load({ models: [{ id: 'a', provider: 'anthropic' }] }).models;
    expect(model).toMatchObject({ apiKeyEnv: 'ANTHROPIC_API_KEY' });
    expect(model).not.toHaveProperty('apiKey');
  });

  test('at an address of their own are not sent the key of another', () => {
    const models = [{ id: 'a', provider: 'anthropic', baseUrl: 'http://127.0.0.1:1/v1' }];
    const [model] = load({ models }, { ANTHROPIC_API_KEY: 'anthropic-key' }).models;
    expect(model).toEqual({ id: 'a', provider: 'anthropic', baseUrl: 'http://127.0.0.1:1/v1' });
  });

  test('are there by their key alone, unless the file speaks of them', () => {
    const env = { ANTHROPIC_API_KEY: 'k1', ANTHROPIC_MODEL: 'm', GOOGLE_GENERATIVE_AI_API_KEY: 'k2' };
    expect(load(undefined, env).models).toMatchObject([
      { id: 'anthropic', name: 'Anthropic', provider: 'anthropic', model: 'm' },
      { id: 'google', name: 'Google', provider: 'google' },
    ]);
    const models = [{ id: 'mine', provider: 'anthropic', apiKey: 'own' }];
    expect(load({ models }, env).models.map(({ id }) => id)).toEqual(['mine', 'google']);
  });

  test('that are not known are refused', () => {
    const models = [{ id: 'a', provider: 'azure', baseUrl: 'http://h' }];
    expect(refusal({ models })).toContain('models[0].provider must be openai, anthropic or google');
    expect(refusal({ models: [{ id: 'a', baseUrl: 'http://h', reasoning: 'much' }] })).toMatch(
      /must be none, /,
    );
  });
});

describe('the search for model servers of this machine', () => {
  test.each([
    [undefined, {}],
    [true, {}],
    [false, undefined],
    [
      { ollama: 11500, vllm: false },
      { ollama: 11500, vllm: false },
    ],
  ])('as %j is %j', (discover, found) => {
    expect(load(discover === undefined ? {} : { discover }).discover).toEqual(found);
  });

  test.each([
    [{ ollama: 0 }, 'discover.ollama must be a port (1 to 65535), or false'],
    [{ other: 1 }, 'discover has the unknown setting "other"'],
    ['no', 'discover must be false, or give ports to ollama, lmstudio, llamacpp or vllm'],
  ])('as %j is refused', (discover, message) => {
    expect(refusal({ discover })).toContain(message);
  });
});
