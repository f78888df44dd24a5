import type { Context } from 'hono';
import type { z } from 'zod';
import { Refusal } from '../refusal.ts';
import { invalid } from './problem.ts';

/** One call of the API: what is served and what the OpenAPI document says come from the same place. */
export interface Route {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** With `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  /** Needs no token. */
  readonly open: boolean;
  readonly body?: z.ZodType;
  readonly query?: z.ZodObject;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of its problem documents, beside those that every call can give. */
  readonly refusals: readonly number[];
  readonly handle: (context: Context) => Promise<Response>;
}

export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Instead of `application/json`. */
  readonly type?: string;
}

export interface Call<Body, Query> {
  readonly context: Context;
  readonly body: Body;
  readonly query: Query;
  /** A parameter of the path. */
  param(name: string): string;
}

interface Definition<Body extends z.ZodType, Query extends z.ZodObject> {
  readonly method: Route['method'];
  readonly path: string;
  readonly summary: string;
  readonly open?: true;
  readonly body?: Body;
  readonly query?: Query;
  readonly answers: Route['answers'];
  readonly refusals?: readonly number[];
  handle(call: Call<z.output<Body>, z.output<Query>>): Promise<Response> | Response;
}

export function route<
  Body extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
>(definition: Definition<Body, Query>): Route {
  const { open = false, refusals = [], body, query, ...rest } = definition;
  return {
    ...rest,
    open,
    refusals,
    ...(body && { body }),
    ...(query && { query }),
    async handle(context) {
      const given = context.req.query();
      const call = {
        context,
        query: query ? check(query, given, 'query.invalid', 'The query') : {},
        body: rest.method === 'get' ? undefined : await readBody(context, body),
        param: (name: string) => parameter(context, name),
      };
      return definition.handle(call as Call<z.output<Body>, z.output<Query>>);
    },
  };
}

function check(schema: z.ZodType, input: unknown, code: string, what: string): unknown {
  const result = schema.safeParse(input);
  if (!result.success) throw invalid(code, what, result.error);
  return result.data;
}

/** Ids are short: what is longer names nothing. */
function parameter(context: Context, name: string): string {
  const value = context.req.param(name) ?? '';
  if (value === '' || value.length > 200) throw new Refusal(404, 'id.unknown', 'Nothing has this id.');
  return value;
}

async function readBody(context: Context, schema: z.ZodType | undefined): Promise<unknown> {
  const type = context.req.header('content-type');
  const json = type !== undefined && /^application\/json *(;|$)/i.test(type);
  const text = await context.req.text();
  if (schema === undefined && text === '') return undefined;
  if (!json) {
    throw new Refusal(
      415,
      'body.type',
      `Send the body as application/json${type === undefined ? '' : `, not as ${type}`}.`,
    );
  }
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(400, 'body.malformed', `The body is not JSON: ${reason}.`);
  }
  if (schema === undefined) {
    if (JSON.stringify(input) === '{}') return undefined;
    throw new Refusal(400, 'body.invalid', 'This call takes no body. Send none, or {}.');
  }
  return check(schema, input, 'body.invalid', 'The body');
}
