import {
  type ActorRefFrom,
  assertEvent,
  assign,
  enqueueActions,
  fromCallback,
  setup,
  stopChild,
} from 'xstate';
import type { ClientFrame, ResyncReason, ServerFrame } from '../src/wire/live.ts';
import type { SessionSummary } from '../src/wire/snapshot.ts';
import { asked, flowing, isMeant, type Subscription, type Subscriptions } from './link.subscriptions.ts';

export interface LinkInput {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1, evenly spread: keeps pages that lost the same gateway from coming back in the same instant. */
  readonly jitter: () => number;
  /** Where a session's actor stands; undefined while its snapshot is being read. */
  readonly cursorOf: (session: string) => string | undefined;
}

export interface LinkContext extends LinkInput {
  readonly wanted: Subscriptions;
  /** As the gateway's `hello` says. */
  readonly heartbeatMs: number;
  readonly version: string | null;
  /** When the last frame came. */
  readonly heardAt: number;
  /** Attempts since the gateway was last heard. */
  readonly attempt: number;
  /** Milliseconds until the next attempt, and when that is. */
  readonly wait: number;
  readonly nextAt: number | null;
  /** Why there is no connection, in a sentence. */
  readonly reason: string | null;
  /** The browser says that there is no network. */
  readonly offline: boolean;
}

export type SocketOrder = { readonly type: 'send'; readonly frame: ClientFrame };
export type SocketEvent =
  | { readonly type: 'socket.frame'; readonly frame: ServerFrame }
  | { readonly type: 'socket.closed'; readonly reason: string };

export type LinkEvent =
  | SocketEvent
  /** Facts after the cursor are wanted; asked again, the newer cursor counts. */
  | { readonly type: 'subscribe'; readonly session: string; readonly after: string }
  | { readonly type: 'unsubscribe'; readonly session: string }
  | { readonly type: 'retry' }
  | { readonly type: 'online' }
  | { readonly type: 'offline' };

export type LinkEmitted =
  /** The gateway has greeted: what is not followed fact by fact should be read again. */
  | { readonly type: 'connected' }
  | { readonly type: 'facts'; readonly frame: Extract<ServerFrame, { type: 'facts' }> }
  | { readonly type: 'resync'; readonly session: string; readonly reason: ResyncReason }
  | {
      readonly type: 'sessions';
      readonly changed: readonly SessionSummary[];
      readonly removed: readonly string[];
    }
  | { readonly type: 'agents' }
  | { readonly type: 'refused'; readonly session?: string; readonly code: string; readonly detail: string };

const firstWait = 500;
const longestWait = 15_000;

/** 0.5 s, doubled up to 15 s, of which the half is left to chance. */
function waitOf(attempt: number, jitter: number): number {
  const whole = Math.min(firstWait * 2 ** attempt, longestWait);
  return Math.round(whole * (0.5 + jitter / 2));
}

/** So long, in ms, may a live connection say nothing. */
const patience = ({ heartbeatMs }: LinkContext) => heartbeatMs * 2.5;

/** How long it has said nothing. */
const silence = ({ now, heardAt }: LinkContext) => now() - heardAt;

function closedReason(event: LinkEvent): string {
  return event.type === 'socket.closed' ? event.reason : 'The gateway is silent.';
}

