import type { Fact, FactOf } from './facts.ts';
import type { Part, PermissionPart, ToolPart, Turn } from './turn.ts';

/**
 * Facts -> turn. Pure, total, and the same in gateway, page and tests (I6). What it was given before is dropped by
 * seq, what does not fit is reported in `misfits` and changes nothing else (C51); unchanged parts keep their identity.
 */
export function fold(turn: Turn, fact: Fact): Turn {
  if (fact.seq <= turn.seq || !('turn' in fact) || fact.turn !== turn.id) return turn;
  // I2: what arrives after the end changes no row. Late usage (A4) counts for the session alone.
  if (turn.outcome) return turn;
  return { ...apply(turn, fact), seq: fact.seq };
}

/** The turn that `turn.started` opens. */
export function openTurn(fact: FactOf<'turn.started'>): Turn {
  return {
    id: fact.turn,
    origin: fact.origin,
    ...(fact.message && { message: fact.message }),
    ...(fact.retryOf && { retryOf: fact.retryOf }),
    ...(fact.imported && { imported: true as const }),
    startedAt: fact.at,
    firstSeq: fact.seq,
    seq: fact.seq,
    parts: [],
    accepted: false,
    misfits: [],
  };
}

/** All turns of a run of facts, oldest first. `turns`: what is known already. */
export function foldAll(facts: Iterable<Fact>, turns: readonly Turn[] = []): readonly Turn[] {
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  for (const fact of facts) {
    // A fact of the session names none, and none is found.
    const { turn: id } = fact as { readonly turn: string };
    const turn = byId.get(id);
    if (turn) byId.set(id, fold(turn, fact));
    else if (fact.type === 'turn.started') byId.set(id, openTurn(fact));
  }
  return [...byId.values()];
}

/** True for the facts that are a piece of a turn's answer. */
export function isPart(fact: { readonly type: string }): boolean {
  return partTypes.has(fact.type);
}

const partTypes = new Set<string>([
  'text.added',
  'thought.added',
  'part.replaced',
  'tool.started',
  'tool.updated',
  'tool.finished',
  'tool.refused',
  'plan.updated',
  'permission.asked',
  'permission.answered',
  'permission.withdrawn',
]);

function misfit(turn: Turn, fact: Fact, reason: string): Turn {
  return { ...turn, seq: fact.seq, misfits: [...turn.misfits, { seq: fact.seq, reason }] };
}

function apply(turn: Turn, fact: Fact): Turn {
  switch (fact.type) {
    case 'turn.accepted':
      return { ...turn, accepted: true, ...(fact.handle && { handle: fact.handle }) };
    case 'turn.watching':
      return { ...turn, watching: { mode: fact.mode, reason: fact.reason, since: fact.since } };
    case 'turn.retrying': {
      const { attempt, reason, next } = fact;
      return { ...turn, retrying: { attempt, reason, ...(next !== undefined && { next }) } };
    }
    case 'turn.stopping':
      return { ...turn, stopping: fact.stage };
    case 'turn.steered':
      return append(turn, {
        type: 'steer',
        id: fact.message.id,
        message: fact.message,
        confirmed: fact.confirmed,
      });
    case 'turn.ended': {
      const { watching: _, retrying: __, ...rest } = turn;
      const { outcome, stopReason, error } = fact;
      return { ...rest, outcome, stopReason, ...(error && { error }), endedAt: fact.at };
    }
    case 'text.added':
    case 'thought.added':
      return addText(turn, fact);
    case 'part.replaced':
      return replacePart(turn, fact);
    case 'tool.started':
      return startTool(turn, fact);
    case 'tool.updated':
    case 'tool.finished':
    case 'tool.refused':
      return changeTool(turn, fact);
    case 'plan.updated': {
      const plan: Part = { type: 'plan', id: 'plan', entries: fact.entries };
      return has(turn, 'plan', 'plan')
        ? update(moving(turn), 'plan', 'plan', () => plan)
        : append(moving(turn), plan);
    }
    case 'permission.asked': {
      const { permission, toolCallId, title, options, form, url } = fact;
      if (has(turn, 'permission', permission)) return misfit(turn, fact, 'permission asked twice');
      return append(moving(turn), {
        type: 'permission',
        id: permission,
        ...(toolCallId && { toolCallId }),
        title,
        options,
        ...(form && { form }),
        ...(url !== undefined && { url }),
        state: 'open',
      });
    }
    case 'permission.answered':
      return settlePermission(turn, fact, {
        state: 'answered',
        option: fact.option,
        ...(fact.content && { content: fact.content }),
      });
    case 'permission.withdrawn':
      return settlePermission(turn, fact, { state: 'withdrawn', reason: fact.reason });
    case 'notice.added': {
      const { notice, level, code, text } = fact;
      return append(turn, { type: 'notice', id: notice, level, code, text });
    }
    case 'usage.updated':
      return { ...turn, usage: { ...turn.usage, ...fact.usage } };
    case 'job.attached':
      return append(turn, { type: 'job', id: fact.job });
    case 'job.progress': {
      const { text, done, total } = fact;
      const progress = { text, ...(done !== undefined && { done }), ...(total !== undefined && { total }) };
      return { ...turn, progress };
    }
    default:
      return turn;
  }
}

