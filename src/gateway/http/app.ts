import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { closing, Refusal } from '../refusal.ts';
import type { Caller, Gate } from '../security/gate.ts';
import { securityHeaders } from '../security/headers.ts';
import { openApi } from './openapi.ts';
import type { Outside } from './outside.ts';
import { pageRoutes, wrongTokenPage } from './pages.ts';
import { problem } from './problem.ts';
import type { Route } from './route.ts';
import { eventRoutes } from './routes/events.ts';
import { inspectRoutes } from './routes/inspect.ts';
import { jobRoutes } from './routes/jobs.ts';
import { liveRoute } from './routes/live.ts';
import { metaRoutes } from './routes/meta.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { turnRoutes } from './routes/turns.ts';

export interface AppOptions extends Outside {
  readonly gate: Gate;
  /** Of the peer of the connection. */
  readonly address: (context: Context) => string;
  readonly pages: string;
  readonly bodyBytes: number;
  /** Only reads are served any more. */
  readonly isClosing: () => boolean;
}

/** Everything that is served over HTTP. */
export function createApp(options: AppOptions): Hono {
  const { gate, logger } = options;
  const app = new Hono();

  app.use(async (context, next) => {
    const started = performance.now();
    await next();
    for (const [name, value] of Object.entries(securityHeaders)) context.res.headers.set(name, value);
    const { method, path } = context.req;
    logger.debug(
      { method, path, status: context.res.status, ms: Math.round(performance.now() - started) },
      'request',
    );
  });
  app.use(async (context, next) => {
    const refusal = gate.admit(callerOf(context, options));
    return refusal ? problem(refusal) : next();
  });
  app.use(trade(options));

  app.route('/', apiRoutes(options));
  app.route('/', pageRoutes(options.pages));
  app.notFound(({ req }) => {
    return problem(new Refusal(404, 'route.unknown', `There is no ${req.path}. See /api/openapi.json.`));
  });
  app.onError((error) => {
    if (error instanceof Refusal) return problem(error);
    const id = randomUUID();
    logger.error({ id, err: error }, 'a request failed');
    const detail = `Something went wrong in the gateway. The log has more under ${id}.`;
    return problem(new Refusal(500, 'internal', detail, { id }));
  });
  return app;
}

function apiRoutes(options: AppOptions): Hono {
  const app = new Hono();
  const routes = allRoutes(options);
  const open = new Set(routes.filter((route) => route.open).map((route) => route.path));

  app.use('/api/*', async (context, next) => {
    const refusal = open.has(context.req.path)
      ? undefined
      : options.gate.authorize(callerOf(context, options));
    if (refusal) return problem(refusal);
    if (options.isClosing() && context.req.method !== 'GET' && context.req.method !== 'HEAD') {
      return problem(closing());
    }
    await next();
    if (!context.res.headers.has('cache-control')) context.res.headers.set('cache-control', 'no-store');
    return undefined;
  });
  const limit = options.bodyBytes;
  const detail = `The body is larger than ${limit} bytes. Send less at once.`;
  app.use(
    '/api/*',
    bodyLimit({ maxSize: limit, onError: () => problem(new Refusal(413, 'body.large', detail)) }),
  );

  const methods = new Map<string, string[]>();
  for (const { method, path, handle } of routes) {
    app.on(method.toUpperCase(), path, handle);
    const allow = methods.get(path) ?? [];
    allow.push(method.toUpperCase(), ...(method === 'get' ? ['HEAD'] : []));
    methods.set(path, allow);
  }
  for (const [path, allow] of methods) {
    app.all(path, ({ req }) => {
      const detail = `${req.path} does not take ${req.method}. Use ${allow.join(' or ')}.`;
      return problem(new Refusal(405, 'method.refused', detail, { allow }));
    });
  }
  app.all('/api/*', (context) => context.notFound());
  return app;
}

/** Each call of the API, once: for the server and for the OpenAPI document. */
export function allRoutes(outside: Outside): readonly Route[] {
  let document: unknown;
  const routes: Route[] = [
    ...metaRoutes(outside, () => {
      document ??= openApi(routes, outside.version);
      return document;
    }),
    ...sessionRoutes(outside),
    ...turnRoutes(outside),
    ...eventRoutes(outside),
    ...jobRoutes(outside),
    ...inspectRoutes(outside),
    liveRoute,
  ];
  return routes;
}

/** A page that is opened with the token gets a cookie and its clean address: no token stays in the history. */
function trade({ gate, address }: AppOptions) {
  return async (context: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    const { method, path } = context.req;
    const token = context.req.query('token');
    if (token === undefined || isApi(path) || (method !== 'GET' && method !== 'HEAD')) {
      await next();
      return undefined;
    }
    const result = gate.exchange(token, address(context));
    if (result instanceof Refusal) {
      const wait = result.extra.retryAfter;
      const retryAfter = typeof wait === 'number' ? wait : undefined;
      context.header('cache-control', 'no-store');
      if (retryAfter !== undefined) context.header('retry-after', String(retryAfter));
      return context.html(wrongTokenPage(retryAfter), result.status === 429 ? 429 : 401);
    }
    const url = new URL(context.req.url);
    url.searchParams.delete('token');
    context.header('set-cookie', result.setCookie);
    context.header('cache-control', 'no-store');
    // `//host` at its start would lead to another server.
    return context.redirect(`/${url.pathname.replace(/^[/\\]+/, '')}${url.search}`, 303);
  };
}

function callerOf(context: Context, options: AppOptions): Caller {
  return {
    method: context.req.method,
    upgrade: false,
    api: isApi(context.req.path),
    address: options.address(context),
    header: (name) => context.req.header(name),
  };
}

function isApi(path: string): boolean {
  return path === '/api' || path.startsWith('/api/');
}
