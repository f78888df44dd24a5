import type { Fact } from '../../src/wire/facts.ts';

/**
 * The invariants that a session's log alone can prove, each as a function that says what it found wrong. They share
 * no code with the machines: what they know of queues and turns they read from the facts.
 */
export type Violations = readonly string[];

function at(fact: Fact, what: string): string {
  return `${fact.seq} ${fact.type}: ${what}`;
}

/** I1: every turn gets exactly one end. `running`: turns that may still be open at the end of the log. */
export function oneEnd(facts: readonly Fact[], running: readonly string[] = []): Violations {
  const ends = new Map<string, number>();
  const found: string[] = [];
  for (const fact of facts) {
    if (fact.type === 'turn.started') {
      if (ends.has(fact.turn)) found.push(at(fact, `${fact.turn} started twice`));
      ends.set(fact.turn, 0);
    }
    if (fact.type === 'turn.ended') {
      if (!ends.has(fact.turn)) found.push(at(fact, `${fact.turn} never started`));
      ends.set(fact.turn, (ends.get(fact.turn) ?? 0) + 1);
    }
  }
  for (const [turn, count] of ends) {
    if (count > 1 || (count === 0 && !running.includes(turn))) found.push(`${turn} has ${count} ends`);
  }
  return found;
}

/** Facts of the session that name a turn: they may come after its end. */
const mayComeLate = new Set(['usage.updated', 'job.attached']);

/** I2: nothing of a turn follows its end. */
export function nothingAfterEnd(facts: readonly Fact[]): Violations {
  const over = new Set<string>();
  const found: string[] = [];
  for (const fact of facts) {
    if ('turn' in fact && fact.turn !== undefined && over.has(fact.turn) && !mayComeLate.has(fact.type)) {
      found.push(at(fact, `${fact.turn} is over`));
    }
    if (fact.type === 'turn.ended') over.add(fact.turn);
  }
  return found;
}

/**
 * I3: a message starts by itself only after a good end (or none, or a resume), from the head of a queue that is not
 * held; a message that was not queued overtakes nobody; no message starts twice; no turn starts in another.
 */
export function drainOrder(facts: readonly Fact[]): Violations {
  const found: string[] = [];
  let queue: { id: string; steer: boolean }[] = [];
  let held = false;
  let calm = true;
  let open: string | undefined;
  const begun = new Set<string>();
  for (const fact of facts) {
    switch (fact.type) {
      case 'queue.added': {
        const steer = fact.delivery === 'steer';
        const place = steer ? queue.filter((q) => q.steer).length : queue.length;
        if (begun.has(fact.message.id)) found.push(at(fact, `${fact.message.id} was sent already (I9)`));
        queue.splice(place, 0, { id: fact.message.id, steer });
        break;
      }
      case 'queue.moved': {
        const moved = queue.find((q) => q.id === fact.message);
        queue = queue.filter((q) => q !== moved);
        if (moved) queue.splice(fact.to, 0, moved);
        break;
      }
      case 'queue.removed':
        queue = queue.filter((q) => q.id !== fact.message);
        break;
      case 'turn.steered':
        queue = queue.filter((q) => q.id !== fact.message.id);
        begun.add(fact.message.id);
        break;
      case 'queue.held':
        held = true;
        break;
      case 'queue.released':
        held = false;
        if (open === undefined) calm = true;
        break;
      case 'turn.ended':
        open = undefined;
        calm = fact.outcome === 'finalized';
        break;
      case 'turn.started': {
        if (open !== undefined) found.push(at(fact, `${open} still runs`));
        open = fact.turn;
        const id = fact.message?.id;
        if (id === undefined) {
          if (fact.origin !== 'agent') found.push(at(fact, 'the user said nothing'));
          if (!calm) found.push(at(fact, 'the agent began by itself after a stop or a failure'));
          break;
        }
        if (begun.has(id)) found.push(at(fact, `${id} started twice (I9)`));
        begun.add(id);
        if (queue.some((q) => q.id === id)) {
          if (queue[0]?.id !== id) found.push(at(fact, `${id} overtook ${queue[0]?.id}`));
          if (held) found.push(at(fact, `${id} started although the queue is held`));
          if (!calm) found.push(at(fact, `${id} started by itself after a stop or a failure`));
          queue = queue.filter((q) => q.id !== id);
        } else if (queue.length > 0 && !held) found.push(at(fact, `${id} overtook the queue`));
        break;
      }
    }
  }
  return found;
}

