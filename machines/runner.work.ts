import type { Draft } from '../src/wire/facts.ts';
import { closings } from './closings.ts';
import { type Command, type Decision, decide, decideRetry, type Standing } from './decide.ts';
import { draftsOf } from './outputs.ts';
import { refuse } from './refuse.ts';
import type { Batch, RunnerContext, Settled } from './runner.types.ts';
import { sessionDrafts } from './session.outputs.ts';
import type { OpenTurn, SessionContext } from './session.ts';
import { turnOf } from './turn.logic.ts';

/** What the runner's pen writes next: pure functions of what is committed and what waits. */

/** The committed state. The session's actor changes by this runner's own appends only. */
export function standing(context: RunnerContext): Standing {
  const { value, context: session } = context.session.getSnapshot();
  return { state: String(value), context: session };
}

/** The open turn, for those who are asked only while there is one. */
export function running(context: RunnerContext): OpenTurn {
  return standing(context).context.open as OpenTurn;
}

export const nothing: Batch = { drafts: [], outputs: 0, dropped: 0 };

const waitsForStop = new Set<Command['type']>(['send', 'resume']);

/** A stop goes before everything; what would start a turn waits until a stop is through. */
export function nextCommand(context: RunnerContext): Command | undefined {
  const stop = context.commands.find((command) => command.type === 'stop');
  if (stop) return stop;
  const { state } = standing(context);
  return context.commands.find((command) => state !== 'cancelling' || !waitsForStop.has(command.type));
}

const ending = refuse(503, 'gateway.closing', 'Sluice is stopping. Send it again after the next start.');

function starts(decision: Decision): boolean {
  return 'drafts' in decision && decision.drafts.some((draft) => draft.type === 'turn.started');
}

/** Of the command that is next: one waits. */
export function commandBatch(context: RunnerContext): Batch {
  const command = nextCommand(context) as Command;
  const wanted = decide(standing(context), command);
  // D4: what a gateway that ends would begin, the next one begins: it is asked again.
  const decision = context.closing && starts(wanted) ? ending : wanted;
  return { ...nothing, command, decision, drafts: 'drafts' in decision ? decision.drafts : [] };
}

/** True for a command that would stop the open turn: not for one that names a turn or a message that is not running. */
export function stopsTurn(context: RunnerContext, command: Command): boolean {
  const decision = decide(standing(context), command);
  return 'drafts' in decision && decision.drafts.some((draft) => draft.type === 'turn.stopping');
}

/** True when output waits that is not just text, or a lot of text: it is written at once. */
export function isUrgent(context: RunnerContext): boolean {
  if (context.outputs.length === 0) return false;
  // With no turn open there is nothing to join: what comes unasked opens one before anything else does.
  if (context.settled || !standing(context).context.open) return true;
  let size = 0;
  for (const output of context.outputs) {
    if (output.type !== 'text' && output.type !== 'thought') return true;
    size += output.text.length;
  }
  return size >= 4096;
}

/** Output of the open turn; with none open, what the session itself may take, or an unprompted turn (A6, A7). */
export function outputBatch(context: RunnerContext): Batch {
  const { state, context: session } = standing(context);
  const outputs = context.outputs.length;
  // C10, I2: a job that is over takes nothing more, not even late usage.
  if (context.session.getSnapshot().status !== 'active') return { drafts: [], outputs, dropped: outputs };
  if (session.open) {
    const { drafts, dropped } = draftsOf(
      { state, context: session },
      turnOf(session.open.ref),
      context.outputs,
    );
    return { drafts, outputs, dropped };
  }
  const rows = context.outputs.filter((o) => o.type !== 'usage' && o.type !== 'changed');
  const drafts = sessionDrafts(session, context.outputs);
  const rests = session.kind === 'conversation' && (state === 'idle' || state === 'finalized');
  const wakes = rows.length > 0 && rests && !context.closing;
  if (!wakes) return { drafts, outputs, dropped: rows.length };
  // The turn is opened first; its output stays pending and follows once that is committed.
  const turn = `t${session.seq + 1}`;
  const started: Draft = {
    type: 'turn.started',
    turn,
    origin: 'agent',
    revision: session.queue.revision + 1,
  };
  return { ...nothing, drafts: [started] };
}

