import type { AnyActorRef, AnyStateMachine, AnyStateNode, InspectionEvent } from 'xstate';
import { conversationMachine } from '../../../machines/conversation.machine.ts';
import { directoryMachine } from '../../../machines/directory.machine.ts';
import { jobMachine } from '../../../machines/job.machine.ts';
import { linkMachine } from '../../../machines/link.machine.ts';
import { orchestratorMachine } from '../../../machines/orchestrator.machine.ts';
import { outboxMachine } from '../../../machines/outbox.machine.ts';
import { runnerMachine } from '../../../machines/runner.machine.ts';
import { transitionId } from '../../../machines/transition.id.ts';

/** What the schedules went through: states, transitions, and situations of sessions, with counts. */
export class Coverage {
  readonly transitions = new Map<string, number>();
  readonly states = new Map<string, number>();
  readonly situations = new Set<string>();

  /** Given to each actor system of the world. */
  readonly observe = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep') return;
    const ref = event.actorRef as AnyActorRef;
    const machine = machineOf(ref);
    if (machine === undefined) return;
    for (const transition of event._transitions)
      add(this.transitions, `${machine} ${transitionId(transition)}`);
    const { snapshot } = event as unknown as { snapshot?: { value?: unknown } };
    if (snapshot?.value !== undefined) {
      for (const state of pathsOf(snapshot.value)) add(this.states, `${machine} ${state}`);
    }
  };

  merge(other: {
    transitions: Iterable<[string, number]>;
    states: Iterable<[string, number]>;
    situations: Iterable<string>;
  }): void {
    for (const [key, count] of other.transitions) add(this.transitions, key, count);
    for (const [key, count] of other.states) add(this.states, key, count);
    for (const key of other.situations) this.situations.add(key);
  }
}

function add(counts: Map<string, number>, key: string, count = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

const names = new WeakMap<object, string>();

function machineOf(ref: AnyActorRef): string | undefined {
  if (!('logic' in ref)) return undefined;
  const logic = ref.logic as AnyStateMachine;
  const known = names.get(logic);
  if (known !== undefined) return known;
  const { context } = (ref.getSnapshot() ?? {}) as { context?: { kind?: string } };
  const name = logic.id === 'session' ? context?.kind : 'root' in logic ? logic.id : undefined;
  if (name !== undefined) names.set(logic, name);
  return name;
}

function pathsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value as object).flatMap(([key, inner]) =>
    pathsOf(inner).map((path) => `${key}.${path}`),
  );
}

const machines: Readonly<Record<string, AnyStateMachine>> = {
  conversation: conversationMachine as unknown as AnyStateMachine,
  job: jobMachine as unknown as AnyStateMachine,
  runner: runnerMachine as unknown as AnyStateMachine,
  outbox: outboxMachine as unknown as AnyStateMachine,
  link: linkMachine as unknown as AnyStateMachine,
  orchestrator: orchestratorMachine as unknown as AnyStateMachine,
  directory: directoryMachine as unknown as AnyStateMachine,
};

/** Every transition of every chart, by the name under which it is counted, and what it reads like. */
export function allTransitions(): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const [name, machine] of Object.entries(machines)) {
    const visit = (node: AnyStateNode): void => {
      for (const transition of [...[...node.transitions.values()].flat(), ...(node.always ?? [])]) {
        const guard = transition.guard;
        const when =
          guard === undefined
            ? ''
            : ` [${typeof guard === 'string' ? guard : 'type' in guard ? guard.type : 'guard'}]`;
        const target = transition.target?.map((one: AnyStateNode) => one.key).join(', ');
        const text = `${name}: ${node.path.join('.') || '(any state)'} -- ${transition.eventType || 'always'}${when} --> ${target ?? '(stays)'}`;
        all.set(`${name} ${transitionId(transition)}`, text);
      }
      for (const child of Object.values(node.states)) visit(child as AnyStateNode);
    };
    visit(machine.root);
  }
  return all;
}
