import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SendAnswer } from '../../src/wire/requests.ts';
import { openGate } from '../support/acp-double.ts';
import { openTab } from '../support/gateway-server.ts';
import { script } from '../support/local-gateway.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { factsOf, snapshotOf, until, wrongWith } from '../support/real-logs.ts';

// Real processes on a machine that may be busy: a bound for what never comes, not a measure.
vi.setConfig({ testTimeout: 120_000 });

const day = 86_400_000;
let gateway: GatewayProcess;
beforeEach(async () => {
  gateway = new GatewayProcess([], {}, { probe: true });
  await gateway.start();
});
afterEach(() => gateway.remove());

it.each([
  ['forward', day],
  ['back', -day],
])(
  'a wall clock that jumps %s by a day ends no turn, stalls none and changes no order (I1, I3, I6, I13)',
  async (_, shiftMs) => {
    const { cursor } = await gateway.call<{ cursor: string }>('POST', '/api/sessions', {
      id: 'a',
      agent: 'builtin',
    });
    const send = (id: string, steps: readonly unknown[]) =>
      gateway.call<SendAnswer>('POST', '/api/sessions/a/messages', script(id, steps));
    const tab = await openTab(Number(new URL(gateway.url).port), {
      authorization: `Bearer ${gateway.token}`,
    });
    tab.say({ type: 'subscribe', session: 'a', after: cursor });
    await send('m1', [
      { tokens: { count: 20, every: 5, prefix: '@a@' } },
      { gate: { file: 'go' } },
      { text: '@a@ end' },
    ]);
    await send('m2', [{ text: '@a@ second' }]);
    await until(gateway, 'a', (now) => (now.turns[0]?.parts.length ?? 0) > 0);
    const before = await gateway.probe();
    const after = await gateway.probe({ shiftMs });
    expect(Math.abs(after.now - before.now - shiftMs)).toBeLessThan(day / 24);
    await send('m3', [{ text: '@a@ third' }]);
    expect((await snapshotOf(gateway, 'a')).turns).toHaveLength(1);

    openGate(gateway.root, 'go');
    const done = await until(gateway, 'a', (now) => now.state === 'finalized' && now.turns.length === 3);
    expect(done.turns.map((turn) => turn.message?.id)).toEqual(['m1', 'm2', 'm3']);
    const facts = await factsOf(gateway, 'a');
    expect(facts.some((fact) => fact.type === 'turn.watching')).toBe(false);
    const times = facts.map((fact) => fact.at);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(day / 2);
    expect(await wrongWith(gateway, 'a', 'a')).toEqual([]);
    // The live channel went on, and a new reader finds the same.
    await tab.frame((frame) => frame.type === 'facts' && frame.seq === facts.length);
    const told = tab.frames.flatMap((frame) => (frame.type === 'facts' ? frame.facts : []));
    expect(told).toEqual(facts.slice(1));
    tab.socket.close();
  },
);