/** I1, I12: closes all that is open, then ends the turn; a failure holds the queue. One append. */
export function endBatch(context: RunnerContext): Batch {
  const { settled } = context;
  const { context: session } = standing(context);
  const { open, queue } = session;
  if (!open || !settled) return nothing;
  const end = endOf(settled, open.stage !== undefined);
  const reason =
    end.outcome === 'finalized' ? 'The agent did not say how this ended.' : `The turn ended: ${end.outcome}.`;
  const { tools, permissions } = closings(session, reason);
  const job = jobDraft(session, open, settled, tools.length + permissions.length);
  const holds =
    end.outcome === 'finalized' || queue.held || session.kind === 'job' ? [] : [holdAfter(end.outcome)];
  const held = holds.map((why): Draft => ({ type: 'queue.held', reason: why, revision: queue.revision + 1 }));
  return {
    ...nothing,
    drafts: [...tools, ...permissions, ...job, { type: 'turn.ended', turn: open.id, ...end }, ...held],
  };
}

/** C38: a turn that its agent made a job of goes on there; what has been said stays here. */
function jobDraft(
  session: SessionContext,
  open: OpenTurn,
  { stopReason, job: handle }: Settled,
  before: number,
): readonly Draft[] {
  const { message } = turnOf(open.ref);
  const goesOn = stopReason === 'job' && session.kind === 'conversation' && !open.stage;
  if (!goesOn || handle === undefined || !message) return [];
  const { agent, cwd, model, mode, mcpServers } = session;
  const request = {
    agent,
    cwd,
    ...(model !== undefined && { model }),
    ...(mode !== undefined && { mode }),
    ...(mcpServers !== undefined && { mcpServers }),
    message,
    handle,
  };
  const job = `${session.id}.j${session.seq + before + 1}`;
  return [{ type: 'job.attached', job, turn: open.id, request }];
}

function holdAfter(outcome: 'cancelled' | 'failed' | 'interrupted'): 'stopped' | 'failed' | 'interrupted' {
  return outcome === 'cancelled' ? 'stopped' : outcome;
}

function endOf(settled: Settled, stopping: boolean) {
  const { stopReason, error } = settled;
  // I4: once a stop is committed the turn ends cancelled, whatever the agent says of it.
  if (stopping || stopReason === 'cancelled')
    return { outcome: 'cancelled', stopReason: 'cancelled' } as const;
  const said = { stopReason, ...(error && { error }) };
  if (settled.interrupted) return { outcome: 'interrupted', ...said } as const;
  if (error || stopReason === 'error' || stopReason === 'lost')
    return { outcome: 'failed', ...said } as const;
  return { outcome: 'finalized', ...said } as const;
}

/** I3, C46: the head of the queue, by itself, from `idle` or `finalized` only, and only when it is not held. */
export function drainBatch(context: RunnerContext): Batch {
  const { state, context: session } = standing(context);
  const { held, messages, revision } = session.queue;
  const message = messages[0]?.message;
  const rests = state === 'idle' || state === 'finalized';
  if (context.closing || context.settled || !rests || held || !message) return nothing;
  const turn = `t${session.seq + 1}`;
  return {
    ...nothing,
    drafts: [{ type: 'turn.started', turn, message, origin: 'user', revision: revision + 1 }],
  };
}

/** Until a turn that is to be run again is due, in milliseconds; undefined when none is. */
export function retryWait(context: RunnerContext): number | undefined {
  const { until } = standing(context).context.queue;
  return context.closing || until === undefined ? undefined : Math.max(0, until - context.now());
}

/** I3: asked again as it is taken, since it may have been put off in the moment in which it was due. */
export function retryBatch(context: RunnerContext): Batch {
  return retryWait(context) === 0 ? { ...nothing, drafts: decideRetry(standing(context)) } : nothing;
}

/** D2: guidance that the agent has leaves the queue, while its turn still runs. */
export function steeredBatch(context: RunnerContext): Batch {
  const { context: session } = standing(context);
  const { open, queue } = session;
  const taken = queue.messages.filter((q) => context.steered.includes(q.message.id));
  if (!open || open.stage) return nothing;
  const drafts = taken.map(
    (q, i): Draft => ({
      type: 'turn.steered',
      turn: open.id,
      message: q.message,
      confirmed: true,
      revision: queue.revision + 1 + i,
    }),
  );
  return { ...nothing, drafts };
}
