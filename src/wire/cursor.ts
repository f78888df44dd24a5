/** A place in a session's log: `EPOCH.SEQ`. The epoch is letters and digits; seq counts 1, 2, 3 … without a gap. */
export interface Cursor {
  readonly epoch: string;
  /** The last fact seen; 0 before the first. */
  readonly seq: number;
}

const shape = /^([A-Za-z0-9]{1,64})\.(0|[1-9][0-9]{0,14})$/;

/** Reads `EPOCH.SEQ`; undefined when the text has another shape. */
export function parseCursor(text: string): Cursor | undefined {
  const match = shape.exec(text);
  return match ? { epoch: match[1] as string, seq: Number(match[2]) } : undefined;
}

export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}.${cursor.seq}`;
}
