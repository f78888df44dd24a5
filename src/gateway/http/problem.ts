import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { Refusal } from '../refusal.ts';

/** RFC 9457. `code` is stable; `detail` is one sentence for a person that says what to do. */
export const problemDocument = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
});

export const problemType = 'application/problem+json';

function problemBody(refusal: Refusal): string {
  const title = STATUS_CODES[refusal.status] ?? 'Error';
  const { status, code, message: detail } = refusal;
  // What is known of every problem wins over a further member of the same name.
  return JSON.stringify({ ...refusal.extra, type: 'about:blank', title, status, code, detail });
}

function problemHeaders(refusal: Refusal): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': problemType, 'cache-control': 'no-store' };
  if (refusal.status === 401) headers['www-authenticate'] = 'Bearer realm="Sluice"';
  if (refusal.status === 426) headers.upgrade = 'websocket';
  if (typeof refusal.extra.retryAfter === 'number') headers['retry-after'] = String(refusal.extra.retryAfter);
  if (Array.isArray(refusal.extra.allow)) headers.allow = refusal.extra.allow.join(', ');
  return headers;
}

export function problem(refusal: Refusal): Response {
  return new Response(problemBody(refusal), { status: refusal.status, headers: problemHeaders(refusal) });
}

/** As it goes over a connection for which there is no response object. */
export function rawProblem(refusal: Refusal): string {
  const body = problemBody(refusal);
  const headers = {
    ...problemHeaders(refusal),
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('')}\r\n${body}`;
}

/** `errors`: one entry for each field that is wrong. */
export function invalid(code: string, what: string, error: z.ZodError): Refusal {
  const errors = error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.join('.'), message }));
  const list = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new Refusal(400, code, `${what} is not valid: ${list}. See /api/openapi.json.`, { errors });
}
