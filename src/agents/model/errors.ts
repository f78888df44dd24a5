import type { Refusal } from '../usage.limit.ts';

/** An answer that is no event stream at all. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

/** The stream ended, and no finish reason had come. */
export class EndedEarly extends Error {
  override readonly name = 'EndedEarly';
}

/** The connection was lost in the middle of the answer. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** The server said in the stream that it failed. */
export class ServerFailed extends Error {
  override readonly name = 'ServerFailed';
  readonly retry: boolean;
  readonly status: number | undefined;
  constructor(message: string, retry: boolean, status?: number) {
    super(message);
    this.retry = retry;
    this.status = status;
  }
}

export function refusalOf(error: unknown, said: string | undefined): Refusal {
  const { responseHeaders, responseBody, data } = error as {
    responseHeaders?: Record<string, string>;
    responseBody?: string;
    data?: unknown;
  };
  return { headers: responseHeaders ?? {}, data: json(responseBody) ?? data, said };
}

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** What the server gave as the reason, shortened: some answer with a page of HTML. */
export function serverSaid(error: unknown): string | undefined {
  if (error instanceof ServerFailed) return error.message;
  const { data, responseBody } = error as {
    data?: { error?: { message?: unknown; code?: unknown } };
    responseBody?: string;
  };
  const { message, code } = data?.error ?? {};
  const said =
    typeof message === 'string'
      ? `${message}${typeof code === 'string' ? ` (${code})` : ''}`
      : plain(responseBody);
  const line = said?.replace(/\s+/g, ' ').trim();
  if (!line) return undefined;
  return line.length > 300 ? `${line.slice(0, 300)} …` : line;
}

function plain(body: string | undefined): string | undefined {
  return body?.trimStart().startsWith('<') ? undefined : body;
}

function* chain(error: unknown): Generator<{ name?: unknown; code?: unknown; message?: unknown }> {
  const seen = new Set<unknown>();
  for (
    let at = error;
    typeof at === 'object' && at !== null && !seen.has(at);
    at = (at as { cause?: unknown }).cause
  ) {
    seen.add(at);
    yield at;
    // Node tries each address of a host and reports all failures together.
    const { errors } = at as { errors?: unknown };
    if (Array.isArray(errors)) yield* errors.filter((one) => typeof one === 'object' && one !== null);
  }
}

export function namesOf(error: unknown): string[] {
  return [...chain(error)].flatMap((one) => (typeof one.name === 'string' ? one.name : []));
}

export function codeOf(error: unknown): string | undefined {
  return [...chain(error)].flatMap((one) => (typeof one.code === 'string' ? one.code : []))[0];
}

export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
