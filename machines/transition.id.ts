import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';

/**
 * Names a transition by its place in the definition: the same in the gateway, in a page and in a drawing of the
 * chart, whatever actors were provided.
 */
export function transitionId(transition: AnyTransitionDefinition): string {
  const { id, transitions, always } = transition.source as AnyStateNode;
  return `${id}:${[...transitions.values(), always].flat().indexOf(transition)}`;
}
