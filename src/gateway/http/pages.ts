import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import { type Context, Hono } from 'hono';
import { Refusal } from '../refusal.ts';
import { problem } from './problem.ts';

/** Addresses that are views of the console: it finds its way itself. */
const views = ['/', '/c/*', '/jobs', '/jobs/*', '/new', '/settings'];

/** The built console. Files with a hash in their name never change; the pages that name them are asked for each time. */
export function pageRoutes(directory: string): Hono {
  const app = new Hono();
  const page = (name: string) => {
    const send = serveFrom(directory, name, 'no-cache');
    return async (context: Context) => (await send(context)) ?? context.html(missing, 503);
  };
  const index = page('index.html');
  for (const view of views) app.get(view, index);
  const inspector = page('inspect/index.html');
  app.get('/inspect', inspector);
  app.get('/inspect/', inspector);

  const asset = serveFrom(directory, undefined, 'public, max-age=31536000, immutable');
  const file = serveFrom(directory, undefined, 'no-cache');
  app.get('/assets/*', async (context) => (await asset(context)) ?? context.notFound());
  app.get('*', async (context) => (await file(context)) ?? context.notFound());
  app.all('*', (context) => {
    const detail = `${context.req.path} can only be read: use GET.`;
    return problem(new Refusal(405, 'method.refused', detail, { allow: ['GET', 'HEAD'] }));
  });
  return app;
}

function serveFrom(root: string, path: string | undefined, cacheControl: string) {
  let send: ReturnType<typeof serveStatic> | undefined;
  return async (context: Context): Promise<Response | undefined> => {
    // The pages may be built while the gateway runs.
    if (!existsSync(join(root, 'index.html'))) return undefined;
    send ??= serveStatic({
      root,
      ...(path !== undefined && { path }),
      onFound: (_, found) => found.header('cache-control', cacheControl),
    });
    const answer = await send(context, async () => {});
    return answer instanceof Response ? answer : undefined;
  };
}

const frame = (title: string, text: string) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title></head>
<body><h1>${title}</h1><p>${text}</p></body>
</html>
`;

const missing = frame(
  'The page is not built',
  'The gateway runs, and its API answers. Run <code>npm run build</code>, then load this page again.',
);

/** For a person who opened an address with a wrong token. */
export function wrongTokenPage(retryAfter: number | undefined): string {
  return frame(
    'This address has a wrong token',
    `Open the address that Sluice printed at its start.${retryAfter === undefined ? '' : ` Try again in ${retryAfter} s.`}`,
  );
}
