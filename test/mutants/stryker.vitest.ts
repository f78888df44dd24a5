import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The tests that are to judge one source, the quickest first. */
const judges = (process.env.SLUICE_JUDGES ?? '').split(',');

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => judges.findIndex((judge) => moduleId.endsWith(judge));
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

/** How Stryker runs them, in its copy of the tree. */
export default defineConfig({
  test: {
    environment: 'node',
    include: judges,
    sequence: { sequencer: InOrder },
    setupFiles: ['test/mutants/stryker.seed.ts'],
    fsModuleCache: false,
    testTimeout: 60_000,
    // What a mutant never does is not waited for.
    expect: { poll: { timeout: 5_000 } },
  },
});
