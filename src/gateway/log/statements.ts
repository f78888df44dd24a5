import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Statements are prepared once, by their text. */
export type Prepare = (sql: string) => StatementSync;

export function prepareOnce(db: DatabaseSync): Prepare {
  const prepared = new Map<string, StatementSync>();
  return (sql) => {
    let statement = prepared.get(sql);
    if (!statement) {
      statement = db.prepare(sql);
      prepared.set(sql, statement);
    }
    return statement;
  };
}
