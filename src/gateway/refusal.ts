/** A request that was understood and not done. Becomes an RFC 9457 problem document; the data is as it was. */
export class Refusal extends Error {
  readonly status: number;
  /** Stable, for programs: `session.unknown`, `queue.stale` … */
  readonly code: string;
  /** Further members of the problem document, such as the queue as it is now. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, detail: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.extra = extra;
  }
}

export function closing(): Refusal {
  return new Refusal(503, 'gateway.closing', 'Sluice is stopping. Send it again after the next start.');
}

/** The session was let go while it was asked. */
export function restarting(): Refusal {
  return new Refusal(503, 'session.restarting', 'The session is being opened anew; try again.');
}
