/** What shows a conversation, whoever made it. */
export interface Subject {
  /** Shows so many finished rows and the beginning of one more. Resolves with the milliseconds until they are on the page. */
  open(rows: number, begun: string): Promise<number>;
  /** Prepares what is to come, outside of what is measured: each function hands over one piece, as it arrives. */
  prepare(pieces: readonly string[]): readonly (() => void)[];
  /** The row that grows. */
  readonly growing: HTMLElement;
  /** What it says. */
  readonly answer: string;
  readonly rows: readonly HTMLElement[];
}
