import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';

const known = new WeakMap<AnyStateNode, ReadonlyMap<AnyTransitionDefinition, string>>();

/**
 * Names a transition by its place in the definition: the same in the gateway, in a page and in a drawing of the
 * chart, whatever actors were provided.
 */
export function transitionId(transition: AnyTransitionDefinition): string {
  const node = transition.source as AnyStateNode;
  let ids = known.get(node);
  if (!ids) {
    const byEvent = [...node.transitions.values()].flat().map((t, i) => [t, `${node.id}:${i}`] as const);
    const eventless = (node.always ?? []).map((t, i) => [t, `${node.id}:always:${i}`] as const);
    ids = new Map<AnyTransitionDefinition, string>([...byEvent, ...eventless]);
    known.set(node, ids);
  }
  return ids.get(transition) ?? `${node.id}:?`;
}
