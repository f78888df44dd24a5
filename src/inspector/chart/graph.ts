import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { type DirectedGraphNode, toDirectedGraph } from 'xstate/graph';
import { transitionId } from '../../../machines/transition.id.ts';
import { eventText } from '../names.ts';

/** A transition as the chart says it. */
export interface Way {
  /** As `transitionId` names it. */
  readonly id: string;
  readonly event: string;
  /** Where the event has more than one transition: which one. */
  readonly guard?: string;
  /** One of many that the same event has from here: named at its state instead of drawn. */
  readonly fanned?: true;
}

/** An event with more targets than this would cover the chart with arrows. */
const mostTargets = 5;

export interface ChartState {
  readonly id: string;
  readonly name: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly children: readonly ChartState[];
  /** Transitions that stay in the state. */
  readonly stays: readonly Way[];
  /** Transitions that are not drawn, since the same event leads to many states. */
  readonly fans: readonly Way[];
  /** Actors that run while it is active. */
  readonly invokes: readonly string[];
}

/** All transitions from one state to another. */
export interface ChartEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly ways: readonly Way[];
}

export interface Chart {
  readonly root: ChartState;
  readonly edges: readonly ChartEdge[];
  /** The state that each of these begins in. */
  readonly initial: readonly { readonly state: string; readonly child: string }[];
}

/**
 * The chart of a machine's definition. `toDirectedGraph` leaves out eventless transitions and where a state begins;
 * they are taken from the state nodes. Transitions between the same two states are one edge.
 */
export function chartOf(machine: AnyStateMachine): Chart {
  const edges = new Map<string, { source: string; target: string; ways: Way[] }>();
  const initial: { state: string; child: string }[] = [];
  const visit = (node: DirectedGraphNode): ChartState => {
    const { stateNode } = node;
    const stays: Way[] = [];
    const fans: Way[] = [];
    for (const transition of transitionsOf(node)) {
      const way = wayOf(transition);
      if (!transition.target) stays.push(way);
      if (way.fanned) fans.push(way);
      for (const target of transition.target ?? []) {
        const id = `${stateNode.id} > ${target.id}`;
        const known = edges.get(id) ?? { source: stateNode.id, target: target.id, ways: [] };
        edges.set(id, known);
        known.ways.push(way);
      }
    }
    const first = stateNode.type === 'compound' ? stateNode.initial?.target?.[0] : undefined;
    if (first) initial.push({ state: stateNode.id, child: first.id });
    return {
      id: stateNode.id,
      name: stateNode.key,
      kind: stateNode.type,
      children: node.children.map(visit),
      stays,
      fans,
      invokes: stateNode.invoke.map((invoke) => invoke.id),
    };
  };
  // Its root, since a machine is told by its class, of which a page may have two copies.
  const root = visit(toDirectedGraph(machine.root));
  return { root, initial, edges: [...edges].map(([id, edge]) => ({ id, ...edge })) };
}

function transitionsOf({ edges, stateNode }: DirectedGraphNode): readonly AnyTransitionDefinition[] {
  // An edge for each target; the transition is one.
  return [...new Set(edges.map((edge) => edge.transition)), ...(stateNode.always ?? [])];
}

function wayOf(transition: AnyTransitionDefinition): Way {
  const source = transition.source as AnyStateNode;
  const { eventType, guard } = transition;
  const others = eventType === '' ? source.always : source.transitions.get(eventType);
  const name = (others?.length ?? 0) > 1 ? guardText(guard) : undefined;
  const event = eventText(eventType, source.id);
  const targets = new Set(others?.flatMap((other) => other.target ?? []));
  return {
    id: transitionId(transition),
    event,
    ...(name !== undefined && { guard: name }),
    ...(targets.size > mostTargets && { fanned: true as const }),
  };
}

function guardText(guard: AnyTransitionDefinition['guard']): string | undefined {
  if (guard === undefined) return undefined;
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'function')
    return guard.name === 'guard' || guard.name === '' ? 'by its data' : guard.name;
  const { type, params } = guard as { readonly type: string; readonly params?: unknown };
  const values = typeof params === 'object' && params !== null ? Object.values(params) : [];
  return values.length > 0 ? `${type} ${values.join(' ')}` : type;
}

/** What may come next: the ways out of the active states, innermost first, and what changes no state. */
export interface Next {
  readonly out: readonly { readonly target: string; readonly ways: readonly Way[] }[];
  readonly stays: readonly Way[];
  readonly waits: readonly string[];
}

export function nextIn(chart: Chart, active: ReadonlySet<string>): Next {
  const states: ChartState[] = [];
  const visit = (state: ChartState) => {
    if (!active.has(state.id)) return;
    for (const child of state.children) visit(child);
    states.push(state);
  };
  visit(chart.root);
  const order = states.map((state) => state.id);
  const out = chart.edges
    .filter((edge) => order.includes(edge.source))
    .sort((a, b) => order.indexOf(a.source) - order.indexOf(b.source))
    .map(({ target, ways }) => ({ target: target.slice(chart.root.id.length + 1), ways }));
  return {
    out,
    stays: states.flatMap((state) => state.stays),
    waits: states.flatMap((state) => state.invokes),
  };
}

export function wayText({ event, guard }: Way): string {
  return guard === undefined ? event : `${event} [${guard}]`;
}
