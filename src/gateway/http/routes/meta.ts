import { z } from 'zod';
import { addAgent } from '../../../wire/requests.ts';
import type { Outside } from '../outside.ts';
import { type Route, route } from '../route.ts';
import { agentLine, agentList, earlierSessions, health } from '../schemas.ts';

/** `document`: the OpenAPI document of all routes, made when it is first asked for. */
export function metaRoutes({ service, version }: Outside, document: () => unknown): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/api/health',
      summary: 'That it runs, and which version. Needs no token.',
      open: true,
      answers: { 200: { description: 'It runs.', schema: health } },
      handle: ({ context }) => context.json({ name: 'sluice', version }),
    }),
    route({
      method: 'get',
      path: '/api/agents',
      summary: 'The agents, and for those that are not available the reason.',
      answers: { 200: { description: 'All agents.', schema: agentList } },
      handle: async ({ context }) => context.json({ agents: await service.agents() }),
    }),
    route({
      method: 'post',
      path: '/api/agents',
      summary:
        'Adds an agent program that speaks the Agent Client Protocol. It is started to see that it can be talked to: if not, 422 with the reason. Then it is kept in the settings file.',
      body: addAgent,
      answers: { 201: { description: 'The agent; it can be talked to at once.', schema: agentLine } },
      refusals: [400, 409, 413, 415, 422],
      handle: async ({ context, body }) => context.json(await service.addAgent(body), 201),
    }),
    route({
      method: 'delete',
      path: '/api/agents/:id',
      summary: 'Removes an agent that was added so. Refused while sessions of it run.',
      answers: { 204: { description: 'It is gone; its conversations can still be read.' } },
      refusals: [404, 409],
      handle: async ({ context, param }) => {
        await service.removeAgent(param('id'));
        return context.body(null, 204);
      },
    }),
    route({
      method: 'get',
      path: '/api/agents/:id/sessions',
      summary:
        'Earlier sessions of the agent’s own, of the directory `cwd` or of all below the roots; `session` is the one here that continues it. The agent is started for it, which takes some seconds.',
      query: z.strictObject({
        cwd: z.string().min(1).max(4096).optional(),
        cursor: z.string().min(1).max(4096).optional(),
      }),
      answers: {
        200: {
          description: 'A page of them; `next` is the cursor of the next one.',
          schema: earlierSessions,
        },
      },
      refusals: [400, 403, 404, 409],
      handle: async ({ context, param, query: { cwd, cursor } }) => {
        const query = { ...(cwd !== undefined && { cwd }), ...(cursor !== undefined && { cursor }) };
        return context.json(await service.earlier(param('id'), query));
      },
    }),
    route({
      method: 'get',
      path: '/api/openapi.json',
      summary: 'This document.',
      answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
      handle: ({ context }) => context.json(document() as object),
    }),
  ];
}
