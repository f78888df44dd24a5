import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** What the launcher prints as the closing line of a run. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Counts the results of a run into the file that `SLUICE_TEST_COUNTS` names. A file that cannot be loaded, a hook that
 * throws and an error that no test caught each count as one failure, so that no red run has a green closing line.
 */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const path = process.env.SLUICE_TEST_COUNTS;
    if (path === undefined) return;
    const counts: Counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that never got a result (its worker died) has not passed.
        counts[state === 'pending' ? 'failed' : state] += 1;
      }
    }
    writeFileSync(path, JSON.stringify(counts));
  }
}
