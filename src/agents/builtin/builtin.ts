import { mkdir } from 'node:fs/promises';
import type { Connector } from '../agent.ts';
import { type Clock, realClock } from '../workspace/clock.ts';
import { commands, examples } from './commands.ts';
import { createGates, type Gates } from './gates.ts';
import { slashCommands } from './grammar.ts';
import { BuiltinSession } from './session.ts';
import { forgetEnded } from './survivor.ts';

export interface BuiltinOptions {
  /** Default: real time. */
  readonly clock?: Clock;
  /** The gates that `{"gate": "name"}` steps of scripts wait at. */
  readonly gates?: Gates;
}

/**
 * The embedded default agent: it does real work in the conversation's directory by plain words and plays, on
 * request, every state that an agent can be in. It needs no network, key or model, and says so.
 */
export function createBuiltin(options: BuiltinOptions = {}): Connector {
  const clock = options.clock ?? realClock;
  const gates = options.gates ?? createGates();
  return {
    id: 'builtin',
    name: 'Built-in',
    description:
      'Lists, reads, searches and runs things in this folder by plain words. Not a language model: needs no network, key or model.',
    async available() {
      return { available: true, commands: slashCommands(commands), examples };
    },
    async open(open) {
      await mkdir(open.stateDir, { recursive: true });
      await forgetEnded(open.stateDir, open.history);
      open.onOutput({ type: 'changed', commands: slashCommands(commands) });
      return new BuiltinSession(open, clock, gates);
    },
  };
}
