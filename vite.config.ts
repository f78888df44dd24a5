import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, type Plugin, type ProxyOptions } from 'vite';
import solid from 'vite-plugin-solid';

const root = resolve(import.meta.dirname, 'src/console');
const inspector = resolve(import.meta.dirname, 'src/inspector');
const gateway = process.env.SLUICE_GATEWAY ?? 'http://127.0.0.1:4747';

/** Serves src/inspector/index.html, which lies outside of the root, as `/inspect`, in development and when built. */
function inspectorPage(): Plugin {
  const page = resolve(inspector, 'index.html');
  const built = resolve(root, 'inspect/index.html');
  return {
    name: 'sluice:inspector-page',
    enforce: 'pre',
    config: () => ({
      build: {
        rolldownOptions: { input: [resolve(root, 'index.html'), ...(existsSync(page) ? [built] : [])] },
      },
    }),
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const [path, query] = (request.url ?? '').split('?');
        if (path !== '/inspect' && path !== '/inspect/') return next();
        response.writeHead(302, { location: `/@fs${page}${query === undefined ? '' : `?${query}`}` });
        response.end();
      });
    },
    resolveId(source, importer) {
      if (source === built) return built;
      return importer === built && source.startsWith('.') ? resolve(inspector, source) : null;
    },
    load: (id) => (id === built ? readFileSync(page, 'utf8') : null),
  };
}

/** The gateway answers its own origin only; in development the page has another. */
const api: ProxyOptions = {
  target: gateway,
  ws: true,
  changeOrigin: true,
  configure(proxy) {
    proxy.on('proxyReq', (request) => {
      if (request.hasHeader('origin')) request.setHeader('origin', gateway);
    });
    proxy.on('proxyReqWs', (request) => request.setHeader('origin', gateway));
  },
};

export default defineConfig({
  root,
  publicDir: resolve(root, 'public'),
  plugins: [inspectorPage(), solid()],
  worker: { format: 'es' },
  server: { proxy: { '/api': api } },
  build: {
    outDir: resolve(import.meta.dirname, 'dist/console'),
    emptyOutDir: true,
    target: 'es2023',
    // The pages allow scripts, styles and images from their own origin only: nothing inline, no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
