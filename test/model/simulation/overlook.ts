import type { Gateway } from '../../../src/gateway/gateway.ts';
import { Refusal } from '../../../src/gateway/refusal.ts';
import type { Sink } from '../../../src/gateway/service.ts';
import { parseCursor } from '../../../src/wire/cursor.ts';
import type { EditQueue, StopRequest } from '../../../src/wire/requests.ts';
import { nextFrame, standsBehind } from './gateway.checks.ts';

/** Told of what a gateway is asked, and what it answers. */
export interface Overlooker {
  /** `code`: of the refusal, if it is one. */
  stopped(session: string, body: StopRequest, code: string | undefined): void;
  edited(session: string, body: EditQueue): void;
  /** The user wants it run again now, and was told that it is. */
  retries(session: string, turn: string): void;
  retried(session: string, turn: string): void;
  /** What its readers are handed is wrong. */
  misled(session: string, what: string): void;
}

export function overlook(gateway: Gateway, seen: Overlooker): void {
  const stop = gateway.stop.bind(gateway);
  gateway.stop = async (session, body) => {
    try {
      const answer = await stop(session, body);
      seen.stopped(session, body, undefined);
      return answer;
    } catch (error) {
      seen.stopped(session, body, error instanceof Refusal ? error.code : 'internal');
      throw error;
    }
  };
  const edit = gateway.editQueue.bind(gateway);
  gateway.editQueue = async (session, body) => {
    const answer = await edit(session, body);
    seen.edited(session, body);
    return answer;
  };
  const retry = gateway.retry.bind(gateway);
  gateway.retry = async (session, body) => {
    if (body.at === undefined) seen.retries(session, body.turn);
    const answer = await retry(session, body);
    if (body.at === undefined) seen.retried(session, body.turn);
    return answer;
  };
  const subscribe = gateway.subscribe.bind(gateway);
  gateway.subscribe = async (session, after, grade, sink) => {
    const reader = readerOf(session, after, sink, seen);
    const subscription = await subscribe(session, after, grade, reader);
    const found = reader.isOver ? [] : standsBehind(after, subscription.cursor);
    for (const what of found) seen.misled(session, what);
    return subscription;
  };
}

/** I6: what a reader is handed, from its cursor on. */
function readerOf(session: string, after: string | undefined, sink: Sink, seen: Overlooker) {
  let at = after === undefined ? undefined : parseCursor(after)?.seq;
  const reader = {
    isOver: false,
    facts: (frame: Parameters<Sink['facts']>[0]) => {
      for (const what of nextFrame(frame, at)) seen.misled(session, what);
      at = frame.seq;
      return sink.facts(frame);
    },
    resync: (reason: Parameters<Sink['resync']>[0]) => {
      reader.isOver = true;
      sink.resync(reason);
    },
  };
  return reader;
}
