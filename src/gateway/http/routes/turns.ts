import {
  answerPermission,
  editQueue,
  retryAnswer,
  retryRequest,
  sendAnswer,
  sendMessage,
  stopRequest,
} from '../../../wire/requests.ts';
import type { Outside } from '../outside.ts';
import { type Route, route } from '../route.ts';
import { permissionAnswer, queue, resumeAnswer, stopAnswer } from '../schemas.ts';

/** What a user asks of a conversation. */
export function turnRoutes({ service }: Outside): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/api/sessions/:id/messages',
      summary:
        'Sends a message. The same `id` and body get the same answer again; the same `id` with another body, 409.',
      body: sendMessage,
      answers: { 202: { description: 'It is in the log: started, queued or a job.', schema: sendAnswer } },
      refusals: [400, 404, 409, 413, 415],
      handle: async ({ context, body, param }) => context.json(await service.send(param('id'), body), 202),
    }),
    route({
      method: 'post',
      path: '/api/sessions/:id/stop',
      summary:
        'Stops a turn, or the turn of a message. The queue is held. A turn that is over: 409 with what runs now.',
      body: stopRequest,
      answers: {
        202: {
          description: 'The stop is in the log; no more output of the turn follows.',
          schema: stopAnswer,
        },
      },
      refusals: [400, 404, 409, 413, 415],
      handle: async ({ context, body, param }) => context.json(await service.stop(param('id'), body), 202),
    }),
    route({
      method: 'post',
      path: '/api/sessions/:id/resume',
      summary: 'Lets a held queue go on.',
      answers: { 202: { description: 'The queue goes on.', schema: resumeAnswer } },
      refusals: [404, 409, 415],
      handle: async ({ context, param }) => context.json(await service.resume(param('id')), 202),
    }),
    route({
      method: 'post',
      path: '/api/sessions/:id/retry',
      summary:
        'Sends the message of the last turn again, as a new turn: now, or `at` a time. A stop, a send, an edit or `at: null` ends the wait.',
      body: retryRequest,
      answers: { 202: { description: 'The new turn, or when it starts.', schema: retryAnswer } },
      refusals: [400, 404, 409, 413, 415],
      handle: async ({ context, body, param }) => context.json(await service.retry(param('id'), body), 202),
    }),
    route({
      method: 'patch',
      path: '/api/sessions/:id/queue',
      summary:
        'Edits, moves or removes a queued message. `revision` is the one that was seen; a stale one: 409 with the queue.',
      body: editQueue,
      answers: { 200: { description: 'The queue after it.', schema: queue } },
      refusals: [400, 404, 409, 413, 415],
      handle: async ({ context, body, param }) => context.json(await service.editQueue(param('id'), body)),
    }),
    route({
      method: 'post',
      path: '/api/sessions/:id/permissions/:pid',
      summary:
        'Answers a permission. The first answer wins; a later one: 409 with the winner, or `withdrawn`. ' +
        'Values that do not fit its form: 400, with what is wrong by field.',
      body: answerPermission,
      answers: { 200: { description: 'The answer is in the log.', schema: permissionAnswer } },
      refusals: [400, 404, 409, 413, 415],
      handle: async ({ context, body, param }) =>
        context.json(await service.answer(param('id'), param('pid'), body.option, body.content)),
    }),
  ];
}
