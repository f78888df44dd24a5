import { expect, test } from 'vitest';
import { type AnyActorLogic, type AnyStateMachine, createActor } from 'xstate';
import { conversationMachine } from '../../machines/conversation.machine.ts';
import { directoryMachine } from '../../machines/directory.machine.ts';
import { earlierMachine } from '../../machines/earlier.machine.ts';
import { linkMachine } from '../../machines/link.machine.ts';
import { outboxMachine } from '../../machines/outbox.machine.ts';
import { runnerMachine } from '../../machines/runner.machine.ts';

/** The machines do nothing themselves: who runs one gives it its effects. */
const effects: readonly [string, AnyStateMachine][] = [
  ['append', runnerMachine],
  ['agent', runnerMachine],
  ['poll', runnerMachine],
  ['load', conversationMachine],
  ['load', directoryMachine],
  ['find', directoryMachine],
  ['page', directoryMachine],
  ['post', outboxMachine],
  ['load', outboxMachine],
  ['store', outboxMachine],
  ['list', earlierMachine],
  ['socket', linkMachine],
];

test.each(effects)('an effect that was not given says so, by its name: %s', (name, machine) => {
  const logic = machine.implementations.actors[name] as AnyActorLogic;
  const actor = createActor(logic, { input: {} });
  const said: unknown[] = [];
  actor.subscribe({ error: (error) => said.push(error) });
  actor.start();
  expect(said).toMatchObject([{ message: `the ${name} actor was not provided` }]);
});
