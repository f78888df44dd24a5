import { renameSync, statSync } from 'node:fs';
import { destination, type Logger, pino } from 'pino';
import type { Redactor } from './redact.ts';

/** Beyond it the file is put aside at the next start; one old file is kept. */
const largestBytes = 10 * 1024 * 1024;

/** Writes to a file that the user alone can read; nothing secret reaches it. */
export function createLogger(file: string, level: string, redactor: Redactor): Logger {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > largestBytes) renameSync(file, `${file}.1`);
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (object) => redactor.value(object) as Record<string, unknown>,
      },
      hooks: { streamWrite: (line) => redactor.text(line) },
    },
    destination({ dest: file, append: true, sync: true, mode: 0o600 }),
  );
}
