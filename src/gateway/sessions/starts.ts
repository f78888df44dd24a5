/**
 * Jobs that their parent has announced and whose own log is being made. Readers hear of a job with its parent's commit, and
 * may ask for it at once: who asks meanwhile waits, so that what is announced is there.
 */
export class Starts {
  readonly #under = new Map<string, Promise<void>>();

  begin(job: string, start: () => Promise<void>): void {
    const under = start().finally(() => this.#under.delete(job));
    this.#under.set(job, under);
  }

  /** Resolves when the session is not about to be made, or no longer. */
  async settled(session: string): Promise<void> {
    await this.#under.get(session);
  }
}
