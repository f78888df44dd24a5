import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { plays } from './simulation/plays.ts';

const count = 30;
const first = randomInt(1, 1_000_000_000);
console.log(`fresh seeds ${first} to ${first + count - 1}; play one again: npm run simulate -- --seed N`);

describe('the simulated world keeps the invariants I1 to I14', () => {
  test.each(Array.from({ length: count }, (_, i) => String(first + i)))(
    'in the fresh schedule of seed %s',
    async (seed) => {
      expect((await plays(seed)).events).toBeGreaterThan(0);
    },
  );
});
