import { expect, it } from 'vitest';
import { connectors } from '../../src/agents/registry.ts';

it('lists the built-in agent first, and says how to set a model when none is', async () => {
  const [first, second] = connectors();
  expect(first).toMatchObject({ id: 'builtin' });
  expect(await second?.available()).toMatchObject({
    available: false,
    reason: expect.stringContaining('SLUICE_MODEL_URL'),
  });
});

it('refuses two agents of one id', () => {
  const server = { id: 'builtin', baseUrl: 'http://127.0.0.1:1/v1' };
  expect(() => connectors({ servers: [server] })).toThrow('Two agents have the id builtin');
  expect(connectors({ servers: [{ ...server, id: 'local' }] }).map((connector) => connector.id)).toEqual([
    'builtin',
    'local',
  ]);
});
