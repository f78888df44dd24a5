import ELK, { type ElkExtendedEdge, type ElkNode, type ElkPoint } from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import { type Chart, type ChartEdge, type ChartState, type Way, wayText } from './graph.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface DrawnState extends Box {
  readonly state: ChartState;
  /** What is written under its name. */
  readonly note: string;
  readonly inner: boolean;
}

export interface DrawnEdge {
  readonly edge: ChartEdge;
  readonly path: string;
  readonly label: (Box & { readonly lines: readonly string[] }) | undefined;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Outer states before those inside of them. */
  readonly states: readonly DrawnState[];
  readonly edges: readonly DrawnEdge[];
  readonly starts: readonly { readonly x: number; readonly y: number; readonly path: string }[];
}

const nameFont = 13;
const smallFont = 11;
export const lineHeight = 14;
/** Of the ways that one edge stands for, as many are named. */
const mostNamed = 3;

type Measure = (text: string, size: number, weight?: number) => number;

function measurer(family: string): Measure {
  const context = document.createElement('canvas').getContext('2d');
  return (text, size, weight = 400) => {
    if (!context) return text.length * size * 0.6;
    context.font = `${weight} ${size}px ${family}`;
    return context.measureText(text).width;
  };
}

function noteOf(state: ChartState): string {
  const runs = state.invokes.length > 0 ? [`runs ${state.invokes.join(', ')}`] : [];
  const events = new Map<string, number>();
  for (const { event } of state.fans) events.set(event, (events.get(event) ?? 0) + 1);
  const fans = [...events].map(([event, count]) => `${event}: to ${count} states`);
  const stays = state.stays.length > 0 ? [`stays on ${state.stays.length}`] : [];
  return [...runs, ...fans, ...stays].join(' · ');
}

/** The ways of an edge that are drawn. */
function drawnWays({ ways }: ChartEdge): readonly Way[] {
  return ways.filter((way) => !way.fanned);
}

function labelOf(edge: ChartEdge): readonly string[] {
  const names = [...new Set(drawnWays(edge).map(wayText))];
  if (names.length <= mostNamed + 1) return names;
  return [...names.slice(0, mostNamed), `and ${names.length - mostNamed} more`];
}

/** Of each level of the chart: ELK hands none of these down. */
const placing = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '14',
  'elk.spacing.edgeNode': '10',
  'elk.spacing.edgeEdge': '8',
  'elk.spacing.edgeLabel': '2',
  'elk.spacing.labelNode': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
};
const options = {
  ...placing,
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.edgeCoords': 'ROOT',
  'elk.json.shapeCoords': 'ROOT',
  'elk.padding': '[top=14,left=14,bottom=14,right=14]',
};

let elk: InstanceType<typeof ELK> | undefined;
const drawings = new WeakMap<Chart, Promise<Drawing>>();

/** Places a chart, in a worker and once: a definition does not change. `family`: the font it is written in. */
export function draw(chart: Chart, family: string): Promise<Drawing> {
  const known = drawings.get(chart);
  if (known) return known;
  const drawing = layOut(chart, measurer(family));
  drawings.set(chart, drawing);
  drawing.catch(() => drawings.delete(chart));
  return drawing;
}

async function layOut(chart: Chart, measure: Measure): Promise<Drawing> {
  elk ??= new ELK({ workerFactory: () => new Worker(workerUrl) });
  const begins = new Map(chart.initial.map((start) => [start.state, start.child]));
  const nodeOf = (state: ChartState): ElkNode => {
    const note = noteOf(state);
    const name = measure(state.name, nameFont, 600);
    const width = Math.ceil(Math.max(name + 26, note === '' ? 0 : measure(note, smallFont) + 22, 76));
    if (state.children.length === 0) return { id: state.id, width, height: note === '' ? 30 : 46 };
    const top = note === '' ? 36 : 50;
    const start = begins.has(state.id) ? [{ id: `${state.id} start`, width: 10, height: 10 }] : [];
    return {
      id: state.id,
      children: [...start, ...state.children.map(nodeOf)],
      layoutOptions: {
        ...placing,
        'elk.alignment': 'TOP',
        'elk.padding': `[top=${top},left=16,bottom=16,right=16]`,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        'elk.nodeSize.minimum': `(${width},60)`,
      },
    };
  };
  const graph = await elk.layout({
    id: 'chart',
    layoutOptions: options,
    children: [nodeOf(chart.root)],
    edges: [
      ...chart.initial.map(({ state, child }) => ({
        id: `${state} start`,
        sources: [`${state} start`],
        targets: [child],
      })),
      ...drawnEdges(chart).map((edge) => ({
        id: edge.id,
        sources: [edge.source],
        targets: [edge.target],
        labels: [labelBox(labelOf(edge), measure)],
      })),
    ],
  });
  return read(chart, graph as ElkNode);
}

function drawnEdges(chart: Chart): readonly ChartEdge[] {
  return chart.edges.filter((edge) => drawnWays(edge).length > 0);
}

function labelBox(lines: readonly string[], measure: Measure) {
  const width = Math.ceil(Math.max(...lines.map((line) => measure(line, smallFont)))) + 8;
  const layoutOptions = { 'elk.edgeLabels.placement': 'CENTER' };
  return { text: lines.join('\n'), width, height: lines.length * lineHeight + 2, layoutOptions };
}

function read(chart: Chart, graph: ElkNode): Drawing {
  const states: DrawnState[] = [];
  const starts: { x: number; y: number; path: string }[] = [];
  const boxes = new Map<string, ElkNode>();
  const edges = new Map<string, ElkExtendedEdge>();
  const collect = (node: ElkNode) => {
    boxes.set(node.id, node);
    for (const edge of node.edges ?? []) edges.set(edge.id, edge);
    for (const child of node.children ?? []) collect(child);
  };
  collect(graph);
  const visit = (state: ChartState) => {
    states.push({
      state,
      note: noteOf(state),
      inner: state.children.length > 0,
      ...boxOf(boxes.get(state.id)),
    });
    for (const child of state.children) visit(child);
  };
  visit(chart.root);
  for (const { state } of chart.initial) {
    const box = boxOf(boxes.get(`${state} start`));
    starts.push({ x: box.x + 5, y: box.y + 5, path: pathOf(edges.get(`${state} start`)) });
  }
  const drawn = drawnEdges(chart).map((edge): DrawnEdge => {
    const placed = edges.get(edge.id);
    const label = placed?.labels?.[0];
    return { edge, path: pathOf(placed), label: label && { ...boxOf(label), lines: labelOf(edge) } };
  });
  return { width: graph.width ?? 0, height: graph.height ?? 0, states, edges: drawn, starts };
}

function boxOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box> = {}): Box {
  return { x, y, width, height };
}

const corner = 6;

/** The bends of an edge as a path with round corners. */
function pathOf(edge: ElkExtendedEdge | undefined): string {
  const section = edge?.sections?.[0];
  if (!section) return '';
  const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
  const last = points.length - 1;
  return points
    .map((point, i) => {
      const [before, after] = [points[i - 1], points[i + 1]];
      if (!before) return `M${point.x},${point.y}`;
      if (!after || i === last) return `L${point.x},${point.y}`;
      const from = towards(point, before);
      const to = towards(point, after);
      return `L${from.x},${from.y}Q${point.x},${point.y} ${to.x},${to.y}`;
    })
    .join('');
}

function towards(from: ElkPoint, to: ElkPoint): ElkPoint {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const part = Math.min(corner, length / 2) / length;
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}
