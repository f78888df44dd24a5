import type { Traced } from './trace.ts';

/** A line of the tree as it is shown. */
export interface Row {
  readonly key: string;
  readonly level: number;
  readonly parent?: string;
  /** Absent for the line of a source. */
  readonly actor?: Traced;
  readonly label: string;
  readonly inner: boolean;
  readonly open: boolean;
  readonly place: number;
  readonly of: number;
}

export interface Source {
  readonly id: string;
  readonly label: string;
}

/** An effect that lasts less than this is not worth a line: it would come and go. */
const brief = 1000;

/** Effects, such as a write to the log, are shown when they last or fail; state machines always. */
function isShown(actor: Traced, now: number): boolean {
  if (actor.state !== undefined || actor.status === 'error') return true;
  return !actor.gone && now - (actor.since ?? now) >= brief;
}

/** The rows from top to bottom. Those under a closed one are left out. */
export function rowsOf(
  sources: readonly Source[],
  actors: readonly Traced[],
  closed: ReadonlySet<string>,
  now: number,
): readonly Row[] {
  const below = Map.groupBy(
    actors.filter((actor) => isShown(actor, now)),
    (actor) => actor.parent ?? actor.source,
  );
  const rows: Row[] = [];
  const add = (row: Omit<Row, 'inner' | 'open'>) => {
    const children = below.get(row.key) ?? [];
    const open = !closed.has(row.key);
    rows.push({ ...row, inner: children.length > 0, open });
    if (!open) return;
    children.forEach((actor, i) => {
      const place = { place: i + 1, of: children.length };
      add({ key: actor.key, level: row.level + 1, parent: row.key, actor, label: actor.machine, ...place });
    });
  };
  sources.forEach(({ id, label }, i) => {
    add({ key: id, level: 1, label, place: i + 1, of: sources.length });
  });
  return rows;
}

/** What a key does in the tree, by the keys that trees have everywhere; undefined: nothing. */
export function moved(
  rows: readonly Row[],
  at: string | undefined,
  key: string,
): { readonly focus?: string; readonly open?: string; readonly close?: string } | undefined {
  const index = Math.max(
    0,
    rows.findIndex((row) => row.key === at),
  );
  const row = rows[index];
  if (!row) return undefined;
  const focus = (target: Row | undefined) => (target ? { focus: target.key } : {});
  switch (key) {
    case 'ArrowDown':
      return focus(rows[index + 1]);
    case 'ArrowUp':
      return focus(rows[index - 1]);
    case 'Home':
      return focus(rows[0]);
    case 'End':
      return focus(rows.at(-1));
    case 'ArrowRight':
      if (!row.inner) return {};
      return row.open ? focus(rows[index + 1]) : { open: row.key };
    case 'ArrowLeft':
      if (row.inner && row.open) return { close: row.key };
      return row.parent === undefined ? {} : { focus: row.parent };
    default:
      return undefined;
  }
}
