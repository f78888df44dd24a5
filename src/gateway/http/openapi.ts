import { z } from 'zod';
import { clientFrame } from '../../wire/requests.ts';
import { facts, inspectLine, resync, serverFrame } from './frames.ts';
import { problemDocument, problemType } from './problem.ts';
import type { Route } from './route.ts';
import { shared } from './schemas.ts';

/** The OpenAPI 3.1 document of the routes, with the schemas of all facts and frames. */
export function openApi(routes: readonly Route[], version: string): Record<string, unknown> {
  const named = new Map<z.ZodType, string>();
  const registry = z.registry<{ id: string }>();
  const name = (id: string, schema: z.ZodType) => {
    if (named.has(schema)) return;
    named.set(schema, id);
    registry.add(schema, { id });
  };
  for (const [id, schema] of Object.entries({ ...shared, ...facts })) name(id, schema);
  name('problem', problemDocument);
  name('clientFrame', clientFrame);
  name('serverFrame', serverFrame);
  name('inspectLine', inspectLine);
  name('resync', resync);
  for (const route of routes) {
    if (route.body) name(`${operationId(route)}.body`, route.body);
    for (const [status, { schema }] of Object.entries(route.answers)) {
      if (schema) name(`${operationId(route)}.${status}`, schema);
    }
  }
  const reference = (schema: z.ZodType) => ({ $ref: `#/components/schemas/${named.get(schema)}` });

  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route, reference) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sluice', version, description: 'Conversations with agents and their background jobs.' },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: componentSchemas(registry),
    },
    security: [{ bearer: [] }],
  };
}

function componentSchemas(registry: ReturnType<typeof z.registry<{ id: string }>>): Record<string, unknown> {
  // `input`: readers must take fields that a newer version adds.
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]),
  );
}

type Reference = (schema: z.ZodType) => object;

function operation(route: Route, reference: Reference): object {
  const responses: Record<string, unknown> = {};
  for (const [status, { description, schema, type = 'application/json' }] of Object.entries(route.answers)) {
    responses[status] = {
      description,
      ...(schema && { content: { [type]: { schema: reference(schema) } } }),
    };
  }
  const refused = {
    description: 'Refused.',
    content: { [problemType]: { schema: reference(problemDocument) } },
  };
  for (const status of [...(route.open ? [] : [401, 429]), ...route.refusals, 403, 500])
    responses[status] = refused;
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.open && { security: [] }),
    parameters: parameters(route),
    ...(route.body && {
      requestBody: { required: true, content: { 'application/json': { schema: reference(route.body) } } },
    }),
    responses,
  };
}

function parameters(route: Route): object[] {
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  if (!route.query) return inPath;
  const { properties = {}, required = [] } = z.toJSONSchema(route.query, { io: 'input' });
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
  return [...inPath, ...inQuery];
}

function operationId({ method, path }: Route): string {
  const words = path.replace('/api/', '').replaceAll(/[/.]/g, '_').replaceAll(':', '');
  return `${method}_${words}`;
}