const closings = new Set([
  'tool.finished',
  'tool.refused',
  'permission.withdrawn',
  'turn.stopping',
  'turn.ended',
]);

/** I4: after the stop only closings; it ends cancelled; the queue is held from the stop on and loses nothing. */
export function stopWins(facts: readonly Fact[]): Violations {
  const found: string[] = [];
  const kind = facts.find((fact) => fact.type === 'session.opened')?.kind;
  let stopping: string | undefined;
  let held = false;
  let resumed = false;
  let owing = false;
  for (const fact of facts) {
    if (owing && fact.type !== 'queue.held') found.push(at(fact, 'the queue was not held after a stop'));
    owing = false;
    if (fact.type === 'queue.held') held = true;
    if (fact.type === 'queue.released') {
      held = false;
      resumed = true;
    }
    if (stopping !== undefined && 'turn' in fact && fact.turn === stopping) {
      const welcome = closings.has(fact.type) || mayComeLate.has(fact.type);
      if (!welcome) found.push(at(fact, `${stopping} was stopped`));
    }
    if (fact.type === 'turn.started' && stopping !== undefined)
      found.push(at(fact, `${stopping} still stops`));
    if (fact.type === 'turn.stopping' && stopping === undefined) {
      stopping = fact.turn;
      resumed = false;
    }
    if (fact.type === 'turn.ended' && fact.turn === stopping) {
      if (fact.outcome !== 'cancelled') found.push(at(fact, `a stopped turn ended ${fact.outcome}`));
      owing = kind === 'conversation' && !held && !resumed;
      stopping = undefined;
    }
  }
  if (owing) found.push('the queue was not held after a stop');
  return found;
}

/** I3: an end that is no good one holds the queue in the same append, so that nothing starts before the user has looked. */
export function failureHolds(facts: readonly Fact[]): Violations {
  const found: string[] = [];
  if (facts[0]?.type === 'session.opened' && facts[0].kind === 'job') return found;
  const imported = new Set<string>();
  let held = false;
  facts.forEach((fact, index) => {
    if (fact.type === 'turn.started' && fact.imported) imported.add(fact.turn);
    if (fact.type === 'queue.held') held = true;
    if (fact.type === 'queue.released') held = false;
    if (fact.type !== 'turn.ended' || (fact.outcome !== 'failed' && fact.outcome !== 'interrupted')) return;
    if (held || imported.has(fact.turn) || facts[index + 1]?.type === 'queue.held') return;
    found.push(at(fact, `the queue was not held after a turn that ended ${fact.outcome}`));
  });
  return found;
}

/** I12: at its end a turn has no tool and no permission open, and what ends had begun. */
export function allClosed(facts: readonly Fact[]): Violations {
  const found: string[] = [];
  const open = new Map<string, string>();
  for (const fact of facts) {
    switch (fact.type) {
      case 'tool.started':
        open.set(`${fact.turn} tool ${fact.toolCallId}`, fact.turn);
        break;
      case 'permission.asked':
        open.set(`${fact.turn} permission ${fact.permission}`, fact.turn);
        break;
      case 'tool.finished':
      case 'tool.refused':
        if (!open.delete(`${fact.turn} tool ${fact.toolCallId}`)) found.push(at(fact, 'was not open'));
        break;
      case 'permission.answered':
      case 'permission.withdrawn':
        if (!open.delete(`${fact.turn} permission ${fact.permission}`)) found.push(at(fact, 'was not open'));
        break;
      case 'turn.ended':
        for (const [what, turn] of open) if (turn === fact.turn) found.push(at(fact, `${what} is open`));
        break;
    }
  }
  return found;
}

/** Envelopes of one log: one session, one epoch, seq without a gap. */
export function oneLog(facts: readonly Fact[]): Violations {
  return facts.flatMap((fact, index) => {
    const first = facts[0] as Fact;
    const sound = fact.seq === index + 1 && fact.session === first.session && fact.epoch === first.epoch;
    return sound ? [] : [at(fact, `stands at ${index + 1} in ${first.session} ${first.epoch}`)];
  });
}

/** All of the above. */
export function violations(facts: readonly Fact[], running: readonly string[] = []): Violations {
  return [
    ...oneLog(facts),
    ...oneEnd(facts, running),
    ...nothingAfterEnd(facts),
    ...drainOrder(facts),
    ...stopWins(facts),
    ...failureHolds(facts),
    ...allClosed(facts),
  ];
}
