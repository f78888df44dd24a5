import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import solid from 'vite-plugin-solid';

const here = import.meta.dirname;
export default defineConfig({
  root: resolve(here, 'src/console'),
  plugins: [solid()],
  build: {
    outDir: resolve(here, 'dist/console'),
    emptyOutDir: true,
    target: 'es2022',
    rolldownOptions: {
      input: [
        resolve(here, 'src/console/index.html'),
        resolve(here, 'src/console/inspect/index.html'),
      ].filter(existsSync),
    },
  },
});
