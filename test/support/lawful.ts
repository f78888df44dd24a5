import { after, judge, type SessionMachineSnapshot, unopened } from '../../machines/law.ts';
import type { Draft } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import { opened } from './facts.ts';

/** The session `s` after these facts, which have to be lawful one by one. */
export function at(...drafts: readonly Draft[]): SessionMachineSnapshot {
  return standing('conversation', drafts);
}

/** The job `s` after these facts. */
export function jobAt(...drafts: readonly Draft[]): SessionMachineSnapshot {
  return standing('job', drafts);
}

function standing(kind: 'conversation' | 'job', drafts: readonly Draft[]): SessionMachineSnapshot {
  const verdict = judge(unopened('s', kind), [opened(kind), ...drafts], 1_000);
  if (!verdict.lawful) throw new Error(`${verdict.refused.type} at ${verdict.index} is not lawful`);
  const facts = verdict.facts.map((fact) => ({ ...fact, epoch: 'e' }));
  const last = facts.reduce(after, unopened('s', kind));
  // No actor runs here, so the turns are folded beside the machine.
  const turns = foldAll(facts);
  const { open } = last.context;
  const ref = { getSnapshot: () => ({ context: turns.find(({ id }) => id === open?.id) }) };
  const settled = turns.filter(({ outcome }) => outcome);
  return {
    ...last,
    context: { ...last.context, turns: settled, open: open && { ...open, ref } },
  } as never;
}
