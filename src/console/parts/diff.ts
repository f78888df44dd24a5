import { type StructuredPatch, structuredPatch } from 'diff';

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed' | 'gap';
  readonly before?: number;
  readonly after?: number;
  readonly text: string;
}

export interface Diff {
  readonly lines: readonly DiffLine[];
  readonly added: number;
  readonly removed: number;
  /** Too large to compare here. */
  readonly skipped: boolean;
}

const largest = 400_000;

/** The lines that changed, with three around each. `oldText` is null for a new file. */
export function diffOf(oldText: string | null, newText: string): Diff {
  const before = oldText ?? '';
  const skipped: Diff = { lines: [], added: 0, removed: 0, skipped: true };
  if (before.length + newText.length > largest) return skipped;
  const patch: StructuredPatch | undefined = structuredPatch('', '', before, newText, '', '', {
    context: 3,
    timeout: 200,
  });
  if (!patch) return skipped;
  const lines: DiffLine[] = [];
  let added = 0;
  let removed = 0;
  for (const hunk of patch.hunks) {
    let old = hunk.oldStart;
    let now = hunk.newStart;
    if (lines.length > 0 || now > 1) lines.push({ kind: 'gap', text: '' });
    for (const line of hunk.lines) {
      const text = line.slice(1);
      if (line.startsWith('+')) {
        lines.push({ kind: 'added', after: now++, text });
        added++;
      } else if (line.startsWith('-')) {
        lines.push({ kind: 'removed', before: old++, text });
        removed++;
      } else if (line.startsWith(' ')) lines.push({ kind: 'same', before: old++, after: now++, text });
    }
  }
  return { lines, added, removed, skipped: false };
}
