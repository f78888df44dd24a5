import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectors } from '../../src/agents/registry.ts';
import { loadSettings, type Settings } from '../../src/gateway/settings.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-settings-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function load(content: unknown, env: Record<string, string> = {}, mode = 0o600): Settings {
  writeFileSync(join(dataDir, 'settings.json'), JSON.stringify(content), { mode });
  return loadSettings({ dataDir, env });
}

const all = {
  responses: [{ id: 'deep', model: 'gpt-5', apiKeyEnv: 'MY_KEY', tools: [{ type: 'web_search' }] }],
  rpc: [
    {
      id: 'shrimp',
      url: 'http://127.0.0.1:8787/rpc',
      events: 'http://127.0.0.1:8787/events',
      token: 'rpc-token',
      headers: { 'x-team': 'a-team' },
      profile: { methods: { steer: false }, events: { text: ['token'] }, fields: { text: 'a.b' } },
    },
  ],
  pico: [{ id: 'claw', url: 'http://127.0.0.1:18790', token: 'pico-token' }],
};

test('agents over the network are read, and listed with the others', async () => {
  const settings = load(all, { MY_KEY: 'sk-1234' });
  expect(settings.warnings).toEqual([]);
  const { responses, rpc, pico } = settings.remote;
  expect(responses[0]).toMatchObject({ baseUrl: 'https://api.openai.com/v1', model: 'gpt-5' });
  expect(responses[0]?.apiKey?.reveal()).toBe('sk-1234');
  expect(rpc[0]?.profile?.events).toEqual({ text: ['token'] });
  expect(pico[0]?.token?.reveal()).toBe('pico-token');
  const listed = connectors({ remote: settings.remote });
  const ids = listed.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['deep', 'shrimp', 'claw']));
  for (const id of ['deep', 'shrimp', 'claw'])
    expect(await listed.find((one) => one.id === id)?.available()).toMatchObject({ available: true });
});

test('their secrets are in no dump, and known to what keeps logs clean', () => {
  const settings = load(all, { MY_KEY: 'sk-1234' });
  const values = ['sk-1234', 'rpc-token', 'pico-token', 'a-team'];
  expect(settings.secrets).toEqual(expect.arrayContaining(values));
  for (const dump of [inspect(settings.remote, { depth: 9 }), JSON.stringify(settings.remote)])
    for (const value of values) expect(dump).not.toContain(value);
});

test('a file with a token that others can read is warned of', () => {
  const { pico } = all;
  expect(load({ pico }, {}, 0o644).warnings[0]).toContain('chmod 600');
});

test('an agent whose variable is empty is listed with what to do', async () => {
  const { remote } = load({ pico: [{ id: 'claw', url: 'http://127.0.0.1:18790', tokenEnv: 'CLAW' }] });
  const claw = connectors({ remote }).find(({ id }) => id === 'claw');
  expect(await claw?.available()).toMatchObject({
    available: false,
    reason: expect.stringContaining('CLAW'),
  });
});

test.each([
  [
    'an unknown name in a profile',
    { rpc: [{ ...all.rpc[0], profile: { methods: { sent: 'x' } } }] },
    '"sent"',
  ],
  [
    'no method to send',
    { rpc: [{ ...all.rpc[0], profile: { methods: { send: false } } }] },
    'rpc[0].profile.methods.send',
  ],
  ['a secret twice', { pico: [{ ...all.pico[0], tokenEnv: 'CLAW' }] }, 'pico[0].tokenEnv'],
  ['no model', { responses: [{ id: 'deep' }] }, 'responses[0].model'],
  ['one id twice', { pico: [all.pico[0], all.pico[0]] }, 'pico[1].id'],
])('says where the file is wrong: %s', (_, content, where) => {
  expect(() => load(content)).toThrow(where);
});
