import type { StatelyActorEvent, StatelyInspectionEvent, StatelySnapshotEvent } from '@statelyai/inspect';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { Inspection } from '../../machines/inspection.ts';
import { type InspectLine, inspectChannel, inspectorLock } from '../wire/inspect.ts';

/**
 * The page's end of Stately's inspection protocol, over a BroadcastChannel. Its events are made here and not by
 * `createInspector`: that one turns each whole snapshot into JSON before it asks whether anybody wants it.
 */
export interface PageInspection {
  /** Given to each root actor of the page as its `inspect`. */
  readonly observe: (event: InspectionEvent) => void;
  readonly close: () => void;
}

/** Says once that the page is there; after that nothing is done until an inspector asks. */
export function createPageInspection(channel: BroadcastChannel): PageInspection {
  const page = `page-${Math.random().toString(36).slice(2, 10)}`;
  const roots = new Set<AnyActorRef>();
  const inspectors = new Set<string>();
  const inspection = new Inspection({
    roots: () => [...roots].filter((ref) => ref.getSnapshot().status === 'active'),
    now: () => Date.now(),
  });
  let stop: (() => void) | undefined;

  const leave = (inspector: string) => {
    inspectors.delete(inspector);
    if (inspectors.size > 0) return;
    stop?.();
    stop = undefined;
  };
  const meet = (inspector: string) => {
    if (inspectors.has(inspector)) return;
    inspectors.add(inspector);
    stop?.();
    stop = inspection.listen((line) => channel.postMessage(statelyEvent(page, line)));
    // Granted when the inspector has gone, however it went. There are no locks on an address that is not secure.
    void navigator.locks?.request(inspectorLock(inspector), { mode: 'shared' }, () => leave(inspector));
  };
  const bye = () => {
    if (stop) channel.postMessage(statelyEvent(page, { type: 'stopped', id: '', at: Date.now() }));
  };

  channel.onmessage = ({ data }: MessageEvent<{ readonly type?: string; readonly inspector?: string }>) => {
    if (typeof data.inspector !== 'string') return;
    if (data.type === '@statelyai.connected') meet(data.inspector);
    if (data.type === '@statelyai.disconnected') leave(data.inspector);
  };
  addEventListener('pagehide', bye);
  channel.postMessage({ type: 'sluice.page' });

  return {
    observe(event) {
      if (event.type === '@xstate.actor') {
        const ref = event.actorRef as AnyActorRef;
        if (ref._parent === undefined) roots.add(ref);
      }
      inspection.observe(event);
    },
    close() {
      bye();
      removeEventListener('pagehide', bye);
      for (const inspector of [...inspectors]) leave(inspector);
      channel.close();
    },
  };
}

const version = 'sluice';

function statelyEvent(page: string, line: InspectLine): StatelyInspectionEvent {
  const base = { rootId: page, createdAt: String(line.at), id: '', _version: version };
  const own = 'id' in line && line.id !== '' ? `${page}/${line.id}` : page;
  switch (line.type) {
    case 'began': {
      const snapshot = { status: 'active', context: { path: location.pathname + location.hash } } as const;
      const fields = { name: 'page', parentId: undefined, definition: undefined, snapshot };
      return { ...base, ...fields, type: '@xstate.actor', sessionId: page } satisfies StatelyActorEvent;
    }
    case 'actor': {
      const { type: _, id: __, machine, parent, at: ___, status, state, ...context } = line;
      const parentId = parent === undefined ? page : `${page}/${parent}`;
      const snapshot = { status, ...(state !== undefined && { value: state }), context };
      const fields = { name: machine, parentId, definition: undefined, snapshot };
      return { ...base, ...fields, type: '@xstate.actor', sessionId: own } satisfies StatelyActorEvent;
    }
    case 'event': {
      const { type: _, id: __, event: type, detail, at: ___, status, state, ...context } = line;
      const event = { ...(typeof detail === 'object' && detail), type };
      const snapshot = { status, value: state, context, output: undefined, error: undefined };
      const fields = { event, snapshot: snapshot as StatelySnapshotEvent['snapshot'] };
      return { ...base, ...fields, type: '@xstate.snapshot', sessionId: own };
    }
    case 'stopped': {
      const snapshot = { status: 'stopped', output: undefined, error: undefined } as const;
      const fields = { event: { type: 'xstate.stop' }, snapshot };
      return { ...base, ...fields, type: '@xstate.snapshot', sessionId: own };
    }
  }
}

let inspection: PageInspection | undefined;

/** The page's own: `inspect` of each root actor. */
export function inspect(event: InspectionEvent): void {
  inspection ??= createPageInspection(new BroadcastChannel(inspectChannel));
  inspection.observe(event);
}
