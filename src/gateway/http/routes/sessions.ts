import { z } from 'zod';
import { changeSession, createSession } from '../../../wire/requests.ts';
import type { Outside } from '../outside.ts';
import { type Route, route } from '../route.ts';
import { olderTurns, sessionList, sessionSnapshot } from '../schemas.ts';

const limit = z.coerce.number().int().min(1).max(200).default(50);
const before = z.string().min(1).max(200).optional();

export function sessionRoutes({ service }: Outside): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/api/sessions',
      summary:
        'Sessions, the one that changed last first. `q` looks in titles; `before` is the last id of the page before.',
      query: z.strictObject({ q: z.string().max(200).optional(), limit, before }),
      answers: { 200: { description: 'A page of sessions.', schema: sessionList } },
      refusals: [400],
      handle: async ({ context, query: { q, before, limit } }) => {
        const sessions = await service.list({
          limit,
          ...(q !== undefined && q !== '' && { q }),
          ...(before !== undefined && { before }),
        });
        return context.json({ sessions });
      },
    }),
    route({
      method: 'post',
      path: '/api/sessions',
      summary:
        'Makes a session. With an `id` that is already there and the same body, answers the same. With `continue`, it begins with what the earlier session of the agent’s own held.',
      body: createSession,
      answers: { 201: { description: 'The new session.', schema: sessionSnapshot } },
      refusals: [400, 403, 409, 413, 415],
      handle: async ({ context, body }) => {
        const session = await service.create(body);
        return context.json(session, 201, { location: `/api/sessions/${encodeURIComponent(session.id)}` });
      },
    }),
    route({
      method: 'get',
      path: '/api/sessions/:id',
      summary: 'The state of a session, with its last turns.',
      answers: { 200: { description: 'The session at `cursor`.', schema: sessionSnapshot } },
      refusals: [404],
      handle: async ({ context, param }) => context.json(await service.snapshot(param('id'))),
    }),
    route({
      method: 'patch',
      path: '/api/sessions/:id',
      summary:
        'Changes title, model, mode or options of the agent, or says up to which cursor the user has looked.',
      body: changeSession,
      answers: { 200: { description: 'The session after it.', schema: sessionSnapshot } },
      refusals: [400, 404, 409, 413, 415],
      handle: async ({ context, body, param }) => context.json(await service.change(param('id'), body)),
    }),
    route({
      method: 'delete',
      path: '/api/sessions/:id',
      summary: 'Deletes a session with its log. Refused while it is busy.',
      answers: { 204: { description: 'It is gone.' } },
      refusals: [404, 409],
      handle: async ({ context, param }) => {
        await service.remove(param('id'));
        return context.body(null, 204);
      },
    }),
    route({
      method: 'get',
      path: '/api/sessions/:id/turns',
      summary: 'Older turns, oldest first: the `limit` ones before the turn `before`, or the newest ones.',
      query: z.strictObject({ before, limit }),
      answers: { 200: { description: 'A page of turns.', schema: olderTurns } },
      refusals: [400, 404],
      handle: async ({ context, param, query }) =>
        context.json(await service.turns(param('id'), query.before, query.limit)),
    }),
  ];
}
