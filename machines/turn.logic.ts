import { type ActorRefFrom, fromTransition } from 'xstate';
import type { Fact } from '../src/wire/facts.ts';
import { fold } from '../src/wire/fold.ts';
import type { Part, Turn } from '../src/wire/turn.ts';

/** `turn.loaded`: the snapshot was read again, the fold goes on from there. */
export type TurnEvent = Fact | { readonly type: 'turn.loaded'; readonly turn: Turn };

/** An open turn: the fold as actor logic. A token costs the same in a thread of 10 or 10,000 rows. */
export const turnLogic = fromTransition<Turn, TurnEvent, never, Turn>(
  (turn, event) => (event.type === 'turn.loaded' ? reread(turn, event.turn) : fold(turn, event)),
  ({ input }) => input,
);

/** A turn that was read again: parts that say the same keep their identity, so that nothing is drawn anew (I10). */
function reread(known: Turn, turn: Turn): Turn {
  const parts = turn.parts.map((part, index) => {
    const before = known.parts[index];
    return JSON.stringify(before) === JSON.stringify(part) ? (before as Part) : part;
  });
  return { ...turn, parts };
}

export type TurnRef = ActorRefFrom<typeof turnLogic>;

/** The turn as it is now. */
export function turnOf(ref: TurnRef): Turn {
  return ref.getSnapshot().context;
}
