import { createBrowserReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import {
  type InspectLine,
  inspectChannel,
  inspectorLock,
  type Standing,
  type StateValue,
} from '../wire/inspect.ts';

export interface PageListener {
  /** A page is there, or tells all its actors anew. */
  readonly met: (page: string, path: string) => void;
  readonly line: (page: string, line: InspectLine) => void;
  readonly left: (page: string) => void;
}

/**
 * Hears the pages of this browser through Stately's receiver. It listens to a window; here a BroadcastChannel stands
 * in for it, so that no page has to have opened the other.
 */
export function listenToPages(listener: PageListener): () => void {
  const inspector = Math.random().toString(36).slice(2, 10);
  const channel = new BroadcastChannel(inspectChannel);
  const post = (message: object) => channel.postMessage({ ...message, inspector });
  let over = false;
  const closed = Promise.withResolvers<void>();
  const bye = () => post({ type: '@statelyai.disconnected' });

  const start = () => {
    const stand = {
      opener: { postMessage: post },
      addEventListener: (_: 'message', heard: (event: MessageEvent) => void) =>
        channel.addEventListener('message', heard),
    };
    createBrowserReceiver({ window: stand as unknown as Window }).subscribe((event) => {
      hear(event, listener);
    });
    // A page that is opened later says so, and is greeted then.
    channel.addEventListener('message', ({ data }: MessageEvent<{ readonly type?: string }>) => {
      if (data.type === 'sluice.page') post({ type: '@statelyai.connected' });
    });
    addEventListener('pagehide', bye);
  };
  if (navigator.locks) {
    void navigator.locks.request(inspectorLock(inspector), () => {
      if (!over) start();
      return closed.promise;
    });
  } else start();

  return () => {
    over = true;
    bye();
    removeEventListener('pagehide', bye);
    closed.resolve();
    channel.close();
  };
}

function hear(event: StatelyInspectionEvent, listener: PageListener): void {
  const { rootId: page, sessionId: id } = event;
  if (page === undefined) return;
  const at = Number(event.createdAt);
  if (event.type === '@xstate.actor') {
    const { name: machine, parentId: parent, snapshot } = event;
    const { status = 'active', context } = snapshot;
    if (id === page) {
      listener.met(page, context.path);
      listener.line(page, { type: 'began', at });
      return;
    }
    const below = parent === undefined || parent === page ? {} : { parent };
    listener.line(page, {
      ...context,
      ...stateOf(snapshot),
      ...below,
      type: 'actor',
      id,
      machine,
      status,
      at,
    });
  } else if (event.type === '@xstate.snapshot') {
    const { type, ...detail } = event.event;
    const { status, context } = event.snapshot as Told;
    if (id === page) listener.left(page);
    else if (context === undefined) listener.line(page, { type: 'stopped', id, at });
    else {
      const state = stateOf(event.snapshot as Told);
      listener.line(page, { ...context, ...state, type: 'event', id, event: type, detail, status, at });
    }
  }
}

interface Told {
  readonly status: Standing['status'];
  readonly value?: StateValue;
  readonly context?: Readonly<Record<string, unknown>>;
}

function stateOf({ value }: { readonly value?: StateValue }): { readonly state?: StateValue } {
  return value === undefined ? {} : { state: value };
}
