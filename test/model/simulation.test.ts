import { describe, expect, test } from 'vitest';
import { plays } from './simulation/plays.ts';
import { run } from './simulation/schedule.ts';
import { fixedSeeds, found } from './simulation/seeds.ts';

describe('the simulated world', () => {
  test('is the same each time that a seed is played, message for message', async () => {
    const once = await run('fixed1', { tracing: true });
    const again = await run('fixed1', { tracing: true });
    expect(once.lines.length).toBeGreaterThan(50);
    expect(again.lines).toEqual(once.lines);
    expect([again.events, again.facts, again.steps]).toEqual([once.events, once.facts, once.steps]);
    expect((await run('fixed2', { tracing: true })).lines).not.toEqual(once.lines);
  });

  test.each(found)('seed %s stays well: %s', async (seed) => {
    expect((await plays(seed)).facts).toBeGreaterThan(0);
  });

  test('keeps the invariants I1 to I14 in a spread of fixed schedules', async () => {
    const hits = new Set<string>();
    for (const seed of fixedSeeds.filter((one) => one.startsWith('fixed'))) {
      for (const name of (await plays(seed)).hits.keys()) hits.add(name);
    }
    for (const fault of [
      'crash',
      'race',
      'cut',
      'half open',
      'slow',
      'append fails',
      'agent dies',
      'reload',
    ]) {
      expect([...hits], `the fixed schedules never met: ${fault}`).toContain(`step: ${fault}`);
    }
  });
});
