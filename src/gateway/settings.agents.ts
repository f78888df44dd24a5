import {
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { createAcp } from '../agents/acp/acp.ts';
import type { AcpOptions } from '../agents/acp/options.ts';
import { withItem, withoutItem } from './json.splice.ts';
import { Refusal } from './refusal.ts';
import type { AddedAgent, AgentStore } from './sessions/roster.ts';
import { SettingsError } from './settings.fields.ts';
import { hidden } from './settings.mcp.ts';
import { parseSettings, readSettings } from './settings.ts';

/** Ids that a start may give to agents that are not there now: of the environment, and of servers that are found. */
const reserved = ['builtin', 'model', 'anthropic', 'google', 'ollama', 'lmstudio', 'llamacpp', 'vllm'];

/** What to do when its program is not there. */
const install = 'correct its name, or name it with its full path';

export interface SettingsAgentsOptions {
  readonly file: string;
  /** Ids of those that were added before. */
  readonly added: readonly string[];
  readonly acp: Omit<AcpOptions, 'agent'>;
  /** Values that no log may show from now on. */
  readonly hide: (...secrets: readonly string[]) => void;
}

/** Agents that are added from the page live in the settings file, beside what a person wrote there. */
export function settingsAgents({ file, added, acp, hide }: SettingsAgentsOptions): AgentStore {
  const ids = new Set(added);
  return {
    reserved,
    has: (id) => ids.has(id),
    connector({ id, name, command, env }) {
      hide(...Object.values(env ?? {}));
      return createAcp({ ...acp, agent: { id, name, command, install, ...(env && { env: hidden(env) }) } });
    },
    async save(agent) {
      const entry = entryOf(agent);
      rewrite(file, (text, { agents = [] }) => {
        if (agents.some(({ id }) => id === agent.id)) {
          throw new Refusal(
            409,
            'agent.exists',
            `${file} has another agent ${agent.id} by now: choose another name.`,
          );
        }
        return { text: withItem(text, 'agents', entry), agents: [...agents, entry] };
      });
      ids.add(agent.id);
    },
    async drop(id) {
      rewrite(file, (text, { agents = [] }) => {
        const index = agents.findIndex((agent) => agent.id === id && agent.added);
        if (index < 0) return undefined;
        return { text: withoutItem(text, 'agents', index), agents: agents.toSpliced(index, 1) };
      });
      ids.delete(id);
    },
  };
}

function entryOf({ id, name, command, env }: AddedAgent) {
  return { id, name, command, ...(env && { env }), added: true };
}

type Parsed = ReturnType<typeof parseSettings>;
type Change = (
  text: string,
  parsed: Parsed,
) => { readonly text: string; readonly agents: readonly unknown[] } | undefined;

/** All or nothing: the file as it stands now is changed in one place, and put in the place of the old one when it is whole. */
function rewrite(file: string, change: Change): void {
  try {
    const before = readSettings(file, false) ?? '{}\n';
    const changed = change(before, parseSettings(file, before));
    if (!changed) return;
    const { agents: _, ...rest } = JSON.parse(before);
    const { agents, ...others } = JSON.parse(changed.text);
    // The file is the user's: one that would not say the same with this one change is not written.
    const sound = isDeepStrictEqual(others, rest) && isDeepStrictEqual(agents, changed.agents);
    if (!sound) throw new Error('the change could not be made');
    parseSettings(file, changed.text);
    replace(file, changed.text);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof SettingsError) throw new Refusal(409, 'settings.invalid', error.message);
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      503,
      'settings.unwritable',
      `The settings could not be written (${why}). Nothing was changed.`,
    );
  }
}

/** With the rights of the file that was there; a new one is for its owner alone. */
function replace(file: string, text: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  const target = found ? realpathSync(file) : file;
  const part = `${target}.${process.pid}.part`;
  const mode = found ? found.mode & 0o777 : 0o600;
  rmSync(part, { force: true });
  try {
    const handle = openSync(part, 'wx', mode);
    try {
      writeSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(part, target);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}
