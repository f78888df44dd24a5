import { expect, it } from 'vitest';
import { commands, examples } from '../../src/agents/builtin/commands.ts';
import { parse } from '../../src/agents/builtin/grammar.ts';
import { connectors } from '../../src/agents/registry.ts';

it('lists the built-in agent first, and says how to set a model when none is', async () => {
  const [first, second] = connectors();
  expect(first).toMatchObject({ id: 'builtin' });
  expect(await second?.available()).toMatchObject({
    available: false,
    reason: expect.stringContaining('SLUICE_MODEL_URL'),
  });
});

it('offers only examples that the built-in agent understands, each as another command', () => {
  const names = examples.map((text) => parse(commands, text)?.spec.name);
  expect(names).not.toContain(undefined);
  expect(new Set(names).size).toBe(examples.length);
});

it('refuses two agents of one id', () => {
  const server = { id: 'builtin', baseUrl: 'http://127.0.0.1:1/v1' };
  expect(() => connectors({ servers: [server] })).toThrow('Two agents have the id "builtin"');
  expect(connectors({ servers: [{ ...server, id: 'local' }] }).map((connector) => connector.id)).toEqual([
    'builtin',
    'local',
  ]);
});
