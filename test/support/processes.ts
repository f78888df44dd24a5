import { readdirSync, readFileSync } from 'node:fs';

/** A process that lives, by what the system says of it. */
export interface Living {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes that carry `variable=value` in their environment, whoever started them: a gateway hands its own down to all
 * that it starts. Linux only; zombies, which no longer run, are not counted.
 */
export function livingWith(variable: string, value: string): readonly Living[] {
  const entry = `${variable}=${value}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        if (/\) [ZX]/.test(readFileSync(`/proc/${name}/stat`, 'utf8'))) return [];
        if (!readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(entry)) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ pid: Number(name), command }];
      } catch {
        return []; // It ended meanwhile, or is another user's.
      }
    });
}
