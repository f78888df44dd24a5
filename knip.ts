import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KnipConfig } from 'knip';

/** The scripts that the pages load; that of the console itself is found by itself. */
const scripts = globSync(['src/console/gallery.html', 'src/inspector/index.html']).flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/<script[^>]*\ssrc="([^"]+)"/g)].map(([, src = '']) =>
    join(src.startsWith('/') ? 'src/console' : dirname(page), src),
  ),
);

const config: KnipConfig = {
  entry: [
    ...scripts,
    'src/setup/boundaries.ts',
    'src/gateway/main.ts',
    'test/**/*.program.ts',
    'test/mutants/stryker.*.ts',
  ],
  project: ['machines/**/*.ts', 'src/**/*.{ts,tsx,mjs}', 'test/**/*.{ts,tsx,mjs}'],
  // The shapes in a public signature are named for the reader, whether or not another file names them.
  ignoreExportsUsedInFile: { interface: true, type: true },
  ignoreBinaries: ['mkfifo', 'prlimit'],
  // Run by its path.
  ignoreDependencies: ['@biomejs/biome'],
};
export default config;
