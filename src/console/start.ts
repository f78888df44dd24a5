import { type ActorOptions, createActor, fromPromise } from 'xstate';
import { conversationMachine } from '../../machines/conversation.machine.ts';
import { directoryMachine, type Loaded } from '../../machines/directory.machine.ts';
import { jobMachine } from '../../machines/job.machine.ts';
import { linkMachine } from '../../machines/link.machine.ts';
import { orchestratorMachine } from '../../machines/orchestrator.machine.ts';
import { outboxMachine } from '../../machines/outbox.machine.ts';
import { cursorOf } from '../../machines/session.ts';
import type { SessionSnapshot, SessionSummary } from '../wire/snapshot.ts';
import { newId } from './lib/id.ts';
import { type Api, createApi } from './transport/api.ts';
import { listenToBrowser } from './transport/browser.ts';
import { type Actors, connect, standing } from './transport/connect.ts';
import { postLogic } from './transport/post.ts';
import { ProblemError } from './transport/problem.ts';
import { openLive, type Socket, socketLogic } from './transport/socket.ts';
import { idbShelf, outboxStore, type Presence, type Shelf, webPresence } from './transport/store.ts';

type AnyOptions = ActorOptions<typeof orchestratorMachine>;

export interface StartOptions {
  /** Where the gateway is; the page's own origin by default. */
  readonly base?: string;
  readonly fetch?: typeof fetch;
  readonly openSocket?: () => Socket;
  readonly shelf?: Shelf;
  /** `null`: this browser cannot say which pages are open. */
  readonly presence?: Presence | null;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** From 0 to 1, evenly spread. */
  readonly random?: () => number;
  readonly clock?: NonNullable<AnyOptions['clock']>;
  /** Sees every event of every actor. */
  readonly inspect?: NonNullable<AnyOptions['inspect']>;
}

/** The actors of a page, and the calls that need no outbox. */
export interface Sluice extends Actors {
  readonly api: Api;
  /** Reads the sessions and the agents again. */
  readonly refresh: () => void;
  /** Ends all of it; what is on its way is kept for the next page. */
  readonly close: () => void;
}

const pageSize = 200;

function load(api: Api) {
  return fromPromise<SessionSnapshot, { session: string }>(({ input, signal }) =>
    api.snapshot(input.session, signal),
  );
}

/**
 * A job is named in its parent's log before its own log begins, so a page may ask for it too early: that is no reason
 * to give it up, only to ask again.
 */
function loadJob(api: Api) {
  return fromPromise<SessionSnapshot, { session: string }>(async ({ input, signal }) => {
    try {
      return await api.snapshot(input.session, signal);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'session.unknown') throw error;
      throw new ProblemError(error.status, 'job.unknown', error.detail, error.extra);
    }
  });
}

function directoryOf(api: Api) {
  return directoryMachine.provide({
    actors: {
      load: fromPromise<Loaded>(async ({ signal }) => {
        const [newest, jobs, agents] = await Promise.all([
          api.sessions({ limit: pageSize }, signal),
          api.jobs(signal),
          api.agents(signal),
        ]);
        return { sessions: [...newest, ...jobs], agents, more: newest.length >= pageSize };
      }),
      find: fromPromise<readonly SessionSummary[], { readonly query: string }>(({ input, signal }) =>
        api.sessions({ q: input.query, limit: pageSize }, signal),
      ),
      page: fromPromise<Pick<Loaded, 'sessions' | 'more'>, { readonly before: string }>(
        async ({ input, signal }) => {
          const sessions = await api.sessions({ limit: pageSize, before: input.before }, signal);
          return { sessions, more: sessions.length >= pageSize };
        },
      ),
    },
  });
}

/** Starts the actors of a page. */
export function start(options: StartOptions = {}): Sluice {
  const { base, now = () => Date.now(), random: jitter = () => Math.random(), clock, inspect } = options;
  const api = createApi({
    ...(base !== undefined && { base }),
    ...(options.fetch && { fetch: options.fetch }),
  });
  const presence = options.presence === null ? undefined : (options.presence ?? webPresence());
  const kept = outboxStore(options.shelf ?? idbShelf(), newId(), presence);
  const shared = { ...(clock && { clock }), ...(inspect && { inspect }) };

  const root = createActor(
    orchestratorMachine.provide({
      actors: {
        conversation: conversationMachine.provide({ actors: { load: load(api) } }),
        job: jobMachine.provide({ actors: { load: loadJob(api) } }),
      },
    }),
    { ...shared, systemId: 'orchestrator', input: {} },
  );
  const outbox = createActor(
    outboxMachine.provide({ actors: { post: postLogic(api), load: kept.load, store: kept.store } }),
    { ...shared, systemId: 'outbox', input: { now, jitter } },
  );
  const link = createActor(
    linkMachine.provide({ actors: { socket: socketLogic(options.openSocket ?? (() => openLive(base))) } }),
    {
      ...shared,
      systemId: 'link',
      input: {
        now,
        jitter,
        cursorOf: (session: string) => {
          const context = standing(root, session);
          return context && cursorOf(context);
        },
      },
    },
  );
  const directory = createActor(directoryOf(api), { ...shared, systemId: 'directory' });

  const part = connect({ root, link, outbox, directory });
  const ignore = listenToBrowser(link);
  for (const actor of [root, outbox, directory, link]) actor.start();
  return {
    api,
    root,
    link,
    outbox,
    directory,
    refresh: () => directory.send({ type: 'reload' }),
    close() {
      ignore();
      part();
      for (const actor of [link, outbox, directory, root]) actor.stop();
    },
  };
}
