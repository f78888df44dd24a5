import type { AnyStateMachine } from 'xstate';
import { conversationMachine } from '../../../machines/conversation.machine.ts';
import { directoryMachine } from '../../../machines/directory.machine.ts';
import { earlierMachine } from '../../../machines/earlier.machine.ts';
import { jobMachine } from '../../../machines/job.machine.ts';
import { linkMachine } from '../../../machines/link.machine.ts';
import { orchestratorMachine } from '../../../machines/orchestrator.machine.ts';
import { outboxMachine } from '../../../machines/outbox.machine.ts';
import { runnerMachine } from '../../../machines/runner.machine.ts';
import { type Chart, chartOf } from './graph.ts';

/** The machines that run, by the word that an inspected actor is told with. */
const machines: Readonly<Record<string, AnyStateMachine>> = {
  conversation: conversationMachine,
  directory: directoryMachine,
  earlier: earlierMachine,
  job: jobMachine,
  link: linkMachine,
  orchestrator: orchestratorMachine,
  outbox: outboxMachine,
  runner: runnerMachine,
};

const drawn = new Map<string, Chart>();

/** The chart of a kind of actor, from the very definition that runs; undefined for one that is no state machine. */
export function chartFor(machine: string): Chart | undefined {
  const definition = Object.hasOwn(machines, machine) ? machines[machine] : undefined;
  const known = drawn.get(machine);
  if (known || !definition) return known;
  const chart = chartOf(definition);
  drawn.set(machine, chart);
  return chart;
}
