import { existsSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import solid from 'vite-plugin-solid';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { findChromium } from './src/setup/chromium.mjs';

const executablePath = findChromium();
if (executablePath !== undefined) process.env.SLUICE_CHROMIUM = executablePath;

const node: TestProjectConfiguration = {
  extends: true,
  test: {
    name: 'node',
    environment: 'node',
    include: ['test/{unit,model,fault,agents,e2e}/**/*.test.ts'],
    sequence: { groupOrder: 0 },
  },
};

const browser: TestProjectConfiguration = {
  extends: true,
  plugins: [solid()],
  // Found late, these would be optimized in the middle of the first run, which reloads the page and can hang.
  optimizeDeps: {
    include: ['@xstate/solid', 'solid-js', 'solid-js/web', 'solid-js/store', 'xstate'],
    ...(existsSync('src/console/index.html') && {
      entries: ['src/console/**/*.{ts,tsx}', 'test/browser/**/*.{ts,tsx}'],
    }),
  },
  test: {
    name: 'browser',
    include: ['test/browser/**/*.test.{ts,tsx}'],
    sequence: { groupOrder: 1 },
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          ...(executablePath !== undefined && { executablePath }),
          args: [
            '--no-sandbox',
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
          ],
        },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
};

export default defineConfig({
  test: {
    // A bound for what never comes, not a measure: a busy machine is slow.
    expect: { poll: { timeout: 20_000 } },
    projects: [node, browser],
    reporters: ['default', './src/setup/closing.reporter.ts'],
    // Plugins that depend on the environment must not be served from a cache on disk.
    fsModuleCache: false,
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
  },
});
