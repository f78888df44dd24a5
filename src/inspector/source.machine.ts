import { assign, fromCallback, setup } from 'xstate';
import type { InspectLine } from '../wire/inspect.ts';

export type SourceEvent =
  | { readonly type: 'opened' }
  | { readonly type: 'lost'; readonly reason: string }
  /** The gateway wants the token. */
  | { readonly type: 'refused' }
  | { readonly type: 'retry' };

/** How the inspector hears from the gateway. */
export const sourceMachine = setup({
  types: { context: {} as { readonly reason: string | null }, events: {} as SourceEvent },
  actors: {
    stream: fromCallback<{ readonly type: string }>(() => {
      throw new Error('the stream actor was not provided');
    }),
  },
  actions: {
    note: assign(({ event }) => (event.type === 'lost' ? { reason: event.reason } : {})),
    clear: assign({ reason: null }),
  },
}).createMachine({
  id: 'source',
  context: { reason: null },
  initial: 'connected',
  states: {
    connected: {
      initial: 'connecting',
      invoke: { src: 'stream' },
      on: { lost: { actions: 'note', target: 'waiting' }, refused: 'refused' },
      states: { connecting: { on: { opened: { actions: 'clear', target: 'live' } } }, live: {} },
    },
    waiting: { after: { 2000: 'connected' }, on: { retry: 'connected' } },
    refused: { on: { retry: 'connected' } },
  },
});

const path = '/api/inspect';

/** The gateway's lines, for as long as the actor runs. */
export function gatewayStream(tell: (line: InspectLine) => void) {
  return fromCallback<{ readonly type: string }>(({ sendBack }) => {
    let over = false;
    const source = new EventSource(path);
    const end = (event: SourceEvent) => {
      if (over) return;
      over = true;
      source.close();
      sendBack(event);
    };
    source.onopen = () => sendBack({ type: 'opened' });
    source.onmessage = ({ data }: MessageEvent<string>) => tell(JSON.parse(data) as InspectLine);
    source.addEventListener('resync', () =>
      end({ type: 'lost', reason: 'Too much happened at once to show it all.' }),
    );
    // An event source does not say why it failed.
    source.onerror = () => {
      source.close();
      void reasonOf().then(end);
    };
    return () => {
      over = true;
      source.close();
    };
  });
}

async function reasonOf(): Promise<SourceEvent> {
  try {
    const { status } = await fetch(path, { method: 'HEAD' });
    if (status === 401 || status === 403) return { type: 'refused' };
    const reason = status < 400 ? 'The connection was lost.' : `The gateway answered ${status}.`;
    return { type: 'lost', reason };
  } catch {
    return { type: 'lost', reason: 'The gateway cannot be reached.' };
  }
}