/** How this page hears from the gateway. A lost connection is the link's state, never a turn's. */
export const linkMachine = setup({
  types: {
    context: {} as LinkContext,
    events: {} as LinkEvent,
    emitted: {} as LinkEmitted,
    input: {} as LinkInput,
  },
  actors: {
    /** A connection: opened when it starts, closed when it is stopped. Says `socket.closed` once, if it closes itself. */
    socket: fromCallback<SocketOrder>(() => {
      throw new Error('the socket actor was not provided');
    }),
  },
  delays: {
    backoff: ({ context }) => context.wait,
    patience: ({ context }) => patience(context),
    restOfPatience: ({ context }) => Math.min(patience(context), patience(context) - silence(context)),
    greeting: 10_000,
  },
  guards: {
    isHello: ({ event }) => {
      assertEvent(event, 'socket.frame');
      return event.frame.type === 'hello';
    },
    isOffline: ({ context }) => context.offline,
    /** A clock that was set back says nothing of how long it was quiet: then it is asked. */
    wasHeard: ({ context }) => silence(context) >= 0 && silence(context) < patience(context),
  },
  actions: {
    dial: enqueueActions(({ enqueue }) => {
      enqueue.stopChild('socket');
      enqueue.assign({ nextAt: null });
      enqueue.spawnChild('socket', { id: 'socket' });
    }),
    hangUp: stopChild('socket'),
    plan: assign(({ context }) => {
      const wait = waitOf(context.attempt, context.jitter());
      return { attempt: context.attempt + 1, wait, nextAt: context.now() + wait };
    }),
    // The browser may be wrong about the network, so it is tried now and then all the same.
    planSlowly: assign(({ context }) => ({ wait: longestWait, nextAt: context.now() + longestWait })),
    noteReason: assign(({ event }) => ({ reason: closedReason(event) })),
    noteOffline: assign({ offline: true, reason: 'This device has no network.' }),
    noteOnline: assign({ offline: false }),
    greet: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'socket.frame');
      if (event.frame.type !== 'hello') return;
      const { version, heartbeatMs } = event.frame;
      enqueue.assign({ version, heartbeatMs, heardAt: context.now(), attempt: 0, reason: null });
      // On a new connection nothing was asked for yet.
      const wanted = Object.keys(context.wanted).map((session) => {
        const after = context.cursorOf(session);
        // Its snapshot is being read; once it is, the session is subscribed after the snapshot's cursor.
        if (after === undefined) return [session, null] as const;
        enqueue.sendTo('socket', { type: 'send', frame: { type: 'subscribe', session, after } });
        return [session, asked(after)] as const;
      });
      enqueue.assign({ wanted: Object.fromEntries(wanted) });
      enqueue.emit({ type: 'connected' });
    }),
    want: assign(({ context, event }) => {
      assertEvent(event, 'subscribe');
      return { wanted: { ...context.wanted, [event.session]: null } };
    }),
    drop: assign(({ context, event }) => {
      assertEvent(event, 'unsubscribe');
      const { [event.session]: _, ...wanted } = context.wanted;
      return { wanted };
    }),
    subscribe: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'subscribe');
      const { session, after } = event;
      enqueue.assign({ wanted: { ...context.wanted, [session]: asked(after) } });
      enqueue.sendTo('socket', { type: 'send', frame: { type: 'subscribe', session, after } });
    }),
    unsubscribe: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'unsubscribe');
      if (!(event.session in context.wanted)) return;
      enqueue.sendTo('socket', { type: 'send', frame: { type: 'unsubscribe', session: event.session } });
    }),
    ping: enqueueActions(({ enqueue }) => {
      enqueue.sendTo('socket', { type: 'send', frame: { type: 'ping' } });
    }),
    receive: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'socket.frame');
      const { frame } = event;
      enqueue.assign({ heardAt: context.now() });
      const put = (session: string, subscription: Subscription | null) => {
        if (subscription !== context.wanted[session])
          enqueue.assign({ wanted: { ...context.wanted, [session]: subscription } });
      };
      switch (frame.type) {
        case 'facts': {
          const known = context.wanted[frame.session];
          if (!known || !isMeant(known, frame)) return;
          put(frame.session, flowing(known));
          enqueue.emit({ type: 'facts', frame });
          return;
        }
        case 'subscribed': {
          const known = context.wanted[frame.session];
          if (known) put(frame.session, flowing(known));
          return;
        }
        case 'resync':
          if (!(frame.session in context.wanted)) return;
          put(frame.session, null);
          enqueue.emit(frame);
          return;
        case 'sessions':
        case 'agents':
          enqueue.emit(frame);
          return;
        case 'error':
          enqueue.emit({ ...frame, type: 'refused' });
          return;
      }
    }),
  },
}).createMachine({
  id: 'link',
  context: ({ input }) => ({
    ...input,
    wanted: {},
    heartbeatMs: 15_000,
    version: null,
    heardAt: 0,
    attempt: 0,
    wait: 0,
    nextAt: null,
    reason: null,
    offline: false,
  }),
  initial: 'connecting',
  on: {
    subscribe: { actions: 'want' },
    unsubscribe: { actions: 'drop' },
    offline: { actions: 'noteOffline', target: '.offline' },
    online: { actions: 'noteOnline' },
  },
  states: {
    connecting: {
      entry: 'dial',
      after: { greeting: { actions: 'noteReason', target: 'reconnecting' } },
      on: {
        'socket.frame': { guard: 'isHello', actions: 'greet', target: 'live' },
        'socket.closed': [
          { guard: 'isOffline', target: 'offline' },
          { actions: 'noteReason', target: 'reconnecting' },
        ],
        // What was dialled while there was no network may hang until it is given up.
        retry: { target: 'connecting', reenter: true },
        online: { actions: 'noteOnline', target: 'connecting', reenter: true },
      },
    },
    live: {
      // Any frame is a sign of life. A timer for each of them would be most of what a frame costs: there is one, which looks.
      after: {
        restOfPatience: [{ guard: 'wasHeard', target: 'live', reenter: true }, { target: 'stale' }],
      },
      on: {
        'socket.frame': { actions: 'receive' },
        'socket.closed': { actions: 'noteReason', target: 'reconnecting' },
        subscribe: { actions: 'subscribe' },
        unsubscribe: { actions: ['unsubscribe', 'drop'] },
      },
    },
    // The connection is there and says nothing. What is shown may be old; it is asked for a sign of life.
    stale: {
      entry: 'ping',
      after: { patience: { actions: 'noteReason', target: 'reconnecting' } },
      on: {
        'socket.frame': { actions: 'receive', target: 'live' },
        'socket.closed': { actions: 'noteReason', target: 'reconnecting' },
        subscribe: { actions: 'subscribe' },
        unsubscribe: { actions: ['unsubscribe', 'drop'] },
        retry: 'connecting',
      },
    },
    reconnecting: {
      entry: ['hangUp', 'plan'],
      after: { backoff: 'connecting' },
      on: { retry: 'connecting', online: { actions: 'noteOnline', target: 'connecting' } },
    },
    offline: {
      entry: ['hangUp', 'planSlowly'],
      after: { backoff: 'connecting' },
      on: { retry: 'connecting', online: { actions: 'noteOnline', target: 'connecting' } },
    },
  },
});

export type LinkRef = ActorRefFrom<typeof linkMachine>;
