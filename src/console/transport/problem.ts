/** The gateway said no: a problem document (RFC 9457) as an error. Not being heard at all is no such error. */
export class ProblemError extends Error {
  readonly status: number;
  /** Stable, for programs: `session.unknown`, `queue.stale` … */
  readonly code: string;
  /** One sentence for a person. */
  readonly detail: string;
  /** Further members, such as the queue as it is now. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, detail: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.name = 'ProblemError';
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.extra = extra;
  }
}

/** What an answer that is not a success says; a proxy on the way may answer in words of its own. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null) {
    return new ProblemError(status, `http.${status}`, `The gateway answered ${status}.`);
  }
  const { code, detail, type: _, title, status: __, ...extra } = body as Record<string, unknown>;
  const text =
    typeof detail === 'string'
      ? detail
      : typeof title === 'string'
        ? title
        : `The gateway answered ${status}.`;
  return new ProblemError(status, typeof code === 'string' ? code : `http.${status}`, text, extra);
}
