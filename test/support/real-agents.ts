import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Double, DoubleOptions } from './acp-double.ts';

/** A settings file by which a gateway process knows the agent `double`. */
export function doubleSettings(double: Double, options: DoubleOptions = {}): string {
  const file = join(double.home, 'settings.json');
  const program = resolve(import.meta.dirname, 'acp-double.program.ts');
  const agent = {
    id: 'double',
    name: 'Double',
    command: [process.execPath, '--disable-warning=ExperimentalWarning', program],
    env: { ACP_DOUBLE: JSON.stringify(options), ACP_DOUBLE_HOME: double.home },
  };
  writeFileSync(file, JSON.stringify({ agents: [agent] }));
  return file;
}