/** Output ends a retry and a silence: the row says so at once, without a fact of its own. */
function moving(turn: Turn): Turn {
  const { retrying: _, watching, ...rest } = turn;
  return watching === undefined || watching.mode === 'silent' ? rest : { ...rest, watching };
}

function append(turn: Turn, part: Part): Turn {
  return { ...turn, parts: [...turn.parts, part] };
}

function indexOf(turn: Turn, type: Part['type'], id: string): number {
  // From the end: what streams is nearly always the last part.
  for (let i = turn.parts.length - 1; i >= 0; i--) {
    const part = turn.parts[i] as Part;
    if (part.id === id && part.type === type) return i;
  }
  return -1;
}

function has(turn: Turn, type: Part['type'], id: string): boolean {
  return indexOf(turn, type, id) >= 0;
}

function update(turn: Turn, type: Part['type'], id: string, change: (part: Part) => Part): Turn {
  const index = indexOf(turn, type, id);
  const parts = turn.parts.slice();
  parts[index] = change(parts[index] as Part);
  return { ...turn, parts };
}

function addText(turn: Turn, fact: FactOf<'text.added' | 'thought.added'>): Turn {
  const type = fact.type === 'text.added' ? 'text' : 'thought';
  const index = indexOf(turn, type, fact.part);
  if (index < 0) {
    if (fact.offset !== 0) return misfit(turn, fact, `text at ${fact.offset} of a part that is not there`);
    return append(moving(turn), { type, id: fact.part, text: fact.text, revision: 0 });
  }
  const part = turn.parts[index] as Extract<Part, { type: 'text' | 'thought' }>;
  if (fact.offset !== part.text.length) {
    return misfit(turn, fact, `text at ${fact.offset} of a part with ${part.text.length}`);
  }
  return update(moving(turn), type, fact.part, () => ({ ...part, text: part.text + fact.text }));
}

function replacePart(turn: Turn, fact: FactOf<'part.replaced'>): Turn {
  const type = has(turn, 'text', fact.part) ? 'text' : 'thought';
  if (!has(turn, type, fact.part)) return misfit(turn, fact, 'a part that is not there was replaced');
  return update(moving(turn), type, fact.part, (part) => {
    const old = part as Extract<Part, { type: 'text' | 'thought' }>;
    return { ...old, text: fact.text, revision: old.revision + 1 };
  });
}

function startTool(turn: Turn, fact: FactOf<'tool.started'>): Turn {
  if (has(turn, 'tool', fact.toolCallId)) return misfit(turn, fact, 'tool started twice');
  return append(moving(turn), {
    type: 'tool',
    id: fact.toolCallId,
    title: fact.title,
    kind: fact.kind ?? 'other',
    status: fact.status ?? 'in_progress',
    content: fact.content ?? [],
    locations: fact.locations ?? [],
    output: '',
    ...(fact.rawInput !== undefined && { rawInput: fact.rawInput }),
    ...(fact.rawOutput !== undefined && { rawOutput: fact.rawOutput }),
  });
}

function changeTool(turn: Turn, fact: FactOf<'tool.updated' | 'tool.finished' | 'tool.refused'>): Turn {
  const index = indexOf(turn, 'tool', fact.toolCallId);
  if (index < 0) return misfit(turn, fact, `${fact.type} of a tool that did not start`);
  const tool = turn.parts[index] as ToolPart;
  if (!isOpen(tool)) return misfit(turn, fact, `${fact.type} of a tool that has ended`);
  if (fact.type === 'tool.refused') {
    return update(moving(turn), 'tool', tool.id, () => ({ ...tool, status: 'refused', reason: fact.reason }));
  }
  // Each of these is there in one kind of fact only.
  const { output } = fact as Partial<FactOf<'tool.updated'>>;
  const { exitCode, reason } = fact as Partial<FactOf<'tool.finished'>>;
  if (output && output.offset !== tool.output.length) {
    return misfit(turn, fact, `output at ${output.offset} of a tool with ${tool.output.length}`);
  }
  return update(moving(turn), 'tool', tool.id, () => ({
    ...tool,
    ...defined({
      title: fact.title,
      kind: fact.kind,
      status: fact.status,
      content: fact.content,
      locations: fact.locations,
      rawInput: fact.rawInput,
      rawOutput: fact.rawOutput,
      exitCode,
      reason,
    }),
    ...(output && { output: tool.output + output.text }),
  }));
}

/** True while a tool call may still change (I12). */
export function isOpen(tool: ToolPart): boolean {
  return tool.status === 'pending' || tool.status === 'in_progress';
}

function settlePermission(
  turn: Turn,
  fact: FactOf<'permission.answered' | 'permission.withdrawn'>,
  end: Pick<PermissionPart, 'state' | 'option' | 'reason'>,
): Turn {
  const index = indexOf(turn, 'permission', fact.permission);
  const part = turn.parts[index] as PermissionPart | undefined;
  if (part?.state !== 'open') return misfit(turn, fact, `${fact.type} of a permission that is not open`);
  return update(turn, 'permission', part.id, () => ({ ...part, ...end }));
}

/** Without the members that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never;
}
