import { onCleanup } from 'solid-js';
import { type Actor, type AnyStateMachine, createActor } from 'xstate';

/** An actor that lives as long as the component that asks for it. */
export function ownActor<Machine extends AnyStateMachine>(machine: Machine): Actor<Machine> {
  const actor = createActor(machine as AnyStateMachine) as Actor<Machine>;
  actor.start();
  onCleanup(() => actor.stop());
  return actor;
}
