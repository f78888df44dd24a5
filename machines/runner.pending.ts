import type { Output } from '../src/wire/output.ts';
import type { Pending } from './outputs.ts';
import type { RunnerContext } from './runner.types.ts';
import { standing } from './runner.work.ts';
import { turnOf } from './turn.logic.ts';

/** Output waiting, in order, with one more of the runner's own. */
export function waiting(context: RunnerContext, ...more: readonly Pending[]): readonly Pending[] {
  return [...context.outputs, ...more];
}

/** What is welcome of a turn that is over: news of the session, and what the turn cost (A4). */
export function ofSession(outputs: readonly Output[], turn: string): readonly Output[] {
  return outputs.flatMap((output) => {
    if (output.type === 'usage') return { turn, ...output };
    return output.type === 'changed' ? output : [];
  });
}

/** Without those that the turn has: asked again by an agent that is joined again, they are answered as what is committed says. */
export function unknownQuestions(context: RunnerContext, outputs: readonly Pending[]): readonly string[] {
  const { open } = standing(context).context;
  const isAsked = (id: string) =>
    open !== null && turnOf(open.ref).parts.some((part) => part.type === 'permission' && part.id === id);
  return outputs.flatMap((output) =>
    output.type === 'permission.asked' && !isAsked(output.permission) ? output.permission : [],
  );
}

export function unheard(permission: string) {
  return { type: 'unheard', permission } as const;
}

export function asPending(output: Pending, context: RunnerContext): Pending {
  if (output.type !== 'poll') return output;
  return { type: 'watching', mode: 'poll', reason: output.reason, since: context.now() };
}
