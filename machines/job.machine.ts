import type { ActorRefFrom, SnapshotFrom } from 'xstate';
import { ground } from './session.setup.ts';
import {
  anytime,
  cancelling,
  dispatching,
  opening,
  polling,
  rereading,
  streaming,
  take,
} from './session.states.ts';
import { initialContext } from './session.ts';

/**
 * A background job: a session with one turn and no queue. Its ends are final: a second end, a late token or a late
 * poll meets a machine that is done (C10, C45).
 */
export const jobMachine = ground.createMachine({
  id: 'session',
  context: ({ input }) => initialContext(input.session, 'job', input.owner ?? null),
  initial: 'opening',
  on: { ...rereading, ...anytime },
  states: {
    opening,
    idle: { on: { 'turn.started': { ...take, target: 'dispatching' } } },
    dispatching,
    streaming,
    polling,
    cancelling,
    finalized: { type: 'final' },
    cancelled: { type: 'final' },
    failed: { type: 'final' },
    closed: { type: 'final' },
  },
  output: ({ context }) => {
    const turn = context.turns.at(-1);
    return {
      session: context.id,
      outcome: turn?.outcome ?? 'interrupted',
      stopReason: turn?.stopReason ?? 'lost',
      ...(turn?.error && { error: turn.error }),
    };
  },
});

export type JobRef = ActorRefFrom<typeof jobMachine>;
export type JobSnapshot = SnapshotFrom<typeof jobMachine>;
