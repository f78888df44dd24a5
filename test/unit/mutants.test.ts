import { expect, test } from 'vitest';
import { mutants } from '../mutants/mutants.ts';
import { staleOf } from '../mutants/tree.ts';

test('each mutant still changes one place of the source, and names tests that are there', () => {
  expect(mutants.length).toBeGreaterThan(40);
  const stale = mutants.flatMap((mutant) => {
    const why = staleOf(mutant);
    return why === undefined ? [] : [`${mutant.id}: ${why}`];
  });
  expect(stale).toEqual([]);
});
