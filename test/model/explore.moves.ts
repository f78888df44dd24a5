import type { AnyStateNode } from 'xstate';
import type { Output } from '../../src/wire/output.ts';
import { asks, say } from '../support/facts.ts';
import { type Bounds, isEngaged, type Move, type RunnerSnapshot, type Situation } from './explore.ts';

/** Everything that may come next in a situation, within the bounds. */
export function eventsOf(situation: Situation, bounds: Bounds): readonly Move[] {
  return [
    ...asked(situation, bounds),
    ...written(situation, bounds),
    ...agent(situation, bounds),
    ...time(situation),
  ];
}

/** What users ask. */
function asked({ session, used }: Situation, bounds: Bounds): readonly Move[] {
  const { open, queue, permissions } = session.context;
  const command = (name: string, body: object, more: Partial<Move> = {}): Move => ({
    name,
    event: { type: 'command', command: { id: name, ...body } },
    ...more,
  });
  const moves: Move[] = [];
  if (bounds.kind === 'conversation' && used.messages < bounds.messages) {
    const count = { used: { messages: used.messages + 1 } };
    const message = say(`m${used.messages + 1}`);
    moves.push(command('send', { type: 'send', message, delivery: 'queue', digest: 'd' }, count));
    moves.push(command('guide', { type: 'send', message, delivery: 'steer', digest: 'd' }, count));
  }
  if (used.stops < bounds.stops) {
    const count = { used: { stops: used.stops + 1 } };
    if (open) moves.push(command('stop', { type: 'stop', turn: open.id }, count));
    const waits = queue.messages.at(-1);
    if (waits) moves.push(command('stop a message', { type: 'stop', message: waits.message.id }, count));
  }
  if (bounds.kind === 'conversation' && used.resumes < bounds.resumes) {
    moves.push(command('resume', { type: 'resume' }, { used: { resumes: used.resumes + 1 } }));
  }
  const last = session.context.turns.at(-1);
  if (bounds.kind === 'conversation' && last && used.retries < bounds.retries) {
    const count = { used: { retries: used.retries + 1 } };
    moves.push(command('retry then', { type: 'retry', turn: last.id, at: 0 }, count));
    if (queue.retry !== undefined)
      moves.push(command('do not wait', { type: 'retry', turn: last.id, at: null }, count));
  }
  const permission = permissions[0];
  if (permission && used.answers < bounds.answers) {
    const count = { used: { answers: used.answers + 1 } };
    moves.push(command('answer', { type: 'answer', permission: permission.id, option: 'yes' }, count));
  }
  return moves;
}

/** What becomes of an append that is under way. */
function written({ runner, used }: Situation, bounds: Bounds): readonly Move[] {
  const { drafts } = runner.context.batch;
  if (!runner.matches({ pen: 'writing' })) return [];
  const done = { type: 'xstate.done.actor.append', actorId: 'append', output: [] };
  const moves: Move[] = [{ name: 'commit', event: done, commits: drafts }];
  if (used.faults >= bounds.faults) return moves;
  const fails = (name: string): Move => ({
    name: `append fails: ${name}`,
    event: {
      type: 'xstate.error.actor.append',
      actorId: 'append',
      error: Object.assign(new Error(name), { name }),
    },
    used: { faults: used.faults + 1 },
  });
  return [...moves, fails('LogUnavailable'), fails('LogConflict')];
}

function outputs(n: number): readonly Output[] {
  const { options, title } = asks('t', 'p');
  return [
    { type: 'text', text: 'x' },
    { type: 'accepted', handle: 'h' },
    { type: 'tool.started', toolCallId: `c${n}`, title: 'T' },
    { type: 'tool.finished', toolCallId: `c${Math.max(0, n - 1)}`, status: 'completed' },
    { type: 'permission.asked', permission: `p${n}`, title, options },
    { type: 'poll', reason: 'The stream was lost.' },
    { type: 'usage', usage: { totalTokens: n } },
  ];
}

/** What the agent's side says: of the open turn, by itself, and when it is asked. */
function agent({ runner, session, used }: Situation, bounds: Bounds): readonly Move[] {
  const { open, queue } = session.context;
  const moves: Move[] = [];
  const says = (turn: string | null, output: Output, name: string): Move => ({
    name: `${name}: ${output.type}`,
    event: { type: 'output', turn, outputs: [output] },
    used: { outputs: used.outputs + 1 },
  });
  if (used.outputs < bounds.outputs) {
    for (const output of outputs(used.outputs)) {
      if (open && isEngaged(runner)) moves.push(says(open.id, output, 'agent'));
    }
    moves.push(says(null, { type: 'text', text: 'y' }, 'agent unasked'));
  }
  if (!open || !isEngaged(runner)) return moves;
  const settles = (name: string, settled: object, more: Partial<Move> = {}): Move => ({
    name: `agent: ${name}`,
    event: { type: 'agent.settled', turn: open.id, settled },
    ...more,
  });
  moves.push(settles('ends well', { stopReason: 'end_turn' }));
  if (used.faults < bounds.faults) {
    const error = { code: 'agent.gone', message: 'It is gone.' };
    moves.push(settles('dies', { stopReason: 'error', error }, { used: { faults: used.faults + 1 } }));
  }
  for (const { message, delivery } of queue.messages) {
    if (delivery !== 'steer' || runner.context.steered.includes(message.id)) continue;
    moves.push({
      name: 'agent: takes guidance',
      event: { type: 'agent.steered', message: message.id, taken: true },
    });
  }
  if (!runner.matches({ work: { engaged: { polling: 'asking' } } } as never)) return moves;
  const polled = (name: string, output: object): Move => ({
    name: `poll: ${name}`,
    event: { type: 'xstate.done.actor.poll', actorId: 'poll', output },
  });
  return [
    ...moves,
    polled('runs', { state: 'running' }),
    polled('streams', { state: 'stream' }),
    polled('is over', { state: 'ended', output: [], settled: { stopReason: 'end_turn' } }),
    polled('is forgotten', { state: 'unknown', reason: 'Forgotten.' }),
    {
      name: 'poll: fails',
      event: { type: 'xstate.error.actor.poll', actorId: 'poll', error: new Error('no') },
    },
  ];
}

/** Any timer that is set may be the next to fire: nobody promises how long anything takes. */
function time({ runner }: Situation): readonly Move[] {
  return timersOf(runner).map((type) => ({ name: `time: ${type.split('.')[2]}`, event: { type } }));
}

function timersOf(runner: RunnerSnapshot): readonly string[] {
  const { _nodes: nodes } = runner as unknown as { _nodes: readonly AnyStateNode[] };
  return nodes.flatMap((node) =>
    [...node.transitions.keys()].filter((type) => type.startsWith('xstate.after.')),
  );
}
