import { eventStreamAnswer, eventStreamHeaders } from '../event.stream.ts';
import { inspectLine } from '../frames.ts';
import type { Outside } from '../outside.ts';
import { type Route, route } from '../route.ts';
import { openStream } from '../streams.ts';

export function inspectRoutes(outside: Outside): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/api/inspect',
      summary:
        'The actors of the gateway and their events, as server-sent events. Costs nothing while nobody reads it.',
      answers: { 200: { description: 'One line for each.', schema: inspectLine, type: 'text/event-stream' } },
      handle: ({ context }) => {
        if (context.req.method === 'HEAD') return context.body(null, 200, eventStreamHeaders);
        const events = openStream(outside);
        const stop = outside.service.inspect((line) => {
          events.push(`data: ${JSON.stringify(line)}\n\n`);
          if (events.isFull) events.end('event: resync\ndata: {"reason":"slow"}\n\n');
        });
        void events.closed.then(stop);
        return eventStreamAnswer(events);
      },
    }),
  ];
}
