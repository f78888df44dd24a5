import type { ContentBlock } from '../src/wire/content.ts';
import type { Draft, FactOf } from '../src/wire/facts.ts';
import { openTurn } from '../src/wire/fold.ts';
import type { RecalledTurn } from '../src/wire/output.ts';
import { closings } from './closings.ts';
import { judge, type SessionMachineSnapshot } from './law.ts';
import { draftsOf } from './outputs.ts';

/** What an earlier turn is closed with, where the agent left something of it open. */
const cut = 'Its end is not in the history that the agent keeps.';

/**
 * What an agent tells of its earlier session, as drafts that follow on `before`: settled turns that are marked as
 * imported. They go through the same law as turns that are watched live, and are meant for one append with what opens
 * the session: it has all of them, or it is not there. Throws when the law refuses them, which is a fault of ours.
 */
export function importDrafts(before: SessionMachineSnapshot, turns: readonly RecalledTurn[]): Draft[] {
  let standing = before;
  const drafts: Draft[] = [];
  const write = (more: readonly Draft[]) => {
    const verdict = judge(standing, more, 0);
    if (!verdict.lawful) throw new Error(`${verdict.refused.type} cannot be imported`);
    standing = verdict.next;
    drafts.push(...more);
    return verdict.facts;
  };
  for (const recalled of joined(turns)) {
    const { seq, queue } = standing.context;
    const turn = `t${seq + 1}`;
    const { content } = recalled;
    const [started] = write([
      {
        type: 'turn.started',
        turn,
        ...(content && { message: { id: `imported-${seq + 1}`, content: [...content] } }),
        origin: content ? 'user' : 'agent',
        imported: true,
        revision: queue.revision + 1,
      },
    ]);
    const open = openTurn(started as FactOf<'turn.started'>);
    const { value, context } = standing;
    write(draftsOf({ state: String(value), context }, open, recalled.outputs.filter(ofTheTurn)).drafts);
    const { tools, permissions } = closings(standing.context, cut);
    const answered = recalled.outputs.length > 0 && tools.length + permissions.length === 0;
    write([
      ...tools,
      ...permissions,
      answered
        ? { type: 'turn.ended', turn, outcome: 'finalized', stopReason: 'end_turn' }
        : { type: 'turn.ended', turn, outcome: 'interrupted', stopReason: 'lost' },
    ]);
  }
  return drafts;
}

/**
 * Only the first turn may be without a message: what comes unasked later belongs to the turn before it, as it cannot be told
 * whether that had ended.
 */
function joined(turns: readonly RecalledTurn[]): RecalledTurn[] {
  const all: { content?: readonly ContentBlock[]; outputs: RecalledTurn['outputs'] }[] = [];
  for (const { content, outputs } of turns) {
    const last = all.at(-1);
    if (content || !last) all.push({ ...(content && { content }), outputs });
    else last.outputs = [...last.outputs, ...outputs];
  }
  return all.filter((turn) => turn.content || turn.outputs.length > 0);
}

/** What a replay says of the session is of today, and not of the turn. */
function ofTheTurn({ type }: RecalledTurn['outputs'][number]): boolean {
  return type !== 'changed' && type !== 'usage' && type !== 'accepted';
}
