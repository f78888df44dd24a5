import { assertEvent, assign, enqueueActions, fromCallback, fromPromise, raise, setup } from 'xstate';
import type { Command, Decision } from './decide.ts';
import { outlivesStop, type Pending } from './outputs.ts';
import { runnerGuards } from './runner.guards.ts';
import { asPending, ofSession, unheard, unknownQuestions, waiting } from './runner.pending.ts';
import type {
  AgentInput,
  AgentOrder,
  AppendInput,
  AppendOutput,
  Batch,
  Polled,
  RunnerContext,
  RunnerEmitted,
  RunnerInput,
  RunnerInternal,
} from './runner.types.ts';
import {
  commandBatch,
  drainBatch,
  endBatch,
  nothing,
  outputBatch,
  retryBatch,
  retryWait,
  running,
  standing,
  steeredBatch,
  stopsTurn,
} from './runner.work.ts';
import { turnOf } from './turn.logic.ts';

const unavailable = {
  status: 503,
  code: 'log.unavailable',
  detail: 'The log cannot be written now (is the disk full?). Nothing was changed; try again.',
} as const;

/** Types, effects, guards and actions of the runner; its chart is in `runner.machine.ts`. */
export const runnerGround = setup({
  types: {
    context: {} as RunnerContext,
    events: {} as RunnerInternal,
    emitted: {} as RunnerEmitted,
    input: {} as RunnerInput,
  },
  actors: {
    append: fromPromise<AppendOutput, AppendInput>(() => {
      throw new Error('the append actor was not provided');
    }),
    agent: fromCallback<AgentOrder, AgentInput>(() => {
      throw new Error('the agent actor was not provided');
    }),
    poll: fromPromise<Polled, { readonly handle: string }>(() => {
      throw new Error('the poll actor was not provided');
    }),
  },
  delays: {
    gather: ({ context }) => context.limits.gather,
    stall: ({ context }) => context.limits.stall,
    cancel: ({ context }) => context.limits.cancel,
    terminate: ({ context }) => context.limits.terminate,
    kill: ({ context }) => context.limits.kill,
    quiet: ({ context }) => context.limits.quiet,
    blocked: ({ context }) => context.limits.blocked,
    // Looked at each minute: a machine that slept, or whose clock was set, is not late by as much.
    retry: ({ context }) => Math.min(retryWait(context) ?? 0, 60_000),
    poll: ({ context }) => Math.min(context.limits.poll * 2 ** context.polls, context.limits.pollMax),
  },
  guards: runnerGuards,
  actions: {
    enqueue: assign(({ context, event }) => {
      assertEvent(event, 'command');
      return { commands: [...context.commands, event.command] };
    }),
    refuseUnavailable: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'command');
      enqueue.emit({ type: 'refused', command: event.command.id, refused: unavailable });
    }),
    /** C51, I2: output of a turn that is not open, or has settled, is counted and nothing else. */
    receive: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'output');
      const open = standing(context).context.open;
      const late = event.turn !== null && (event.turn !== open?.id || context.settled !== null);
      // A7: what comes unasked once the prompt has settled is not of that turn; it waits for its end.
      if (event.turn === null && open && context.settled)
        return enqueue.assign({ later: [...context.later, ...event.outputs] });
      const welcome = late ? ofSession(event.outputs, event.turn) : event.outputs;
      if (late)
        for (const permission of unknownQuestions(context, event.outputs)) enqueue.emit(unheard(permission));
      enqueue.assign({
        outputs: waiting(context, ...welcome.map((output) => asPending(output, context))),
        dropped: context.dropped + event.outputs.length - welcome.length,
      });
    }),
    takeCommand: assign(({ context }) => {
      const batch = commandBatch(context);
      return { batch, commands: context.commands.filter((command) => command !== batch.command) };
    }),
    takeOutput: enqueueActions(({ context, enqueue }) => {
      const { open } = standing(context).context;
      // Where no turn may ask, nobody is asked. It is said once, however often the rest has to be written.
      const mayAsk = open !== null && open.stage === undefined;
      const taken = () => context.outputs.slice(0, outputBatch(context).outputs);
      const late = mayAsk ? [] : taken().filter((output): boolean => output.type === 'permission.asked');
      for (const permission of unknownQuestions(context, late)) enqueue.emit(unheard(permission));
      const outputs = context.outputs.filter((output) => !late.includes(output));
      const batch = outputBatch({ ...context, outputs });
      enqueue.assign({ batch, outputs, dropped: context.dropped + late.length });
    }),
    takeSteered: assign(({ context }) => ({ batch: steeredBatch(context) })),
    takeEnd: assign(({ context }) => ({ batch: endBatch(context) })),
    takeDrain: assign(({ context }) => ({ batch: drainBatch(context) })),
    takeRetry: assign(({ context }) => ({ batch: retryBatch(context) })),
    takeStop: assign(({ context }): { batch: Batch; stopOwed: boolean } => {
      // It keeps its command, so that it is owed again when this append fails too; nobody waits for an answer.
      const command: Command = { id: '', type: 'stop', turn: running(context).id };
      const { drafts } = commandBatch({ ...context, commands: [command] });
      return { batch: { ...nothing, drafts, command }, stopOwed: false };
    }),
    /** Answers the command of a batch that is committed, or that had nothing to write. */
    reply: enqueueActions(({ context, enqueue }) => {
      const { outputs, dropped, command, decision } = context.batch;
      enqueue.assign({
        batch: nothing,
        // What was pending when the batch was made is written now, or fitted nothing.
        outputs: context.outputs.slice(outputs),
        dropped: context.dropped + dropped,
      });
      if (!command || !decision) return;
      const { refused } = decision;
      if (refused) enqueue.emit({ type: 'refused', command: command.id, refused });
      else {
        const { answer } = decision as Extract<Decision, { readonly answer: unknown }>;
        enqueue.emit({ type: 'answered', command: command.id, answer });
      }
    }),
    announce: raise(({ context }) => ({ type: 'wrote' as const, drafts: context.batch.drafts })),
    /** The batch could not be written: its command is refused; output and ends are made again later. */
    giveBack: enqueueActions(({ context, enqueue }) => {
      const { batch } = context;
      enqueue.assign({ batch: nothing, commands: [] });
      const waits = batch.command ? [batch.command, ...context.commands] : context.commands;
      for (const command of waits) {
        if (!command.id) continue;
        enqueue.emit({ type: 'refused', command: command.id, refused: unavailable });
      }
      // A full disk never stops a stop: the agent is told, the fact follows when it can.
      if (waits.some((command) => stopsTurn(context, command))) enqueue.raise({ type: 'stop.unwritten' });
    }),
    /** The agent is stopped before a fact says so: it cannot be written now, or never again by this writer. */
    stopAgent: enqueueActions(({ enqueue }) => enqueue.raise({ type: 'stop.unwritten' })),
    discard: enqueueActions(({ context, event, enqueue }) => {
      const { batch } = context;
      enqueue.assign({
        batch: nothing,
        outputs: context.outputs.slice(batch.outputs),
        dropped: context.dropped + 1,
      });
      assertEvent(event, 'xstate.error.actor.append');
      if (!batch.command) return;
      const detail = (event.error as Error).message;
      enqueue.emit({
        type: 'refused',
        command: batch.command.id,
        refused: { status: 409, code: 'state.refused', detail },
      });
    }),
    oweStop: assign({ stopOwed: true }),
    /** I4: what is not written yet will not be, as the stop goes first; the agent waits for no answer to it (D3). */
    dropOutput: enqueueActions(({ context, enqueue }) => {
      const { outputs } = context;
      const kept = outputs.filter(outlivesStop);
      for (const permission of unknownQuestions(context, outputs)) enqueue.emit(unheard(permission));
      enqueue.assign({ outputs: kept, dropped: context.dropped + outputs.length - kept.length });
    }),
    settle: assign(({ event }) => {
      assertEvent(event, 'agent.settled');
      return { settled: event.settled };
    }),
    settleInterrupted: assign(({ event }) => ({
      settled: {
        stopReason: 'lost' as const,
        interrupted: true,
        error: {
          code: 'gateway.restarted',
          message: (event as { readonly reason?: string }).reason ?? 'Nobody runs this turn any more.',
        },
      },
    })),
    settleKilled: assign({ settled: { stopReason: 'cancelled' } }),
    settleQuiet: assign({ settled: { stopReason: 'end_turn' } }),
    settleUnknown: assign(({ context, event }) => {
      const { reason } = polled<'unknown'>(event);
      const settled = { stopReason: 'lost' as const, error: { code: 'job.unknown', message: reason } };
      // D4: what a restart has lost is interrupted.
      return { settled: context.how === 'reattach' ? { ...settled, interrupted: true } : settled };
    }),
    /** The terminal poll brings the rest of the answer, then the end (C10). */
    settlePolled: assign(({ context, event }) => {
      const { output, settled } = polled<'ended'>(event);
      const rest = output.map((each) => asPending(each, context));
      return { outputs: waiting(context, ...rest), settled };
    }),
    forget: assign(({ context }) => ({
      outputs: waiting(context, ...context.later),
      later: [],
      settled: null,
      polls: 0,
      steered: [],
      how: 'prompt' as const,
    })),
    countPoll: assign(({ context }) => ({ polls: context.polls + 1 })),
    /** I11: a poll that is not terminal writes no row; progress is written when it moved. */
    noteProgress: assign(({ context, event }) => {
      const { progress } = polled<'running'>(event);
      // What could not be written yet is known as well.
      const waits = context.outputs.findLast((output) => output.type === 'progress');
      const known = waits?.progress ?? turnOf(running(context).ref).progress;
      const same = known?.text === progress?.text && known?.done === progress?.done;
      if (!progress || same) return {};
      return { outputs: waiting(context, { type: 'progress', progress }) };
    }),
    noteSilent: assign(({ context }) => ({
      outputs: waiting(context, {
        type: 'watching',
        mode: 'silent',
        reason: 'The agent has not said anything for a while.',
        since: context.now() - context.limits.stall,
      }),
    })),
    /** `entry`-order matters: this goes before the output that proved the stream to be back. */
    noteStream: assign(({ context, event }) => {
      const note: Pending = {
        type: 'watching',
        mode: 'stream',
        reason: 'The stream is back.',
        since: context.now(),
      };
      const came = event.type === 'output' ? event.outputs.length : 0;
      const at = context.outputs.length - came;
      return { outputs: [...context.outputs.slice(0, at), note, ...context.outputs.slice(at)], polls: 0 };
    }),
    rejoin: assign({ how: 'reattach' as const }),
    noteRejoin: assign(({ context, event }) => {
      assertEvent(event, 'begin');
      const reason = event.reason ?? 'The gateway was restarted.';
      return {
        outputs: waiting(context, { type: 'watching', mode: 'poll', reason, since: context.now() }),
      };
    }),
    attend: assign({ how: 'attend' as const }),
    noteTerminated: assign(({ context }) => ({
      outputs: waiting(context, { type: 'stopping', stage: 'terminated' }),
    })),
    noteKilled: assign(({ context }) => ({
      outputs: waiting(context, { type: 'stopping', stage: 'killed' }),
    })),
    noteSteered: assign(({ context, event }) => {
      assertEvent(event, 'agent.steered');
      return event.taken ? { steered: [...context.steered, event.message] } : {};
    }),
    /** I5: one cancel. */
    tellCancel: enqueueActions(({ enqueue }) => enqueue.sendTo('agent', { type: 'cancel' })),
    tellTerminate: enqueueActions(({ enqueue }) => enqueue.sendTo('agent', { type: 'terminate' })),
    tellKill: enqueueActions(({ enqueue }) => enqueue.sendTo('agent', { type: 'kill' })),
    /** Committed answers and guidance go to the agent, in the order in which they were written. */
    tellAgent: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'wrote');
      for (const draft of event.drafts) {
        switch (draft.type) {
          case 'permission.answered': {
            const { permission, option: optionId, content } = draft;
            const answer = { outcome: 'selected', optionId, ...(content && { content }) } as const;
            enqueue.sendTo('agent', { type: 'answer', permission, answer });
            break;
          }
          case 'permission.withdrawn': {
            const { permission } = draft;
            enqueue.sendTo('agent', { type: 'answer', permission, answer: { outcome: 'cancelled' } });
            break;
          }
          case 'queue.added': {
            const { id, content } = draft.message;
            if (draft.delivery === 'steer') enqueue.sendTo('agent', { type: 'steer', message: id, content });
          }
        }
      }
    }),
    close: assign({ closing: true }),
    emitFenced: enqueueActions(({ enqueue }) => enqueue.emit({ type: 'fenced' })),
  },
});

/** What a poll found: which of the four it is has been asked by the chart. */
function polled<S extends Polled['state']>(event: RunnerInternal): Extract<Polled, { state: S }> {
  assertEvent(event, 'xstate.done.actor.poll');
  return event.output as Extract<Polled, { state: S }>;
}
