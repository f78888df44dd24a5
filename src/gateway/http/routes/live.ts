import { Refusal } from '../../refusal.ts';
import { type Route, route } from '../route.ts';

/** The upgrade itself is answered before HTTP routes are looked at; this says so to everybody else. */
export const liveRoute: Route = route({
  method: 'get',
  path: '/api/live',
  summary:
    'The live channel, a WebSocket: one for all sessions of a tab. It takes `clientFrame` and sends `serverFrame`, as JSON text.',
  answers: { 101: { description: 'The WebSocket is open.' } },
  refusals: [426],
  handle: () => {
    throw new Refusal(426, 'upgrade.missing', 'This is a WebSocket: open it with one.');
  },
});
