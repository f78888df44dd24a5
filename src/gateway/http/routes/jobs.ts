import type { Outside } from '../outside.ts';
import { type Route, route } from '../route.ts';
import { jobList, sessionSnapshot, stopAnswer } from '../schemas.ts';

export function jobRoutes({ service }: Outside): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/api/jobs',
      summary: 'Background jobs over all sessions.',
      answers: { 200: { description: 'All jobs.', schema: jobList } },
      handle: async ({ context }) => context.json({ jobs: await service.jobs() }),
    }),
    route({
      method: 'get',
      path: '/api/jobs/:id',
      summary: 'The state of a job, with its turn.',
      answers: { 200: { description: 'The job at `cursor`.', schema: sessionSnapshot } },
      refusals: [404],
      handle: async ({ context, param }) => context.json(await service.job(param('id'))),
    }),
    route({
      method: 'post',
      path: '/api/jobs/:id/stop',
      summary: 'Stops a job.',
      answers: { 202: { description: 'The stop is in the log of the job.', schema: stopAnswer } },
      refusals: [404, 409, 415],
      handle: async ({ context, param }) => context.json(await service.stopJob(param('id')), 202),
    }),
  ];
}
