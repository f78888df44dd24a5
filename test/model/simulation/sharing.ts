import { conversationMachine } from '../../../machines/conversation.machine.ts';

type Machine = { implementations: Record<string, object> } & Record<string, () => unknown>;

const prototype = Object.getPrototypeOf(conversationMachine) as Machine & { provide: unknown };
const bound = ['transition', 'getInitialSnapshot', 'getPersistedSnapshot', 'restoreSnapshot', 'start'];
const kinds = ['actions', 'guards', 'actors', 'delays'];

/**
 * A world has dozens of machines that differ in their effects alone, and XState's `provide` reads the whole chart anew for
 * each, and forgets what it has worked out about its transitions: a sixth of the simulation's time. Here those that are
 * provided share the chart of the machine that they come from; what they do is the same.
 */
function provide(this: Machine, given: Record<string, object>): Machine {
  const made = Object.assign(Object.create(prototype), this) as Machine;
  for (const name of bound) made[name] = (prototype[name] as () => unknown).bind(made);
  made.implementations = Object.fromEntries(
    kinds.map((kind) => [kind, { ...this.implementations[kind], ...given[kind] }]),
  );
  return made;
}

/** For the simulation alone: from here on every machine of this thread is provided so. */
export function shareCharts(): void {
  prototype.provide = provide;
}
