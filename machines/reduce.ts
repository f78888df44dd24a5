import type { Fact, FactOf } from '../src/wire/facts.ts';
import type { JobRef, OpenPermission, Queue, QueuedMessage } from '../src/wire/snapshot.ts';
import type { OpenTurn, SessionContext } from './session.ts';

type Change = Partial<SessionContext>;

/** What a lawful fact changes in the session, apart from turns opening and ending. Lists that stay keep their identity. */
export function reduce(context: SessionContext, fact: Fact): Change {
  return { seq: fact.seq, ...change(context, fact) };
}

function change(context: SessionContext, fact: Fact): Change {
  switch (fact.type) {
    case 'session.opened': {
      const { kind, agent, cwd, title, model, mode, parent, mcpServers, continues } = fact;
      return {
        kind,
        agent,
        cwd,
        epoch: fact.epoch,
        createdAt: fact.at,
        ...(title !== undefined && { title, titledByUser: true }),
        ...(model !== undefined && { model }),
        ...(mode !== undefined && { mode }),
        ...(parent !== undefined && { parent }),
        ...(mcpServers !== undefined && { mcpServers }),
        ...(continues !== undefined && { continues, agentSession: continues }),
      };
    }
    case 'session.changed': {
      const { title, by, model, mode, models, modes, options, commands, agentSession } = fact;
      return {
        ...(title !== undefined && { title }),
        ...(title !== undefined && by === 'user' && { titledByUser: true }),
        ...(model !== undefined && { model }),
        ...(mode !== undefined && { mode }),
        ...(models !== undefined && { models }),
        ...(modes !== undefined && { modes }),
        ...(options !== undefined && { options }),
        ...(commands !== undefined && { commands }),
        ...(agentSession !== undefined && { agentSession }),
      };
    }
    case 'usage.updated':
      return { usage: { ...context.usage, ...fact.usage } };
    case 'notice.added': {
      if (fact.turn !== undefined) return {};
      const { notice, level, code, text, seq } = fact;
      return { notices: [...context.notices, { id: notice, seq, level, code, text }] };
    }
    case 'queue.added':
      return queue(context, fact, (messages) =>
        insert(messages, { message: fact.message, delivery: fact.delivery }),
      );
    case 'queue.edited':
      return queue(context, fact, (messages) =>
        messages.map((q) => (q.message.id === fact.message.id ? { ...q, message: fact.message } : q)),
      );
    case 'queue.moved':
      return queue(context, fact, (messages) => {
        const moved = messages.filter((q) => q.message.id === fact.message);
        const rest = messages.filter((q) => q.message.id !== fact.message);
        return [...rest.slice(0, fact.to), ...moved, ...rest.slice(fact.to)];
      });
    case 'queue.removed':
      return queue(context, fact, (messages) => messages.filter((q) => q.message.id !== fact.message));
    case 'queue.held': {
      const { reason, until, retry, revision } = fact;
      const { messages } = context.queue;
      const then = { ...(until !== undefined && { until }), ...(retry !== undefined && { retry }) };
      return { queue: { held: true, reason, ...then, revision, messages } };
    }
    case 'queue.released': {
      const { messages } = context.queue;
      return { queue: { held: false, revision: fact.revision, messages } };
    }
    case 'turn.started':
      return queue(forgetting(context), fact, (messages) =>
        messages.filter((q) => q.message.id !== fact.message?.id),
      );
    case 'turn.steered':
      return queue(context, fact, (messages) => messages.filter((q) => q.message.id !== fact.message.id));
    case 'turn.accepted': {
      const { handle } = fact;
      return handle === undefined ? {} : open(context, () => ({ handle }));
    }
    case 'turn.watching':
      return open(context, () => ({ watching: fact.mode, reason: fact.reason }));
    case 'turn.retrying':
      return open(context, () => ({ retrying: fact.reason }));
    case 'turn.stopping':
      return open(context, () => ({ stage: fact.stage }));
    case 'turn.ended':
      return { open: null };
    case 'text.added':
    case 'thought.added':
    case 'part.replaced':
    case 'plan.updated':
      return moving(context);
    case 'tool.started': {
      const { toolCallId } = fact;
      return open(moved(context), ({ tools, seen }) => ({
        tools: [...tools, toolCallId],
        seen: [...seen, toolCallId],
      }));
    }
    case 'tool.updated':
      return moving(context);
    case 'tool.finished':
    case 'tool.refused':
      return open(moved(context), ({ tools }) => ({
        tools: tools.filter((tool) => tool !== fact.toolCallId),
      }));
    case 'permission.asked':
      return { ...moving(context), permissions: [...context.permissions, permission(fact)] };
    case 'permission.answered':
    case 'permission.withdrawn':
      return { permissions: context.permissions.filter((p) => p.id !== fact.permission) };
    case 'job.attached':
      return { jobs: [...context.jobs, job(fact)] };
    case 'job.settled': {
      const { outcome, stopReason, error } = fact;
      return {
        jobs: context.jobs.map((j) =>
          j.job === fact.job ? { ...j, outcome, stopReason, ...(error && { error }) } : j,
        ),
      };
    }
    default:
      return {};
  }
}

/** Steering messages stand at the head, in the order in which they came (D2). */
function insert(messages: readonly QueuedMessage[], added: QueuedMessage): readonly QueuedMessage[] {
  if (added.delivery === 'queue') return [...messages, added];
  const steers = messages.filter((q) => q.delivery === 'steer').length;
  return [...messages.slice(0, steers), added, ...messages.slice(steers)];
}

function queue(
  context: SessionContext,
  fact: { revision: number },
  edit: (messages: Queue['messages']) => Queue['messages'],
): Change {
  return { queue: { ...context.queue, revision: fact.revision, messages: edit(context.queue.messages) } };
}

/** Whatever runs next, the turn that was to be run again later is not the last one any more. */
function forgetting(context: SessionContext): SessionContext {
  const { retry, until: _, ...rest } = context.queue;
  return retry === undefined ? context : { ...context, queue: { ...rest, reason: 'failed' } };
}

function open(context: SessionContext, part: (open: OpenTurn) => Partial<OpenTurn>): Change {
  return context.open ? { open: { ...context.open, ...part(context.open) } } : {};
}

/** Output ends a silence and a retry. Text that follows text changes nothing here: the context keeps its identity. */
function moving(context: SessionContext): Change {
  const turn = moved(context).open;
  return turn === context.open ? {} : { open: turn };
}

function moved(context: SessionContext): SessionContext {
  if (context.open?.retrying === undefined && context.open?.watching !== 'silent') return context;
  const { retrying: _, watching, reason, ...rest } = context.open;
  if (!watching || watching === 'silent') return { ...context, open: rest };
  return { ...context, open: { ...rest, watching, ...(reason !== undefined && { reason }) } };
}

function permission(fact: FactOf<'permission.asked'>): OpenPermission {
  const { permission: id, turn, title, options, toolCallId, form, url } = fact;
  return {
    type: 'permission',
    id,
    turn,
    title,
    options,
    state: 'open',
    ...(toolCallId && { toolCallId }),
    ...(form && { form }),
    ...(url !== undefined && { url }),
  };
}

function job(fact: FactOf<'job.attached'>): JobRef {
  const { job: id, seq, at, request, turn } = fact;
  return { job: id, seq, at, request, ...(turn && { turn }) };
}
