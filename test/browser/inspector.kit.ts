import { onTestFinished, vi } from 'vitest';
import { mount } from '../../src/inspector/mount.tsx';
import type { InspectLine } from '../../src/wire/inspect.ts';
import '../../src/inspector/styles/index.css';

export const at = 1_000_000;

/** Stands in for the browser's EventSource: says what the test says. */
export class FakeEventSource extends EventTarget {
  static readonly all: FakeEventSource[] = [];
  readonly url: string;
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;

  constructor(url: string) {
    super();
    this.url = url;
    FakeEventSource.all.push(this);
  }

  close(): void {
    this.closed = true;
  }

  tell(...lines: readonly InspectLine[]): void {
    for (const line of lines) this.onmessage?.({ data: JSON.stringify(line) });
  }
}

/** Time that moves when the test says so. */
function ownClock() {
  let now = at;
  const calls = new Set<() => void>();
  return {
    now: () => now,
    eachSecond(call: () => void) {
      calls.add(call);
      return () => void calls.delete(call);
    },
    advance(seconds: number) {
      for (let n = 0; n < seconds; n++) {
        now += 1000;
        for (const call of calls) call();
      }
    },
    /** How many wait for the next second. */
    get waiting() {
      return calls.size;
    },
  };
}

/** The inspector in a page of its own making, and the gateway's end of its stream. */
export function openInspector() {
  const clock = ownClock();
  FakeEventSource.all.length = 0;
  vi.stubGlobal('EventSource', FakeEventSource);
  const root = document.createElement('div');
  document.body.append(root);
  const close = mount(root, clock);
  let open = true;
  const end = () => {
    if (open) close();
    open = false;
  };
  onTestFinished(() => {
    end();
    root.remove();
    vi.unstubAllGlobals();
  });
  return {
    root,
    clock,
    close: end,
    get gateway(): FakeEventSource {
      const source = FakeEventSource.all.at(-1);
      if (!source) throw new Error('the inspector has not asked the gateway');
      return source;
    },
    rows: () => [...root.querySelectorAll<HTMLElement>('[role=treeitem]')],
    row: (key: string) => root.querySelector<HTMLElement>(`[data-key="${key}"]`),
    events: () => [...root.querySelectorAll<HTMLElement>('.event')],
    lit: () => [...root.querySelectorAll<SVGElement>('.node.lit')].map((node) => node.dataset.state),
  };
}

const active = { status: 'active', at } as const;

/** As a gateway tells it when somebody begins to listen: one conversation that streams, one that is done. */
export const recorded: readonly InspectLine[] = [
  { type: 'began', at },
  {
    ...active,
    type: 'actor',
    id: 'x:0',
    machine: 'orchestrator',
    state: {},
    counts: { ignored: 2, unrouted: 1 },
  },
  {
    ...active,
    type: 'actor',
    id: 'x:1',
    parent: 'x:0',
    machine: 'conversation',
    session: 's1',
    title: 'Flaky test',
    state: 'streaming',
    since: at - 90_000,
    counts: { ignored: 2 },
  },
  {
    ...active,
    type: 'actor',
    id: 'x:2',
    parent: 'x:0',
    machine: 'conversation',
    session: 's2',
    state: 'finalized',
    since: at - 5000,
  },
  {
    ...active,
    type: 'actor',
    id: 'x:3',
    parent: 'x:1',
    machine: 'runner',
    session: 's1',
    state: { pen: 'idle', work: { engaged: 'listening' } },
  },
];

export const first = 'gateway/orchestrator/conversation:s1';
export const second = 'gateway/orchestrator/conversation:s2';

type EventLine = Extract<InspectLine, { type: 'event' }>;

export function event(of: Partial<EventLine> & Pick<EventLine, 'id' | 'event'>): EventLine {
  return { ...active, type: 'event', taken: true, transitions: [], ...of };
}
