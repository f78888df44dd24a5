import type { Draft } from '../src/wire/facts.ts';
import type { Output } from '../src/wire/output.ts';
import type { Pending } from './outputs.ts';
import type { SessionContext } from './session.ts';

/** What agents say of the session while no turn is open: usage that comes late (A4), titles, commands. */
export function sessionDrafts(context: SessionContext, outputs: readonly Pending[]): readonly Draft[] {
  return outputs.flatMap((output): readonly Draft[] => {
    if (output.type === 'changed') return changeOf(context, output);
    if (output.type !== 'usage') return [];
    const turn = output.turn ?? context.turns.at(-1)?.id;
    return [{ type: 'usage.updated', usage: output.usage, ...(turn !== undefined && { turn }) }];
  });
}

/** What an agent says of the session; a title that the user gave stays (nothing is left then: no draft). */
export function changeOf(
  context: SessionContext,
  output: Extract<Output, { type: 'changed' }>,
): readonly Draft[] {
  const { type: _, title, ...rest } = output;
  const named = title === undefined || context.titledByUser ? {} : ({ title, by: 'agent' } as const);
  const change = { ...named, ...rest };
  return Object.keys(change).length === 0 ? [] : [{ type: 'session.changed', ...change }];
}
