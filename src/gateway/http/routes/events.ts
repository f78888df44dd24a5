import { z } from 'zod';
import { parseCursor } from '../../../wire/cursor.ts';
import type { Grade } from '../../../wire/live.ts';
import { Refusal } from '../../refusal.ts';
import type { Service } from '../../service.ts';
import { eventStreamAnswer, eventStreamHeaders } from '../event.stream.ts';
import { factPage } from '../frames.ts';
import type { Outside } from '../outside.ts';
import { type Call, type Route, route } from '../route.ts';
import { openStream } from '../streams.ts';

const query = z.strictObject({
  after: z.string().max(100).optional(),
  grade: z.enum(['live', 'turn']).default('live'),
  wait: z.coerce.number().min(0).max(60).optional(),
});
/** How long the facts that are there may take to be read when the caller does not wait. */
const readMs = 1_000;
type EventsCall = Call<undefined, z.output<typeof query>>;

type Frame = Parameters<Parameters<Service['subscribe']>[3]['facts']>[0];

interface Wanted {
  readonly session: string;
  readonly after: string | undefined;
  readonly grade: Grade;
}

export function eventRoutes(outside: Outside): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/api/sessions/:id/events',
      summary:
        'Follows the log after a cursor. Server-sent events: `id` is the cursor, `data` the fact; `Last-Event-ID` wins ' +
        'over `after`; an event `resync` ends it: read the session again. With `Accept: application/json` a long poll ' +
        'that waits up to `wait` seconds.',
      query,
      answers: {
        200: { description: 'Facts, as they are written.', schema: factPage, type: 'text/event-stream' },
      },
      refusals: [400, 404, 409],
      handle: (call) => {
        // The body of an answer to HEAD is never read: nothing would close the subscription.
        if (call.context.req.method === 'HEAD') return call.context.body(null, 200, eventStreamHeaders);
        const wanted = {
          session: call.param('id'),
          after: cursorOf(call.context.req.header('last-event-id') ?? call.query.after),
          grade: call.query.grade,
        };
        const accept = call.context.req.header('accept') ?? '';
        const wantsStream = accept.includes('text/event-stream');
        const wantsPage = accept.includes('application/json') || call.query.wait !== undefined;
        return wantsPage && !wantsStream ? page(outside, call, wanted) : stream(outside, wanted);
      },
    }),
  ];
}

function cursorOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (parseCursor(text) === undefined) {
    throw new Refusal(
      400,
      'cursor.malformed',
      `${text.slice(0, 100)} is not a cursor. Send one that was received, such as E.12.`,
    );
  }
  return text;
}

async function stream(outside: Outside, wanted: Wanted): Promise<Response> {
  const events = openStream(outside);
  let isFollowing = false;
  let isFirst = true;
  const resync = (reason: string) => events.end(`event: resync\ndata: ${JSON.stringify({ reason })}\n\n`);
  try {
    const subscription = await outside.service.subscribe(wanted.session, wanted.after, wanted.grade, {
      facts(frame) {
        isFirst = false;
        events.push(eventsOf(frame));
        if (isFollowing && events.isFull) resync('slow');
        return isFollowing ? events.relief() : undefined;
      },
      resync,
    });
    isFollowing = true;
    void events.closed.then(() => subscription.close());
    // A reader that is cut off before the first fact comes back to the same place.
    if (isFirst) events.push(`id: ${wanted.after ?? subscription.cursor}\n\n`);
  } catch (error) {
    events.end();
    throw error;
  }
  return eventStreamAnswer(events);
}

function eventsOf({ epoch, seq, facts }: Frame): string {
  let text = '';
  for (const fact of facts) text += `id: ${epoch}.${fact.seq}\ndata: ${JSON.stringify(fact)}\n\n`;
  // A grade left out the last facts: an event without data moves the reader's place and is not dispatched.
  if (facts.at(-1)?.seq !== seq) text += `id: ${epoch}.${seq}\n\n`;
  return text;
}

/** At once when there are facts, else when the first one is written, the time is up, or the caller is gone. */
async function page(outside: Outside, { context, query }: EventsCall, wanted: Wanted): Promise<Response> {
  const { clock, service } = outside;
  const wait = (query.wait ?? 0) * 1_000;
  const facts: Frame['facts'][number][] = [];
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => {});
  let cursor = wanted.after;
  let head: string | undefined;
  const look = () => {
    if (facts.length > 0 || (wait === 0 && cursor === head)) done.resolve();
  };
  const subscription = await service.subscribe(wanted.session, wanted.after, wanted.grade, {
    facts(frame) {
      facts.push(...frame.facts);
      cursor = `${frame.epoch}.${frame.seq}`;
      look();
    },
    resync(reason) {
      const detail = `The log does not go on from ${wanted.after ?? 'there'}. Read the session again.`;
      done.reject(new Refusal(409, 'events.resync', detail, { reason }));
    },
  });
  head = subscription.cursor;
  cursor ??= head;
  look();
  const timer = clock.setTimeout(() => done.resolve(), wait || readMs);
  const { signal } = context.req.raw;
  if (signal.aborted) done.resolve();
  signal.addEventListener('abort', () => done.resolve(), { once: true });
  try {
    await done.promise;
  } finally {
    clock.clearTimeout(timer as never);
    subscription.close();
  }
  return context.json({ facts, cursor });
}
