import { defineConfig } from 'vitest/config';

/** How Stryker runs the tests that are to judge one source, in its copy of the tree. */
export default defineConfig({
  test: {
    environment: 'node',
    include: (process.env.SLUICE_JUDGES ?? '').split(','),
    setupFiles: ['test/mutants/stryker.seed.ts'],
    fsModuleCache: false,
    testTimeout: 60_000,
    // What a mutant never does is not waited for.
    expect: { poll: { timeout: 5_000 } },
  },
});
